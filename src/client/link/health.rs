//! The health of the connection, measured only from what arrives, so that faults become visible. Pure; the caller passes the time in.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use crate::chat::{Cursor, RoomId, Seq};
use crate::client::{Report, RoomReport};
use crate::wire::Head;

/// If entries that the server reports have not arrived after this time, they are considered lost. Until then they may be on their way.
pub const LOST_AFTER: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub struct Health {
    pub rtt: Option<Duration>,
    pub connections: u64,
    rooms: HashMap<RoomId, RoomHealth>,
}

#[derive(Debug, Default)]
struct RoomHealth {
    /// The last entry of the room according to the server.
    head: Seq,
    /// The head that has not arrived, and since when it is missing.
    missing: Option<(Head, Instant)>,
    duplicates: u64,
    holes: u64,
    repairs: u64,
}

impl Health {
    /// Forgets which entries are missing. A new connection requests them again, because it follows every room again.
    pub fn on_connect(&mut self) {
        for room in self.rooms.values_mut() {
            room.missing = None;
        }
    }

    /// Counts an entry that had been received before.
    pub fn count_duplicate(&mut self, room: RoomId) {
        self.rooms.entry(room).or_default().duplicates += 1;
    }

    /// Counts an entry that arrived before an earlier one.
    pub fn count_hole(&mut self, room: RoomId) {
        self.rooms.entry(room).or_default().holes += 1;
    }

    /// Records the last seq of a room that the server has reported.
    pub fn on_room_end(&mut self, room: RoomId, last: Seq) {
        let room = self.rooms.entry(room).or_default();
        room.head = room.head.max(last);
    }

    /// Records the end of a room from a pong. Entries up to it that have not arrived are missing from now on.
    pub fn on_head(&mut self, head: Head, cursor: Option<&Cursor>, now: Instant) {
        let room = self.rooms.entry(head.room).or_default();
        room.head = head.last;
        if has_arrived(head, cursor) {
            room.missing = None;
        } else if room.missing.is_none() {
            room.missing = Some((head, now));
        }
    }

    /// Forgets which entries of a room are missing. Following the room again requests them.
    pub fn on_follow(&mut self, room: RoomId) {
        if let Some(room) = self.rooms.get_mut(&room) {
            room.missing = None;
        }
    }

    /// Returns when missing entries will be considered lost.
    pub fn next_deadline(&self) -> Option<Instant> {
        let missed = self.rooms.values().filter_map(|room| room.missing);
        missed.map(|(_, since)| since + LOST_AFTER).min()
    }

    /// Returns the rooms whose newest entries were lost in transit, and counts them as repairs.
    pub fn take_lost(&mut self, cursors: &HashMap<RoomId, Cursor>, now: Instant) -> Vec<RoomId> {
        let mut lost = Vec::new();
        for (id, room) in &mut self.rooms {
            let Some((head, since)) = room.missing else {
                continue;
            };
            if now < since + LOST_AFTER {
                continue;
            }
            room.missing = None;
            if !has_arrived(head, cursors.get(id)) {
                room.repairs += 1;
                lost.push(*id);
            }
        }
        lost
    }

    pub fn report(&self, cursors: &HashMap<RoomId, Cursor>) -> Report {
        let nothing = RoomHealth::default();
        // Rooms from the cache are known before the server reports anything about them.
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

fn has_arrived(head: Head, cursor: Option<&Cursor>) -> bool {
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
    fn entries_that_arrive_in_time_are_not_lost() {
        let now = Instant::now();
        let mut health = Health::default();
        health.on_head(head(7), Some(&cursor(5)), now);
        assert_eq!(health.next_deadline(), Some(now + LOST_AFTER));
        let cursors = HashMap::from([(ROOM, cursor(7))]);
        assert!(health.take_lost(&cursors, now + LOST_AFTER).is_empty());
        assert_eq!(health.next_deadline(), None);
    }

    #[test]
    fn entries_missing_for_five_seconds_are_requested_again() {
        let now = Instant::now();
        let mut health = Health::default();
        health.on_head(head(7), Some(&cursor(5)), now);
        // A later head does not postpone it.
        health.on_head(head(9), Some(&cursor(5)), now + Duration::from_secs(4));
        let cursors = HashMap::from([(ROOM, cursor(5))]);
        let nearly = now + LOST_AFTER - Duration::from_millis(1);
        assert!(health.take_lost(&cursors, nearly).is_empty());
        assert_eq!(health.take_lost(&cursors, now + LOST_AFTER), [ROOM]);
        assert_eq!(health.report(&cursors).rooms[0].repairs, 1);
        assert!(health.take_lost(&cursors, now + LOST_AFTER * 2).is_empty());
    }

    #[test]
    fn a_head_of_another_epoch_counts_as_missing() {
        let now = Instant::now();
        let mut health = Health::default();
        let other = Head {
            epoch: Epoch::new([3; 16]),
            ..head(2)
        };
        health.on_head(other, Some(&cursor(5)), now);
        assert!(health.next_deadline().is_some());
    }
}
