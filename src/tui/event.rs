//! Everything that can happen to the screen, and everything the screen can ask for. A table of contents.

use crossterm::event::{KeyEvent, MouseEvent};

use crate::chat::{ClientId, Epoch, Level, NewRoom, RoomId, Seq, Status};
use crate::client::{self, Post, Whom};

#[derive(Clone, Debug)]
pub enum Event {
    Key(KeyEvent),
    Paste(String),
    Mouse(MouseEvent),
    Resize(u16, u16),
    /// The terminal has the keyboard, or has it no more.
    Focus(bool),
    Client(client::Event),
    /// Time has passed and something on the screen depends on it.
    Tick,
    /// The client took no more commands; the post with this id was not taken.
    Busy(Option<ClientId>),
    /// `/connect` could not be begun; says why.
    CannotConnect(String),
    /// `/theme` could not be followed; says why.
    ThemeFailed(String),
}

#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    Post {
        post: Post,
        /// The failed post that this one repeats.
        instead_of: Option<ClientId>,
    },
    /// Gives a failed post up.
    Forget(ClientId),
    /// Keeps what is typed in a room.
    Draft {
        room: Option<RoomId>,
        text: String,
    },
    Join(String),
    Leave(RoomId),
    Open(String),
    SetName(String),
    Create(NewRoom),
    ListRooms,
    ListMentions,
    MarkRead {
        room: RoomId,
        epoch: Epoch,
        seq: Seq,
    },
    SetStatus(Status),
    /// We are writing there.
    Typing(RoomId),
    Whois(Whom),
    Ignore {
        whom: Whom,
        is_on: bool,
    },
    SetLevel {
        room: RoomId,
        level: Option<Level>,
    },
    SetKeywords(Vec<String>),
    /// Tells of something outside the screen.
    Notify {
        title: String,
        text: String,
    },
    Report,
    Older {
        room: RoomId,
        before: Seq,
    },
    RetryNow,
    /// Ends this connection and begins another; without an address the same again.
    Connect(Option<String>),
    Disconnect,
    Theme(String),
    /// Puts a text where other programs paste from.
    Copy(String),
    Quit,
}
