//! Locks that allow one change of a person's name or presence at a time.
//!
//! Such a change is made in memory and in the store, and the two differ until the disk write ends. If two sessions of one person
//! connected, disconnected or renamed in that time, each would undo half of the other's change: a name would stay taken without an
//! owner, or the store would have an old name.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

/// The lock of one key. It is released when this is dropped.
pub(super) type LockGuard = OwnedMutexGuard<()>;

/// One lock for each key that is in use: a person, or a device whose person is not known yet.
#[derive(Debug)]
pub(super) struct Locks<K>(Mutex<HashMap<K, Weak<tokio::sync::Mutex<()>>>>);

impl<K> Default for Locks<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Copy + Eq + Hash> Locks<K> {
    /// Acquires the lock of this key. Waits while somebody else has it.
    pub(super) async fn lock(&self, key: K) -> LockGuard {
        self.lock_of(key).lock_owned().await
    }

    fn lock_of(&self, key: K) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(&key).and_then(Weak::upgrade) {
            return lock;
        }
        if locks.len() == locks.capacity() {
            // Before the map grows, locks that nobody uses are removed.
            locks.retain(|_, lock| lock.strong_count() > 0);
        }
        let lock = Arc::default();
        locks.insert(key, Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn changes_of_one_person_run_one_at_a_time_and_do_not_delay_others() {
        let locks = Locks::default();
        let first = locks.lock(1).await;
        let _other = locks.lock(2).await;
        let soon = Duration::from_millis(1);
        assert!(timeout(soon, locks.lock(1)).await.is_err());
        drop(first);
        assert!(timeout(soon, locks.lock(1)).await.is_ok());
        for n in 10..110 {
            drop(locks.lock(n).await);
        }
        assert!(locks.0.lock().unwrap().len() < 20, "unused locks remain");
    }
}
