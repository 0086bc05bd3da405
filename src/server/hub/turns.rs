//! One change of a person's name or presence at a time.
//!
//! A person is changed in memory and in the store, and the two are apart for as long as the disk takes. Two sessions of one person that
//! come, go or rename in that time would undo each other's half: a name stays taken that nobody bears, or the store keeps an old one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

use crate::chat::SecretHash;

/// A person's turn; the next one's begins when it is dropped.
pub(super) type Turn = OwnedMutexGuard<()>;

/// The turns there are, by the secret of their person: somebody who comes for the first time has no id yet.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<SecretHash, Weak<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// Waits until nobody else is changing this person.
    pub(super) async fn take(&self, of: SecretHash) -> Turn {
        self.of(of).lock_owned().await
    }

    fn of(&self, of: SecretHash) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(&of).and_then(Weak::upgrade) {
            return turn;
        }
        if turns.len() == turns.capacity() {
            // Before the map grows, what nobody waits for any more goes.
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
    async fn turns_of_one_person_follow_each_other_and_nobody_waits_for_others() {
        let turns = Turns::default();
        let (ann, ben) = (SecretHash::new([1; 32]), SecretHash::new([2; 32]));
        let first = turns.take(ann).await;
        let _other = turns.take(ben).await;
        let soon = Duration::from_millis(1);
        assert!(timeout(soon, turns.take(ann)).await.is_err());
        drop(first);
        assert!(timeout(soon, turns.take(ann)).await.is_ok());
        for n in 10..110 {
            drop(turns.take(SecretHash::new([n; 32])).await);
        }
        assert!(turns.0.lock().unwrap().len() < 20, "what is over goes");
    }
}
