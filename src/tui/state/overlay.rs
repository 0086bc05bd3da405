//! Overlays on top of the screen, and actions that need a second press to confirm.

use super::PrintedList;
use super::picker::Picker;
use crate::chat::{IdentityId, Pin, RoomId, Seq};
use crate::client::Report;
use crate::tui::input::composer::Composer;

/// An overlay on top of the screen; it handles keys first.
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
    /// The connection details.
    Link { report: Report, scroll: usize },
    /// A list to choose from.
    Pick(Picker),
    /// Asks what to react to a message with.
    React {
        target: Seq,
        composer: Box<Composer>,
    },
    /// Asks whether a long text that was pasted is code, and in which language.
    Snippet {
        text: String,
        composer: Box<Composer>,
    },
    /// Asks whether to trust the key of a server that was never joined from here.
    Trust {
        /// The server's address.
        server: String,
        pin: Pin,
        composer: Box<Composer>,
    },
    /// Asks for a name, because there is none yet or the server refused it.
    Name {
        why: String,
        /// The proposed name, which an empty line accepts, as long as the user has not chosen one; empty otherwise.
        proposed_name: String,
        composer: Box<Composer>,
    },
}

impl Overlay {
    /// The help, unfiltered.
    pub fn help() -> Self {
        Self::Help {
            filter: Box::default(),
            scroll: 0,
        }
    }
}

/// An action that needs a second press to confirm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Confirm {
    /// A private message to a name that now belongs to somebody else: the typed text, and the person who would receive it.
    Write(String, IdentityId),
    DeleteMessage(RoomId, Seq),
    CloseRoom(RoomId),
}

/// The open overlays.
#[derive(Clone, Debug, Default)]
pub struct Overlays {
    /// The one that is shown and gets the keys.
    pub top: Option<Overlay>,
    /// An overlay that the user did not request. It opens as soon as the top one closes, so that it does not interrupt the user.
    pub behind: Option<Overlay>,
    /// The list that plain mode printed last, as long as a row of it can still be chosen.
    pub printed_list: Option<PrintedList>,
}

impl Overlays {
    /// Opens an overlay that the user did not ask for. It waits if the user is typing or choosing in another one.
    pub fn announce(&mut self, overlay: Overlay) {
        let is_only_read = match &self.top {
            None | Some(Overlay::List { .. } | Overlay::Link { .. }) => true,
            Some(Overlay::Help { filter, .. }) => filter.is_empty(),
            Some(
                Overlay::Pick(_)
                | Overlay::React { .. }
                | Overlay::Snippet { .. }
                | Overlay::Trust { .. }
                | Overlay::Name { .. },
            ) => false,
        };
        if is_only_read {
            self.top = Some(overlay);
        } else {
            self.behind = Some(overlay);
        }
    }

    /// Opens the waiting overlay if no other is open.
    pub fn reveal(&mut self) {
        if self.top.is_none() {
            self.top = self.behind.take();
        }
    }
}
