//! Verifies the database of a running server in small steps, so that other work can continue.

use std::time::Instant;

use rusqlite::Connection;
use tokio::time::sleep;

use super::verify::{self, Verification, VerifyProgress};
use super::{SqliteStore, log};
use crate::server::store::{StoreError, Verified};

impl SqliteStore {
    pub(super) async fn verify_in_steps(&self) -> Result<Verified, StoreError> {
        let index = self.read(verify::index).await?;
        if let Some(damage) = &index {
            self.note_index_damage(damage.clone()).await?;
        }
        let mut verification = Verification::default();
        let mut logged = 0;
        loop {
            let began = Instant::now();
            let step = move |db: &Connection| {
                let step = verification.step(db)?;
                Ok((verification, step))
            };
            let done;
            (verification, done) = self.read(step).await?;
            for damage in verification.verified.damaged.iter().skip(logged) {
                log(damage);
            }
            logged = verification.verified.damaged.len();
            if done == VerifyProgress::Done {
                return Ok(Verified {
                    index_is_damaged: index.is_some(),
                    ..verification.verified
                });
            }
            // Waits as long as the step took, so that half of the time is left for other work.
            sleep(began.elapsed()).await;
        }
    }
}
