//! Tests the terminal: how wide it draws some samples, and whether it distinguishes keys like Shift+Enter.

use std::io::{self, Write as _, stdout};

use crossterm::terminal::{
    Clear, ClearType, disable_raw_mode, enable_raw_mode, supports_keyboard_enhancement,
};
use crossterm::{cursor, execute};

use crate::text;

/// Texts that terminals draw with different widths: first symbols of the interface with ambiguous width, then text as people write it.
pub const SAMPLES: [(&str, SampleKind); 9] = [
    ("●", SampleKind::Signs),
    ("…", SampleKind::Signs),
    ("─", SampleKind::Signs),
    ("▎", SampleKind::Signs),
    ("张", SampleKind::Text),
    ("e\u{301}", SampleKind::Text),
    ("👋🏽", SampleKind::Emoji),
    ("👩\u{200d}🚀", SampleKind::Emoji),
    ("🇨🇳", SampleKind::Emoji),
];

/// The kind of a sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SampleKind {
    Signs,
    Text,
    /// Emoji made of several parts, which older terminals draw next to each other.
    Emoji,
}

/// A sample that takes a different number of columns than the program expects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Misdrawn {
    pub sample: &'static str,
    pub kind: SampleKind,
    pub actual: usize,
    pub expected: usize,
}

/// The results of the test.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Probed {
    /// The samples drawn with another width; `None` if the terminal does not report its cursor position.
    pub misdrawn: Option<Vec<Misdrawn>>,
    /// Whether the terminal distinguishes keys like Shift+Enter from Enter.
    pub distinguishes_keys: bool,
}

/// Runs the test. It uses the line of the cursor and leaves it empty.
///
/// # Errors
/// The terminal cannot be written to.
pub fn probe() -> io::Result<Probed> {
    enable_raw_mode()?;
    let probed = run_test();
    let restored = disable_raw_mode();
    let probed = probed?;
    restored?;
    Ok(probed)
}

fn run_test() -> io::Result<Probed> {
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
                kind: of,
                actual: shown,
                expected: reckoned,
            });
        }
        execute!(
            stdout(),
            cursor::MoveToColumn(0),
            Clear(ClearType::CurrentLine)
        )?;
    }
    // A terminal that does not report its cursor position answers no other query either.
    let tells_keys = misdrawn.is_some() && supports_keyboard_enhancement().unwrap_or(false);
    execute!(
        stdout(),
        cursor::MoveToColumn(0),
        Clear(ClearType::CurrentLine)
    )?;
    Ok(Probed {
        misdrawn,
        distinguishes_keys: tells_keys,
    })
}
