//! Messages of a history that the room no longer has, shown above the current history. A message that is in both is shown once.

use std::collections::HashSet;

use super::{Item, ItemKey, ItemKind, Section, Timeline};
use crate::chat::{ClientId, Entry, IdentityId, Seq};

/// At most this many messages of former histories are shown. Older ones are dropped.
const FORMER: usize = 500;

impl Timeline {
    /// Moves the messages into the former history, above the new one. Each stays until the same message is found in the new history.
    pub(super) fn move_to_former(&mut self, words: impl FnOnce() -> ItemKind) {
        let is_said = |item: &&Item| message_id(&item.what).is_some();
        let plain = |item: &Item| Item {
            entry: None,
            ..item.clone()
        };
        let said = self.items.iter().filter(is_said).map(plain).collect();
        self.forget_entries();
        self.head = None;
        self.add_former(said, words);
    }

    /// Adds messages of a history that the room no longer has, except those that are in the current one too.
    pub fn add_former_entries(
        &mut self,
        entries: &[Entry],
        item: impl Fn(&Entry) -> ItemKind,
        words: impl FnOnce() -> ItemKind,
    ) {
        let item = |entry: &Entry| Item {
            key: ItemKey::entry(entry.seq),
            at_ms: entry.at_ms,
            what: item(entry),
            entry: None,
        };
        self.add_former(entries.iter().map(item).collect(), words);
    }

    fn add_former(&mut self, said: Vec<Item>, words: impl FnOnce() -> ItemKind) {
        self.former.pop();
        let place = |n: u64| ItemKey {
            section: Section::Former,
            seq: Seq(n),
            line: 0,
        };
        // Numbers continue after the last one, because some items may have been removed and no key may be used twice.
        let last = self.former.last().map_or(0, |item| item.key.seq.0);
        for (n, item) in (last + 1..).zip(said) {
            let key = place(n);
            self.former.push(Item { key, ..item });
        }
        let here: HashSet<(IdentityId, ClientId)> = self
            .items
            .iter()
            .filter_map(|item| message_id(&item.what))
            .collect();
        self.former
            .retain(|item| message_id(&item.what).is_some_and(|said| !here.contains(&said)));
        let too_many = self.former.len().saturating_sub(FORMER);
        self.former.drain(..too_many);
        if let Some(last) = self.former.last() {
            let key = ItemKey {
                line: 1,
                ..last.key
            };
            let at_ms = last.at_ms;
            let what = words();
            self.former.push(Item {
                key,
                at_ms,
                what,
                entry: None,
            });
        }
    }

    /// Removes the former message that is now in the current history too.
    pub(super) fn match_former(&mut self, what: &ItemKind) {
        let Some(said) = message_id(what).filter(|_| !self.former.is_empty()) else {
            return;
        };
        self.former
            .retain(|item| message_id(&item.what) != Some(said));
        if self.former.len() == 1 {
            self.former.clear();
        }
    }
}

/// The author and client id of a message. They identify it in every history of a room.
fn message_id(what: &ItemKind) -> Option<(IdentityId, ClientId)> {
    match what {
        ItemKind::Message {
            author, client_id, ..
        }
        | ItemKind::Deleted {
            author, client_id, ..
        } => Some((*author, (*client_id)?)),
        _ => None,
    }
}
