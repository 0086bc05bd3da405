//! Parses and displays keys as users write them: `ctrl+a`, `Alt+Enter`, `f1`, `ctrl+x ctrl+e`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

const CTRL: KeyModifiers = KeyModifiers::CONTROL;
const ALT: KeyModifiers = KeyModifiers::ALT;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;

/// One key press, normalized so that it does not depend on how the terminal reports it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    pub code: KeyCode,
    pub modifiers: KeyModifiers,
}

impl Key {
    /// Normalizes a key event. Terminals differ in whether they report Shift together with what it produced: a capital letter or a
    /// back-tab.
    pub fn of(event: KeyEvent) -> Self {
        let (code, modifiers) = match event.code {
            KeyCode::Char(c) if event.modifiers.intersects(CTRL.union(ALT)) => (
                KeyCode::Char(c.to_ascii_lowercase()),
                event.modifiers.difference(SHIFT),
            ),
            KeyCode::Char(c) => (KeyCode::Char(c), event.modifiers.difference(SHIFT)),
            KeyCode::BackTab => (KeyCode::BackTab, event.modifiers.union(SHIFT)),
            code => (code, event.modifiers),
        };
        Self { code, modifiers }
    }
}

/// One key, or a sequence of two keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Keys {
    One(Key),
    Two(Key, Key),
}

impl Keys {
    /// Whether the key, or the first of two keys, types a character.
    pub fn types(self) -> bool {
        let (Self::One(key) | Self::Two(key, _)) = self;
        matches!(key.code, KeyCode::Char(_)) && !key.modifiers.intersects(CTRL.union(ALT))
    }

    /// Whether the two cannot both be bound in one context: they are equal, or one is the first key of the other.
    pub fn clashes(self, other: Self) -> bool {
        match (self, other) {
            (Self::One(one), Self::Two(first, _)) | (Self::Two(first, _), Self::One(one)) => {
                one == first
            }
            _ => self == other,
        }
    }
}

/// The part of a text that is not a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownKey(pub String);

impl FromStr for Keys {
    type Err = UnknownKey;

    fn from_str(text: &str) -> Result<Self, UnknownKey> {
        let keys: Vec<Key> = text.split_whitespace().map(key).collect::<Result<_, _>>()?;
        match keys[..] {
            [one] => Ok(Self::One(one)),
            [first, second] => Ok(Self::Two(first, second)),
            _ => Err(UnknownKey(text.to_owned())),
        }
    }
}

/// Keys that are written as a word.
const NAMED: [(&str, KeyCode); 16] = [
    ("enter", KeyCode::Enter),
    ("tab", KeyCode::Tab),
    ("esc", KeyCode::Esc),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("plus", KeyCode::Char('+')),
];

fn key(text: &str) -> Result<Key, UnknownKey> {
    let unknown = || UnknownKey(text.to_owned());
    let mut modifiers = KeyModifiers::NONE;
    let mut rest = text;
    // The last part is the key, even if it is a plus.
    while let Some((word, after)) = rest
        .split_once('+')
        .filter(|(word, after)| !word.is_empty() && !after.is_empty())
    {
        modifiers |= match word.to_lowercase().as_str() {
            "ctrl" | "control" => CTRL,
            "alt" | "meta" => ALT,
            "shift" => SHIFT,
            _ => return Err(unknown()),
        };
        rest = after;
    }
    let lower = rest.to_lowercase();
    let named = NAMED.iter().find(|(name, _)| *name == lower);
    let mut chars = rest.chars();
    let code = match (named, chars.next(), chars.next()) {
        (Some((_, code)), ..) => *code,
        (None, Some(c), None) => KeyCode::Char(c),
        (None, Some(_), Some(_)) => {
            let number = lower
                .strip_prefix('f')
                .and_then(|number| number.parse().ok());
            KeyCode::F(
                number
                    .filter(|n| (1..=24).contains(n))
                    .ok_or_else(unknown)?,
            )
        }
        (None, None, _) => return Err(unknown()),
    };
    let code = match code {
        KeyCode::Tab if modifiers.contains(SHIFT) => KeyCode::BackTab,
        // A letter with Shift is its capital.
        KeyCode::Char(c) if modifiers == SHIFT => KeyCode::Char(c.to_ascii_uppercase()),
        code => code,
    };
    Ok(Key::of(KeyEvent::new(code, modifiers)))
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(key) => key.fmt(f),
            Self::Two(first, second) => write!(f, "{first} {second}"),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, word) in [(CTRL, "Ctrl+"), (ALT, "Alt+"), (SHIFT, "Shift+")] {
            if self.modifiers.contains(modifier) {
                f.write_str(word)?;
            }
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) if self.modifiers.is_empty() => write!(f, "{c}"),
            KeyCode::Char(c) => write!(f, "{}", c.to_uppercase()),
            KeyCode::F(n) => write!(f, "F{n}"),
            KeyCode::BackTab => f.write_str("Tab"),
            other => write!(f, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_parsed_as_users_write_them() {
        for (text, shown) in [
            ("ctrl+a", "Ctrl+A"),
            ("Ctrl+A", "Ctrl+A"),
            ("alt+Enter", "Alt+Enter"),
            ("shift+tab", "Shift+Tab"),
            ("f12", "F12"),
            ("shift+n", "N"),
            ("n", "n"),
            ("+", "+"),
            ("ctrl++", "Ctrl++"),
            ("alt+plus", "Alt++"),
            ("space", "Space"),
            ("ctrl+x  ctrl+e", "Ctrl+X Ctrl+E"),
            ("关", "关"),
        ] {
            let keys: Keys = text.parse().unwrap();
            assert_eq!(keys.to_string(), shown, "{text}");
        }
        for wrong in [
            "", "hyper+a", "ctrl+", "ab", "f0", "f99", "a b c", "ctrl+xx",
        ] {
            assert!(wrong.parse::<Keys>().is_err(), "{wrong}");
        }
    }
}
