//! Decodes the bytes of a terminal into keys, pastes, mouse events and answers to queries.
//!
//! crossterm reads the terminal itself and mistakes a late or split answer for typed text. This decoder recognises
//! every kind of control sequence (ECMA-48), whenever it arrives and in however many pieces, so that no part of one is
//! decoded as typed text. It does no I/O and has no clock: the caller reports when nothing has arrived for a while.

mod keys;

use std::collections::VecDeque;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

/// The maximum number of bytes stored of a control sequence or an answer; the rest is discarded.
const SEQUENCE: usize = 1024;
/// The maximum number of bytes stored of a paste. A message is far smaller, so a longer paste is refused anyway.
const PASTE: usize = 4 * 1024 * 1024;
const PASTE_END: &[u8] = b"\x1b[201~";
const ESC: u8 = 0x1b;

/// Something that the terminal has sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decoded {
    Event(Event),
    Answer(Answer),
}

/// A terminal's answer to a query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The background colour (OSC 11), as the terminal wrote it.
    Background(String),
    /// The cursor's column (CPR), from 0.
    Column(u16),
    /// The primary attributes (DA1). Every terminal answers this query, so it is sent last.
    Attributes,
    Other,
}

/// What an incomplete input is waiting for; the caller waits longer for some than for others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Awaited {
    /// The byte after Esc.
    Escape,
    /// The rest of a control sequence.
    Sequence,
    /// The rest of a paste.
    Paste,
}

#[derive(Debug, Default)]
enum DecoderState {
    #[default]
    Ground,
    Escape,
    /// `ESC [` and parameters.
    Control,
    /// `ESC O`: a keypad or function key.
    Ss3,
    /// An OSC, DCS or APC string; `kind` is its second byte.
    Text {
        kind: u8,
        ends: bool,
    },
    Paste,
    /// An incomplete UTF-8 character.
    Utf8,
    /// The three bytes of a mouse report in the old X10 format.
    OldMouse,
}

#[derive(Debug, Default)]
pub struct Decoder {
    state: DecoderState,
    bytes: Vec<u8>,
    /// Whether Esc came before this character, which means Alt.
    is_alt: bool,
    found: VecDeque<Decoded>,
}

impl Decoder {
    /// Decodes more bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.take(*byte);
        }
    }

    /// Returns the next complete item.
    pub fn pop(&mut self) -> Option<Decoded> {
        self.found.pop_front()
    }

    /// What the decoder is waiting for, if an item is incomplete.
    pub fn awaited(&self) -> Option<Awaited> {
        match self.state {
            DecoderState::Ground => None,
            DecoderState::Escape => Some(Awaited::Escape),
            // Keys like Alt+[ send nothing more than this.
            DecoderState::Control | DecoderState::Ss3 | DecoderState::Text { ends: false, .. }
                if self.bytes.is_empty() =>
            {
                Some(Awaited::Escape)
            }
            DecoderState::Paste => Some(Awaited::Paste),
            _ => Some(Awaited::Sequence),
        }
    }

    /// Ends an incomplete item because nothing more has arrived: decodes it as it is, or discards it.
    pub fn give_up(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let alt = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::ALT);
        match std::mem::take(&mut self.state) {
            DecoderState::Escape => self.key(KeyCode::Esc.into()),
            DecoderState::Control if bytes.is_empty() => self.key(alt('[')),
            DecoderState::Ss3 => self.key(alt('O')),
            DecoderState::Text { kind, ends: false } if bytes.is_empty() => {
                self.key(alt(char::from(kind)));
            }
            DecoderState::Paste => self.pasted(bytes),
            _ => {}
        }
        self.is_alt = false;
    }

    fn take(&mut self, byte: u8) {
        match self.state {
            DecoderState::Ground => self.ground(byte),
            DecoderState::Escape => self.escape(byte),
            DecoderState::Control => self.control(byte),
            DecoderState::Ss3 => {
                self.state = DecoderState::Ground;
                match keys::ss3(byte) {
                    Some(code) => self.key(code.into()),
                    None if byte == ESC => self.state = DecoderState::Escape,
                    None => {}
                }
            }
            DecoderState::Text { kind, ends } => self.text(kind, ends, byte),
            DecoderState::Paste => {
                self.bytes.push(byte);
                if self.bytes.ends_with(PASTE_END) {
                    let mut bytes = std::mem::take(&mut self.bytes);
                    bytes.truncate(bytes.len() - PASTE_END.len());
                    self.state = DecoderState::Ground;
                    self.pasted(bytes);
                } else if self.bytes.len() > PASTE + PASTE_END.len() {
                    // Drops a byte in the middle, so that the end marker is still found.
                    self.bytes.remove(PASTE);
                }
            }
            DecoderState::Utf8 => self.utf8(byte),
            DecoderState::OldMouse => {
                self.bytes.push(byte);
                if self.bytes.len() == 3 {
                    self.bytes.clear();
                    self.state = DecoderState::Ground;
                }
            }
        }
    }

    fn ground(&mut self, byte: u8) {
        match byte {
            ESC => self.state = DecoderState::Escape,
            0x80.. => {
                self.state = DecoderState::Utf8;
                self.utf8(byte);
            }
            _ => self.plain(keys::ascii(byte)),
        }
    }

    fn escape(&mut self, byte: u8) {
        self.state = DecoderState::Ground;
        match byte {
            // Esc twice: the first was the key, the second may start a sequence.
            ESC => {
                self.key(KeyCode::Esc.into());
                self.state = DecoderState::Escape;
            }
            b'[' => self.state = DecoderState::Control,
            b'O' => self.state = DecoderState::Ss3,
            b']' | b'P' | b'_' => {
                self.state = DecoderState::Text {
                    kind: byte,
                    ends: false,
                }
            }
            // Alt+\, or the end of a string that was already discarded: they have the same bytes.
            b'\\' => self.key(KeyEvent::new(KeyCode::Char('\\'), KeyModifiers::ALT)),
            _ => {
                self.is_alt = true;
                self.ground(byte);
            }
        }
    }

    fn control(&mut self, byte: u8) {
        match byte {
            ESC => {
                self.bytes.clear();
                self.state = DecoderState::Escape;
            }
            // The Linux console sends function keys with a second bracket.
            b'[' if self.bytes.is_empty() => self.bytes.push(byte),
            b'A'..=b'E' if self.bytes == b"[" => {
                self.bytes.clear();
                self.state = DecoderState::Ground;
                self.key(KeyCode::F(byte - b'A' + 1).into());
            }
            0x20..=0x3f => {
                if self.bytes.len() < SEQUENCE {
                    self.bytes.push(byte);
                }
            }
            b'M' if self.bytes.is_empty() => self.state = DecoderState::OldMouse,
            0x40..=0x7e => {
                let parameters = std::mem::take(&mut self.bytes);
                self.state = DecoderState::Ground;
                self.dispatch(&parameters, byte);
            }
            // This byte cannot be part of a sequence.
            _ => {
                self.bytes.clear();
                self.state = DecoderState::Ground;
                self.ground(byte);
            }
        }
    }

    fn dispatch(&mut self, parameters: &[u8], last: u8) {
        match (parameters, last) {
            (b"200", b'~') => self.state = DecoderState::Paste,
            // The end of a paste that has already ended, or never started.
            (b"201", b'~') => {}
            (b"", b'I') => self.found.push_back(Decoded::Event(Event::FocusGained)),
            (b"", b'O') => self.found.push_back(Decoded::Event(Event::FocusLost)),
            ([b'?', ..], b'c') => self.answer(Answer::Attributes),
            ([b'<', mouse @ ..], b'M' | b'm') => {
                let event = keys::mouse(mouse, last == b'm');
                self.found
                    .extend(event.map(|it| Decoded::Event(Event::Mouse(it))));
            }
            ([b'?' | b'>' | b'<' | b'=', ..], _) => self.answer(Answer::Other),
            (_, b'R') => match keys::position(parameters) {
                Some(column) => self.answer(Answer::Column(column)),
                None => self.key_of(parameters, last),
            },
            _ => self.key_of(parameters, last),
        }
    }

    fn key_of(&mut self, parameters: &[u8], last: u8) {
        if let Some(key) = keys::sequence(parameters, last) {
            self.key(key);
        }
    }

    fn text(&mut self, kind: u8, ends: bool, byte: u8) {
        if ends {
            if byte == b'\\' {
                self.text_ended(kind);
            } else {
                // The string was cut off by the next sequence.
                self.bytes.clear();
                self.escape(byte);
            }
            return;
        }
        let is_first = self.bytes.is_empty();
        match byte {
            ESC => self.state = DecoderState::Text { kind, ends: true },
            0x07 => self.text_ended(kind),
            _ if is_first && !begins(kind, byte) => {
                // It was Alt with this character, and another key follows.
                self.state = DecoderState::Ground;
                self.key(KeyEvent::new(
                    KeyCode::Char(char::from(kind)),
                    KeyModifiers::ALT,
                ));
                self.ground(byte);
            }
            _ if self.bytes.len() < SEQUENCE => self.bytes.push(byte),
            _ => {}
        }
    }

    fn text_ended(&mut self, kind: u8) {
        self.state = DecoderState::Ground;
        let bytes = std::mem::take(&mut self.bytes);
        let colour = (kind == b']').then(|| bytes.strip_prefix(b"11;")).flatten();
        self.answer(match colour {
            Some(colour) => Answer::Background(String::from_utf8_lossy(colour).into_owned()),
            None => Answer::Other,
        });
    }

    fn utf8(&mut self, byte: u8) {
        self.bytes.push(byte);
        match str::from_utf8(&self.bytes) {
            Ok(text) => {
                let c = text.chars().next();
                self.state = DecoderState::Ground;
                self.bytes.clear();
                if let Some(c) = c {
                    self.plain(keys::character(c));
                }
            }
            Err(error) if error.error_len().is_none() && self.bytes.len() < 4 => {}
            Err(_) => {
                // Not a character; the byte that made it invalid may start another one.
                let is_another = self.bytes.len() > 1;
                self.bytes.clear();
                self.state = DecoderState::Ground;
                self.is_alt = false;
                if is_another {
                    self.ground(byte);
                }
            }
        }
    }

    fn plain(&mut self, mut key: KeyEvent) {
        if std::mem::take(&mut self.is_alt) {
            key.modifiers |= KeyModifiers::ALT;
        }
        self.key(key);
    }

    fn key(&mut self, key: KeyEvent) {
        self.found.push_back(Decoded::Event(Event::Key(key)));
    }

    fn answer(&mut self, answer: Answer) {
        self.found.push_back(Decoded::Answer(answer));
    }

    fn pasted(&mut self, mut bytes: Vec<u8>) {
        bytes.truncate(PASTE);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.found.push_back(Decoded::Event(Event::Paste(text)));
    }
}

/// Whether this byte can start a string of this kind; any other byte is the next key.
fn begins(kind: u8, byte: u8) -> bool {
    match kind {
        b']' => byte.is_ascii_digit() || b"lLI".contains(&byte),
        b'P' => byte.is_ascii_digit() || b">!+$|".contains(&byte),
        _ => byte == b'G',
    }
}

#[cfg(test)]
mod tests;
