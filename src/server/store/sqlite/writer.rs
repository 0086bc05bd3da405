//! The thread that writes to the database: it takes all waiting writes, commits them together and then answers each of them. Two more
//! threads run checkpoints and request indexing. It does not know what the writes do.

mod job;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, TransactionBehavior, ffi};
use tokio::sync::oneshot;

use self::job::{Job, Write};
use super::disk_space::Space;
use super::index::Indexer;
use crate::server::store::StoreError;

/// How many writes may wait. A room has at most one, so only more busy rooms than a machine can serve would reach this.
const WAITING: usize = 4096;
/// The maximum number of rows in one commit, so that the first write in it does not wait for long.
const ROWS: usize = 1024;
/// A checkpoint is requested after this many rows.
const CHECKPOINT_ROWS: usize = 2000;
/// How long a write waits for another process that is writing, such as a restore.
const BUSY: Duration = Duration::from_secs(5);
/// How long new entries wait before they are indexed, so that later ones are indexed with them.
const INDEX_AFTER: Duration = Duration::from_millis(20);
/// While there are other writes, indexing takes at most 1 / `INDEX_SHARE` of the time.
const INDEX_SHARE: u32 = 6;
/// If the log is longer than this many bytes, the writer checkpoints it itself, even though writes wait meanwhile.
const WAL_BYTES: u64 = 64 * 1024 * 1024;

/// A request to the writer thread.
enum WriterRequest {
    Write(Box<dyn Job>),
    /// One step of indexing, in its own commit. The answer is how much was done.
    Index(oneshot::Sender<Result<usize, StoreError>>),
}

type Jobs = tokio::sync::mpsc::Sender<WriterRequest>;

/// When a write may find a conflict with existing rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConflictCheck {
    /// It checks first and then writes.
    BeforeWriting,
    /// A constraint may stop it in the middle, and then its changes must be undone.
    WhileWriting,
}

/// The error of a write inside the transaction.
#[derive(Debug)]
pub enum WriteError {
    Conflict,
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for WriteError {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(cause, _)
                if cause.code == ErrorCode::ConstraintViolation =>
            {
                Self::Conflict
            }
            _ => Self::Sqlite(error),
        }
    }
}

/// Classifies an error: a write may be retried after a full disk, but any other error stops the server. Growing the
/// log's index in shared memory needs disk space too.
fn failure(error: &rusqlite::Error) -> StoreError {
    let is_full = error.sqlite_error().is_some_and(|cause| {
        cause.code == ErrorCode::DiskFull
            || matches!(
                cause.extended_code,
                ffi::SQLITE_IOERR_SHMOPEN | ffi::SQLITE_IOERR_SHMSIZE | ffi::SQLITE_IOERR_SHMMAP
            )
    });
    if is_full {
        StoreError::Full
    } else {
        StoreError::Failed(error.to_string())
    }
}

/// The handle of the writer thread.
#[derive(Debug)]
pub struct Writer {
    jobs: Mutex<Option<Jobs>>,
    thread: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
}

impl Writer {
    pub fn start(db: Connection, path: &Path, space: Space) -> std::io::Result<Self> {
        let (jobs, waiting) = tokio::sync::mpsc::channel(WAITING);
        let (ask, asked) = mpsc::sync_channel(1);
        let poison = Poison::default();
        let poisoned = Arc::clone(&poison);
        let (note, noted) = mpsc::sync_channel(1);
        let log = path.with_extension("db-wal");
        let database = path.to_owned();
        thread::Builder::new()
            .name("tchat-checkpoint".into())
            .spawn(move || checkpoints(&database, &asked, &poison))?;
        let others = Arc::new(AtomicU64::new(0));
        let (weak, written) = (jobs.downgrade(), Arc::clone(&others));
        thread::Builder::new()
            .name("tchat-index".into())
            .spawn(move || index(&weak, &noted, &written))?;
        let thread = thread::Builder::new()
            .name("tchat-writer".into())
            .spawn(move || {
                let after = CommitNotifier {
                    checkpoint: ask,
                    index: note,
                    others,
                };
                write_all(db, waiting, space, &after, &log, &poisoned)
            })?;
        Ok(Self {
            jobs: Mutex::new(Some(jobs)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Runs a write and returns once it is durable.
    pub async fn run<T: Send + 'static>(
        &self,
        rows: usize,
        refusal: ConflictCheck,
        run: impl FnOnce(&Connection) -> Result<T, WriteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let gone = || StoreError::Failed("the writer has stopped".into());
        let jobs = self
            .jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or_else(gone)?;
        let (job, answer) = Write::new(rows, refusal, run);
        let asked = WriterRequest::Write(Box::new(job));
        jobs.send(asked).await.map_err(|_| gone())?;
        drop(jobs);
        answer.await.map_err(|_| gone())?
    }

    /// Ends the thread once all waiting writes are committed, with a last checkpoint.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else { return Ok(()) };
        let panicked = |_| StoreError::Failed("the writer has panicked".into());
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        joined
            .map_err(|error| StoreError::Failed(error.to_string()))?
            .map_err(panicked)?
    }
}

fn write_all(
    mut db: Connection,
    mut waiting: tokio::sync::mpsc::Receiver<WriterRequest>,
    mut space: Space,
    after: &CommitNotifier,
    log: &Path,
    poison: &Poison,
) -> Result<(), StoreError> {
    let mut since_checkpoint = 0;
    let mut indexer = Indexer::default();
    while let Some(first) = waiting.blocking_recv() {
        let WriteBatch {
            mut jobs,
            rows,
            index,
        } = WriteBatch::collect(first, &mut waiting);
        let mut committed = checkpoint_outcome(poison);
        if committed.is_ok() && space.is_full() {
            committed = Err(StoreError::Full);
        }
        if committed.is_ok() && !jobs.is_empty() {
            committed = commit(&mut db, &mut jobs);
        }
        for job in jobs {
            job.answer(committed.clone());
        }
        let mut done = committed;
        if let Some(reply) = index {
            let step = done.and_then(|()| indexer.step(&mut db).map_err(|error| failure(&error)));
            // The indexing thread ends with this one.
            let _gone = reply.send(step.clone());
            done = step.map(drop);
        }
        match done {
            Ok(()) => {}
            Err(StoreError::Full) => {
                space.mark_full();
                continue;
            }
            // After a failed write nothing more may be written: a disk error cannot be retried.
            failed => return failed,
        }
        if rows > 0 {
            after.others.fetch_add(1, Ordering::Relaxed);
            let _noted = after.index.try_send(());
        }
        since_checkpoint += rows;
        if since_checkpoint >= CHECKPOINT_ROWS {
            since_checkpoint = 0;
            checkpoint(&db, log, after)?;
        }
    }
    checkpoint_outcome(poison)?;
    truncate(&db)
}

/// Requests a checkpoint of the log, or runs it if the log has become too long.
fn checkpoint(db: &Connection, log: &Path, after: &CommitNotifier) -> Result<(), StoreError> {
    if log.metadata().is_ok_and(|log| log.len() > WAL_BYTES) {
        return truncate(db);
    }
    // One request that has not started yet is enough.
    let _asked = after.checkpoint.try_send(());
    Ok(())
}

/// Requests that are handled together.
struct WriteBatch {
    jobs: Vec<Box<dyn Job>>,
    rows: usize,
    index: Option<oneshot::Sender<Result<usize, StoreError>>>,
}

impl WriteBatch {
    /// Takes all waiting requests, up to the rows of one commit.
    fn collect(
        first: WriterRequest,
        waiting: &mut tokio::sync::mpsc::Receiver<WriterRequest>,
    ) -> Self {
        let mut taken = Self {
            jobs: Vec::new(),
            rows: 0,
            index: None,
        };
        let mut next = Some(first);
        while let Some(asked) = next {
            match asked {
                WriterRequest::Write(job) => {
                    taken.rows += job.rows();
                    taken.jobs.push(job);
                }
                WriterRequest::Index(reply) => taken.index = Some(reply),
            }
            next = if taken.rows < ROWS {
                waiting.try_recv().ok()
            } else {
                None
            };
        }
        taken
    }
}

/// What the writer notifies after a commit.
struct CommitNotifier {
    checkpoint: SyncSender<()>,
    index: SyncSender<()>,
    /// Counts the commits, except those of the index alone.
    others: Arc<AtomicU64>,
}

/// Indexes new entries in small steps, and pauses after each step while others write.
fn index(
    jobs: &tokio::sync::mpsc::WeakSender<WriterRequest>,
    noted: &Receiver<()>,
    others: &AtomicU64,
) {
    loop {
        let (before, begun) = (others.load(Ordering::Relaxed), Instant::now());
        let Some(sender) = jobs.upgrade() else { return };
        let (reply, answer) = oneshot::channel();
        if sender.blocking_send(WriterRequest::Index(reply)).is_err() {
            return;
        }
        drop(sender);
        match answer.blocking_recv() {
            Ok(Ok(0)) => {
                if noted.recv().is_err() {
                    return;
                }
                thread::sleep(INDEX_AFTER);
            }
            Ok(Ok(_)) => {
                if others.load(Ordering::Relaxed) != before {
                    thread::sleep(begun.elapsed() * (INDEX_SHARE - 1));
                }
            }
            // The disk is full; there may be room when something is written again.
            Ok(Err(StoreError::Full)) => {
                if noted.recv().is_err() {
                    return;
                }
            }
            _ => return,
        }
    }
}

fn commit(db: &mut Connection, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    let transaction = db
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| failure(&error))?;
    for job in jobs {
        job.run(&transaction)?;
    }
    transaction.commit().map_err(|error| failure(&error))
}

fn truncate(db: &Connection) -> Result<(), StoreError> {
    // A long read, such as a backup, prevents the log from being truncated. Posts must not wait for it to end.
    let before = db.busy_timeout(Duration::ZERO);
    let done = before
        .and_then(|()| db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
        .and_then(|()| db.busy_timeout(BUSY));
    match done.map_err(|error| failure(&error)) {
        // The log stays as it is until the disk has room.
        Err(StoreError::Full) => Ok(()),
        done => done,
    }
}

/// Checkpoints the log in parallel with the writer. If the disk is full, the next checkpoint does the work. Any other
/// error is final: after a failed write the system may report the same data as written at the next attempt.
fn checkpoints(path: &Path, asked: &Receiver<()>, poison: &Poison) {
    let Ok(db) = Connection::open(path) else {
        return;
    };
    while asked.recv().is_ok() {
        let done = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        let Err(error) = done else { continue };
        let is_busy = error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
        match failure(&error) {
            _ if is_busy => {}
            StoreError::Full => tracing::warn!(%error, "cannot checkpoint the database"),
            failed => {
                let _first = poison.set(failed.to_string());
                return;
            }
        }
    }
}

/// The cause of a failed checkpoint. Nothing is written after that.
type Poison = Arc<OnceLock<String>>;

/// Returns the error of a checkpoint that failed.
fn checkpoint_outcome(poison: &Poison) -> Result<(), StoreError> {
    match poison.get() {
        Some(cause) => Err(StoreError::Failed(cause.clone())),
        None => Ok(()),
    }
}
