//! What is shown above the composer where the user cannot simply write: in a request, in a conversation that the other person has not accepted,
//! and in a room where only moderators write.

use crate::chat::{RequestDirection, Role};
use crate::text;
use crate::tui::state::State;
use crate::tui::strings::fill;

/// The text for the current room, and a shorter one for narrow screens.
pub fn composer_hint(state: &State) -> Option<[String; 2]> {
    let info = &state.current()?.info;
    if info.rules.is_read_only && info.role.is_none_or(|role| role == Role::Member) {
        let words = state.preferences.strings.moderation.read_only_hint;
        return Some([words.to_owned(), words.to_owned()]);
    }
    let words = state.preferences.strings.requests;
    let templates = match info.request? {
        RequestDirection::Incoming => [words.incoming, words.incoming_short],
        RequestDirection::Outgoing => [words.outgoing, words.outgoing_short],
    };
    let name = text::line(&info.peer.as_ref()?.name);
    Some(templates.map(|template| fill(template, &[&name])))
}
