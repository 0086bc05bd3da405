//! The input state: the composer without a room, completions, the keymap, and actions that wait for a second key.

use super::Confirm;
use crate::tui::input::completion::Popup;
use crate::tui::input::composer::{Composer, KillRing};
use crate::tui::input::keymap::{Action, Key, Keymap};

#[derive(Clone, Debug, Default)]
pub struct InputState {
    /// The composer that is used while no room is shown. Each room has a composer of its own.
    pub lobby: Composer,
    /// The text of the lobby composer as saved on disk.
    pub lobby_drafted: String,
    pub popup: Option<Popup>,
    pub kill_ring: KillRing,
    pub keymap: Keymap,
    /// The first key of a two-key binding, after it was pressed.
    pub prefix: Option<Key>,
    /// An action that runs only when it is requested a second time. Any other input cancels it.
    pub confirm: Option<Confirm>,
    /// An action that a list or a command has requested. It runs as soon as the current event is handled.
    pub follow_up: Option<Action>,
}

impl InputState {
    /// Whether the same action was requested just before. If not, it is remembered for the next request.
    pub fn is_confirmed(&mut self, what: Confirm) -> bool {
        if self.confirm.take().as_ref() == Some(&what) {
            return true;
        }
        self.confirm = Some(what);
        false
    }
}
