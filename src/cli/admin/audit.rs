//! Compares the audit log with a head that was exported earlier. Anybody who can write to the database can rewrite the whole log,
//! but not an exported head.

use std::str::FromStr;

use anyhow::{Result, anyhow, bail};

use crate::chat::AuditEntry;
use crate::tui::strings::{Strings, fill};

/// The number and the hash of a row, written as `12:9f3a…`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    number: u64,
    hash: [u8; 32],
}

impl Head {
    /// Returns the head of a log, whose newest row comes first. An empty log has row 0, with zeros.
    pub fn of(rows: &[AuditEntry]) -> Self {
        let newest = rows.first();
        Self {
            number: newest.map_or(0, |row| row.number),
            hash: newest.map_or([0; 32], |row| row.hash),
        }
    }
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.number, hex::encode(self.hash))
    }
}

impl FromStr for Head {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (number, hash) = text.trim().split_once(':').ok_or(())?;
        let hash = hex::decode(hash).map_err(|_| ())?;
        Ok(Self {
            number: number.parse().map_err(|_| ())?,
            hash: hash.try_into().map_err(|_| ())?,
        })
    }
}

/// Checks that each row follows from the one before it, and that the log still contains the row that was exported. `rows` are all rows, the newest
/// first. Returns the line that says so.
///
/// # Errors
/// A row was edited or removed, or the exported row is another one or missing.
pub fn verify(s: &Strings, rows: &[AuditEntry], head: &str) -> Result<String> {
    let words = s.administration;
    let wrong = || anyhow!(fill(words.audit_head_wrong, &[&head]));
    let head: Head = head.parse().map_err(|()| wrong())?;
    let (mut before, mut number) = ([0; 32], 0);
    let mut is_found = head == Head::of(&[]);
    for row in rows.iter().rev() {
        number += 1;
        if row.number != number || row.hash != row.hash_after(&before) {
            bail!(fill(words.audit_edited, &[&number]));
        }
        before = row.hash;
        is_found |= (head.number, head.hash) == (row.number, row.hash);
    }
    if !is_found {
        bail!(fill(words.audit_other_head, &[&head.number]));
    }
    Ok(fill(words.audit_unchanged, &[&head.number, &number]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::strings::ENGLISH;

    /// A log of some rows, the newest first.
    fn log(count: u64) -> Vec<AuditEntry> {
        let mut rows: Vec<AuditEntry> = Vec::new();
        for number in 1..=count {
            let mut row = AuditEntry {
                number,
                at_ms: 1000 + number,
                actor: None,
                act: "role".into(),
                target: format!("account {number}"),
                detail: String::new(),
                hash: [0; 32],
            };
            let before = rows.last().map_or([0; 32], |row| row.hash);
            row.hash = row.hash_after(&before);
            rows.push(row);
        }
        rows.reverse();
        rows
    }

    fn error(rows: &[AuditEntry], head: &str) -> String {
        verify(&ENGLISH, rows, head).unwrap_err().to_string()
    }

    #[test]
    fn a_log_that_only_grew_is_unchanged() {
        let exported = Head::of(&log(3)).to_string();
        let words = verify(&ENGLISH, &log(5), &exported).unwrap();
        assert!(
            words.contains("up to row 3") && words.contains("5 rows"),
            "{words}"
        );
        let empty = Head::of(&[]).to_string();
        assert!(verify(&ENGLISH, &log(2), &empty).is_ok());
        assert!(verify(&ENGLISH, &[], &empty).is_ok());
    }

    #[test]
    fn an_edited_a_removed_and_a_rewritten_row_are_found() {
        let exported = Head::of(&log(3)).to_string();
        let mut edited = log(5);
        edited[3].target = "somebody else".into();
        assert!(error(&edited, &exported).contains("row 2"));
        let mut removed = log(5);
        removed.remove(2);
        assert!(error(&removed, &exported).contains("row 3"));
        // The whole chain was made again without the second row.
        let mut rewritten = log(3);
        rewritten[1].target = "nobody".into();
        let first = rewritten[2].hash;
        rewritten[1].hash = rewritten[1].hash_after(&first);
        let second = rewritten[1].hash;
        rewritten[0].hash = rewritten[0].hash_after(&second);
        assert!(error(&rewritten, &exported).contains("not the one that was exported"));
        // The end was cut off.
        assert!(error(&log(2), &exported).contains("not the one that was exported"));
    }

    #[test]
    fn a_head_that_is_none_is_reported() {
        for wrong in ["", "3", "3:abc", "x:00", &format!("-1:{}", "0".repeat(64))] {
            assert!(error(&log(1), wrong).contains("is not the head"), "{wrong}");
        }
    }
}
