//! What is shown about a ban or a mute in a room.

use jiff::tz::TimeZone;

use super::system_lines;
use crate::chat::{Sanction, SanctionKind};
use crate::text;
use crate::tui::strings::{Strings, fill};

/// Until when a ban or a mute lasts, who made it and why.
pub fn of_sanction(s: &Strings, zone: &TimeZone, sanction: &Sanction) -> String {
    let words = s.moderation;
    let kind = match sanction.kind {
        SanctionKind::Ban => words.banned,
        SanctionKind::Mute => words.muted,
    };
    let until = match system_lines::until(s, zone, sanction.until) {
        Some(at) => fill(words.until, &[&at]),
        None => words.for_ever.to_owned(),
    };
    let by = match sanction.by.as_str() {
        "" => String::new(),
        by => fill(words.by, &[&text::line(by)]),
    };
    let reason = text::line(&sanction.reason).to_string();
    let parts = [kind.to_owned(), by, reason, until];
    let parts: Vec<String> = parts.into_iter().filter(|it| !it.is_empty()).collect();
    parts.join(" · ")
}
