//! The format of message times. Pure.

use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Zoned, civil};

use crate::text;

/// A format for the time of day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeFormat {
    /// The setting as it was written: a name or a pattern.
    name: String,
    pattern: String,
    /// The widest time in this format, in columns.
    columns: usize,
}

/// The maximum number of columns for a time. With more, too few would be left for the messages.
const WIDEST: usize = 11;

impl Default for TimeFormat {
    fn default() -> Self {
        Self {
            name: "24h".into(),
            pattern: "%H:%M".into(),
            columns: 5,
        }
    }
}

impl TimeFormat {
    /// The named formats and their patterns.
    pub const ALL: [(&'static str, &'static str); 3] = [
        ("24h", "%H:%M"),
        ("12h", "%I:%M %p"),
        ("seconds", "%H:%M:%S"),
    ];

    /// The format for a name or a `strftime` pattern. Returns `None` if the result would be empty, unsafe or too wide.
    pub fn of(word: &str) -> Option<Self> {
        let word = word.trim();
        let mut all = Self::ALL.iter();
        let known = all.find(|(name, _)| name.eq_ignore_ascii_case(word));
        let (name, pattern) = match known {
            Some((name, pattern)) => (*name, *pattern),
            None if word.contains('%') => (word, word),
            None => return None,
        };
        // One of these samples is as wide as any time can be: every number has two digits, and the samples include AM and PM.
        let samples = [(2026, 9, 30, 23, 59, 59), (2026, 11, 11, 10, 10, 10)];
        let mut columns = 0;
        for (year, month, day, hour, minute, second) in samples {
            let at = civil::datetime(year, month, day, hour, minute, second, 0);
            let at = at.to_zoned(TimeZone::UTC).ok()?;
            let written = strtime::format(pattern, &at).ok()?;
            let is_safe = text::line(&written).as_str() == written;
            columns = columns.max(text::width(&written));
            if !is_safe || !(1..=WIDEST).contains(&columns) {
                return None;
            }
        }
        Some(Self {
            name: name.to_owned(),
            pattern: pattern.to_owned(),
            columns,
        })
    }

    /// The setting as it was written.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Formats a time, cut to the width of the format.
    pub fn write(&self, at: &Zoned) -> String {
        let written = strtime::format(&self.pattern, at).unwrap_or_default();
        text::cut(&written, self.columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(word: &str, hour: i8) -> Option<String> {
        let at = civil::datetime(2026, 11, 19, hour, 5, 9, 0);
        let at = at.to_zoned(TimeZone::UTC).unwrap();
        Some(TimeFormat::of(word)?.write(&at))
    }

    #[test]
    fn a_time_is_written_by_name_or_by_pattern() {
        for (word, morning, evening) in [
            ("24h", "09:05", "21:05"),
            ("24H", "09:05", "21:05"),
            ("12h", "09:05 AM", "09:05 PM"),
            ("seconds", "09:05:09", "21:05:09"),
            ("%H.%M", "09.05", "21.05"),
            ("%-I:%M%P", "9:05am", "9:05pm"),
            ("%H时%M分", "09时05分", "21时05分"),
            ("%a %H:%M", "Thu 09:05", "Thu 21:05"),
        ] {
            assert_eq!(written(word, 9).as_deref(), Some(morning), "{word}");
            assert_eq!(written(word, 21).as_deref(), Some(evening), "{word}");
        }
        assert_eq!(TimeFormat::of("24h"), Some(TimeFormat::default()));
    }

    #[test]
    fn invalid_and_too_wide_formats_are_refused() {
        for word in [
            "",
            "noon",
            "HH:MM",
            "%",
            "%!",
            "%H:%M\u{1b}[2J",
            "%H\n%M",
            "%A %d %B %Y %H:%M:%S",
            "%%%%%%%%%%%%%%%%%%%%%%%%%%",
        ] {
            assert_eq!(TimeFormat::of(word), None, "{word:?}");
        }
    }
}
