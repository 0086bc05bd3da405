//! What is shown above the composer of a request, and of a conversation that the other person has not accepted.

use crate::chat::RequestDirection;
use crate::text;
use crate::tui::state::State;
use crate::tui::strings::fill;

/// The text for the current room, and a shorter one for narrow screens.
pub fn hint(state: &State) -> Option<[String; 2]> {
    let info = &state.current()?.info;
    let words = state.preferences.strings.requests;
    let templates = match info.request? {
        RequestDirection::Incoming => [words.incoming, words.incoming_short],
        RequestDirection::Outgoing => [words.outgoing, words.outgoing_short],
    };
    let name = text::line(&info.peer.as_ref()?.name);
    Some(templates.map(|template| fill(template, &[&name])))
}
