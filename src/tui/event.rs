//! Everything that can happen to the screen, and everything the screen can ask for. A table of contents.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};

use super::settings::Setting;
use super::timeline::highlight::Tokens;
use crate::chat::RoomId;
use crate::client::{self, About, Command};
use crate::text::Code;

#[derive(Clone, Debug)]
pub enum Event {
    Key(KeyEvent),
    Paste(String),
    /// A whole line, where there is no screen to write it on.
    Line(String),
    /// The beginning of a line that the terminal did not give whole.
    Cut(String),
    /// What was typed or piped in is no text.
    Unreadable,
    /// The overlay was read out, where there is no screen to show it on.
    ReadOut,
    Mouse(MouseEvent),
    Resize(u16, u16),
    /// The terminal has the keyboard, or has it no more.
    Focus(bool),
    Client(client::Event),
    /// Time has passed and something on the screen depends on it.
    Tick,
    /// The client took no more commands; this one was not taken.
    Busy(Box<Command>),
    /// `/connect` could not be begun; says why.
    CannotConnect(String),
    /// Which part of a block of code is what.
    Highlighted(Arc<Code>, Tokens),
    /// Where a setting was saved, or why it was not.
    Saved {
        setting: Setting,
        value: String,
        saved: Result<String, String>,
    },
    /// What came out of the editor, or why nothing did.
    Edited {
        room: Option<RoomId>,
        text: Result<String, String>,
    },
    /// A link could not be opened; says why.
    CannotOpen(String),
    /// `/theme` could not be followed; says why.
    ThemeFailed(String),
    /// The person's own program that tells of what comes could not be run; says why.
    NotifyFailed(String),
}

#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// The link is told to do something.
    Client(Command),
    /// Tells of something outside the screen.
    Notify {
        title: String,
        text: String,
    },
    /// Ends this connection and begins another; without an address the same again.
    Connect(Option<String>),
    Theme(String),
    /// Writes a setting into the config file.
    Save(Setting, String),
    /// Gives a text to the person's own editor.
    Edit {
        /// Where it is written.
        room: Option<RoomId>,
        text: String,
    },
    /// Finds out which part of a block of code is what.
    Highlight(Arc<Code>),
    /// Draws the whole screen again: something else may have written on it.
    Redraw,
    /// Stops the program until the shell lets it go on.
    Suspend,
    /// Puts a text where other programs paste from.
    Copy(String),
    /// Opens an address in the program that the desktop has for it.
    Open(String),
    Quit,
}

impl Effect {
    /// Whether this effect asked the server for what is answered.
    pub fn asks_about(&self, about: &About) -> bool {
        let Effect::Client(command) = self else {
            return false;
        };
        match about {
            About::Join(_) => matches!(command, Command::Join(_)),
            About::Leave(_) => matches!(command, Command::Leave(_)),
            About::Open(_) => matches!(command, Command::Open(_)),
            About::SetName(_) => matches!(command, Command::SetName(_)),
            About::Create(_) => matches!(command, Command::Create(_)),
            About::ListRooms => matches!(command, Command::ListRooms),
            About::Status => matches!(command, Command::SetStatus(_)),
            About::Whois => matches!(command, Command::Whois(_)),
            About::Mentions => matches!(command, Command::ListMentions),
            About::Settings => matches!(
                command,
                Command::Ignore { .. } | Command::SetLevel { .. } | Command::SetKeywords(_)
            ),
            About::Follow(_) => false,
        }
    }
}
