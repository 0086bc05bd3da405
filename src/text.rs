//! Text that reaches a terminal, a log or a title: made safe, measured and wrapped.
//!
//! [`SafeText`] is the only type that is drawn. Nothing here knows of colours or of the screen.

mod safe;
mod width;
mod wrap;

pub use safe::{BODY_LINES, SafeText, body, line};
pub use width::{clusters, cut, pad, width};
pub use wrap::wrap;
