//! The cache of one profile on disk: rooms and entries that were shown, drafts, and posts without an answer.
//!
//! It is one SQLite file, owned by one thread, with one commit for all waiting jobs. The entries are copies and may lag or be trimmed. The
//! outbox is the only place where a post exists until the server has it, so a post is on disk before its first byte is sent. Several
//! processes of one profile share the file: each posts under an instance of its own, and takes over the posts of processes that have ended.
//! The cache knows nothing of the connection.

mod drafts;
mod entries;
mod lock;
mod outbox;
mod rooms;
mod schema;
mod search;
mod thread;
mod values;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use self::lock::Locks;
use self::thread::{Job, Work};
use super::OutgoingPost;
use crate::chat::{
    Author, ClientId, Cursor, Entry, Epoch, InstanceId, Limits, Refusal, RoomId, RoomInfo, Search,
    SearchResults, Seq, ServerId,
};

/// The maximum size of the entries that wait to be written, in bytes. Copies of entries beyond that are left out and loaded again when they
/// are needed.
const QUEUED_BYTES_LIMIT: u64 = 4 * 1024 * 1024;
/// A row takes this many bytes in addition to its text.
const ROW_BYTES: usize = 150;

/// Why the cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    #[error("cannot store messages in '{path}': {cause}")]
    Unusable { path: PathBuf, cause: String },
    #[error("'{path}' is damaged: {cause}")]
    Damaged { path: PathBuf, cause: String },
    #[error("'{0}' was created by a newer tchat; it was not changed, and nothing is saved")]
    Newer(PathBuf),
}

/// A post on disk, with the reason if it was refused permanently.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsent {
    pub post: OutgoingPost,
    pub failed: Option<Refusal>,
}

/// What is stored about the server that was joined last under this profile.
#[derive(Clone, PartialEq, Debug)]
pub struct CachedServer {
    pub server: ServerId,
    pub you: Author,
    pub limits: Limits,
    /// In the server's order, each with the position up to which it is known.
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

/// Drafts by room; `None`: typed before there was a room.
pub type Drafts = Vec<(Option<RoomId>, String)>;

/// The handle of the cache. When the last one is dropped, the thread writes everything and ends.
#[derive(Clone, Debug)]
pub struct Cache {
    jobs: mpsc::Sender<Job>,
    /// The id of this process's own outbox. Its drafts are stored under this id, too.
    instance: InstanceId,
    path: Arc<Path>,
    /// The newest search; it cancels those before it.
    searched: Arc<AtomicU64>,
    /// The size of entries that wait to be written, in bytes.
    queued_bytes: Arc<AtomicU64>,
}

/// The newest page of a room, and its messages from earlier histories.
pub type FirstPage = (RoomId, Page, Vec<Entry>);

/// An opened cache and its content.
#[derive(Debug)]
pub struct Opened {
    pub cache: Cache,
    /// Completes when everything is written, after the last handle was dropped.
    pub ended: oneshot::Receiver<()>,
    /// Where a damaged file was moved to, if there was one.
    pub damaged: Option<PathBuf>,
    pub cached_server: Option<CachedServer>,
    /// What is shown first of the room to start in.
    pub page: Option<FirstPage>,
    pub drafts: Drafts,
    /// Posts for that server, oldest first.
    pub posts: Vec<Unsent>,
}

impl Cache {
    /// Opens or creates a profile's file. `room` is the room to start in; `instance` is this process's outbox; `limit` is the maximum size
    /// in bytes.
    ///
    /// # Errors
    /// The file cannot be used. A damaged file is renamed and a new one is created.
    pub fn open(
        path: &Path,
        instance: InstanceId,
        room: Option<&str>,
        limit: u64,
    ) -> Result<Opened, CacheError> {
        match Self::open_undamaged(path, instance, room, limit) {
            Err(CacheError::Damaged { cause, .. }) => {
                // The damaged file may still contain something a person wants.
                let aside = schema::rename_damaged(path).map_err(|error| CacheError::Unusable {
                    path: path.to_owned(),
                    cause: format!("it is damaged ({cause}) and cannot be renamed: {error}"),
                })?;
                let fresh = Self::open_undamaged(path, instance, room, limit)?;
                Ok(Opened {
                    damaged: Some(aside),
                    ..fresh
                })
            }
            opened => opened,
        }
    }

    fn open_undamaged(
        path: &Path,
        instance: InstanceId,
        room: Option<&str>,
        limit: u64,
    ) -> Result<Opened, CacheError> {
        let unusable = |cause: std::io::Error| CacheError::Unusable {
            path: path.to_owned(),
            cause: cause.to_string(),
        };
        let mut db = schema::open(path)?;
        let mut locks = Locks::acquire(path, instance).map_err(unusable)?;
        let sql = |error| schema::cache_error(path, &error);
        locks.adopt(outbox::instances(&db).map_err(sql)?);
        let kept = rooms::cached_server(&db).map_err(sql)?;
        let (mut page, mut typed, mut posts) = (None, Drafts::new(), Vec::new());
        if let Some(kept) = &kept {
            page = first_page(&db, kept, room).map_err(sql)?;
            let ours = locks.instances();
            typed = drafts::take_over_drafts(&mut db, kept.server, instance, &ours).map_err(sql)?;
            posts = outbox::posts(&db, kept.server, &ours).map_err(sql)?;
        }
        let waiting = Arc::new(AtomicU64::new(0));
        let (jobs, ended) =
            thread::start(db, locks, Arc::clone(&waiting), limit).map_err(unusable)?;
        Ok(Opened {
            cache: Self {
                jobs,
                instance,
                path: path.into(),
                searched: Arc::default(),
                queued_bytes: waiting,
            },
            ended,
            damaged: None,
            cached_server: kept,
            page,
            drafts: typed,
            posts,
        })
    }

    /// Runs a job and waits until its changes are on disk.
    async fn run_durably(
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

    /// Queues a job. Jobs that are queued later see its result.
    async fn enqueue(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) {
        self.send_job(Box::new(|db, _| work(db))).await;
    }

    async fn send_job(&self, work: Work) {
        let job = Job {
            work,
            done: None,
            bytes: 0,
        };
        // If the thread has ended, the next job that waits for its result reports that.
        let _ended = self.jobs.send(job).await;
    }

    async fn query<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(move |db| {
            // If reading fails, the page counts as not cached; the server has it.
            if let Ok(found) = question(db) {
                let _gone = reply.send(found);
            }
            Ok(())
        })
        .await;
        answer.await.ok()
    }

    /// Puts a post into the outbox. It replaces the draft it was typed as, or the failed post it repeats. The receiver gets the result once
    /// the post is on disk, or the reason why it could not be written.
    pub async fn add_post(
        &self,
        server: ServerId,
        post: OutgoingPost,
        instead_of: Option<ClientId>,
    ) -> oneshot::Receiver<Result<(), String>> {
        let (done, answer) = oneshot::channel();
        let job = Job {
            work: Box::new(move |db, _| outbox::add(db, server, &post, instead_of)),
            done: Some(done),
            bytes: 0,
        };
        // If the thread has ended, the receiver reports that.
        let _ended = self.jobs.send(job).await;
        answer
    }

    /// Records the conversation that a name was resolved to, for posts that will be sent again.
    ///
    /// # Errors
    /// The reason why it could not be written.
    pub async fn set_recipient_room(
        &self,
        posts: Vec<ClientId>,
        room: RoomId,
    ) -> Result<(), String> {
        self.run_durably(move |db| outbox::set_recipient_room(db, &posts, room))
            .await
    }

    /// Removes a post from the outbox: it was answered or discarded.
    pub async fn remove_post(&self, id: ClientId) {
        self.enqueue(move |db| outbox::remove(db, id)).await;
    }

    /// Marks a post as failed.
    pub async fn mark_failed(&self, id: ClientId, refusal: Refusal) {
        self.enqueue(move |db| outbox::mark_failed(db, id, &refusal))
            .await;
    }

    /// Returns the drafts and posts for a server, oldest first, from processes that have ended in the meantime. With
    /// [`UnsentScope::All`], also returns those that this process already has.
    pub async fn unsent(&self, server: ServerId, whose: UnsentScope) -> (Drafts, Vec<Unsent>) {
        let (reply, answer) = oneshot::channel();
        let own = self.instance;
        self.send_job(Box::new(move |db, locks| {
            let mut of = locks.adopt(outbox::instances(db)?);
            if whose == UnsentScope::All {
                of = locks.instances();
            }
            let typed = drafts::adopt_drafts(db, server, own, &of)?;
            let _gone = reply.send((typed, outbox::posts(db, server, &of)?));
            Ok(())
        }))
        .await;
        answer.await.unwrap_or_default()
    }

    /// Stores who we are on a server and which rooms we are in. Other rooms of this server are removed.
    pub async fn store_memberships(
        &self,
        server: ServerId,
        you: Author,
        limits: Limits,
        rooms: Vec<RoomInfo>,
        ending: Vec<RoomId>,
    ) {
        self.enqueue(move |db| {
            rooms::store_memberships(db, server, &you, &limits, (&rooms, &ending))
        })
        .await;
    }

    pub async fn put_room(&self, server: ServerId, room: RoomInfo) {
        self.enqueue(move |db| rooms::put(db, server, &room, None))
            .await;
    }

    pub async fn remove_room(&self, server: ServerId, room: RoomId) {
        self.enqueue(move |db| rooms::remove(db, server, room))
            .await;
    }

    /// Records the current history of a room. If it replaced the stored one, copies of the earlier messages stay until
    /// the same messages arrive in the current history.
    pub async fn record_history(
        &self,
        server: ServerId,
        room: RoomId,
        epoch: Epoch,
        first: Seq,
        history: HistoryMatch,
    ) {
        self.enqueue(move |db| rooms::record_history(db, server, room, epoch, first, history))
            .await;
    }

    /// Stores copies of entries without waiting. Returns false if the disk is too slow: then they are left out, and loaded again when
    /// needed.
    pub fn put_entries(&self, server: ServerId, entries: Vec<Entry>) -> bool {
        let bytes = entries
            .iter()
            .map(|it| it.body.payload().len() + ROW_BYTES)
            .sum::<usize>() as u64;
        if self.queued_bytes.load(Ordering::Relaxed) > QUEUED_BYTES_LIMIT {
            return false;
        }
        let work: Work = Box::new(move |db, _| rooms::put_entries(db, server, &entries));
        self.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        let job = Job {
            work,
            done: None,
            bytes,
        };
        let is_taken = self.jobs.try_send(job).is_ok();
        if !is_taken {
            self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        is_taken
    }

    /// Applies amendments to the copies. Waits for the disk if necessary.
    pub async fn apply_amendments(&self, server: ServerId, entries: Vec<Entry>) {
        if !entries.is_empty() {
            self.enqueue(move |db| rooms::put_entries(db, server, &entries))
                .await;
        }
    }

    /// Returns the entries right before a seq, or the newest for [`u64::MAX`]; `None` if they are not cached.
    pub async fn page(&self, server: ServerId, room: RoomId, before: Seq) -> Option<Page> {
        self.query(move |db| rooms::page(db, server, room, before))
            .await
            .flatten()
    }

    /// Returns entries of an earlier history of the room that are not in its current one.
    pub async fn former_entries(&self, server: ServerId, room: RoomId) -> Vec<Entry> {
        self.query(move |db| rooms::former_entries(db, server, room))
            .await
            .unwrap_or_default()
    }

    /// Searches the copies. Returns nothing if they cannot be read. A search with a higher id cancels it.
    pub async fn search(&self, id: u64, server: ServerId, wanted: Search) -> SearchResults {
        let (path, searched) = (Arc::clone(&self.path), Arc::clone(&self.searched));
        searched.fetch_max(id, Ordering::Relaxed);
        let look = move || {
            let is_wanted = || searched.load(Ordering::Relaxed) <= id;
            search::search(&path, server, &wanted, is_wanted).unwrap_or_default()
        };
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }

    /// Stores a draft; an empty text deletes it.
    pub async fn put_draft(&self, server: ServerId, room: Option<RoomId>, text: String) {
        let own = self.instance;
        self.enqueue(move |db| drafts::put_draft(db, server, own, room, &text))
            .await;
    }
}

/// Which posts and drafts to return.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnsentScope {
    /// Those of this process, and those of processes that have ended.
    All,
    /// Those that were just taken over.
    Adopted,
}

/// How the current history of a room relates to the stored one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HistoryMatch {
    Same,
    /// The same, but too much was missed: stored entries may have been edited or deleted since, and are loaded from the server again.
    Gap,
    /// The history was replaced and numbers start over, so stored entries cannot be identified by seq.
    Replaced,
}

/// Returns what is shown first of the room to start in.
fn first_page(
    db: &Connection,
    kept: &CachedServer,
    room: Option<&str>,
) -> rusqlite::Result<Option<FirstPage>> {
    let wanted = room.map(str::to_lowercase);
    let is_wanted = |(info, _): &&(RoomInfo, Option<Cursor>)| {
        info.peer.is_none() && Some(info.name.to_lowercase()) == wanted
    };
    let first = kept.rooms.iter().find(is_wanted).or(kept.rooms.first());
    let Some((info, _)) = first else {
        return Ok(None);
    };
    let newest = rooms::page(db, kept.server, info.id, Seq(u64::MAX))?;
    let former = rooms::former_entries(db, kept.server, info.id)?;
    Ok(newest.map(|page| (info.id, page, former)))
}
