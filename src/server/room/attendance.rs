//! The people present in a room, and what changed since the last report. Pure: it reads no clock and knows nothing of how sessions work.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::chat::{Author, IdentityId, Person, Presence, Role, SessionId, Status, Via};
use crate::server::outbox::{Direction, JoinOrLeave};

/// The people present in a room, each with their sessions there.
#[derive(Debug, Default)]
pub struct Attendance {
    present: HashMap<IdentityId, Present>,
    /// Changes not reported yet: a person's new state, or `None` if they are no longer listed.
    changes: BTreeMap<IdentityId, Option<Person>>,
    /// Joins and leaves not reported yet, in order, for guests, who get each one separately.
    joins_and_leaves: Vec<JoinOrLeave>,
}

#[derive(Debug)]
struct Present {
    person: Person,
    sessions: HashSet<SessionId>,
    /// The session whose loss started the grace period.
    lost: Option<SessionId>,
}

/// How a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Departure {
    /// The person disconnected on purpose.
    Clean,
    /// The connection broke: they may be back in a moment.
    Lost,
}

impl Attendance {
    /// Returns how many people are present. Those in their grace period count.
    pub fn count(&self) -> u32 {
        u32::try_from(self.present.len()).unwrap_or(u32::MAX)
    }

    pub fn contains(&self, identity: IdentityId) -> bool {
        self.present.contains_key(&identity)
    }

    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.present.values().map(|it| &it.person)
    }

    /// Adds a session of a person.
    pub fn arrive(&mut self, session: SessionId, person: Person) {
        let is_new = !self.present.contains_key(&person.id);
        let present = self.present.entry(person.id).or_insert_with(|| Present {
            person: person.clone(),
            sessions: HashSet::new(),
            lost: None,
        });
        let is_news = present.sessions.is_empty() || present.person != person;
        present.sessions.insert(session);
        present.person = person.clone();
        if is_new {
            self.record_join_or_leave(person.clone(), Direction::In);
        }
        if is_news {
            self.changes.insert(person.id, Some(person));
        }
    }

    fn record_join_or_leave(&mut self, person: Person, way: Direction) {
        // If the opposite change was not reported yet, the two cancel out.
        let other = |it: &JoinOrLeave| it.person.id == person.id && it.way != way;
        if let Some(opposite) = self.joins_and_leaves.iter().position(other) {
            self.joins_and_leaves.remove(opposite);
            return;
        }
        let count = self.count();
        self.joins_and_leaves
            .push(JoinOrLeave { person, way, count });
    }

    /// Takes the joins and leaves since the last call, in order.
    pub fn take_joins_and_leaves(&mut self) -> Vec<JoinOrLeave> {
        std::mem::take(&mut self.joins_and_leaves)
    }

    /// Takes the unreported joins of the people for whom `of` returns true.
    pub fn take_joins(&mut self, of: impl Fn(IdentityId) -> bool) -> Vec<JoinOrLeave> {
        let is_arrival = |it: &mut JoinOrLeave| it.way == Direction::In && of(it.person.id);
        self.joins_and_leaves.extract_if(.., is_arrival).collect()
    }

    /// Removes a session of a person.
    pub fn depart(&mut self, session: SessionId, identity: IdentityId, how: Departure) {
        let Some(present) = self.present.get_mut(&identity) else {
            return;
        };
        if !present.sessions.remove(&session) || !present.sessions.is_empty() {
            return;
        }
        match how {
            Departure::Clean => self.set_offline(identity),
            Departure::Lost => {
                present.lost = Some(session);
                present.person.presence = Presence::Waiting;
                self.changes.insert(identity, Some(present.person.clone()));
            }
        }
    }

    /// Ends the grace period that started when a session was lost. Does nothing if the person is back, or came back and was lost again.
    pub fn expire(&mut self, identity: IdentityId, lost: SessionId) {
        if self
            .present
            .get(&identity)
            .is_some_and(|present| present.sessions.is_empty() && present.lost == Some(lost))
        {
            self.set_offline(identity);
        }
    }

    /// Marks a person as offline but still a member. Guests of bridges never come back, so they are removed from the list.
    pub fn set_offline(&mut self, identity: IdentityId) {
        let Some(gone) = self.present.remove(&identity) else {
            return;
        };
        let offline = (!gone.person.via.is_bridge()).then(|| Person {
            presence: Presence::Offline,
            ..gone.person.clone()
        });
        self.changes.insert(identity, offline);
        self.record_join_or_leave(gone.person, Direction::Out);
    }

    /// Removes a person who is no longer a member, whether present or not.
    pub fn leave(&mut self, identity: IdentityId) {
        if let Some(gone) = self.present.remove(&identity) {
            self.record_join_or_leave(gone.person, Direction::Out);
        }
        self.changes.insert(identity, None);
    }

    pub fn rename(&mut self, identity: IdentityId, name: &str) {
        if let Some(present) = self.present.get_mut(&identity) {
            name.clone_into(&mut present.person.name);
            self.changes.insert(identity, Some(present.person.clone()));
        }
    }

    /// Changes a person's role, whether they are present or not.
    pub fn set_role(&mut self, target: &Author, role: Role) {
        let person = if let Some(present) = self.present.get_mut(&target.id) {
            present.person.role = role;
            present.person.clone()
        } else {
            Person {
                id: target.id,
                name: target.name.clone(),
                presence: Presence::Offline,
                role,
                via: Via::Tchat,
                status: String::new(),
            }
        };
        self.changes.insert(target.id, Some(person));
    }

    pub fn set_status(&mut self, identity: IdentityId, status: &Status) {
        let Some(present) = self.present.get_mut(&identity) else {
            return;
        };
        status.text.clone_into(&mut present.person.status);
        // A person in their grace period stays `Waiting` until they are back.
        if present.person.presence != Presence::Waiting {
            present.person.presence = status.presence();
        }
        self.changes.insert(identity, Some(present.person.clone()));
    }

    pub fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Takes the changes since the last call: people who are new or changed, and people who were removed.
    pub fn take_changes(&mut self) -> (Vec<Person>, Vec<IdentityId>) {
        let mut came = Vec::new();
        let mut went = Vec::new();
        for (id, change) in std::mem::take(&mut self.changes) {
            match change {
                Some(person) => came.push(person),
                None => went.push(id),
            }
        }
        (came, went)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: IdentityId = IdentityId::new([1; 16]);
    const ONE: SessionId = SessionId::new([1; 16]);
    const TWO: SessionId = SessionId::new([2; 16]);

    fn ann() -> Person {
        Person {
            id: ANN,
            name: "ann".into(),
            presence: Presence::Online,
            role: Role::Member,
            via: Via::Tchat,
            status: String::new(),
        }
    }

    fn gone() -> Person {
        Person {
            presence: Presence::Offline,
            ..ann()
        }
    }

    fn with_ann() -> Attendance {
        let mut room = Attendance::default();
        room.arrive(ONE, ann());
        room.take_changes();
        room
    }

    #[test]
    fn a_second_session_and_its_end_change_nothing() {
        let mut room = with_ann();
        room.arrive(TWO, ann());
        room.depart(ONE, ANN, Departure::Clean);
        assert!(!room.has_changes());
        assert_eq!(room.count(), 1);
    }

    #[test]
    fn a_clean_disconnect_is_reported_at_once() {
        let mut room = with_ann();
        room.depart(ONE, ANN, Departure::Clean);
        assert_eq!(room.take_changes(), (vec![gone()], vec![]));
        assert_eq!(room.count(), 0);
        room.leave(ANN);
        assert_eq!(room.take_changes(), (vec![], vec![ANN]));
    }

    #[test]
    fn a_guest_who_disconnects_is_no_longer_a_member() {
        let mut room = Attendance::default();
        let guest = Person {
            via: Via::Chat,
            ..ann()
        };
        room.arrive(ONE, guest);
        room.depart(ONE, ANN, Departure::Clean);
        assert_eq!(room.take_changes(), (vec![], vec![ANN]));
    }

    #[test]
    fn a_status_does_not_show_during_the_grace_period() {
        let mut room = with_ann();
        let away = Status {
            is_away: true,
            text: "lunch".into(),
        };
        room.set_status(ANN, &away);
        let told = room.take_changes().0.remove(0);
        assert_eq!(
            (told.presence, told.status.as_str()),
            (Presence::Away, "lunch")
        );
        room.depart(ONE, ANN, Departure::Lost);
        room.set_status(ANN, &Status::default());
        assert_eq!(room.take_changes().0[0].presence, Presence::Waiting);
    }

    #[test]
    fn a_lost_connection_keeps_the_place_until_the_grace_period_ends() {
        let mut room = with_ann();
        room.depart(ONE, ANN, Departure::Lost);
        assert_eq!(room.take_changes().0[0].presence, Presence::Waiting);
        assert_eq!(room.count(), 1);
        room.expire(ANN, ONE);
        assert_eq!(room.take_changes(), (vec![gone()], vec![]));
    }

    #[test]
    fn a_person_who_is_back_in_time_does_not_expire() {
        let mut room = with_ann();
        room.depart(ONE, ANN, Departure::Lost);
        room.arrive(TWO, ann());
        room.expire(ANN, ONE);
        let (came, went) = room.take_changes();
        assert_eq!((came[0].presence, went.len()), (Presence::Online, 0));
    }

    #[test]
    fn a_second_loss_has_its_own_grace_period() {
        let mut room = with_ann();
        room.depart(ONE, ANN, Departure::Lost);
        room.arrive(TWO, ann());
        room.depart(TWO, ANN, Departure::Lost);
        room.expire(ANN, ONE);
        assert_eq!(room.count(), 1, "the first loss no longer counts");
        room.expire(ANN, TWO);
        assert_eq!(room.count(), 0);
    }

    #[test]
    fn each_join_and_leave_is_reported_with_the_count_after_it() {
        let mut room = Attendance::default();
        let mut told = Vec::new();
        room.arrive(ONE, ann());
        room.arrive(TWO, ann());
        told.extend(room.take_joins_and_leaves());
        room.depart(ONE, ANN, Departure::Lost);
        room.depart(TWO, ANN, Departure::Clean);
        told.extend(room.take_joins_and_leaves());
        let told: Vec<_> = told.iter().map(|it| (it.way, it.count)).collect();
        assert_eq!(
            told,
            [(Direction::In, 1), (Direction::Out, 0)],
            "a second session is neither a join nor a leave"
        );
    }

    #[test]
    fn a_leave_and_a_return_between_two_reports_cancel_out() {
        let mut room = with_ann();
        room.take_joins_and_leaves();
        room.depart(ONE, ANN, Departure::Clean);
        room.arrive(TWO, ann());
        assert_eq!(room.take_joins_and_leaves(), []);
        room.depart(TWO, ANN, Departure::Clean);
        assert_eq!(room.take_joins_and_leaves().len(), 1);
    }
}
