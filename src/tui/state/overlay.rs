//! What lies over the screen, and what is asked for twice.

use super::picker::Picker;
use crate::chat::{IdentityId, RoomId, Seq};
use crate::client::Report;
use crate::tui::input::composer::Composer;

/// What lies over the screen; the topmost sees the key first.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// Keys and commands that match what is typed.
    Help {
        filter: Box<Composer>,
        scroll: usize,
    },
    /// A list to read, one line each.
    List {
        title: String,
        lines: Vec<String>,
        scroll: usize,
    },
    /// How the connection does.
    Link { report: Report, scroll: usize },
    /// A list to choose from.
    Pick(Picker),
    /// Asks what to react to a message with.
    React {
        target: Seq,
        composer: Box<Composer>,
    },
    /// Asks whether a long text that was pasted is code, and of which language.
    Snippet {
        text: String,
        composer: Box<Composer>,
    },
    /// Asks for a name, because there is none yet or this one cannot be had.
    Name {
        why: String,
        /// What an empty line stands for, where nobody has chosen a name yet; empty otherwise.
        proposal: String,
        composer: Box<Composer>,
    },
}

impl Overlay {
    /// Help with everything in it.
    pub fn help() -> Self {
        Self::Help {
            filter: Box::default(),
            scroll: 0,
        }
    }
}

/// Something that is asked for twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Confirm {
    /// A private line whose name has changed hands, and whom it would go to now.
    Write(String, IdentityId),
    DeleteMessage(RoomId, Seq),
    CloseRoom(RoomId),
}
