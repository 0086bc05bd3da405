//! The title of the terminal's window: what is unread, for whoever looks at another one. Pure.

use crate::tui::state::State;

/// The title where nothing else is wanted.
pub const NAME: &str = "tchat";

/// Mentions and unread messages of all rooms, and where one is: `(@2 5) tchat - chat.example.org`.
pub fn title(state: &State) -> String {
    let news = state.listed().map(|room| state.news(room));
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
