//! Connection health, computed only from what arrives, so that a fault shows. Pure; the time comes in.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use crate::chat::{Cursor, RoomId, Seq};
use crate::client::{Report, RoomReport};
use crate::wire::Head;

/// What a server says a room has beyond what has come is believed after this: it may be on its way.
pub const BELIEVED_AFTER: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub struct Health {
    pub rtt: Option<Duration>,
    pub connections: u64,
    rooms: HashMap<RoomId, Room>,
}

#[derive(Debug, Default)]
struct Room {
    /// Where the server says the room ends.
    head: Seq,
    /// What has not come, and since when it is missed.
    missed: Option<(Head, Instant)>,
    duplicates: u64,
    holes: u64,
    repairs: u64,
}

impl Health {
    /// A connection begins: every room is requested again, including what was missed.
    pub fn begins(&mut self) {
        for room in self.rooms.values_mut() {
            room.missed = None;
        }
    }

    /// An entry came that was there already.
    pub fn duplicate(&mut self, room: RoomId) {
        self.rooms.entry(room).or_default().duplicates += 1;
    }

    /// An entry came before the one that had to come first.
    pub fn hole(&mut self, room: RoomId) {
        self.rooms.entry(room).or_default().holes += 1;
    }

    /// The server said where a room ends.
    pub fn ends(&mut self, room: RoomId, last: Seq) {
        let room = self.rooms.entry(room).or_default();
        room.head = room.head.max(last);
    }

    /// The same, in a heartbeat: what of it has not come is missed from now on.
    pub fn heard(&mut self, head: Head, cursor: Option<&Cursor>, now: Instant) {
        let room = self.rooms.entry(head.room).or_default();
        room.head = head.last;
        if has_come(head, cursor) {
            room.missed = None;
        } else if room.missed.is_none() {
            room.missed = Some((head, now));
        }
    }

    /// A room starts over: what was missed is requested.
    pub fn follows(&mut self, room: RoomId) {
        if let Some(room) = self.rooms.get_mut(&room) {
            room.missed = None;
        }
    }

    /// When something missed is to be believed lost.
    pub fn wakes_at(&self) -> Option<Instant> {
        let missed = self.rooms.values().filter_map(|room| room.missed);
        missed.map(|(_, since)| since + BELIEVED_AFTER).min()
    }

    /// The rooms whose end was lost on the way.
    pub fn lost(&mut self, cursors: &HashMap<RoomId, Cursor>, now: Instant) -> Vec<RoomId> {
        let mut lost = Vec::new();
        for (id, room) in &mut self.rooms {
            let Some((head, since)) = room.missed else {
                continue;
            };
            if now < since + BELIEVED_AFTER {
                continue;
            }
            room.missed = None;
            if !has_come(head, cursors.get(id)) {
                room.repairs += 1;
                lost.push(*id);
            }
        }
        lost
    }

    pub fn report(&self, cursors: &HashMap<RoomId, Cursor>) -> Report {
        let nothing = Room::default();
        // Rooms that were kept are known before anything was heard of them.
        let ids: BTreeSet<RoomId> = self.rooms.keys().chain(cursors.keys()).copied().collect();
        let rooms = ids.into_iter().map(|id| {
            let room = self.rooms.get(&id).unwrap_or(&nothing);
            RoomReport {
                room: id,
                last: cursors.get(&id).map_or(Seq::ZERO, |cursor| cursor.seq),
                head: room.head,
                duplicates: room.duplicates,
                holes: room.holes,
                repairs: room.repairs,
            }
        });
        Report {
            rtt: self.rtt,
            reconnects: self.connections.saturating_sub(1),
            rooms: rooms.collect(),
        }
    }
}

fn has_come(head: Head, cursor: Option<&Cursor>) -> bool {
    cursor.map_or(head.last == Seq::ZERO, |cursor| {
        cursor.epoch == head.epoch && cursor.seq >= head.last
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Epoch;

    const ROOM: RoomId = RoomId::new([1; 16]);
    const EPOCH: Epoch = Epoch::new([2; 16]);

    fn cursor(seq: u64) -> Cursor {
        Cursor {
            epoch: EPOCH,
            seq: Seq(seq),
            digest: None,
        }
    }

    fn head(last: u64) -> Head {
        Head {
            room: ROOM,
            epoch: EPOCH,
            last: Seq(last),
        }
    }

    #[test]
    fn what_is_still_on_its_way_is_not_lost() {
        let now = Instant::now();
        let mut health = Health::default();
        health.heard(head(7), Some(&cursor(5)), now);
        assert_eq!(health.wakes_at(), Some(now + BELIEVED_AFTER));
        let cursors = HashMap::from([(ROOM, cursor(7))]);
        assert!(health.lost(&cursors, now + BELIEVED_AFTER).is_empty());
        assert_eq!(health.wakes_at(), None);
    }

    #[test]
    fn what_has_not_come_after_five_seconds_is_asked_for_again() {
        let now = Instant::now();
        let mut health = Health::default();
        health.heard(head(7), Some(&cursor(5)), now);
        // Hearing more meanwhile does not put it off.
        health.heard(head(9), Some(&cursor(5)), now + Duration::from_secs(4));
        let cursors = HashMap::from([(ROOM, cursor(5))]);
        let nearly = now + BELIEVED_AFTER - Duration::from_millis(1);
        assert!(health.lost(&cursors, nearly).is_empty());
        assert_eq!(health.lost(&cursors, now + BELIEVED_AFTER), [ROOM]);
        assert_eq!(health.report(&cursors).rooms[0].repairs, 1);
        assert!(health.lost(&cursors, now + BELIEVED_AFTER * 2).is_empty());
    }

    #[test]
    fn another_epoch_is_a_room_that_has_not_come() {
        let now = Instant::now();
        let mut health = Health::default();
        let other = Head {
            epoch: Epoch::new([3; 16]),
            ..head(2)
        };
        health.heard(other, Some(&cursor(5)), now);
        assert!(health.wakes_at().is_some());
    }
}
