//! Log time in relation to the time since the machine was booted. With it, a restarted server knows exactly how long it was down, even if the
//! wall clock was set meanwhile.
//!
//! The time since boot is only meaningful within one boot, which Linux identifies by a random id. Elsewhere, and after a reboot, the server has
//! to estimate from the wall clock.

use std::path::{Path, PathBuf};

use crate::chat::ServerId;
use crate::files::{PRIVATE, read_if_exists, write_atomically};

/// A moment of the current boot.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Uptime {
    /// The random id of the boot.
    boot: String,
    /// Milliseconds since the boot, including the time that the machine slept.
    since_boot_ms: u64,
}

/// The file with the uptime and the log time of the last start.
#[derive(Clone, Debug)]
pub struct UptimeFile(PathBuf);

impl UptimeFile {
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Returns the current log time of a server, in milliseconds, if the file was written by that server since the machine was booted.
    pub(super) fn log_ms(&self, server: ServerId) -> Option<u64> {
        let text = read_if_exists(&self.0).ok()??;
        log_ms_at(std::str::from_utf8(&text).ok()?, server, &uptime()?)
    }

    /// Records the log time of a server. Best effort: without the file, the next start estimates how long the server was down.
    pub(super) fn write(&self, server: ServerId, log_ms: u64) {
        let Some(now) = uptime() else { return };
        if let Err(error) = write_atomically(&self.0, &line(server, log_ms, &now), PRIVATE) {
            tracing::warn!(path = %self.0.display(), %error, "cannot record the uptime");
        }
    }
}

fn line(server: ServerId, log_ms: u64, now: &Uptime) -> String {
    let server = hex::encode(server.bytes());
    format!("{server} {} {} {log_ms}\n", now.boot, now.since_boot_ms)
}

/// Returns the log time now, by a line that was written earlier. `None`: another server wrote it, in another boot, or it is damaged.
fn log_ms_at(line: &str, server: ServerId, now: &Uptime) -> Option<u64> {
    let mut words = line.split_ascii_whitespace();
    let is_of_server = words.next()? == hex::encode(server.bytes());
    let is_of_boot = words.next()? == now.boot;
    let since_boot_ms: u64 = words.next()?.parse().ok()?;
    let log_ms: u64 = words.next()?.parse().ok()?;
    let passed_ms = now.since_boot_ms.checked_sub(since_boot_ms)?;
    (is_of_server && is_of_boot && words.next().is_none())
        .then(|| log_ms.checked_add(passed_ms))
        .flatten()
}

#[cfg(target_os = "linux")]
fn uptime() -> Option<Uptime> {
    use rustix::time::{ClockId, clock_gettime};
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let since = clock_gettime(ClockId::Boottime);
    let (seconds, nanos) = (
        u64::try_from(since.tv_sec).ok()?,
        u64::try_from(since.tv_nsec).ok()?,
    );
    Some(Uptime {
        boot: boot.trim().to_owned(),
        since_boot_ms: seconds.checked_mul(1000)?.checked_add(nanos / 1_000_000)?,
    })
}

#[cfg(not(target_os = "linux"))]
fn uptime() -> Option<Uptime> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: ServerId = ServerId::new([7; 16]);

    fn at(boot: &str, since_boot_ms: u64) -> Uptime {
        Uptime {
            boot: boot.into(),
            since_boot_ms,
        }
    }

    #[test]
    fn log_time_advances_with_the_uptime_of_the_same_boot() {
        let written = line(SERVER, 1_000_000, &at("b-1", 5_000));
        let read = |line: &str, server, now| log_ms_at(line, server, &now);
        assert_eq!(read(&written, SERVER, at("b-1", 5_000)), Some(1_000_000));
        assert_eq!(read(&written, SERVER, at("b-1", 65_000)), Some(1_060_000));
        assert_eq!(read(&written, SERVER, at("b-2", 65_000)), None);
        assert_eq!(read(&written, SERVER, at("b-1", 4_999)), None);
        let other = ServerId::new([8; 16]);
        assert_eq!(read(&written, other, at("b-1", 65_000)), None);
        for damaged in ["", "x", written.trim_end_matches("000000\n"), "1 2 3 4 5"] {
            let damaged = damaged.replace("b-1", "b-3");
            assert_eq!(read(&damaged, SERVER, at("b-1", 65_000)), None, "{damaged}");
        }
        let huge = line(SERVER, u64::MAX, &at("b-1", 5_000));
        assert_eq!(read(&huge, SERVER, at("b-1", 65_000)), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_file_gives_back_the_log_time_of_this_boot() {
        let directory = tempfile::tempdir().unwrap();
        let file = UptimeFile::new(&directory.path().join("uptime"));
        assert_eq!(file.log_ms(SERVER), None);
        file.write(SERVER, 1_000_000);
        let read = file.log_ms(SERVER).unwrap();
        assert!((1_000_000..1_600_000).contains(&read), "{read}");
        assert_eq!(file.log_ms(ServerId::new([8; 16])), None);
    }
}
