//! The events that `update` handles and the effects that it returns.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};

use super::settings::Setting;
use super::timeline::highlight::Tokens;
use crate::chat::{Pin, RoomId};
use crate::client::{self, Command, RequestKind, SecretLink};
use crate::text::CodeBlock;

#[derive(Clone, Debug)]
pub enum Event {
    Key(KeyEvent),
    Paste(String),
    /// A whole line, in plain mode.
    Line(String),
    /// The start of a line that the terminal has truncated.
    TruncatedLine(String),
    /// A line that is not valid UTF-8.
    InvalidLine,
    /// The open overlay was printed, in plain mode.
    OverlayPrinted,
    Mouse(MouseEvent),
    Resize(u16, u16),
    /// The terminal has gained or lost the keyboard focus.
    Focus(bool),
    Client(client::Event),
    /// Time has passed, and something on the screen depends on it.
    Tick,
    /// The client's queue is full, so this command was not accepted.
    Busy(Box<Command>),
    /// `/connect` failed; contains the reason.
    CannotConnect(String),
    /// The syntax highlighting of a code block.
    Highlighted(Arc<CodeBlock>, Tokens),
    /// The file a setting was saved to, or why it was not saved.
    Saved {
        setting: Setting,
        value: String,
        saved: Result<String, String>,
    },
    /// The text from the editor, or why there is none.
    Edited {
        room: Option<RoomId>,
        text: Result<String, String>,
    },
    /// A link could not be opened; contains the reason.
    CannotOpen(String),
    /// A theme could not be loaded or has a problem; contains the reason.
    ThemeFailed(String),
    /// The user's notification program could not be started; contains the reason.
    NotifyFailed(String),
}

#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Sends a command to the client.
    Client(Command),
    /// Shows a notification outside the screen.
    Notify {
        title: String,
        text: String,
    },
    /// Closes this connection and opens another. `None` means the same address again.
    Connect(Option<String>),
    /// Trusts the key of the server from now on, and connects again.
    Trust(Pin),
    Theme(String),
    /// Saves a setting in the config file.
    Save(Setting, String),
    /// Opens a text in the user's own editor.
    Edit {
        /// The room whose composer it came from.
        room: Option<RoomId>,
        text: String,
    },
    /// Requests the syntax highlighting of a code block.
    Highlight(Arc<CodeBlock>),
    /// Draws the whole screen again, because another program may have written on it.
    Redraw,
    /// Stops the process until the shell continues it.
    Suspend,
    /// Copies a text to the clipboard.
    Copy(String),
    /// Like [`Effect::Copy`], for a link that nobody else should see.
    CopySecret(SecretLink),
    /// Opens a link with the desktop's default program.
    Open(String),
    Quit,
}

impl Effect {
    /// Whether this effect sends a request of this kind.
    pub fn asks_about(&self, about: &RequestKind) -> bool {
        let Effect::Client(command) = self else {
            return false;
        };
        match about {
            RequestKind::Join(_) => matches!(command, Command::Join(_)),
            RequestKind::Leave(_) => matches!(command, Command::Leave(_)),
            RequestKind::Open(_) => matches!(command, Command::Open(_)),
            RequestKind::AnswerRequest(_) => matches!(command, Command::AnswerRequest { .. }),
            RequestKind::SetName(_) => matches!(command, Command::SetName(_)),
            RequestKind::Create(_) => matches!(command, Command::Create(_)),
            RequestKind::ListRooms => matches!(command, Command::ListRooms),
            RequestKind::Status => matches!(command, Command::SetStatus(_)),
            RequestKind::Whois => matches!(command, Command::Whois(_)),
            RequestKind::Mentions => matches!(command, Command::ListMentions),
            RequestKind::Moderation(_) => matches!(
                command,
                Command::ListModeration(_) | Command::ListSanctions(_)
            ),
            RequestKind::Settings => matches!(
                command,
                Command::Ignore { .. }
                    | Command::Block { .. }
                    | Command::SetLevel { .. }
                    | Command::SetKeywords(_)
            ),
            RequestKind::Follow(_) => false,
        }
    }
}
