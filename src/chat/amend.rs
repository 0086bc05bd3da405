//! Amendments: edits, deletions and reactions of an entry that was posted before.
//!
//! An amendment is an entry of its own. Entries are sent and stored *as amended so far*, with the seq of the last amendment that
//! is in it. A client that has an entry and then receives older amendments skips them, so that live, replayed and paged entries have
//! the same result.

use super::{Author, Body, Entry, IdentityId, Seq};

/// A change of an earlier entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Amendment {
    /// The text is this from now on.
    Edit(String),
    /// The body is deleted everywhere.
    Erase,
    React {
        /// One emoji.
        emoji: String,
        /// Given, or taken back.
        is_on: bool,
    },
}

/// What later entries did to one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Amended {
    /// The last amendment that is in it.
    pub seq: Seq,
    /// The hash of the body as it was posted, which the digest chain covers.
    pub hash: [u8; 32],
    pub is_edited: bool,
    /// In the order of the emoji, which is the same for everybody whatever they missed.
    pub reactions: Vec<Reaction>,
}

/// Who reacted in one way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reaction {
    pub emoji: String,
    /// In the order they did.
    pub people: Vec<Author>,
}

impl Entry {
    /// About how many bytes it takes to tell of it.
    pub fn weight(&self) -> usize {
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

    /// The hash the digest chain covers, whatever became of the body.
    pub fn original_hash(&self) -> [u8; 32] {
        match &self.amended {
            Some(amended) => amended.hash,
            None => self.body.hash(),
        }
    }

    /// Takes over what a later entry says of this one; false if that is in it already, or nothing of it.
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
            Amendment::React { emoji, is_on } if self.body.is_said() => {
                react(&mut amended.reactions, &by.author, emoji, *is_on);
            }
            Amendment::React { .. } => {}
        }
        true
    }

    /// Takes away what became of it after another entry, for somebody who may read no further. A text that was edited since cannot
    /// be given as it was.
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

    /// Deletes the text an edit brought, when what it edited is deleted.
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
    /// The text that may mention people: what is said, or what an edit makes of it.
    pub fn mentioning_text(&self) -> Option<&str> {
        match self {
            Self::Amendment {
                what: Amendment::Edit(text),
                ..
            } => Some(text),
            body => body.is_said().then(|| body.text()),
        }
    }

    /// The same with another text; nothing for what has none to edit.
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

/// Takes over one person's reaction.
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
