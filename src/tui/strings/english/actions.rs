//! English: what keys do.

use crate::tui::input::keymap::Action;

pub(super) fn action(action: Action) -> Option<&'static str> {
    Some(match action {
        Action::Send => "send, or run a command",
        Action::Newline => "new line",
        Action::Complete => "complete a name, command or room",
        Action::WordLeft => "a word back",
        Action::WordRight => "a word forward",
        Action::Home => "start of line",
        Action::End => "end of line",
        Action::KillToStart => "delete to the start of the line",
        Action::KillToEnd => "delete to the end of the line",
        Action::KillWord => "delete a word",
        Action::Yank => "put back what was deleted",
        Action::Undo => "undo",
        Action::Redo => "redo",
        Action::SentBefore => "what I sent here before",
        Action::SentAfter => "what I sent here after that",
        Action::PageUp => "older messages",
        Action::PageDown => "newer messages",
        Action::Oldest => "oldest message",
        Action::Newest => "newest message; there, mark everything as read",
        Action::RoomBefore => "room above",
        Action::RoomAfter => "room below",
        Action::Room1
        | Action::Room2
        | Action::Room3
        | Action::Room4
        | Action::Room5
        | Action::Room6
        | Action::Room7
        | Action::Room8
        | Action::Room9 => "the nth room of the list",
        Action::Retry => "send what failed here again",
        Action::EditFailed => "edit what failed here",
        Action::Palette => "rooms, people and commands",
        Action::Lobby => "all rooms there are",
        Action::Mentions => "who called you",
        Action::Search => "look for what was said",
        Action::NextUnread => "next room with something unread, and back",
        Action::ToNew => "the line before what is new",
        Action::Select => "select a message",
        Action::Help => "this help",
        Action::Themes => "change the colours",
        Action::Editor => "write in your own editor",
        Action::Transpose => "swap two characters",
        Action::Redraw => "redraw the screen",
        Action::ClearDraft => "clear the draft",
        Action::Link => "how the connection does",
        Action::Panes => "show or hide the side panes",
        Action::Quit => "quit",
        Action::Answer => "answer it",
        Action::EditSelected => "edit it, if it is yours",
        Action::DeleteSelected => "delete it for everybody, pressed twice",
        Action::ReactSelected => "react to it, or take that back",
        Action::WhoReacted => "who reacted to it",
        Action::CopySelected => "copy its text",
        Action::OpenSelected => "open its link, or show what it answers",
        Action::ToOriginal => "show what it answers",
        Action::TurnFold => "show long code whole, or fold it",
        Action::NextHit => "the next older hit of a search",
        Action::HitBefore => "the next newer hit of a search",
        Action::SelectUp => "the message above",
        Action::SelectDown => "the message below",
        _ => return None,
    })
}
