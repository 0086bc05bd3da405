//! Decodes the bytes sent for keys and mouse buttons: single bytes and control sequences (xterm, the kitty keyboard
//! protocol).

use crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

/// The key for one ASCII byte.
pub(super) fn ascii(byte: u8) -> KeyEvent {
    let control = |c: u8| KeyEvent::new(KeyCode::Char(char::from(c)), KeyModifiers::CONTROL);
    match byte {
        b'\r' => KeyCode::Enter.into(),
        b'\t' => KeyCode::Tab.into(),
        0x7f => KeyCode::Backspace.into(),
        0x1b => KeyCode::Esc.into(),
        0 => control(b' '),
        0x01..=0x1a => control(byte - 1 + b'a'),
        0x1c..=0x1f => control(byte - 0x1c + b'4'),
        _ => character(char::from(byte)),
    }
}

/// The key event of a typed character.
pub(super) fn character(c: char) -> KeyEvent {
    let modifiers = if c.is_uppercase() {
        KeyModifiers::SHIFT
    } else {
        KeyModifiers::NONE
    };
    KeyEvent::new(KeyCode::Char(c), modifiers)
}

/// The key for `ESC O` and a byte.
pub(super) fn ss3(byte: u8) -> Option<KeyCode> {
    match byte {
        b'P'..=b'S' => Some(KeyCode::F(byte - b'P' + 1)),
        b'M' => Some(KeyCode::Enter),
        _ => arrow(byte),
    }
}

fn arrow(byte: u8) -> Option<KeyCode> {
    Some(match byte {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        _ => return None,
    })
}

/// The key for `ESC [`, parameters and a final byte.
pub(super) fn sequence(parameters: &[u8], last: u8) -> Option<KeyEvent> {
    let text = str::from_utf8(parameters).ok()?;
    let mut fields = text.split(';').map(numbers);
    let first = fields.next().unwrap_or_default();
    let second = fields.next().unwrap_or_default();
    let third = fields.next().unwrap_or_default();
    let number = first[0].unwrap_or(1);
    let (mut modifiers, kind) = modifiers(second);
    let code = match last {
        b'Z' => {
            modifiers |= KeyModifiers::SHIFT;
            KeyCode::BackTab
        }
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        // xterm's modifyOtherKeys.
        b'~' if number == 27 => unicode(third[0]?)?,
        b'~' => special(number)?,
        b'u' => unicode(first[0]?)?,
        _ => arrow(last)?,
    };
    if code == KeyCode::Tab && modifiers.contains(KeyModifiers::SHIFT) {
        return Some(KeyEvent::new_with_kind(KeyCode::BackTab, modifiers, kind));
    }
    let code = match code {
        // The shifted character, if the terminal reports it; otherwise the uppercase letter.
        KeyCode::Char(c) if modifiers.contains(KeyModifiers::SHIFT) => {
            let shifted = first[1].and_then(char::from_u32);
            KeyCode::Char(shifted.unwrap_or_else(|| c.to_uppercase().next().unwrap_or(c)))
        }
        other => other,
    };
    Some(KeyEvent::new_with_kind(code, modifiers, kind))
}

/// The first two numbers of one parameter, separated by colons.
fn numbers(field: &str) -> [Option<u32>; 2] {
    let mut numbers = field.split(':').map(|it| it.parse().ok());
    [numbers.next().flatten(), numbers.next().flatten()]
}

fn modifiers([mask, kind]: [Option<u32>; 2]) -> (KeyModifiers, KeyEventKind) {
    let mask = mask.unwrap_or(1).saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
        (8, KeyModifiers::SUPER),
        (16, KeyModifiers::HYPER),
        (32, KeyModifiers::META),
    ] {
        if mask & bit != 0 {
            modifiers |= modifier;
        }
    }
    let kind = match kind {
        Some(2) => KeyEventKind::Repeat,
        Some(3) => KeyEventKind::Release,
        _ => KeyEventKind::Press,
    };
    (modifiers, kind)
}

fn special(number: u32) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(u8::try_from(number - 10).ok()?),
        17..=21 => KeyCode::F(u8::try_from(number - 11).ok()?),
        23 | 24 => KeyCode::F(u8::try_from(number - 12).ok()?),
        _ => return None,
    })
}

/// The key with this code point (`CSI u`).
fn unicode(number: u32) -> Option<KeyCode> {
    Some(match number {
        9 => KeyCode::Tab,
        13 | 57414 => KeyCode::Enter,
        27 => KeyCode::Esc,
        127 => KeyCode::Backspace,
        // The digits of the keypad.
        57399..=57408 => KeyCode::Char(char::from_digit(number - 57399, 10)?),
        0..=31 | 0xe000..=0xf8ff => return None,
        _ => KeyCode::Char(char::from_u32(number)?),
    })
}

/// The column of a cursor position report, from 0; `None` if the sequence is F3 with a modifier.
pub(super) fn position(parameters: &[u8]) -> Option<u16> {
    let text = str::from_utf8(parameters).ok()?;
    let (row, column) = text.split_once(';')?;
    let column: u16 = column.parse().ok()?;
    let is_key = row == "1" && (2..=16).contains(&column);
    (!is_key && row.parse::<u16>().is_ok()).then(|| column.saturating_sub(1))
}

/// The mouse event of a report (SGR 1006), from the parameters after `<`.
pub(super) fn mouse(parameters: &[u8], is_up: bool) -> Option<MouseEvent> {
    let text = str::from_utf8(parameters).ok()?;
    let mut fields = text.split(';').map(str::parse::<u16>);
    let (bits, x, y) = (
        fields.next()?.ok()?,
        fields.next()?.ok()?,
        fields.next()?.ok()?,
    );
    let button = match bits & 3 {
        0 => Some(MouseButton::Left),
        1 => Some(MouseButton::Middle),
        2 => Some(MouseButton::Right),
        _ => None,
    };
    let is_moving = bits & 32 != 0;
    let kind = match (bits & 0xc0, button) {
        (0x40, _) => match bits & 3 {
            0 => MouseEventKind::ScrollUp,
            1 => MouseEventKind::ScrollDown,
            2 => MouseEventKind::ScrollLeft,
            _ => MouseEventKind::ScrollRight,
        },
        (0, Some(button)) if is_moving => MouseEventKind::Drag(button),
        (0, Some(button)) if is_up => MouseEventKind::Up(button),
        (0, Some(button)) => MouseEventKind::Down(button),
        (0, None) if is_moving => MouseEventKind::Moved,
        _ => return None,
    };
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in [
        (4, KeyModifiers::SHIFT),
        (8, KeyModifiers::ALT),
        (16, KeyModifiers::CONTROL),
    ] {
        if bits & bit != 0 {
            modifiers |= modifier;
        }
    }
    Some(MouseEvent {
        kind,
        column: x.saturating_sub(1),
        row: y.saturating_sub(1),
        modifiers,
    })
}
