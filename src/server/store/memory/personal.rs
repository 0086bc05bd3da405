//! The personal data of the memory store: read positions, unread counts, mentions, search, settings and status.

use super::{MemoryState, StoredRoom};
use crate::chat::{
    Author, Entry, IdentityId, NameKey, Person, Presence, RoomId, Search, SearchResults, Seq,
    Unread, UserName,
};
use crate::server::store::{Personal, PersonalChange, RoomRecord, UNREAD_WINDOW};
use crate::text::Finder;

impl MemoryState {
    fn ignores(&self, identity: IdentityId, person: IdentityId) -> bool {
        let personal = self.personal.get(&identity);
        personal.is_some_and(|it| it.settings.ignores(person))
    }
    pub(super) fn read_position(&self, room: RoomId, identity: IdentityId) -> Seq {
        let read = self.rooms.get(&room).and_then(|it| it.reads.get(&identity));
        read.copied().unwrap_or_default()
    }

    pub(super) fn mark_read(&mut self, marks: Vec<(RoomId, IdentityId, Seq)>) {
        for (room, identity, seq) in marks {
            if let Some(room) = self.rooms.get_mut(&room)
                && room.members.contains_key(&identity)
            {
                let read = room.reads.entry(identity).or_default();
                *read = seq.max(*read);
            }
        }
    }

    pub(super) fn unread(
        &self,
        room: RoomId,
        identity: IdentityId,
        read: Seq,
        last: Seq,
    ) -> Unread {
        let mut unread = Unread::none_after(read);
        let above = read.max(Seq(last.0.saturating_sub(UNREAD_WINDOW)));
        let entries = self.entries(room);
        for entry in entries.filter(|it| it.seq > above && it.seq <= last) {
            if entry.counts_for(identity) && !self.ignores(identity, entry.author.id) {
                unread.add(entry.mentions(identity));
            }
        }
        unread
    }

    pub(super) fn mentions_of(&self, identity: IdentityId, most: usize) -> Vec<Entry> {
        let mine = self.rooms.values();
        let mine =
            mine.filter(|it| it.members.contains_key(&identity) && !it.is_unanswered_by(identity));
        let mut found: Vec<Entry> = mine
            .flat_map(|room| &room.entries)
            .filter(|it| it.counts_for(identity) && it.mentions(identity))
            .filter(|it| !self.ignores(identity, it.author.id))
            .cloned()
            .collect();
        found.sort_by_key(|entry| std::cmp::Reverse((entry.at_ms, entry.seq)));
        found.truncate(most);
        found
    }

    pub(super) fn search(
        &self,
        identity: IdentityId,
        search: &Search,
        most: usize,
    ) -> SearchResults {
        let keys: Vec<NameKey> = search
            .from
            .iter()
            .filter_map(|name| Some(UserName::new(name).ok()?.key()))
            .collect();
        let holders = self.identities.values();
        let holders = holders.filter(|it| keys.contains(&it.name.key()));
        let finder = Finder::new(search, identity, holders.map(|it| it.id).collect());
        let all = || {
            let rooms = self.rooms.values();
            let mine = rooms
                .filter(|it| it.members.contains_key(&identity) && !it.is_unanswered_by(identity));
            let wanted =
                mine.filter(|it| search.rooms.is_empty() || search.rooms.contains(&it.record.id));
            wanted.flat_map(|room| &room.entries)
        };
        let mut entries: Vec<Entry> = all().filter(|it| finder.matches(it)).cloned().collect();
        if let Some(open) = finder.as_prefix_search().filter(|_| search.is_prefix)
            && entries.len() < most
        {
            entries = all().filter(|it| open.matches(it)).cloned().collect();
        }
        entries.sort_by_key(|entry| std::cmp::Reverse((entry.at_ms, entry.room, entry.seq)));
        let has_more = entries.len() >= most;
        entries.truncate(most);
        SearchResults {
            entries,
            has_more,
            is_partial: false,
        }
    }

    pub(super) fn personal(&self, identity: IdentityId) -> Personal {
        let mut personal = self.personal.get(&identity).cloned().unwrap_or_default();
        for ignored in &mut personal.settings.ignored {
            let known = self.identities.get(&ignored.id);
            ignored.name = known.map_or_else(String::new, |it| it.name.to_string());
        }
        personal
            .settings
            .ignored
            .sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        personal
    }

    pub(super) fn change_personal(&mut self, identity: IdentityId, change: PersonalChange) {
        if let PersonalChange::Conversation(room, status, request) = change {
            return self.set_conversation(identity, room, status, request);
        }
        let personal = self.personal.entry(identity).or_default();
        let settings = &mut personal.settings;
        match change {
            PersonalChange::Status(status) => personal.status = status,
            PersonalChange::Ignore(person) if !settings.ignores(person) => {
                let name = String::new();
                settings.ignored.push(Author { id: person, name });
            }
            PersonalChange::Ignore(_) | PersonalChange::Conversation(..) => {}
            PersonalChange::Block(person) => {
                if !settings.ignores(person) {
                    let name = String::new();
                    settings.ignored.push(Author { id: person, name });
                }
                if !settings.blocks(person) {
                    settings.blocked.push(person);
                }
            }
            PersonalChange::Unignore(person) => {
                settings.ignored.retain(|it| it.id != person);
                settings.blocked.retain(|it| *it != person);
            }
            PersonalChange::Level(room, level) => {
                settings.levels.retain(|(id, _)| *id != room);
                settings.levels.extend(level.map(|level| (room, level)));
            }
            PersonalChange::Keywords(words) => settings.keywords = words,
        }
    }

    pub(super) fn recently_present(&self, room: RoomId, most: usize) -> Vec<Person> {
        let members = self.rooms.get(&room).into_iter().flat_map(|it| &it.members);
        let mut people: Vec<(u64, Person)> = members
            .filter_map(|(id, role)| {
                let record = self.identities.get(id)?;
                let personal = self.personal.get(id).cloned().unwrap_or_default();
                let person = Person {
                    id: *id,
                    name: record.name.to_string(),
                    presence: Presence::Offline,
                    role: *role,
                    via: record.via,
                    status: personal.status.text,
                };
                Some((personal.seen_ms, person))
            })
            .collect();
        people.sort_by_key(|(seen_ms, person)| (std::cmp::Reverse(*seen_ms), person.id));
        people.truncate(most);
        people.into_iter().map(|(_, person)| person).collect()
    }

    pub(super) fn invitations(&self, identity: IdentityId) -> Vec<RoomRecord> {
        let is_invited = |room: &&StoredRoom| {
            let standing = room.standings.get(&identity);
            let is_ignored = |it: IdentityId| self.ignores(identity, it);
            standing.is_some_and(|it| it.is_invited && !it.invited_by.is_some_and(is_ignored))
        };
        let rooms = self.rooms.values().filter(is_invited);
        let mut rooms: Vec<RoomRecord> = rooms.map(|room| room.record.clone()).collect();
        rooms.sort_by(|one, other| one.name.cmp(&other.name));
        rooms
    }

    pub(super) fn members_named(
        &self,
        room: RoomId,
        keys: Vec<NameKey>,
    ) -> Vec<(NameKey, IdentityId)> {
        let members = self.rooms.get(&room).map(|room| &room.members);
        let is_called = |id: &IdentityId, key: &NameKey| {
            let record = self.identities.get(id);
            record.is_some_and(|record| record.name.key() == *key)
        };
        let mut found = Vec::new();
        for key in keys {
            let ids = members.into_iter().flat_map(|members| members.keys());
            let called = ids.filter(|id| is_called(id, &key)).take(2);
            found.extend(called.map(|id| (key.clone(), *id)));
        }
        found
    }
}
