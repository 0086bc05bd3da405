//! The thread that owns the cache's file: it runs all waiting jobs in one commit. It does not know what the jobs do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::lock::Locks;
use super::{outbox, rooms};

/// The maximum number of waiting jobs. Copies of entries beyond that are left out and loaded again when they are needed.
const JOB_LIMIT: usize = 256;
/// The size of the file is checked after this many bytes of copies.
const SIZE_CHECK_BYTES: u64 = 4 * 1024 * 1024;

pub(super) type Work = Box<dyn FnOnce(&Connection, &mut Locks) -> rusqlite::Result<()> + Send>;

pub(super) struct Job {
    pub(super) work: Work,
    /// Answered once the job is committed: on the disk itself, not only in the system's memory.
    pub(super) done: Option<oneshot::Sender<Result<(), String>>>,
    /// The approximate size of the copies it adds, in bytes.
    pub(super) bytes: u64,
}

/// Starts the thread. It ends when the returned sender and its clones are dropped and everything is written; then the
/// receiver completes. `waiting` is the size of the entries that wait to be written, in bytes; `limit` is the maximum
/// size of the file, in bytes.
pub(super) fn start(
    mut db: Connection,
    mut locks: Locks,
    waiting: Arc<AtomicU64>,
    limit: u64,
) -> std::io::Result<(mpsc::Sender<Job>, oneshot::Receiver<()>)> {
    let (jobs, inbox) = mpsc::channel(JOB_LIMIT);
    let (end, ended) = oneshot::channel();
    let thread = std::thread::Builder::new().name("tchat-cache".into());
    thread.spawn(move || {
        serve(&mut db, &mut locks, inbox, &waiting, limit);
        let left = outbox::instances(&db).unwrap_or_default();
        locks.release(&left);
        drop(db);
        let _nobody_waits = end.send(());
    })?;
    Ok((jobs, ended))
}

/// Runs jobs until every sender is gone. The jobs that are waiting go into one commit.
fn serve(
    db: &mut Connection,
    locks: &mut Locks,
    mut inbox: mpsc::Receiver<Job>,
    waiting: &AtomicU64,
    limit: u64,
) {
    // The file may have grown under an earlier limit, so check it at the first commit.
    let mut unchecked_bytes = u64::MAX;
    let check_every = SIZE_CHECK_BYTES.min(limit / 10);
    while let Some(first) = inbox.blocking_recv() {
        let mut jobs = vec![first];
        while jobs.len() < JOB_LIMIT
            && let Ok(job) = inbox.try_recv()
        {
            jobs.push(job);
        }
        let added: u64 = jobs.iter().map(|job| job.bytes).sum();
        unchecked_bytes = unchecked_bytes.saturating_add(added);
        let must_sync = jobs.iter().any(|job| job.done.is_some());
        let (works, waiters): (Vec<Work>, Vec<_>) =
            jobs.into_iter().map(|job| (job.work, job.done)).unzip();
        let committed = commit(db, locks, works, must_sync).map_err(|error| error.to_string());
        waiting.fetch_sub(added, Ordering::Relaxed);
        if let Err(error) = &committed {
            tracing::warn!(%error, "cannot write to the cache");
        }
        for waiter in waiters.into_iter().flatten() {
            let _gone = waiter.send(committed.clone());
        }
        if unchecked_bytes >= check_every {
            unchecked_bytes = 0;
            if let Err(error) = rooms::trim(db, limit) {
                tracing::warn!(%error, "cannot trim the cache");
            }
        }
    }
}

fn commit(
    db: &mut Connection,
    locks: &mut Locks,
    works: Vec<Work>,
    must_sync: bool,
) -> rusqlite::Result<()> {
    // Copies may be lost in a power failure; a post that is about to be sent may not.
    db.pragma_update(
        None,
        "synchronous",
        if must_sync { "FULL" } else { "NORMAL" },
    )?;
    let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for work in works {
        work(&transaction, locks)?;
    }
    transaction.commit()
}
