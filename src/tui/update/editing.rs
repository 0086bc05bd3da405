//! Keys that edit text, in the composer and in one-line text fields.

use crossterm::event::KeyEvent;

use crate::tui::input::composer::{Composer, KillRing};
use crate::tui::input::keymap::{self, Action};

/// Performs an editing action. Returns whether it may have changed the text.
pub(super) fn apply_edit(
    composer: &mut Composer,
    kill_ring: &mut KillRing,
    action: Action,
) -> bool {
    if !is_kill(action) {
        kill_ring.end_series();
    }
    match action {
        Action::Left => composer.left(),
        Action::Right => composer.right(),
        Action::WordLeft => composer.word_left(),
        Action::WordRight => composer.word_right(),
        Action::Home => composer.home(),
        Action::End => composer.end(),
        Action::Newline => {
            composer.newline();
            return true;
        }
        Action::DeleteBack => {
            composer.delete_back();
            return true;
        }
        Action::DeleteForward => {
            composer.delete_forward();
            return true;
        }
        Action::KillToStart => {
            composer.kill_to_start(kill_ring);
            return true;
        }
        Action::KillToEnd => {
            composer.kill_to_end(kill_ring);
            return true;
        }
        Action::KillWord => {
            composer.kill_word(kill_ring);
            return true;
        }
        Action::ClearDraft => {
            composer.kill_all(kill_ring);
            return true;
        }
        Action::Yank => {
            composer.insert(kill_ring.text());
            return true;
        }
        Action::Undo => {
            composer.undo();
            return true;
        }
        Action::Redo => {
            composer.redo();
            return true;
        }
        Action::Transpose => {
            composer.transpose();
            return true;
        }
        _ => {}
    }
    false
}

pub(super) fn is_kill(action: Action) -> bool {
    matches!(
        action,
        Action::KillToStart | Action::KillToEnd | Action::KillWord | Action::ClearDraft
    )
}

/// Applies a key to a one-line text field.
pub(super) fn edit_line(
    composer: &mut Composer,
    kill_ring: &mut KillRing,
    action: Option<Action>,
    key: KeyEvent,
) {
    match action {
        Some(Action::Newline | Action::Up | Action::Down) => {}
        Some(action) => drop(apply_edit(composer, kill_ring, action)),
        None => {
            if let Some(c) = keymap::typed(key) {
                kill_ring.end_series();
                composer.insert(c.encode_utf8(&mut [0; 4]));
            }
        }
    }
}
