//! Kinds of entries as SQL, so that no query has a bare number.
//!
//! The texts are constants because SQLite uses a partial index only if a query repeats its condition word for word.

/// Texts, actions and replies. The condition of the index `entries_said`.
pub const SAID: &str = "kind IN (1, 2, 17)";
/// Edits.
pub const EDIT: &str = "kind = 18";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Amendment, Body, Seq};

    #[test]
    fn the_numbers_are_those_of_the_bodies() {
        let reply = Body::Reply {
            to: Seq(1),
            text: String::new(),
        };
        let said = [
            Body::Text(String::new()),
            Body::Action(String::new()),
            reply,
        ];
        assert!(said.iter().all(Body::is_said));
        let numbers = said.map(|body| body.kind().to_string()).join(", ");
        assert_eq!(SAID, format!("kind IN ({numbers})"));
        let edit = Body::Amendment {
            target: Seq(1),
            what: Amendment::Edit(String::new()),
        };
        assert_eq!(EDIT, format!("kind = {}", edit.kind()));
    }
}
