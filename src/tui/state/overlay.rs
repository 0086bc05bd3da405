//! What lies over the screen, and what is asked for twice.

use super::Offered;
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

/// The open overlays.
#[derive(Clone, Debug, Default)]
pub struct Overlays {
    /// The one that is shown and gets the keys.
    pub top: Option<Overlay>,
    /// The one that opens as soon as that closes: nobody pressed a key for it, and the user is busy in the other.
    pub behind: Option<Overlay>,
    /// The list that was last written line by line, as long as something can be chosen from it.
    pub offered: Option<Offered>,
}

impl Overlays {
    /// Opens an overlay that nobody pressed a key for just now: where somebody is writing or choosing it waits.
    pub fn announce(&mut self, overlay: Overlay) {
        let is_only_read = match &self.top {
            None | Some(Overlay::List { .. } | Overlay::Link { .. }) => true,
            Some(Overlay::Help { filter, .. }) => filter.is_empty(),
            Some(
                Overlay::Pick(_)
                | Overlay::React { .. }
                | Overlay::Snippet { .. }
                | Overlay::Name { .. },
            ) => false,
        };
        if is_only_read {
            self.top = Some(overlay);
        } else {
            self.behind = Some(overlay);
        }
    }

    /// Opens the overlay that waits, if none is open.
    pub fn reveal(&mut self) {
        if self.top.is_none() {
            self.top = self.behind.take();
        }
    }
}
