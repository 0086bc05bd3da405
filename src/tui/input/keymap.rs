//! The keymap: which action a key has in which context. Each preset is a table, and the user's config file overrides it.
//!
//! The actions themselves are carried out elsewhere.

mod action;
mod key;
mod presets;

use std::collections::HashMap;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

pub use self::action::Action;
pub use self::key::{Key, Keys};
use super::command::CommandName;

/// The part of the interface that has the focus when a key is pressed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Context {
    /// Any text field; also the keys of the room itself.
    Composer,
    /// While completions are shown. Keys without an action here go to the composer.
    Popup,
    /// While a message is selected. Keys without an action here go to the composer.
    Selection,
    /// While a read-only overlay is open.
    Overlay,
}

impl Context {
    /// Each context with its name in the config file.
    pub const ALL: [(&'static str, Self); 4] = [
        ("composer", Self::Composer),
        ("popup", Self::Popup),
        ("selection", Self::Selection),
        ("overlay", Self::Overlay),
    ];

    pub fn name(self) -> &'static str {
        let known = Self::ALL.into_iter().find(|(_, known)| *known == self);
        known.map_or("", |(name, _)| name)
    }
}

/// A predefined set of key bindings.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Preset {
    #[default]
    Default,
    Emacs,
}

impl Preset {
    pub const ALL: [(&'static str, Self); 2] = [("default", Self::Default), ("emacs", Self::Emacs)];

    pub fn of(name: &str) -> Option<Self> {
        let known = Self::ALL.into_iter().find(|(known, _)| *known == name);
        known.map(|(_, preset)| preset)
    }

    pub fn name(self) -> &'static str {
        let known = Self::ALL.into_iter().find(|(_, known)| *known == self);
        known.map_or("", |(name, _)| name)
    }
}

/// A key binding from the user's config. Without an action it unbinds the key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserBinding {
    pub context: Context,
    pub keys: Keys,
    pub action: Option<Action>,
}

/// What a key press means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    Action(Action),
    /// It is the first key of a sequence of two.
    Prefix,
    Unbound,
}

/// All key bindings in effect.
#[derive(Clone, Debug)]
pub struct Keymap {
    pub preset: Preset,
    user_bindings: Vec<UserBinding>,
    /// In the order of the preset's table. The user's own bindings come last.
    order: Vec<(Context, Keys, Action)>,
    meanings: HashMap<(Context, Keys), Action>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::new(Preset::Default, Vec::new())
    }
}

/// The actions that must have a key.
const NEEDED: [Action; 3] = [Action::Send, Action::Close, Action::Quit];

impl Keymap {
    pub fn new(preset: Preset, user_bindings: Vec<UserBinding>) -> Self {
        let mut order: Vec<(Context, Keys, Action)> = Vec::new();
        let rows = presets::bindings(preset).filter_map(|(context, keys, action)| {
            Some((context, keys.parse().ok()?, Some(action)))
        });
        let wished = user_bindings
            .iter()
            .map(|it| (it.context, it.keys, it.action));
        for (context, keys, action) in rows.chain(wished) {
            // A key cannot both have an action and begin a sequence.
            order.retain(|(other, known, _)| *other != context || !known.clashes(keys));
            order.extend(action.map(|action| (context, keys, action)));
        }
        let meanings = order
            .iter()
            .map(|(context, keys, action)| ((*context, *keys), *action));
        Self {
            preset,
            meanings: meanings.collect(),
            order,
            user_bindings,
        }
    }

    /// The user's bindings on top of another preset.
    #[must_use]
    pub fn with(&self, preset: Preset) -> Self {
        Self::new(preset, self.user_bindings.clone())
    }

    /// A required action that no key is bound to, if there is one.
    pub fn missing(&self) -> Option<Action> {
        let has = |action: &Action| {
            let mut order = self.order.iter();
            order.any(|(context, _, known)| *context == Context::Composer && known == action)
        };
        NEEDED.into_iter().find(|action| !has(action))
    }

    /// The action of a single key in a context.
    pub fn action(&self, context: Context, event: KeyEvent) -> Option<Action> {
        match self.meaning(context, None, event) {
            Meaning::Action(action) => Some(action),
            Meaning::Prefix | Meaning::Unbound => None,
        }
    }

    /// What a key means in a context. `before` is the first key of a sequence, if it was pressed.
    pub fn meaning(&self, context: Context, before: Option<Key>, event: KeyEvent) -> Meaning {
        let key = Key::of(event);
        let keys = match before {
            Some(before) => Keys::Two(before, key),
            None => Keys::One(key),
        };
        if let Some(action) = self.meanings.get(&(context, keys)) {
            return Meaning::Action(*action);
        }
        let begins = |(known, keys): &(Context, Keys)| {
            *known == context && matches!(keys, Keys::Two(first, _) if *first == key)
        };
        if before.is_none() && self.meanings.keys().any(begins) {
            Meaning::Prefix
        } else {
            Meaning::Unbound
        }
    }

    /// The first key of the action that does the same as a command, if there is one.
    pub fn key_for_command(&self, name: CommandName) -> Option<String> {
        let action = match name {
            CommandName::Help => Action::Help,
            CommandName::Rooms => Action::Lobby,
            CommandName::Mentions => Action::Mentions,
            CommandName::Search => Action::Search,
            CommandName::Theme => Action::Themes,
            CommandName::Link => Action::Link,
            CommandName::Quit => Action::Quit,
            _ => return None,
        };
        Some(self.first(action)).filter(|key| !key.is_empty())
    }

    /// The keys of an action in the composer, for display: `Ctrl+A, Home`.
    pub fn label(&self, action: Action) -> String {
        let bound = self.order.iter();
        let bound =
            bound.filter(|(context, _, known)| *context == Context::Composer && *known == action);
        let keys: Vec<String> = bound.map(|(_, keys, _)| keys.to_string()).collect();
        keys.join(", ")
    }

    /// The first key of an action in the composer; empty if there is none.
    pub fn first(&self, action: Action) -> String {
        let label = self.label(action);
        label.split(", ").next().unwrap_or_default().to_owned()
    }

    /// The first key of an action in a context; empty if there is none.
    pub fn first_in(&self, context: Context, action: Action) -> String {
        let mut order = self.order.iter();
        let bound = order.find(|(known, _, bound)| *known == context && *bound == action);
        bound.map_or_else(String::new, |(_, keys, _)| keys.to_string())
    }

    /// The actions that have a key in the composer, each once, in the order of the table.
    pub fn actions(&self) -> Vec<Action> {
        self.actions_in(Context::Composer)
    }

    pub fn actions_in(&self, context: Context) -> Vec<Action> {
        let mut actions = Vec::new();
        for (of, _, action) in &self.order {
            if *of == context && !actions.contains(action) {
                actions.push(*action);
            }
        }
        actions
    }
}

/// The character a key types, if any.
pub fn typed(event: KeyEvent) -> Option<char> {
    let (ctrl, alt) = (KeyModifiers::CONTROL, KeyModifiers::ALT);
    match event.code {
        // AltGr is reported as Ctrl and Alt together. It types the character of the keyboard layout.
        KeyCode::Char(c) if event.modifiers.contains(ctrl) == event.modifiers.contains(alt) => {
            Some(c)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const PLAIN: KeyModifiers = KeyModifiers::NONE;
    const CTRL: KeyModifiers = KeyModifiers::CONTROL;

    fn press(text: &str) -> KeyEvent {
        let Ok(Keys::One(key)) = text.parse() else {
            panic!("{text} is not a single key")
        };
        KeyEvent::new(key.code, key.modifiers)
    }

    #[test]
    fn every_row_is_a_valid_key_and_no_table_binds_a_key_twice() {
        for (name, preset) in Preset::ALL {
            let mut seen = HashSet::new();
            let own = presets::bindings(preset).skip(if preset == Preset::Default {
                0
            } else {
                presets::bindings(Preset::Default).count()
            });
            for (context, keys, _) in own {
                let parsed: Keys = keys
                    .parse()
                    .unwrap_or_else(|_| panic!("{name}: '{keys}' is not a key"));
                assert!(
                    seen.insert((context, parsed)),
                    "{name}: {keys} is bound twice"
                );
            }
            assert_eq!(Keymap::new(preset, Vec::new()).missing(), None);
        }
        let names: HashSet<&str> = Action::ALL.iter().map(|it| it.name()).collect();
        assert_eq!(names.len(), Action::ALL.len());
    }

    #[test]
    fn question_marks_and_capitals_are_text_in_the_composer() {
        let keymap = Keymap::default();
        for c in ['?', 'A', '张'] {
            let event = KeyEvent::new(KeyCode::Char(c), KeyModifiers::SHIFT);
            assert_eq!(
                (keymap.action(Context::Composer, event), typed(event)),
                (None, Some(c))
            );
        }
        assert_eq!(typed(KeyEvent::new(KeyCode::Char('x'), CTRL)), None);
        let graph = KeyEvent::new(KeyCode::Char('@'), CTRL.union(KeyModifiers::ALT));
        assert_eq!(typed(graph), Some('@'));
    }

    #[test]
    fn enter_sends_and_enter_with_a_modifier_adds_a_line_in_every_preset() {
        for (_, preset) in Preset::ALL {
            let keymap = Keymap::new(preset, Vec::new());
            let does = |event| keymap.action(Context::Composer, event);
            assert_eq!(
                does(KeyEvent::new(KeyCode::Enter, PLAIN)),
                Some(Action::Send)
            );
            assert_eq!(does(press("alt+enter")), Some(Action::Newline));
            assert_eq!(does(press("shift+enter")), Some(Action::Newline));
        }
        assert_eq!(Keymap::default().label(Action::Home), "Ctrl+A, Home");
    }

    #[test]
    fn emacs_binds_the_keys_of_emacs_and_every_action_still_has_a_key() {
        let (default, emacs) = (Keymap::default(), Keymap::default().with(Preset::Emacs));
        let does = |keys: &str| emacs.action(Context::Composer, press(keys));
        assert_eq!(does("ctrl+k"), Some(Action::KillToEnd));
        assert_eq!(does("ctrl+n"), Some(Action::Down));
        assert_eq!(does("ctrl+s"), Some(Action::Search));
        assert_eq!(does("alt+x"), Some(Action::Palette));
        assert_eq!(does("alt+t"), Some(Action::Mentions));
        for action in default.actions() {
            assert!(emacs.actions().contains(&action), "{action:?} has no key");
        }
    }

    #[test]
    fn user_bindings_override_every_preset_and_may_be_sequences_of_two_keys() {
        let wish = |context, keys: &str, action| UserBinding {
            context,
            keys: keys.parse().unwrap(),
            action,
        };
        let user_bindings = vec![
            wish(Context::Composer, "ctrl+t", None),
            wish(Context::Composer, "ctrl+k ctrl+p", Some(Action::Palette)),
            wish(Context::Selection, "x", Some(Action::DeleteSelected)),
        ];
        for (_, preset) in Preset::ALL {
            let keymap = Keymap::new(preset, user_bindings.clone());
            let does = |keys: &str| keymap.meaning(Context::Composer, None, press(keys));
            assert_eq!(does("ctrl+t"), Meaning::Unbound);
            assert_eq!(
                does("ctrl+k"),
                Meaning::Prefix,
                "the key that begins a sequence has no action of its own"
            );
            let first = Key::of(press("ctrl+k"));
            let second = keymap.meaning(Context::Composer, Some(first), press("ctrl+p"));
            assert_eq!(second, Meaning::Action(Action::Palette));
            assert_eq!(
                keymap.action(Context::Selection, press("x")),
                Some(Action::DeleteSelected)
            );
            assert!(keymap.label(Action::Palette).contains("Ctrl+K Ctrl+P"));
        }
        let none = vec![wish(Context::Composer, "enter", None)];
        assert_eq!(
            Keymap::new(Preset::Default, none).missing(),
            Some(Action::Send)
        );
    }
}
