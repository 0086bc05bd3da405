//! What a key does, in which context, and what help says of it: one table for each preset, and what somebody's config file says
//! instead.

mod action;
mod spelling;
mod table;

use std::collections::HashMap;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

pub use self::action::Action;
pub use self::spelling::{Key, Keys};
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

impl Context {
    /// As the config file calls it.
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

/// A set of keys to begin with.
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

/// What somebody wants a key to do; nothing at all where there is no action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    pub context: Context,
    pub keys: Keys,
    pub action: Option<Action>,
}

/// What a key may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    Does(Action),
    /// The first of two keys.
    Begins,
    Nothing,
}

/// All keys as they are now.
#[derive(Clone, Debug)]
pub struct Keymap {
    pub preset: Preset,
    wishes: Vec<Wish>,
    /// In the order of the table, somebody's own last.
    order: Vec<(Context, Keys, Action)>,
    meanings: HashMap<(Context, Keys), Action>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::new(Preset::Default, Vec::new())
    }
}

/// What everybody needs a key for.
const NEEDED: [Action; 3] = [Action::Send, Action::Close, Action::Quit];

impl Keymap {
    pub fn new(preset: Preset, wishes: Vec<Wish>) -> Self {
        let mut order: Vec<(Context, Keys, Action)> = Vec::new();
        let rows = table::rows(preset).filter_map(|(context, keys, action)| {
            Some((context, keys.parse().ok()?, Some(action)))
        });
        let wished = wishes.iter().map(|it| (it.context, it.keys, it.action));
        for (context, keys, action) in rows.chain(wished) {
            // One key cannot do something and begin another as well.
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
            wishes,
        }
    }

    /// The same wishes over another preset.
    #[must_use]
    pub fn with(&self, preset: Preset) -> Self {
        Self::new(preset, self.wishes.clone())
    }

    /// An action without which nobody gets on, and that no key does any more.
    pub fn missing(&self) -> Option<Action> {
        let has = |action: &Action| {
            let mut order = self.order.iter();
            order.any(|(context, _, known)| *context == Context::Composer && known == action)
        };
        NEEDED.into_iter().find(|action| !has(action))
    }

    /// What a key does in a context by itself.
    pub fn action(&self, context: Context, event: KeyEvent) -> Option<Action> {
        match self.meaning(context, None, event) {
            Meaning::Does(action) => Some(action),
            Meaning::Begins | Meaning::Nothing => None,
        }
    }

    /// What a key means in a context, after another key if one was pressed before it.
    pub fn meaning(&self, context: Context, before: Option<Key>, event: KeyEvent) -> Meaning {
        let key = Key::of(event);
        let keys = match before {
            Some(before) => Keys::Two(before, key),
            None => Keys::One(key),
        };
        if let Some(action) = self.meanings.get(&(context, keys)) {
            return Meaning::Does(*action);
        }
        let begins = |(known, keys): &(Context, Keys)| {
            *known == context && matches!(keys, Keys::Two(first, _) if *first == key)
        };
        if before.is_none() && self.meanings.keys().any(begins) {
            Meaning::Begins
        } else {
            Meaning::Nothing
        }
    }

    /// The key that does what a command does.
    pub fn of_command(&self, name: Name) -> Option<String> {
        let action = match name {
            Name::Help => Action::Help,
            Name::Rooms => Action::Lobby,
            Name::Mentions => Action::Mentions,
            Name::Search => Action::Search,
            Name::Theme => Action::Themes,
            Name::Link => Action::Link,
            Name::Quit => Action::Quit,
            _ => return None,
        };
        Some(self.first(action)).filter(|key| !key.is_empty())
    }

    /// The keys of an action where text is typed, as people write them: `Ctrl+A, Home`.
    pub fn label(&self, action: Action) -> String {
        let bound = self.order.iter();
        let bound =
            bound.filter(|(context, _, known)| *context == Context::Composer && *known == action);
        let keys: Vec<String> = bound.map(|(_, keys, _)| keys.to_string()).collect();
        keys.join(", ")
    }

    /// The first of them; empty if there is none.
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

    /// What the keys where text is typed do, each once, in the order of the table.
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

/// The character a key types, if it types one.
pub fn typed(event: KeyEvent) -> Option<char> {
    let (ctrl, alt) = (KeyModifiers::CONTROL, KeyModifiers::ALT);
    match event.code {
        // AltGr arrives as Ctrl and Alt together and types what the layout says.
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
            panic!("{text} is one key")
        };
        KeyEvent::new(key.code, key.modifiers)
    }

    #[test]
    fn every_row_is_a_key_and_none_means_two_things_in_one_table() {
        for (name, preset) in Preset::ALL {
            let mut seen = HashSet::new();
            let own = table::rows(preset).skip(if preset == Preset::Default {
                0
            } else {
                table::rows(Preset::Default).count()
            });
            for (context, keys, _) in own {
                let parsed: Keys = keys
                    .parse()
                    .unwrap_or_else(|_| panic!("{name}: '{keys}' is no key"));
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
    fn question_marks_and_capitals_are_text_where_text_is_typed() {
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
    fn sending_and_newlines_never_mix() {
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
    fn emacs_gives_the_editor_its_keys_and_every_action_has_one_still() {
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
    fn wishes_go_before_every_preset_and_two_keys_may_be_one() {
        let wish = |context, keys: &str, action| Wish {
            context,
            keys: keys.parse().unwrap(),
            action,
        };
        let wishes = vec![
            wish(Context::Composer, "ctrl+t", None),
            wish(Context::Composer, "ctrl+k ctrl+p", Some(Action::Palette)),
            wish(Context::Selection, "x", Some(Action::DeleteSelected)),
        ];
        for (_, preset) in Preset::ALL {
            let keymap = Keymap::new(preset, wishes.clone());
            let does = |keys: &str| keymap.meaning(Context::Composer, None, press(keys));
            assert_eq!(does("ctrl+t"), Meaning::Nothing);
            assert_eq!(
                does("ctrl+k"),
                Meaning::Begins,
                "what it did alone it does no more"
            );
            let first = Key::of(press("ctrl+k"));
            let second = keymap.meaning(Context::Composer, Some(first), press("ctrl+p"));
            assert_eq!(second, Meaning::Does(Action::Palette));
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
