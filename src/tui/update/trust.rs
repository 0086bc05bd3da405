//! The question whether to trust the key of a server that was never joined from here.

use crossterm::event::KeyEvent;

use super::editing::edit_line;
use crate::client::{DisconnectReason, Distrust, LinkState, Untrusted};
use crate::text;
use crate::tui::event::Effect;
use crate::tui::input::keymap::{Action, Context};
use crate::tui::state::{Overlay, State};
use crate::tui::timeline::ItemKind;

/// What to type to trust the key. A single key could be typed by mistake, or before the question is seen.
pub const YES: &str = "yes";

/// Asks if the connection ended because the server is unknown, and says what to do if it was not recognised. Without a screen, the reason itself
/// says it.
pub(super) fn linked(state: &mut State) {
    let is_question = |overlay: &mut Overlay| matches!(overlay, Overlay::Trust { .. });
    drop(state.overlays.top.take_if(is_question));
    drop(state.overlays.behind.take_if(is_question));
    let LinkState::Stopped(DisconnectReason::Untrusted(untrusted)) = &state.connection.link else {
        return;
    };
    if state.screen.is_plain {
        return;
    }
    let Untrusted { server, why } = untrusted;
    let Distrust::Unknown(pin) = why else {
        // The status line is too short for the next step. Without a room, the reason is shown instead of one.
        let words = text::line(&state.preferences.strings.untrusted(untrusted));
        let now = state.now_ms();
        if let Some(room) = state.current_mut() {
            room.timeline.add_local_line(ItemKind::System(words), now);
        }
        return;
    };
    let question = Overlay::Trust {
        server: server.clone(),
        pin: *pin,
        composer: Box::default(),
    };
    state.overlays.announce(question);
}

/// Enter trusts the key if the word was typed, Esc leaves the server alone.
pub(super) fn press(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let action = state.input.keymap.action(Context::Composer, key);
    let Some(Overlay::Trust { composer, pin, .. }) = &mut state.overlays.top else {
        return Vec::new();
    };
    match action {
        Some(Action::Send) if composer.text().trim().eq_ignore_ascii_case(YES) => {
            let pin = *pin;
            state.overlays.top = None;
            return vec![Effect::Trust(pin)];
        }
        Some(Action::Send) => {}
        Some(Action::Close) => state.overlays.top = None,
        Some(Action::Quit) => return vec![Effect::Quit],
        action => edit_line(composer, &mut state.input.kill_ring, action, key),
    }
    Vec::new()
}
