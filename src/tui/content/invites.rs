//! Texts about invitations, for the screen and for `tchat admin`.

use crate::chat::{OpenInvite, ServerRole};
use crate::text;
use crate::tui::strings::{Strings, fill};

/// Returns the lines below a new link.
pub fn about(s: &Strings, invite: &OpenInvite) -> [String; 3] {
    let valid = s.duration(invite.valid);
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
    let valid = s.duration(invite.valid);
    let mut line = fill(
        s.admin.invite,
        &[&invite.id, &invite.uses_left, &valid, &maker],
    );
    if invite.role != ServerRole::Member {
        line.push_str("   ");
        line.push_str(&fill(s.admin.gives_role, &[&invite.role]));
    }
    if !invite.rooms.is_empty() {
        let rooms: Vec<String> = invite.rooms.iter().map(|room| format!("#{room}")).collect();
        line.push_str("   ");
        line.push_str(&fill(s.admin.gives_rooms, &[&text::line(&rooms.join(" "))]));
    }
    line
}
