//! Checks whether the stored rooms are intact.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{Finding, WITHIN, with_timeout};
use crate::server::data_dir;
use crate::server::data_dir::{DataError, Stored};
use crate::server::store::Verified;
use crate::tui::strings::{Doctor, fill};

/// The maximum number of damaged values to list.
const LISTED: usize = 20;
/// The read speed that every disk should reach, in bytes per second. If reading the database is slower,
/// the check exceeds its time limit.
const MIN_BYTES_PER_SECOND: u64 = 5 * 1024 * 1024;

pub fn check(data: &Path, d: &'static Doctor) -> Vec<Finding> {
    let bytes = fs::metadata(data_dir::database(data)).map_or(0, |file| file.len());
    let within = WITHIN + Duration::from_secs(bytes / MIN_BYTES_PER_SECOND);
    let data = data.to_owned();
    with_timeout(d.rooms, within, d, move || stored(&data, d))
}

fn stored(data: &Path, d: &'static Doctor) -> Vec<Finding> {
    let restore = format!("tchat restore FILE --data '{}'", data.display());
    let wrong = |words: String| vec![Finding::problem(d.rooms, words, &restore)];
    match data_dir::verify(data) {
        Ok(Stored::Nothing) => vec![Finding::ok(d.rooms, d.rooms_none)],
        Ok(Stored::Lost(database)) => wrong(fill(d.rooms_missing, &[&database.display()])),
        Ok(Stored::Rooms(verified)) => rooms(&verified, &restore, d),
        Err(DataError::Damaged { path, cause }) => {
            wrong(fill(d.rooms_damaged, &[&path.display(), &cause]))
        }
        Err(error) => wrong(error.to_string()),
    }
}

fn rooms(verified: &Verified, restore: &str, d: &'static Doctor) -> Vec<Finding> {
    let Verified {
        rooms,
        entries,
        damages,
        damaged,
        index_is_damaged,
    } = verified;
    let mut findings = if *damages == 0 {
        let words = fill(d.rooms_ok, &[rooms, entries]);
        vec![Finding::ok(d.rooms, words)]
    } else {
        let words = fill(d.rooms_some_damaged, &[rooms, entries, damages]);
        vec![Finding::problem(d.rooms, words, restore)]
    };
    let listed = damaged.iter().take(LISTED);
    findings.extend(listed.map(|damage| Finding::note(d.damaged, damage.to_string())));
    let more = damages.saturating_sub(LISTED as u64);
    if more > 0 {
        findings.push(Finding::note(d.damaged, fill(d.damaged_more, &[&more])));
    }
    if *index_is_damaged {
        findings.push(Finding::note(d.search, d.search_damaged));
    }
    findings
}
