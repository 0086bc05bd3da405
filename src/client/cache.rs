//! The cache of one profile on disk: rooms and entries that were shown, drafts, and posts that are not answered yet.
//!
//! One SQLite file, one thread that owns it, one commit for all that waits. The entries are a copy and may lag or be trimmed; the
//! outbox is the only place where a post is until the server has it, so a post is on disk before its first byte is sent.
//! Several processes of one profile share the file: each posts under an instance of its own, and takes over what a dead one left.
//! It knows nothing of the connection.

mod drafts;
mod entries;
mod lock;
mod outbox;
mod rooms;
mod schema;
mod search;
mod values;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use self::lock::Locks;
use super::Post;
use crate::chat::{
    Author, ClientId, Cursor, Entry, Epoch, Found, InstanceId, Limits, Refusal, RoomId, RoomInfo,
    Search, Seq, ServerId,
};

/// Jobs that may wait; copies of entries beyond that are left out and loaded again when they are wanted.
const JOBS: usize = 256;
/// Bytes of entries in these jobs; the same applies beyond that.
const WAITING: u64 = 4 * 1024 * 1024;
/// Bytes of copies after which the size is looked at, and what a row takes beside its text.
const LOOK_EVERY: u64 = 4 * 1024 * 1024;
const ROW: usize = 150;

/// Why there is no cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    #[error("cannot store messages in '{path}': {cause}")]
    Unusable { path: PathBuf, cause: String },
    #[error("'{path}' is damaged: {cause}")]
    Damaged { path: PathBuf, cause: String },
    #[error("'{0}' was created by a newer tchat; it was not changed, and nothing is saved")]
    Newer(PathBuf),
}

/// A post on disk, with the reason if it was refused for good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsent {
    pub post: Post,
    pub failed: Option<Refusal>,
}

/// What was kept of the server that was joined last under this profile.
#[derive(Clone, PartialEq, Debug)]
pub struct Kept {
    pub server: ServerId,
    pub you: Author,
    pub limits: Limits,
    /// In the order of the server, with the place up to which each is known.
    pub rooms: Vec<(RoomInfo, Option<Cursor>)>,
}

/// A run of entries without holes.
#[derive(Clone, PartialEq, Debug)]
pub struct Page {
    pub epoch: Epoch,
    /// The first seq the room had when it was last followed.
    pub first: Seq,
    /// Ascending.
    pub entries: Vec<Entry>,
}

/// What was typed and not sent, by room; none is where there was no room yet.
pub type Drafts = Vec<(Option<RoomId>, String)>;

type Work = Box<dyn FnOnce(&Connection, &mut Locks) -> rusqlite::Result<()> + Send>;

struct Job {
    work: Work,
    /// Answered once it is committed: on the disk itself, not only in the system's memory.
    done: Option<oneshot::Sender<Result<(), String>>>,
    /// Bytes of copies it adds, about.
    bytes: u64,
}

/// The handle. When the last one is dropped the thread ends, once everything is written.
#[derive(Clone, Debug)]
pub struct Cache {
    jobs: mpsc::Sender<Job>,
    /// This process's own outbox, and the name its drafts are kept under.
    instance: InstanceId,
    path: Arc<Path>,
    /// The newest search; those before it end.
    searched: Arc<AtomicU64>,
    /// Bytes of entries that are waiting to be written.
    waiting: Arc<AtomicU64>,
}

/// A cache that was opened, with what it held.
#[derive(Debug)]
pub struct Opened {
    pub cache: Cache,
    /// Completes when everything is written, after the last handle is gone.
    pub ended: oneshot::Receiver<()>,
    /// The name of a damaged file that was here.
    pub damaged: Option<PathBuf>,
    pub kept: Option<Kept>,
    /// The newest page of the room to begin in.
    pub page: Option<(RoomId, Page, Vec<Entry>)>,
    pub drafts: Drafts,
    /// Posts for that server, oldest first.
    pub posts: Vec<Unsent>,
}

impl Cache {
    /// Opens a profile's file, or makes it. `room` is the one to begin in; `instance` is this process's outbox.
    ///
    /// # Errors
    /// The file cannot be used. A damaged one is put aside and a new one is made.
    pub fn open(
        path: &Path,
        instance: InstanceId,
        room: Option<&str>,
        limit: u64,
    ) -> Result<Opened, CacheError> {
        match Self::open_whole(path, instance, room, limit) {
            Err(CacheError::Damaged { cause, .. }) => {
                // What it still holds may be wanted.
                let aside = schema::put_aside(path).map_err(|error| CacheError::Unusable {
                    path: path.to_owned(),
                    cause: format!("it is damaged ({cause}) and cannot be moved away: {error}"),
                })?;
                let fresh = Self::open_whole(path, instance, room, limit)?;
                Ok(Opened {
                    damaged: Some(aside),
                    ..fresh
                })
            }
            opened => opened,
        }
    }

    fn open_whole(
        path: &Path,
        instance: InstanceId,
        room: Option<&str>,
        limit: u64,
    ) -> Result<Opened, CacheError> {
        let unusable = |cause: String| CacheError::Unusable {
            path: path.to_owned(),
            cause,
        };
        let mut db = schema::open(path)?;
        let mut locks = Locks::take(path, instance).map_err(|error| unusable(error.to_string()))?;
        let sql = |error| schema::failed(path, &error);
        locks.adopt(outbox::instances(&db).map_err(sql)?);
        let kept = rooms::kept(&db).map_err(sql)?;
        let (mut page, mut typed, mut posts) = (None, Drafts::new(), Vec::new());
        if let Some(kept) = &kept {
            let wanted = room.map(str::to_lowercase);
            let is_wanted = |(info, _): &&(RoomInfo, Option<Cursor>)| {
                info.peer.is_none() && Some(info.name.to_lowercase()) == wanted
            };
            let first = kept.rooms.iter().find(is_wanted).or(kept.rooms.first());
            if let Some((info, _)) = first {
                let newest = rooms::page(&db, kept.server, info.id, Seq(u64::MAX)).map_err(sql)?;
                let former = rooms::former(&db, kept.server, info.id).map_err(sql)?;
                page = newest.map(|page| (info.id, page, former));
            }
            let ours = locks.held();
            typed = drafts::take_over_drafts(&mut db, kept.server, instance, &ours).map_err(sql)?;
            posts = outbox::posts(&db, kept.server, &ours).map_err(sql)?;
        }
        let (jobs, inbox) = mpsc::channel(JOBS);
        let (end, ended) = oneshot::channel();
        let waiting = Arc::new(AtomicU64::new(0));
        let written = Arc::clone(&waiting);
        let thread = std::thread::Builder::new().name("tchat-cache".into());
        thread
            .spawn(move || {
                serve(&mut db, &mut locks, inbox, &written, limit);
                let left = outbox::instances(&db).unwrap_or_default();
                locks.release(&left);
                drop(db);
                let _nobody_waits = end.send(());
            })
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Opened {
            cache: Self {
                jobs,
                instance,
                path: path.into(),
                searched: Arc::default(),
                waiting,
            },
            ended,
            damaged: None,
            kept,
            page,
            drafts: typed,
            posts,
        })
    }

    /// Does something and waits until it is on the disk.
    async fn surely(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), String> {
        let gone = || "the cache has stopped".to_owned();
        let (done, answer) = oneshot::channel();
        let job = Job {
            work: Box::new(|db, _| work(db)),
            done: Some(done),
            bytes: 0,
        };
        self.jobs.send(job).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Does something soon. What is asked for afterwards sees it done.
    async fn soon(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static) {
        self.give(Box::new(|db, _| work(db))).await;
    }

    async fn give(&self, work: Work) {
        let job = Job {
            work,
            done: None,
            bytes: 0,
        };
        // A thread that has ended has reported the reason to its caller.
        let _ended = self.jobs.send(job).await;
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.soon(move |db| {
            // A read that fails is a page that is not here; the server has it.
            if let Ok(found) = question(db) {
                let _gone = reply.send(found);
            }
            Ok(())
        })
        .await;
        answer.await.ok()
    }

    /// Puts a post into the outbox, in the place of the draft it was and of the failed one it repeats. The answer comes when it is on
    /// the disk: nothing, or why it could not be written.
    pub async fn keep(
        &self,
        server: ServerId,
        post: Post,
        instead_of: Option<ClientId>,
    ) -> oneshot::Receiver<Result<(), String>> {
        let (done, answer) = oneshot::channel();
        let job = Job {
            work: Box::new(move |db, _| outbox::keep(db, server, &post, instead_of)),
            done: Some(done),
            bytes: 0,
        };
        // A thread that has ended drops the answer, which says so.
        let _ended = self.jobs.send(job).await;
        answer
    }

    /// Notes which conversation a name meant, for posts that will be sent again.
    ///
    /// # Errors
    /// It could not be written; says why.
    pub async fn address(&self, posts: Vec<ClientId>, room: RoomId) -> Result<(), String> {
        self.surely(move |db| outbox::address(db, &posts, room))
            .await
    }

    /// Takes a post out of the outbox: it was answered, or given up.
    pub async fn forget(&self, id: ClientId) {
        self.soon(move |db| outbox::remove(db, id)).await;
    }

    /// Keeps a post as one that failed.
    pub async fn failed(&self, id: ClientId, refusal: Refusal) {
        self.soon(move |db| outbox::fail(db, id, &refusal)).await;
    }

    /// What was typed for a server and the posts for it, oldest first, of processes that are gone by now; with what this one holds
    /// for it too, if that is asked for.
    pub async fn unsent(&self, server: ServerId, whose: Whose) -> (Drafts, Vec<Unsent>) {
        let (reply, answer) = oneshot::channel();
        let own = self.instance;
        self.give(Box::new(move |db, locks| {
            let mut of = locks.adopt(outbox::instances(db)?);
            if whose == Whose::All {
                of = locks.held();
            }
            let typed = drafts::adopt_drafts(db, server, own, &of)?;
            let _gone = reply.send((typed, outbox::posts(db, server, &of)?));
            Ok(())
        }))
        .await;
        answer.await.unwrap_or_default()
    }

    /// Takes over who we are on a server and the rooms we are in; what belongs to others goes.
    pub async fn joined(
        &self,
        server: ServerId,
        you: Author,
        limits: Limits,
        rooms: Vec<RoomInfo>,
        ending: Vec<RoomId>,
    ) {
        self.soon(move |db| rooms::joined(db, server, &you, &limits, (&rooms, &ending)))
            .await;
    }

    pub async fn room(&self, server: ServerId, room: RoomInfo) {
        self.soon(move |db| rooms::put(db, server, &room, None))
            .await;
    }

    pub async fn left(&self, server: ServerId, room: RoomId) {
        self.soon(move |db| rooms::remove(db, server, room)).await;
    }

    /// Notes which history a room has. Where it is another one than before, what was kept of it stays until it is matched.
    pub async fn followed(
        &self,
        server: ServerId,
        room: RoomId,
        epoch: Epoch,
        first: Seq,
        history: History,
    ) {
        self.soon(move |db| rooms::followed(db, server, room, epoch, first, history))
            .await;
    }

    /// Copies entries without waiting. Returns false if the disk is too slow: then they are left out, and loaded again when needed.
    pub fn entries(&self, server: ServerId, entries: Vec<Entry>) -> bool {
        let bytes = entries
            .iter()
            .map(|it| it.body.payload().len() + ROW)
            .sum::<usize>() as u64;
        if self.waiting.load(Ordering::Relaxed) > WAITING {
            return false;
        }
        let work: Work = Box::new(move |db, _| rooms::entries(db, server, &entries));
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
        let job = Job {
            work,
            done: None,
            bytes,
        };
        let is_taken = self.jobs.try_send(job).is_ok();
        if !is_taken {
            self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        }
        is_taken
    }

    /// Applies amendments to the copies, waiting for the disk if necessary.
    pub async fn amendments(&self, server: ServerId, entries: Vec<Entry>) {
        if !entries.is_empty() {
            self.soon(move |db| rooms::entries(db, server, &entries))
                .await;
        }
    }

    /// The entries right before a seq, or the newest for [`u64::MAX`]; nothing if they are not here.
    pub async fn page(&self, server: ServerId, room: RoomId, before: Seq) -> Option<Page> {
        self.ask(move |db| rooms::page(db, server, room, before))
            .await
            .flatten()
    }

    /// Entries of a history the room had before, which no entry of its present one has matched.
    pub async fn former(&self, server: ServerId, room: RoomId) -> Vec<Entry> {
        self.ask(move |db| rooms::former(db, server, room))
            .await
            .unwrap_or_default()
    }

    /// What is found among the copies, and nothing where they cannot be read. A search with a higher number ends it early.
    pub async fn search(&self, id: u64, server: ServerId, wanted: Search) -> Found {
        let (path, searched) = (Arc::clone(&self.path), Arc::clone(&self.searched));
        searched.fetch_max(id, Ordering::Relaxed);
        let look = move || {
            let is_wanted = || searched.load(Ordering::Relaxed) <= id;
            search::search(&path, server, &wanted, is_wanted).unwrap_or_default()
        };
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }

    /// Keeps what is typed and not sent; empty: nothing.
    pub async fn draft(&self, server: ServerId, room: Option<RoomId>, text: String) {
        let own = self.instance;
        self.soon(move |db| drafts::draft(db, server, own, room, &text))
            .await;
    }
}

/// Whose posts and drafts are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// Those that this process has held all along, and what the dead have left.
    All,
    /// What was taken over just now.
    Adopted,
}

/// How the history that a room has now relates to what was kept of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum History {
    Same,
    /// The same, but too much was missed: what is kept may have been edited or deleted since, and comes from the server again.
    Missed,
    /// The history was replaced and numbers start over, so stored entries cannot be identified by seq.
    Another,
}

/// The thread: all that waits is one commit.
fn serve(
    db: &mut Connection,
    locks: &mut Locks,
    mut inbox: mpsc::Receiver<Job>,
    waiting: &AtomicU64,
    limit: u64,
) {
    // The file may have grown under an earlier limit.
    let mut grown = u64::MAX;
    let look_every = LOOK_EVERY.min(limit / 10);
    while let Some(first) = inbox.blocking_recv() {
        let mut jobs = vec![first];
        while jobs.len() < JOBS
            && let Ok(job) = inbox.try_recv()
        {
            jobs.push(job);
        }
        let added: u64 = jobs.iter().map(|job| job.bytes).sum();
        grown = grown.saturating_add(added);
        let waits = jobs.iter().any(|job| job.done.is_some());
        let (works, waiters): (Vec<Work>, Vec<_>) =
            jobs.into_iter().map(|job| (job.work, job.done)).unzip();
        let committed = commit(db, locks, works, waits).map_err(|error| error.to_string());
        waiting.fetch_sub(added, Ordering::Relaxed);
        if let Err(error) = &committed {
            tracing::warn!(%error, "cannot write the cache");
        }
        for waiter in waiters.into_iter().flatten() {
            let _gone = waiter.send(committed.clone());
        }
        if grown >= look_every {
            grown = 0;
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
    waits: bool,
) -> rusqlite::Result<()> {
    // Copies may be lost with the power; a post that is about to be sent may not.
    db.pragma_update(None, "synchronous", if waits { "FULL" } else { "NORMAL" })?;
    let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for work in works {
        work(&transaction, locks)?;
    }
    transaction.commit()
}
