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
mod strip_ansi;
mod width;
mod wrap;

pub(crate) use address::{AddressSpan, addresses};
pub(crate) use addressee::addressee;
pub use keywords::Keywords;
pub use markdown::{CodeBlock, LineKind, Mark, RichLine, RichText};
pub(crate) use mentions::{AT, EVERYBODY, mentioned_names};
pub use safe::{SafeText, body};
pub(crate) use safe::{is_harmless, line};
pub(crate) use search::{Finder, folded, has, tokens};
pub(crate) use strip_ansi::strip_ansi;
pub use width::{Ambiguous, cut, is_disputed, width};
pub(crate) use width::{clusters, cut_middle, pad, set_ambiguous, widest};
pub(crate) use wrap::wrap;
