//! What was said in a history that a room no longer has: shown above the present one, as far as that does not say it too.

use std::collections::HashSet;

use super::{Era, Item, ItemKey, Timeline, What};
use crate::chat::{ClientId, Entry, IdentityId, Seq};

/// The most messages of former histories that are shown; older ones are dropped.
const FORMER: usize = 500;

impl Timeline {
    /// The room has another history: what people said stays until the same is found there.
    pub(super) fn put_aside(&mut self, words: impl FnOnce() -> What) {
        let is_said = |item: &&Item| said_by(&item.what).is_some();
        let plain = |item: &Item| Item {
            entry: None,
            ..item.clone()
        };
        let said = self.items.iter().filter(is_said).map(plain).collect();
        self.forget_entries();
        self.head = None;
        self.add_former(said, words);
    }

    /// Shows what was said in a history that is no more, as far as the present one does not have it.
    pub fn former(
        &mut self,
        entries: &[Entry],
        item: impl Fn(&Entry) -> What,
        words: impl FnOnce() -> What,
    ) {
        let item = |entry: &Entry| Item {
            key: ItemKey::entry(entry.seq),
            at_ms: entry.at_ms,
            what: item(entry),
            entry: None,
        };
        self.add_former(entries.iter().map(item).collect(), words);
    }

    fn add_former(&mut self, said: Vec<Item>, words: impl FnOnce() -> What) {
        self.former.pop();
        let place = |n: u64| ItemKey {
            era: Era::Former,
            seq: Seq(n),
            line: 0,
        };
        // Some of those before may have gone since: no number comes twice.
        let last = self.former.last().map_or(0, |item| item.key.seq.0);
        for (n, item) in (last + 1..).zip(said) {
            let key = place(n);
            self.former.push(Item { key, ..item });
        }
        let here: HashSet<(IdentityId, ClientId)> = self
            .items
            .iter()
            .filter_map(|item| said_by(&item.what))
            .collect();
        self.former
            .retain(|item| said_by(&item.what).is_some_and(|said| !here.contains(&said)));
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

    /// What the present history says too need not be shown twice.
    pub(super) fn match_former(&mut self, what: &What) {
        let Some(said) = said_by(what).filter(|_| !self.former.is_empty()) else {
            return;
        };
        self.former.retain(|item| said_by(&item.what) != Some(said));
        if self.former.len() == 1 {
            self.former.clear();
        }
    }
}

/// What identifies something said through every history of a room.
fn said_by(what: &What) -> Option<(IdentityId, ClientId)> {
    match what {
        What::Said {
            author, client_id, ..
        }
        | What::Erased {
            author, client_id, ..
        } => Some((*author, (*client_id)?)),
        _ => None,
    }
}
