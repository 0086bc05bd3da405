//! Amendments: edits, deletions and reactions, and how they change an earlier entry.
//!
//! An amendment is an entry of its own. The entry it amends is stored and sent *as amended so far*, with the seq of the last amendment it
//! includes. A client that has such an entry skips older amendments that arrive later, so live, replayed and paged entries all end up the
//! same.

use super::{Author, Body, Entry, IdentityId, Seq};

/// A change of an earlier entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Amendment {
    /// Replaces the text.
    Edit(String),
    /// Deletes the body everywhere.
    Erase,
    React {
        /// One emoji.
        emoji: String,
        /// True if the reaction is added, false if it is removed.
        is_on: bool,
    },
}

/// What later entries changed in an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Amended {
    /// The last amendment that is included.
    pub seq: Seq,
    /// The hash of the body as it was posted. The digest chain covers this hash.
    pub hash: [u8; 32],
    pub is_edited: bool,
    /// Sorted by emoji, so that the order is the same for everyone, even for a client that missed some entries.
    pub reactions: Vec<Reaction>,
}

/// The people who reacted with one emoji.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reaction {
    pub emoji: String,
    /// In the order in which they reacted.
    pub people: Vec<Author>,
}

impl Entry {
    /// Returns the approximate size in bytes of the body and the reactions.
    pub fn estimated_size(&self) -> usize {
        const PERSON: usize = 24;
        let amended = self.amended.iter().flat_map(|it| &it.reactions);
        let people = amended.flat_map(|it| {
            let emoji = it.emoji.len();
            it.people
                .iter()
                .map(move |who| emoji + PERSON + who.name.len())
        });
        self.body.payload().len() + people.sum::<usize>()
    }

    /// Returns the hash that the digest chain covers: that of the body as it was posted, even if it was edited or deleted later.
    pub fn original_hash(&self) -> [u8; 32] {
        match &self.amended {
            Some(amended) => amended.hash,
            None => self.body.hash(),
        }
    }

    /// Applies a later entry to this one. Returns false if that entry does not amend this one or is already included.
    pub fn amend(&mut self, by: &Entry) -> bool {
        let Body::Amendment { target, what } = &by.body else {
            return false;
        };
        let is_known = self
            .amended
            .as_ref()
            .is_some_and(|amended| by.seq <= amended.seq);
        if *target != self.seq || by.epoch != self.epoch || is_known {
            return false;
        }
        let hash = self.original_hash();
        let amended = self.amended.get_or_insert_with(|| {
            Box::new(Amended {
                seq: by.seq,
                hash,
                is_edited: false,
                reactions: Vec::new(),
            })
        });
        amended.seq = by.seq;
        match what {
            Amendment::Edit(text) => {
                if let Some(body) = self.body.with_text(text) {
                    self.body = body;
                    self.mentions.clone_from(&by.mentions);
                    amended.is_edited = true;
                }
            }
            Amendment::Erase => {
                self.body = Body::Erased(hash);
                self.mentions.clear();
                amended.is_edited = false;
                amended.reactions.clear();
            }
            Amendment::React { emoji, is_on } if self.body.is_message() => {
                react(&mut amended.reactions, &by.author, emoji, *is_on);
            }
            Amendment::React { .. } => {}
        }
        true
    }

    /// Removes all reactions and any edit if the newest amendment is after `last`, for somebody who may not read further. Reactions
    /// up to `last` are removed as well, because earlier states are not stored. Neither is the text before an edit, so an edited body
    /// becomes [`Body::Erased`].
    pub fn withhold_after(&mut self, last: Seq) {
        let Some(amended) = self.amended.as_mut().filter(|it| it.seq > last) else {
            return;
        };
        amended.reactions.clear();
        if std::mem::take(&mut amended.is_edited) {
            self.body = Body::Erased(amended.hash);
            self.mentions.clear();
        }
    }

    /// Deletes the new text if this entry is an edit of `erased`. Returns whether it was.
    pub fn erase_edit_of(&mut self, erased: Seq) -> bool {
        let is_it = matches!(
            &self.body,
            Body::Amendment { target, what: Amendment::Edit(_) } if *target == erased
        );
        if is_it {
            self.body = Body::Erased(self.body.hash());
            self.mentions.clear();
        }
        is_it
    }
}

impl Body {
    /// Returns the text that may contain mentions: the message text, or the new text of an edit.
    pub fn mentioning_text(&self) -> Option<&str> {
        match self {
            Self::Amendment {
                what: Amendment::Edit(text),
                ..
            } => Some(text),
            body => body.is_message().then(|| body.text()),
        }
    }

    /// Returns this body with another text, or `None` if this kind of body cannot be edited.
    pub fn with_text(&self, text: &str) -> Option<Self> {
        let text = text.to_owned();
        Some(match self {
            Self::Text(_) => Self::Text(text),
            Self::Action(_) => Self::Action(text),
            Self::Reply { to, .. } => Self::Reply { to: *to, text },
            _ => return None,
        })
    }
}

/// Adds or removes one person's reaction.
pub fn react(reactions: &mut Vec<Reaction>, who: &Author, emoji: &str, is_on: bool) {
    let place = reactions.binary_search_by(|it| it.emoji.as_str().cmp(emoji));
    let has = |reaction: &Reaction, id: IdentityId| reaction.people.iter().any(|it| it.id == id);
    match (place, is_on) {
        (Err(place), true) => {
            let reaction = Reaction {
                emoji: emoji.to_owned(),
                people: vec![who.clone()],
            };
            reactions.insert(place, reaction);
        }
        (Ok(place), true) if !has(&reactions[place], who.id) => {
            reactions[place].people.push(who.clone());
        }
        (Ok(place), false) => {
            reactions[place].people.retain(|it| it.id != who.id);
            if reactions[place].people.is_empty() {
                reactions.remove(place);
            }
        }
        _ => {}
    }
}
