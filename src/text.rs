//! Text for a terminal, a log or a window title: sanitised, measured and wrapped.
//!
//! [`SafeText`] is the only type that is drawn. This module knows nothing about colours or the screen.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod address;
mod addressee;
mod keywords;
mod markdown;
mod mentions;
mod safe;
mod search;
mod unstyled;
mod width;
mod wrap;

pub use address::{Address, addresses};
pub use addressee::addressee;
pub use keywords::Keywords;
pub use markdown::{Code, LineKind, Mark, Rich, RichLine};
pub use mentions::{AT, CALLS, EVERYBODY, mentioned_names};
pub use safe::{BODY_LINES, SafeText, body, is_harmless, line};
pub use search::{Finder, Token, folded, has, tokens};
pub use unstyled::unstyled;
pub use width::{
    Ambiguous, ambiguous, clusters, cut, cut_middle, is_disputed, pad, set_ambiguous, widest, width,
};
pub use wrap::wrap;
