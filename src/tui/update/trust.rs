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

/// Handles a change of the link: closes an open question. If the connection ended because the server is unknown, asks
/// whether to trust its key. If it ended for a reason that needs the user, adds a line to the room that says what to do. Plain mode prints the reason, which already says so.
pub(super) fn linked(state: &mut State) {
    let is_question = |overlay: &mut Overlay| matches!(overlay, Overlay::Trust { .. });
    drop(state.overlays.top.take_if(is_question));
    drop(state.overlays.behind.take_if(is_question));
    let LinkState::Stopped(reason) = &state.connection.link else {
        return;
    };
    if state.screen.is_plain {
        return;
    }
    let DisconnectReason::Untrusted(Untrusted {
        server,
        why: Distrust::Unknown(pin),
    }) = reason
    else {
        let has_next_step = matches!(
            reason,
            DisconnectReason::Untrusted(_)
                | DisconnectReason::Revoked
                | DisconnectReason::Refused(_)
        );
        if !has_next_step {
            return;
        }
        // The status line has no space for what to do next. If no room is open, the reason is shown in its place.
        let words = text::line(&state.preferences.strings.why(reason));
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

/// Handles a key while the question is open: Enter trusts the key if the word was typed, Esc closes the question.
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
