//! The title of the terminal window, which shows unread counts. Pure.

use crate::tui::state::State;

/// The plain title without counts.
pub const NAME: &str = "tchat";

/// The title: mentions and unread messages of all rooms, and the server, as in `(@2 5) tchat - chat.example.org`.
pub fn title(state: &State) -> String {
    let news = state.listed().map(|room| state.unread_counts(room));
    let (unread, mentions) = news.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    let counts = match (mentions, unread) {
        (0, 0) => String::new(),
        (0, unread) => format!("({unread}) "),
        (mentions, 0) => format!("(@{mentions}) "),
        (mentions, unread) => format!("(@{mentions} {unread}) "),
    };
    let place = if state.connection.is_hosting || state.connection.server.is_empty() {
        String::new()
    } else {
        format!(" - {}", state.connection.server)
    };
    format!("{counts}{NAME}{place}")
}
