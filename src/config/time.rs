//! Durations as people write them.

use std::time::Duration;

use anyhow::{Context, Result};

/// Parses a time such as `90s`, `5m`, `1h` or `30d`; a number alone is seconds.
///
/// # Errors
/// The text is not such a time. The error shows how to write one.
pub fn time(text: &str) -> Result<Duration> {
    let wrong = || {
        format!(
            "cannot read the time '{text}': use a number of seconds, or a number with s, m, h or d, like 5m"
        )
    };
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit());
    let (digits, unit) = trimmed.split_at(end.unwrap_or(trimmed.len()));
    let amount: u64 = digits.parse().ok().with_context(wrong)?;
    let seconds = match unit {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        "d" => Some(24 * 3600),
        _ => None,
    };
    let seconds = seconds
        .and_then(|unit: u64| amount.checked_mul(unit))
        .with_context(wrong)?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_a_number_and_a_unit_or_seconds() {
        for (text, seconds) in [
            ("5m", 300),
            ("90s", 90),
            ("10", 10),
            ("0", 0),
            (" 10 ", 10),
            ("1h", 3600),
            ("30d", 30 * 24 * 3600),
        ] {
            let read = time(text).unwrap();
            assert_eq!(read, Duration::from_secs(seconds), "{text}");
        }
        for wrong in [
            "",
            " ",
            "m",
            "5w",
            "5 m",
            "-1s",
            "-1",
            "1.5",
            "五m",
            "99999999999999999999",
            "99999999999999999d",
        ] {
            assert!(
                time(wrong).unwrap_err().to_string().contains("like 5m"),
                "{wrong}"
            );
        }
    }
}
