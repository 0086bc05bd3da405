//! Turns: locks that allow one change of a person's name or presence at a time.
//!
//! Such a change is made in memory and in the store, and the two differ until the disk write ends. If two sessions of one person
//! connected, disconnected or renamed in that time, each would undo half of the other's change: a name would stay taken without an
//! owner, or the store would have an old name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

use crate::chat::SecretHash;

/// One turn of a person. The next one begins when this is dropped.
pub(super) type PersonLockGuard = OwnedMutexGuard<()>;

/// The locks, by the hash of the person's secret, because a new person has no id yet.
#[derive(Debug, Default)]
pub(super) struct PersonLocks(Mutex<HashMap<SecretHash, Weak<tokio::sync::Mutex<()>>>>);

impl PersonLocks {
    /// Waits until no other change of this person is running.
    pub(super) async fn lock(&self, of: SecretHash) -> PersonLockGuard {
        self.lock_of(of).lock_owned().await
    }

    fn lock_of(&self, of: SecretHash) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(&of).and_then(Weak::upgrade) {
            return turn;
        }
        if turns.len() == turns.capacity() {
            // Before the map grows, locks that nobody uses are removed.
            turns.retain(|_, turn| turn.strong_count() > 0);
        }
        let turn = Arc::default();
        turns.insert(of, Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn turns_of_one_person_run_one_at_a_time_and_do_not_delay_others() {
        let turns = PersonLocks::default();
        let (ann, ben) = (SecretHash::new([1; 32]), SecretHash::new([2; 32]));
        let first = turns.lock(ann).await;
        let _other = turns.lock(ben).await;
        let soon = Duration::from_millis(1);
        assert!(timeout(soon, turns.lock(ann)).await.is_err());
        drop(first);
        assert!(timeout(soon, turns.lock(ann)).await.is_ok());
        for n in 10..110 {
            drop(turns.lock(SecretHash::new([n; 32])).await);
        }
        assert!(turns.0.lock().unwrap().len() < 20, "unused locks remain");
    }
}
