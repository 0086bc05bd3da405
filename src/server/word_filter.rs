//! The word filter: masks unwanted words in posts, or refuses the post. It does nothing until it is given words.

use std::sync::{Arc, PoisonError, RwLock};

use crate::chat::{Amendment, Body, FilterMode, Refusal, RefusalCode, Ruling};
use crate::text::{self, Keywords};

/// The word filter of a server. Its words may be replaced while the server runs.
#[derive(Clone, Debug, Default)]
pub struct WordFilter(Arc<RwLock<(Keywords, FilterMode)>>);

impl WordFilter {
    pub fn set(&self, words: Keywords, mode: FilterMode) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = (words, mode);
    }

    /// Masks the words in a body.
    ///
    /// # Errors
    /// The body contains one of the words, and the mode is [`FilterMode::Refuse`].
    pub fn apply(&self, body: &mut Body) -> Result<(), Refusal> {
        match body {
            Body::Text(said)
            | Body::Action(said)
            | Body::Reply { text: said, .. }
            | Body::Topic(said)
            | Body::Ruling(
                _,
                Ruling::Kicked { reason: said } | Ruling::Banned { reason: said, .. },
            )
            | Body::Amendment {
                what: Amendment::Edit(said),
                ..
            } => self.mask(said),
            _ => Ok(()),
        }
    }

    /// Masks the words in any other text that people write.
    ///
    /// # Errors
    /// The text contains one of the words, and the mode is [`FilterMode::Refuse`].
    pub fn mask(&self, said: &mut String) -> Result<(), Refusal> {
        let rules = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (words, mode) = &*rules;
        let found = words.find(said);
        match (mode, found.first()) {
            (_, None) => {}
            (FilterMode::Refuse, Some(first)) => {
                return Err(Refusal::new(RefusalCode::Word).with(&said[first.clone()]));
            }
            (FilterMode::Mask, Some(_)) => {
                for range in found.into_iter().rev() {
                    let stars = "*".repeat(text::clusters(&said[range.clone()]).count());
                    said.replace_range(range, &stars);
                }
            }
        }
        Ok(())
    }

    /// Checks that a name contains none of the words. Names are never masked.
    ///
    /// # Errors
    /// The name contains one of the words.
    pub fn check_name(&self, name: &str) -> Result<(), Refusal> {
        let rules = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match rules.0.find(name).first() {
            Some(first) => Err(Refusal::new(RefusalCode::Word).with(&name[first.clone()])),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Seq;

    fn says(filter: &WordFilter, text: &str) -> Result<String, RefusalCode> {
        let mut body = Body::Text(text.into());
        let applied = filter.apply(&mut body).map_err(|refusal| refusal.code);
        applied.map(|()| body.text().to_owned())
    }

    #[test]
    fn words_are_masked_or_refused_and_can_be_replaced() {
        let filter = WordFilter::default();
        assert_eq!(says(&filter, "spam 坏词"), Ok("spam 坏词".into()));
        filter.set(Keywords::new(["spam", "坏词"]), FilterMode::Mask);
        assert_eq!(says(&filter, "SPAM 这是坏词"), Ok("**** 这是**".into()));
        filter.set(Keywords::new(["spam"]), FilterMode::Refuse);
        assert_eq!(says(&filter, "ＳＰＡＭ"), Err(RefusalCode::Word));
        assert_eq!(says(&filter, "坏词"), Ok("坏词".into()));
    }

    #[test]
    fn every_text_that_people_write_is_filtered() {
        let filter = WordFilter::default();
        filter.set(Keywords::new(["spam"]), FilterMode::Refuse);
        let spam = || "spam".to_owned();
        let ann = crate::chat::Author {
            id: crate::chat::IdentityId::new([1; 16]),
            name: "ann".into(),
        };
        let bodies = [
            Body::Ruling(ann, Ruling::Kicked { reason: spam() }),
            Body::Text(spam()),
            Body::Action(spam()),
            Body::Topic(spam()),
            Body::Reply {
                to: Seq(1),
                text: spam(),
            },
            Body::Amendment {
                target: Seq(1),
                what: Amendment::Edit(spam()),
            },
        ];
        for mut body in bodies {
            assert!(filter.apply(&mut body).is_err(), "{body:?}");
        }
        filter.set(Keywords::new(["spam"]), FilterMode::Mask);
        assert!(filter.check_name("spam").is_err() && filter.check_name("spammer").is_ok());
    }
}
