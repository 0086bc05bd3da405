//! The one table of keys: what a key does, in which context, and what F1 says of it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::command::Name;

/// Where a key is pressed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Context {
    /// Wherever text is typed; also the room's own keys.
    Composer,
    /// While completions are shown; what it does not know goes to the composer.
    Popup,
    /// While a message is selected; what it does not know goes to the composer.
    Selection,
    /// While an overlay that is read is open.
    Overlay,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    Send,
    Newline,
    Complete,
    Left,
    Right,
    Up,
    Down,
    WordLeft,
    WordRight,
    Home,
    End,
    DeleteBack,
    DeleteForward,
    KillToStart,
    KillToEnd,
    KillWord,
    Yank,
    Undo,
    Redo,
    SentBefore,
    SentAfter,
    PageUp,
    PageDown,
    Oldest,
    Newest,
    RoomBefore,
    RoomAfter,
    Retry,
    EditFailed,
    Lobby,
    Palette,
    Mentions,
    Search,
    NextUnread,
    ToNew,
    Select,
    SelectUp,
    SelectDown,
    Answer,
    EditSelected,
    DeleteSelected,
    ReactSelected,
    CopySelected,
    OpenSelected,
    WhoReacted,
    TurnFold,
    NextHit,
    HitBefore,
    Help,
    Link,
    Panes,
    Quit,
    PopupUp,
    PopupDown,
    PopupTake,
    Close,
    OverlayUp,
    OverlayDown,
    OverlayPageUp,
    OverlayPageDown,
}

#[derive(Clone, Copy, Debug)]
pub struct Binding {
    pub context: Context,
    pub code: KeyCode,
    pub modifiers: KeyModifiers,
    pub action: Action,
}

const fn key(context: Context, modifiers: KeyModifiers, code: KeyCode, action: Action) -> Binding {
    Binding {
        context,
        code,
        modifiers,
        action,
    }
}

const PLAIN: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;
const ALT: KeyModifiers = KeyModifiers::ALT;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;

use Context::{Composer, Overlay, Popup, Selection};

/// The default preset. Of several keys for one action the first is the one that help names.
pub const BINDINGS: &[Binding] = &[
    key(Composer, PLAIN, KeyCode::Enter, Action::Send),
    key(Composer, ALT, KeyCode::Enter, Action::Newline),
    key(Composer, SHIFT, KeyCode::Enter, Action::Newline),
    key(Composer, CTRL, KeyCode::Char('j'), Action::Newline),
    key(Composer, PLAIN, KeyCode::Tab, Action::Complete),
    key(Composer, PLAIN, KeyCode::Left, Action::Left),
    key(Composer, PLAIN, KeyCode::Right, Action::Right),
    key(Composer, PLAIN, KeyCode::Up, Action::Up),
    key(Composer, PLAIN, KeyCode::Down, Action::Down),
    key(Composer, ALT, KeyCode::Char('b'), Action::WordLeft),
    key(Composer, CTRL, KeyCode::Left, Action::WordLeft),
    key(Composer, ALT, KeyCode::Char('f'), Action::WordRight),
    key(Composer, CTRL, KeyCode::Right, Action::WordRight),
    key(Composer, CTRL, KeyCode::Char('a'), Action::Home),
    key(Composer, PLAIN, KeyCode::Home, Action::Home),
    key(Composer, CTRL, KeyCode::Char('e'), Action::End),
    key(Composer, PLAIN, KeyCode::End, Action::End),
    key(Composer, PLAIN, KeyCode::Backspace, Action::DeleteBack),
    key(Composer, CTRL, KeyCode::Char('h'), Action::DeleteBack),
    key(Composer, PLAIN, KeyCode::Delete, Action::DeleteForward),
    key(Composer, CTRL, KeyCode::Char('u'), Action::KillToStart),
    key(Composer, ALT, KeyCode::Char('k'), Action::KillToEnd),
    key(Composer, CTRL, KeyCode::Char('w'), Action::KillWord),
    key(Composer, ALT, KeyCode::Backspace, Action::KillWord),
    key(Composer, CTRL, KeyCode::Char('y'), Action::Yank),
    key(Composer, CTRL, KeyCode::Char('z'), Action::Undo),
    key(Composer, ALT, KeyCode::Char('z'), Action::Redo),
    key(Composer, ALT, KeyCode::Char('p'), Action::SentBefore),
    key(Composer, ALT, KeyCode::Char('n'), Action::SentAfter),
    key(Composer, PLAIN, KeyCode::PageUp, Action::PageUp),
    key(Composer, PLAIN, KeyCode::PageDown, Action::PageDown),
    key(Composer, CTRL, KeyCode::Home, Action::Oldest),
    key(Composer, CTRL, KeyCode::End, Action::Newest),
    key(Composer, ALT, KeyCode::Up, Action::RoomBefore),
    key(Composer, CTRL, KeyCode::Char('p'), Action::RoomBefore),
    key(Composer, ALT, KeyCode::Down, Action::RoomAfter),
    key(Composer, CTRL, KeyCode::Char('n'), Action::RoomAfter),
    key(Composer, ALT, KeyCode::Char('r'), Action::Retry),
    key(Composer, ALT, KeyCode::Char('e'), Action::EditFailed),
    key(Composer, CTRL, KeyCode::Char('k'), Action::Palette),
    key(Composer, CTRL, KeyCode::Char('l'), Action::Lobby),
    key(Composer, CTRL, KeyCode::Char('t'), Action::Mentions),
    key(Composer, CTRL, KeyCode::Char('f'), Action::Search),
    key(Composer, ALT, KeyCode::Char('a'), Action::NextUnread),
    key(Composer, ALT, KeyCode::Char('u'), Action::ToNew),
    key(Composer, ALT, KeyCode::Char('m'), Action::Select),
    key(Composer, PLAIN, KeyCode::F(1), Action::Help),
    key(Composer, PLAIN, KeyCode::F(2), Action::Link),
    key(Composer, PLAIN, KeyCode::F(4), Action::Panes),
    key(Composer, CTRL, KeyCode::Char('c'), Action::Quit),
    key(Composer, CTRL, KeyCode::Char('q'), Action::Quit),
    key(Composer, PLAIN, KeyCode::Esc, Action::Close),
    key(Popup, PLAIN, KeyCode::Up, Action::PopupUp),
    key(Popup, PLAIN, KeyCode::Down, Action::PopupDown),
    key(Popup, SHIFT, KeyCode::BackTab, Action::PopupUp),
    key(Popup, PLAIN, KeyCode::Tab, Action::PopupTake),
    key(Popup, PLAIN, KeyCode::Esc, Action::Close),
    key(Selection, PLAIN, KeyCode::Up, Action::SelectUp),
    key(Selection, PLAIN, KeyCode::Down, Action::SelectDown),
    key(Selection, PLAIN, KeyCode::Char('r'), Action::Answer),
    key(Selection, PLAIN, KeyCode::Char('e'), Action::EditSelected),
    key(Selection, PLAIN, KeyCode::Char('d'), Action::DeleteSelected),
    key(Selection, PLAIN, KeyCode::Char('+'), Action::ReactSelected),
    key(Selection, PLAIN, KeyCode::Char('y'), Action::CopySelected),
    key(Selection, PLAIN, KeyCode::Char('o'), Action::OpenSelected),
    key(Selection, PLAIN, KeyCode::Char('w'), Action::WhoReacted),
    key(Selection, PLAIN, KeyCode::Char('f'), Action::TurnFold),
    key(Selection, PLAIN, KeyCode::Char('n'), Action::NextHit),
    key(Selection, PLAIN, KeyCode::Char('N'), Action::HitBefore),
    key(Selection, PLAIN, KeyCode::Esc, Action::Close),
    key(Selection, ALT, KeyCode::Char('m'), Action::Close),
    key(Overlay, PLAIN, KeyCode::Esc, Action::Close),
    key(Overlay, PLAIN, KeyCode::Enter, Action::Close),
    key(Overlay, PLAIN, KeyCode::Char('q'), Action::Close),
    key(Overlay, PLAIN, KeyCode::F(1), Action::Close),
    key(Overlay, PLAIN, KeyCode::F(2), Action::Close),
    key(Overlay, PLAIN, KeyCode::Up, Action::OverlayUp),
    key(Overlay, PLAIN, KeyCode::PageUp, Action::OverlayPageUp),
    key(Overlay, PLAIN, KeyCode::Down, Action::OverlayDown),
    key(Overlay, PLAIN, KeyCode::PageDown, Action::OverlayPageDown),
    key(Overlay, CTRL, KeyCode::Char('c'), Action::Quit),
    key(Overlay, CTRL, KeyCode::Char('q'), Action::Quit),
];

/// What a key does in a context.
pub fn action(context: Context, event: KeyEvent) -> Option<Action> {
    let (code, modifiers) = normal(event);
    let found = BINDINGS
        .iter()
        .find(|it| it.context == context && it.code == code && it.modifiers == modifiers);
    found.map(|it| it.action)
}

/// The key that does what a command does.
pub fn of_command(name: Name) -> Option<String> {
    let action = match name {
        Name::Help => Action::Help,
        Name::Rooms => Action::Lobby,
        Name::Mentions => Action::Mentions,
        Name::Search => Action::Search,
        Name::Link => Action::Link,
        Name::Quit => Action::Quit,
        _ => return None,
    };
    label(action).split(", ").next().map(str::to_owned)
}

/// The character a key types, if it types one.
pub fn typed(event: KeyEvent) -> Option<char> {
    match event.code {
        // AltGr arrives as Ctrl and Alt together and types what the layout says.
        KeyCode::Char(c) if event.modifiers.contains(CTRL) == event.modifiers.contains(ALT) => {
            Some(c)
        }
        _ => None,
    }
}

/// Terminals differ in whether they report Shift with what it made: a capital letter, a back-tab.
fn normal(event: KeyEvent) -> (KeyCode, KeyModifiers) {
    match event.code {
        KeyCode::Char(c) if event.modifiers.intersects(CTRL.union(ALT)) => (
            KeyCode::Char(c.to_ascii_lowercase()),
            event.modifiers.difference(SHIFT),
        ),
        KeyCode::Char(c) => (KeyCode::Char(c), event.modifiers.difference(SHIFT)),
        KeyCode::BackTab => (KeyCode::BackTab, event.modifiers.union(SHIFT)),
        code => (code, event.modifiers),
    }
}

/// The keys of an action where text is typed, as people write them: `Ctrl+A, Home`.
pub fn label(action: Action) -> String {
    let bound = BINDINGS
        .iter()
        .filter(|it| it.context == Composer && it.action == action);
    let keys: Vec<String> = bound.map(name).collect();
    keys.join(", ")
}

fn name(binding: &Binding) -> String {
    let mut name = String::new();
    for (modifier, word) in [(CTRL, "Ctrl+"), (ALT, "Alt+"), (SHIFT, "Shift+")] {
        if binding.modifiers.contains(modifier) && binding.code != KeyCode::BackTab {
            name.push_str(word);
        }
    }
    let code = match binding.code {
        KeyCode::Char(c) => c.to_uppercase().to_string(),
        KeyCode::F(n) => format!("F{n}"),
        KeyCode::BackTab => "Shift+Tab".into(),
        other => format!("{other:?}"),
    };
    name + &code
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_context() {
        let mut seen = HashSet::new();
        for binding in BINDINGS {
            assert!(
                seen.insert((binding.context, binding.code, binding.modifiers)),
                "{} is bound twice",
                name(binding)
            );
        }
    }

    #[test]
    fn question_marks_and_capitals_are_text_where_text_is_typed() {
        for c in ['?', 'A', '张'] {
            let event = KeyEvent::new(KeyCode::Char(c), SHIFT);
            assert_eq!((action(Composer, event), typed(event)), (None, Some(c)));
        }
        assert_eq!(typed(KeyEvent::new(KeyCode::Char('x'), CTRL)), None);
        assert_eq!(
            typed(KeyEvent::new(KeyCode::Char('@'), CTRL.union(ALT))),
            Some('@')
        );
    }

    #[test]
    fn sending_and_newlines_never_mix() {
        assert_eq!(
            action(Composer, KeyEvent::new(KeyCode::Enter, PLAIN)),
            Some(Action::Send)
        );
        for modifiers in [ALT, SHIFT] {
            assert_eq!(
                action(Composer, KeyEvent::new(KeyCode::Enter, modifiers)),
                Some(Action::Newline)
            );
        }
        assert_eq!(label(Action::Home), "Ctrl+A, Home");
    }
}
