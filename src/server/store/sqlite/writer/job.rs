//! A write that waits for the writer thread, with its answer. It knows nothing of the thread.

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{ConflictCheck, WriteError, failure};
use crate::server::store::StoreError;

/// A write with its answer: it runs inside the transaction and is answered after the commit.
pub(super) trait Job: Send {
    fn rows(&self) -> usize;
    /// Runs the write. An error means that the whole commit fails.
    fn run(&mut self, db: &Connection) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

pub(super) struct Write<T, F> {
    rows: usize,
    conflict_check: ConflictCheck,
    run: Option<F>,
    done: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T, WriteError> + Send> Job for Write<T, F> {
    fn run(&mut self, db: &Connection) -> Result<(), StoreError> {
        let Some(run) = self.run.take() else {
            return Ok(());
        };
        if self.conflict_check == ConflictCheck::BeforeWriting {
            let before = db.total_changes();
            let done = run(db);
            if matches!(done, Err(WriteError::Conflict)) && db.total_changes() != before {
                return Err(StoreError::Failed(
                    "a write conflicted after it had changed rows".into(),
                ));
            }
            return self.finish(done);
        }
        // A conflict must not undo the other writes in the same commit.
        batch(db, "SAVEPOINT job")?;
        let done = run(db);
        batch(
            db,
            if done.is_ok() {
                "RELEASE job"
            } else {
                "ROLLBACK TO job; RELEASE job"
            },
        )?;
        self.finish(done)
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (committed, self.done) {
            (Err(error), _) => Err(error),
            (Ok(()), Some(done)) => done,
            (Ok(()), None) => Err(StoreError::Failed("a write was not run".into())),
        };
        // The caller may be gone; the write is committed all the same.
        let _gone = self.reply.send(answer);
    }
}

impl<T, F> Write<T, F> {
    pub(super) fn new(
        rows: usize,
        refusal: ConflictCheck,
        run: F,
    ) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        let write = Self {
            rows,
            conflict_check: refusal,
            run: Some(run),
            done: None,
            reply,
        };
        (write, answer)
    }

    fn finish(&mut self, done: Result<T, WriteError>) -> Result<(), StoreError> {
        match done {
            Ok(value) => self.done = Some(Ok(value)),
            Err(WriteError::Conflict) => self.done = Some(Err(StoreError::Conflict)),
            Err(WriteError::Sqlite(error)) => return Err(failure(&error)),
        }
        Ok(())
    }
}

fn batch(db: &Connection, sql: &str) -> Result<(), StoreError> {
    db.execute_batch(sql).map_err(|error| failure(&error))
}
