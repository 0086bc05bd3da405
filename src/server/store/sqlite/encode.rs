//! How values are stored: kinds as numbers, counters and times as SQLite's signed integers.
//!
//! Conditions on kinds are constants, so that no query has a bare number, and because SQLite uses a partial index only if a query repeats
//! its condition word for word.

use crate::chat::Via;

/// Texts, actions and replies. The condition of the index `entries_said`.
pub const MESSAGE_KINDS: &str = "kind IN (1, 2, 17)";
/// Edits.
pub const EDIT: &str = "kind = 18";

/// The kind of an entry whose body was deleted.
pub const ERASED: u8 = 21;

/// The kind of a closed room. Only its entries are left.
pub const CLOSED: i64 = 5;

pub const fn via_number(via: Via) -> i64 {
    match via {
        Via::Tchat => 0,
        Via::User => 1,
        Via::Gochat => 2,
        Via::Chat => 3,
        Via::Service => 4,
        Via::WebSocket => 5,
    }
}

/// Converts a number for SQLite, whose integers are signed. Counters and times never get near the limit; one that does is clamped.
pub fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

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
        assert!(said.iter().all(Body::is_message));
        let numbers = said.map(|body| body.kind().to_string()).join(", ");
        assert_eq!(MESSAGE_KINDS, format!("kind IN ({numbers})"));
        let edit = Body::Amendment {
            target: Seq(1),
            what: Amendment::Edit(String::new()),
        };
        assert_eq!(EDIT, format!("kind = {}", edit.kind()));
    }
}
