//! Amendments: entries that edit, delete or react to an earlier entry. Applies them to that entry; the result does not
//! depend on the order in which the entries are loaded.

use std::collections::BTreeMap;

use super::{Item, ItemKey, ItemKind, Timeline};
use crate::chat::{Amendment, Body, Entry, RoomId, Seq};

/// The memory limit for amendments, in bytes.
const BYTES: usize = 512 * 1024;

/// Amendments by the entry they amend, whether that entry is loaded or not: its page may have been read before the
/// amendment was stored, and arrive after the amendment.
///
/// Only the newest are kept. A page that is requested later already includes the older ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Amendments {
    /// By target, each list in ascending order.
    of: BTreeMap<Seq, Vec<Entry>>,
    /// An estimate of the memory they use. It may be too high: the edits of a deleted message are still counted.
    bytes: usize,
}

impl Amendments {
    fn of(&self, target: Seq) -> &[Entry] {
        self.of.get(&target).map_or(&[], Vec::as_slice)
    }

    fn keep(&mut self, by: &Entry, target: Seq, what: &Amendment) {
        let kept = self.of.entry(target).or_default();
        if *what == Amendment::Erase {
            // The text of a deleted message must not survive in its edits.
            kept.clear();
        }
        let is_erased = kept.iter().any(|other| {
            matches!(&other.body, Body::Amendment { what, .. } if *what == Amendment::Erase)
        });
        let is_known = kept.iter().any(|other| other.seq == by.seq);
        if is_erased || is_known {
            return;
        }
        let place = kept.partition_point(|other| other.seq < by.seq);
        kept.insert(place, by.clone());
        self.bytes += bytes(by);
        if self.bytes > BYTES {
            self.forget_older();
        }
    }

    /// Drops the oldest until half of the limit is used.
    fn forget_older(&mut self) {
        let all = self.of.values().flatten();
        let mut all: Vec<(Seq, usize)> = all.map(|by| (by.seq, bytes(by))).collect();
        all.sort_unstable();
        self.bytes = 0;
        let newest = all.into_iter().rev().take_while(|(_, bytes)| {
            self.bytes += bytes;
            self.bytes <= BYTES / 2
        });
        let from = newest.last().map(|(seq, _)| seq);
        self.of.retain(|_, kept| {
            kept.retain(|by| from.is_some_and(|from| by.seq >= from));
            !kept.is_empty()
        });
    }
}

/// Estimates the memory an amendment uses.
fn bytes(by: &Entry) -> usize {
    size_of::<Entry>() + by.estimated_size()
}

impl Timeline {
    pub(super) fn item(&mut self, entry: &Entry, words: &impl Fn(&Entry) -> ItemKind) -> Item {
        let mut entry = entry.clone();
        for by in self.amendments.of(entry.seq) {
            entry.amend(by);
        }
        // An amendment has no line of its own.
        let is_shown = !matches!(entry.body, Body::Amendment { .. });
        let item = Item {
            key: ItemKey::entry(entry.seq),
            at_ms: entry.at_ms,
            what: words(&entry),
            entry: is_shown.then(|| Box::new(entry)),
        };
        self.match_former(&item.what);
        self.widen(&item);
        self.load.add(&item);
        item
    }

    /// Applies an amendment to its target, and remembers it in case the target is loaded later.
    pub(super) fn amend(&mut self, by: &Entry, words: &impl Fn(&Entry) -> ItemKind) {
        let Body::Amendment { target, what } = &by.body else {
            return;
        };
        self.amendments.keep(by, *target, what);
        let place = self
            .items
            .binary_search_by_key(&ItemKey::entry(*target), |item| item.key);
        let Some(item) = place.ok().and_then(|place| self.items.get_mut(place)) else {
            return;
        };
        if let Some(entry) = &mut item.entry
            && entry.amend(by)
        {
            item.what = words(entry);
        }
    }

    /// Removes the copy of a private message that was deleted.
    pub fn erase_copy(&mut self, room: RoomId, target: Seq) {
        let is_it = |item: &Item| matches!(item.what, ItemKind::Private { copy_of: Some(of), .. } if of == (room, target));
        self.items.retain(|item| !is_it(item));
    }

    /// The message with this seq, as amended, if it is loaded and visible.
    pub fn message(&self, seq: Seq) -> Option<&Entry> {
        let place = self
            .items
            .binary_search_by_key(&ItemKey::entry(seq), |item| item.key);
        self.items.get(place.ok()?).and_then(shown_text)
    }

    /// All loaded, visible messages, newest first.
    pub fn messages(&self) -> impl Iterator<Item = &Entry> {
        self.items.iter().rev().filter_map(shown_text)
    }
}

/// The entry of an item if it is a message and not hidden.
fn shown_text(item: &Item) -> Option<&Entry> {
    let entry = item.entry.as_deref()?;
    (entry.body.is_message() && item.what != ItemKind::Hidden).then_some(entry)
}
