//! English: what the actions of keys do.

use crate::tui::input::keymap::Action;

pub(super) fn action(action: Action) -> Option<&'static str> {
    Some(match action {
        Action::Send => "Send, or run a command",
        Action::Newline => "New line",
        Action::Complete => "Complete a name, command or room",
        Action::WordLeft => "Back one word",
        Action::WordRight => "Forward one word",
        Action::Home => "Start of line",
        Action::End => "End of line",
        Action::KillToStart => "Delete to start of line",
        Action::KillToEnd => "Delete to end of line",
        Action::KillWord => "Delete a word",
        Action::Yank => "Paste what was deleted",
        Action::Undo => "Undo",
        Action::Redo => "Redo",
        Action::SentBefore => "Previous text sent here",
        Action::SentAfter => "Next text sent here",
        Action::PageUp => "Older messages",
        Action::PageDown => "Newer messages",
        Action::Oldest => "Oldest message",
        Action::Newest => "Newest message; press again to mark all as read",
        Action::RoomBefore => "Room above",
        Action::RoomAfter => "Room below",
        Action::Room1
        | Action::Room2
        | Action::Room3
        | Action::Room4
        | Action::Room5
        | Action::Room6
        | Action::Room7
        | Action::Room8
        | Action::Room9 => "The nth room in the list",
        Action::Retry => "Retry a failed message",
        Action::EditFailed => "Edit a failed message",
        Action::Palette => "Find rooms, people, commands",
        Action::Lobby => "All rooms",
        Action::Mentions => "Your mentions",
        Action::Search => "Search messages",
        Action::NextUnread => "Next unread room; after the last one, back to where you were",
        Action::ToNew => "First new message",
        Action::Select => "Select a message",
        Action::Help => "Show this help",
        Action::Themes => "Change the theme",
        Action::Editor => "Open your editor",
        Action::Transpose => "Swap two characters",
        Action::Redraw => "Redraw the screen",
        Action::ClearDraft => "Clear the draft",
        Action::Link => "Connection details",
        Action::Panes => "Show or hide side panes",
        Action::Quit => "Quit",
        Action::Reply => "Reply",
        Action::EditSelected => "Edit, if it is yours",
        Action::DeleteSelected => "Delete for everyone (press twice)",
        Action::ReactSelected => "Add or remove a reaction",
        Action::WhoReacted => "Show who reacted",
        Action::CopySelected => "Copy the text",
        Action::OpenSelected => "Open the link or original message",
        Action::ToOriginal => "Go to the original message",
        Action::TurnFold => "Fold or unfold long text",
        Action::NextHit => "Next older search result",
        Action::HitBefore => "Next newer search result",
        Action::SelectUp => "Message above",
        Action::SelectDown => "Message below",
        _ => return None,
    })
}
