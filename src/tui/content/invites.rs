//! What is shown about invitations, on the screen and by `tchat admin`.

use std::time::Duration;

use crate::chat::OpenInvite;
use crate::client::AdminError;
use crate::text;
use crate::tui::strings::{Strings, fill};

/// Returns the lines below a new link.
pub fn about(s: &Strings, invite: &OpenInvite) -> [String; 3] {
    let valid = duration(s, invite.valid);
    let who = match invite.uses_left {
        1 => fill(s.admin.for_one, &[&valid]),
        many => fill(s.admin.for_many, &[&valid, &many]),
    };
    let (send, join) = (s.admin.send_it, s.admin.how_to_join);
    [who, send.to_owned(), join.to_owned()]
}

/// Returns the line of an invitation in a list.
pub fn line(s: &Strings, invite: &OpenInvite) -> String {
    let maker = match invite.maker.as_str() {
        "" => s.admin.by_host,
        name => name,
    };
    let valid = duration(s, invite.valid);
    fill(
        s.admin.invite,
        &[&invite.id, &invite.uses_left, &valid, &maker],
    )
}

/// Returns why a call failed.
pub fn failure(s: &Strings, error: &AdminError) -> String {
    match error {
        AdminError::NotAllowed => s.admin.not_allowed.to_owned(),
        AdminError::TooMany => s.admin.too_many.to_owned(),
        AdminError::Unknown(id) => fill(s.admin.unknown, &[&text::line(id)]),
        AdminError::Terms => s.admin.terms.to_owned(),
        AdminError::TooOld => s.admin.too_old.to_owned(),
        AdminError::Offline => s.admin.offline.to_owned(),
    }
}

/// Returns a duration in its largest unit, rounded to the nearest.
fn duration(s: &Strings, time: Duration) -> String {
    let minutes = (time.as_secs() + 30) / 60;
    let hours = (minutes + 30) / 60;
    if hours >= 48 {
        fill(s.days, &[&((hours + 12) / 24)])
    } else if minutes >= 120 {
        fill(s.hours, &[&hours])
    } else {
        fill(s.minutes, &[&minutes.max(1)])
    }
}
