//! What a terminal does, found out by trying: how wide it draws, and what keys it tells apart.

use std::io::{self, Write as _, stdout};

use crossterm::terminal::{
    Clear, ClearType, disable_raw_mode, enable_raw_mode, supports_keyboard_enhancement,
};
use crossterm::{cursor, execute};

use crate::text;

/// What terminals do not agree about: signs of this program's own that are of ambiguous width first, then what people write.
pub const SAMPLES: [(&str, Of); 9] = [
    ("●", Of::Signs),
    ("…", Of::Signs),
    ("─", Of::Signs),
    ("▎", Of::Signs),
    ("张", Of::Text),
    ("e\u{301}", Of::Text),
    ("👋🏽", Of::Emoji),
    ("👩\u{200d}🚀", Of::Emoji),
    ("🇨🇳", Of::Emoji),
];

/// Whose a sample is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Of {
    Signs,
    Text,
    /// Of several parts, which older terminals draw beside each other.
    Emoji,
}

/// A sample that takes other columns than are reckoned with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Misdrawn {
    pub sample: &'static str,
    pub of: Of,
    pub shown: usize,
    pub reckoned: usize,
}

/// What was found out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Probed {
    /// What is drawn otherwise; nothing if the terminal does not say where its cursor is.
    pub misdrawn: Option<Vec<Misdrawn>>,
    /// Whether keys like Shift+Enter are told from Enter.
    pub tells_keys: bool,
}

/// Tries it. The line the cursor stands in is used for it and left empty.
///
/// # Errors
/// The terminal cannot be written to.
pub fn probe() -> io::Result<Probed> {
    enable_raw_mode()?;
    let probed = tried();
    let restored = disable_raw_mode();
    let probed = probed?;
    restored?;
    Ok(probed)
}

fn tried() -> io::Result<Probed> {
    let mut misdrawn = Some(Vec::new());
    for (sample, of) in SAMPLES {
        write!(stdout(), "\r{sample}")?;
        stdout().flush()?;
        let Ok((column, _)) = cursor::position() else {
            misdrawn = None;
            break;
        };
        let (shown, reckoned) = (usize::from(column), text::width(sample));
        if let Some(misdrawn) = misdrawn.as_mut().filter(|_| shown != reckoned) {
            misdrawn.push(Misdrawn {
                sample,
                of,
                shown,
                reckoned,
            });
        }
        execute!(
            stdout(),
            cursor::MoveToColumn(0),
            Clear(ClearType::CurrentLine)
        )?;
    }
    // A terminal that does not say where its cursor is says nothing else either.
    let tells_keys = misdrawn.is_some() && supports_keyboard_enhancement().unwrap_or(false);
    execute!(
        stdout(),
        cursor::MoveToColumn(0),
        Clear(ClearType::CurrentLine)
    )?;
    Ok(Probed {
        misdrawn,
        tells_keys,
    })
}
