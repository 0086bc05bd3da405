//! Locks that show which processes are running. Every process has a lock file named after its instance. The operating
//! system releases the lock when the process ends, even if it crashes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::chat::InstanceId;

/// The locks of this process: its own, and those of ended processes whose posts it took over.
#[derive(Debug)]
pub struct Locks {
    base: PathBuf,
    locks: Vec<(InstanceId, File)>,
}

impl Locks {
    pub fn acquire(base: &Path, instance: InstanceId) -> io::Result<Self> {
        let mut locks = Self {
            base: base.to_owned(),
            locks: Vec::new(),
        };
        let file = locks.file(instance)?;
        // This does not fail for a new instance: no other process uses its lock.
        file.try_lock()?;
        locks.locks.push((instance, file));
        locks.sweep();
        Ok(locks)
    }

    fn path(&self, instance: InstanceId) -> PathBuf {
        self.base.with_extension(format!("{instance}.live"))
    }

    fn file(&self, instance: InstanceId) -> io::Result<File> {
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.path(instance))
    }

    /// Takes over the instances whose process has ended. Returns them.
    pub fn adopt(&mut self, instances: Vec<InstanceId>) -> Vec<InstanceId> {
        let mut adopted = Vec::new();
        for instance in instances {
            if self.locks.iter().any(|(held, _)| *held == instance) {
                continue;
            }
            if let Ok(file) = self.file(instance)
                && file.try_lock().is_ok()
            {
                self.locks.push((instance, file));
                adopted.push(instance);
            }
        }
        adopted
    }

    /// Returns the instances of this process: its own, and those it took over.
    pub fn instances(&self) -> Vec<InstanceId> {
        self.locks.iter().map(|(instance, _)| *instance).collect()
    }

    /// Removes lock files that are no longer needed: those of instances without posts and drafts.
    pub fn release(self, left: &[InstanceId]) {
        for (instance, _) in &self.locks {
            if !left.contains(instance) {
                // If a file cannot be removed, the next process finds it unlocked.
                let _stays = fs::remove_file(self.path(*instance));
            }
        }
    }

    /// Removes the lock files of processes that were killed and had nothing to send.
    fn sweep(&self) {
        let (Some(directory), Some(stem)) = (self.base.parent(), self.base.file_stem()) else {
            return;
        };
        let prefix = format!("{}.", stem.to_string_lossy());
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_ours = name.starts_with(&prefix)
                && Path::new(&name)
                    .extension()
                    .is_some_and(|extension| extension == "live");
            let is_old = entry
                .metadata()
                .and_then(|file| file.modified())
                .ok()
                .and_then(|at| at.elapsed().ok())
                .is_some_and(|age| age.as_secs() > OLD_SECONDS);
            if is_ours
                && is_old
                && let Ok(file) = File::options().write(true).open(entry.path())
                && file.try_lock().is_ok()
            {
                let _stays = fs::remove_file(entry.path());
            }
        }
    }
}

/// The minimum age of a lock file to be removed, in seconds: a newer one may not be locked yet by the process that
/// creates it.
const OLD_SECONDS: u64 = 60;
