//! What commands and keys do, in English.

use super::Strings;
use crate::tui::command::Name;
use crate::tui::keymap::Action;

/// How a command is called, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct CommandWords {
    pub usage: &'static str,
    pub about: &'static str,
}

impl Strings {
    pub fn command(&self, name: Name) -> CommandWords {
        let (usage, about) = match name {
            Name::Help => ("/help", "keys and commands"),
            Name::Join => ("/join ROOM", "go to a room"),
            Name::Leave => (
                "/leave [ROOM]",
                "leave a room, or put a private conversation away",
            ),
            Name::Rooms => ("/rooms", "the rooms there are"),
            Name::Create => (
                "/create NAME [--private|--secret] [--capacity N] [TOPIC]",
                "make a room; a private one needs an invitation, a secret one is seen by its members only",
            ),
            Name::Delete => (
                "/delete [ROOM]",
                "close the room you are in, for everybody and for good",
            ),
            Name::Topic => ("/topic TEXT", "say what this room is about"),
            Name::Invite => ("/invite USER", "let somebody join this room"),
            Name::Op => ("/op USER", "make somebody a moderator of this room"),
            Name::Deop => ("/deop USER", "make a moderator a member again"),
            Name::Kick => ("/kick USER [REASON]", "remove somebody from this room"),
            Name::Ban => (
                "/ban USER [10m|2h|7d] [REASON]",
                "remove somebody and keep them out",
            ),
            Name::Unban => ("/unban USER", "let somebody who was banned join again"),
            Name::Mute => ("/mute USER [10m|2h|7d]", "let somebody read and not speak"),
            Name::Unmute => ("/unmute USER", "let somebody who was muted speak again"),
            Name::Msg => ("/msg NAME [TEXT]", "write privately to somebody"),
            Name::Me => ("/me TEXT", "say what you do"),
            Name::Reply => (
                "/reply TEXT",
                "answer the last message, or the selected one",
            ),
            Name::Edit => (
                "/edit [TEXT]",
                "write your last message anew; s/old/new/ does it in place",
            ),
            Name::React => ("/react EMOJI", "react to the last message, or take it back"),
            Name::Nick => ("/nick NAME", "take another name"),
            Name::Away => ("/away [TEXT]", "say that you are not at the keyboard"),
            Name::Back => ("/back", "say that you are here again"),
            Name::Status => ("/status [TEXT]", "say how you are, or take it back"),
            Name::Who => ("/who", "who is in this room"),
            Name::Whois => ("/whois USER", "what is known of somebody"),
            Name::Mentions => ("/mentions", "who called you, in all rooms"),
            Name::Ignore => (
                "/ignore [USER]",
                "see nothing more of somebody, or who that is",
            ),
            Name::Unignore => ("/unignore USER", "see somebody again"),
            Name::Notify => (
                "/notify [all|mentions|none|usual]",
                "what of this room is worth a notification",
            ),
            Name::Keywords => (
                "/keywords [WORD…|none]",
                "words that are for you as your name is",
            ),
            Name::Typing => (
                "/typing [on|show|send|off]",
                "see who is typing, and let it be seen of you",
            ),
            Name::Clear => ("/clear", "empty the screen; nothing is deleted"),
            Name::Theme => ("/theme [NAME]", "change the colours"),
            Name::Link => ("/link", "how the connection does"),
            Name::Connect => (
                "/connect [HOST[:PORT]]",
                "go to another server, or come back",
            ),
            Name::Disconnect => ("/disconnect", "close the connection and stay here"),
            Name::Quit => ("/quit", "leave tchat"),
        };
        CommandWords { usage, about }
    }

    /// What a key does, for help; nothing for keys that every editor has.
    pub fn action(&self, action: Action) -> Option<&'static str> {
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
            Action::Newest => "newest message",
            Action::RoomBefore => "room above",
            Action::RoomAfter => "room below",
            Action::Retry => "send what failed here again",
            Action::EditFailed => "edit what failed here",
            Action::Palette => "rooms, people and commands",
            Action::Lobby => "all rooms there are",
            Action::Mentions => "who called you",
            Action::NextUnread => "next room with something unread, and back",
            Action::ToNew => "the line before what is new",
            Action::Select => "select a message",
            Action::Help => "this help",
            Action::Link => "how the connection does",
            Action::Panes => "show or hide the side panes",
            Action::Quit => "quit",
            _ => return None,
        })
    }
}
