//! What was said, as later entries have amended it: in whatever order they are loaded, the same comes of it.

use super::{Item, Key, Timeline, What};
use crate::chat::{Amendment, Body, Entry, RoomId, Seq};

impl Timeline {
    pub(super) fn item(&mut self, entry: &Entry, words: &impl Fn(&Entry) -> What) -> Item {
        let mut entry = entry.clone();
        for by in self.amendments.get(&entry.seq).into_iter().flatten() {
            entry.amend(by);
        }
        // What only changes others shows in them.
        let is_shown = !matches!(entry.body, Body::Amendment { .. });
        let item = Item {
            key: Key::entry(entry.seq),
            at_ms: entry.at_ms,
            what: words(&entry),
            entry: is_shown.then(|| Box::new(entry)),
        };
        self.match_former(&item.what);
        self.widen(&item);
        item
    }

    /// Takes an amendment into what it amends, and keeps it for what is loaded later.
    pub(super) fn amend(&mut self, by: &Entry, words: &impl Fn(&Entry) -> What) {
        let Body::Amendment { target, what } = &by.body else {
            return;
        };
        let kept = self.amendments.entry(*target).or_default();
        if *what == Amendment::Erase {
            // Nothing of what was deleted stays, not even here.
            kept.clear();
        }
        let is_erased = kept.iter().any(|other| {
            matches!(&other.body, Body::Amendment { what, .. } if *what == Amendment::Erase)
        });
        let is_known = kept.iter().any(|other| other.seq == by.seq);
        if !is_erased && !is_known {
            let place = kept.partition_point(|other| other.seq < by.seq);
            kept.insert(place, by.clone());
        }
        let place = self
            .items
            .binary_search_by_key(&Key::entry(*target), |item| item.key);
        let Some(item) = place.ok().and_then(|place| self.items.get_mut(place)) else {
            return;
        };
        if let Some(entry) = &mut item.entry
            && entry.amend(by)
        {
            item.what = words(entry);
        }
    }

    /// Takes away the copy of a private message that was deleted.
    pub fn erase_copy(&mut self, room: RoomId, target: Seq) {
        let is_it = |item: &Item| matches!(item.what, What::Private { of: Some(of), .. } if of == (room, target));
        self.items.retain(|item| !is_it(item));
    }

    /// Something said here, as it is now.
    pub fn said(&self, seq: Seq) -> Option<&Entry> {
        let place = self
            .items
            .binary_search_by_key(&Key::entry(seq), |item| item.key);
        self.items.get(place.ok()?).and_then(shown_text)
    }

    /// Everything said that is loaded, the newest first.
    pub fn all_said(&self) -> impl Iterator<Item = &Entry> {
        self.items.iter().rev().filter_map(shown_text)
    }
}

/// What somebody said whom we heed.
fn shown_text(item: &Item) -> Option<&Entry> {
    let entry = item.entry.as_deref()?;
    (entry.body.is_said() && item.what != What::Hidden).then_some(entry)
}
