//! Events from the server: updates cursors and pending posts, and passes the events on.

use super::{Attached, End, Waits};
use crate::chat::{
    Body, Cursor, Entry, Epoch, FollowResult, RoomId, RoomInfo, Seq, ServerId, Unread,
};
use crate::client::cache::{History, Whose};
use crate::client::link::NoReceiver;
use crate::client::pending::Pending;
use crate::client::{Event, LinkState, PutOut, Why, history};
use crate::wire::{self, Goodbye, GoodbyeReason, Then, UnfollowReason, Welcome, event_from, proto};
use tokio::time::Instant;

/// A batch of entries is passed on when it reaches this many bytes. The event queue is bounded in events, and so also in bytes.
const TOGETHER: usize = 32 * 1024;

impl Attached<'_> {
    /// Handles a frame from the server. Consecutive entries of one room are passed on together.
    pub(super) async fn take(
        &mut self,
        frame: proto::ChatResponse,
    ) -> Result<Option<End>, NoReceiver> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut bytes = 0;
        for event in frame.events {
            // If a server breaks the protocol, disconnect instead of guessing.
            let Ok(event) = event_from(event) else {
                self.pass_on(entries).await?;
                return Ok(Some(End::lost(Why::NotTchat(String::new()))));
            };
            match event {
                wire::Event::Entry(entry) => {
                    let is_other = entries.last().is_some_and(|last| last.room != entry.room);
                    if is_other || bytes >= TOGETHER {
                        self.pass_on(std::mem::take(&mut entries)).await?;
                        bytes = 0;
                    }
                    bytes += size_of::<Entry>() + entry.weight();
                    entries.extend(self.advance(entry).await);
                }
                other => {
                    self.pass_on(std::mem::take(&mut entries)).await?;
                    if let Some(end) = self.apply(other).await? {
                        return Ok(Some(end));
                    }
                }
            }
        }
        self.pass_on(entries).await?;
        Ok(None)
    }

    /// Passes on entries of one room, and stores copies.
    async fn pass_on(&mut self, entries: Vec<Entry>) -> Result<(), NoReceiver> {
        if entries.is_empty() {
            return Ok(());
        }
        if let (Some(cache), Some(server)) = (&self.link.cache, self.link.holds)
            && !cache.entries(server, entries.clone())
        {
            // Copies may be left out, but existing copies must not retain text that was edited or deleted.
            let amends = |entry: &&Entry| matches!(entry.body, Body::Amendment { .. });
            let amending: Vec<Entry> = entries.iter().filter(amends).cloned().collect();
            cache.amendments(server, amending).await;
        }
        self.link.tell(Event::Entries(entries)).await
    }

    /// Moves the room's cursor over an entry. Returns `None` if the entry was received before, or comes after a hole that no gap announced.
    async fn advance(&mut self, entry: Entry) -> Option<Entry> {
        if let Some(id) = entry.client_id
            && Some(entry.author.id) == self.link.me
        {
            self.link.answered(id).await;
        }
        let room = entry.room;
        if !self.followed.contains(&room) || self.resyncing.contains(&room) {
            // The room was left, or is being followed again, while this was on its way.
            return None;
        }
        let has = self.link.cursors.get(&room);
        let after = has
            .filter(|cursor| cursor.epoch == entry.epoch)
            .map_or(Seq::ZERO, |cursor| cursor.seq);
        if has.is_some() && entry.seq <= after {
            self.link.health.duplicate(room);
            return None;
        }
        if has.is_some() && entry.seq != after.next() {
            self.link.health.hole(room);
            self.resyncing.insert(room);
            self.follow(room);
            return None;
        }
        self.link.health.ends(room, entry.seq);
        self.link.cursors.insert(
            room,
            Cursor {
                epoch: entry.epoch,
                seq: entry.seq,
                digest: Some(entry.digest),
            },
        );
        Some(entry)
    }

    async fn apply(&mut self, event: wire::Event) -> Result<Option<End>, NoReceiver> {
        match event {
            wire::Event::Welcome(welcome) => self.welcomed(welcome).await?,
            wire::Event::Followed {
                request,
                room,
                epoch,
                first,
                last,
                result,
                unread,
            } => {
                self.waiting.remove(&request);
                self.followed_again(room, epoch, (first, last), result, unread)
                    .await?;
            }
            wire::Event::Unfollowed { request, room, why } => {
                self.waiting.remove(&request);
                self.unfollowed(room, why).await?;
            }
            wire::Event::Accepted {
                client_id,
                room,
                epoch,
                seq,
            } => {
                self.link.answered(client_id).await;
                self.link
                    .tell(Event::Accepted {
                        client_id,
                        room,
                        epoch,
                        seq,
                    })
                    .await?;
            }
            wire::Event::Refused {
                request,
                client_id,
                refusal,
            } => return self.refused(request, client_id, refusal).await,
            wire::Event::RoomChanged { request, room } => self.room_changed(request, room).await?,
            wire::Event::Named { request, you } => {
                self.waiting.remove(&request);
                self.link.config.name.clone_from(&you.name);
                self.link.tell(Event::Named(you)).await?;
            }
            wire::Event::Goodbye(goodbye) => return Ok(Some(ended(&goodbye))),
            wire::Event::Pong { heads, .. } => self.apply_heads(heads).await?,
            other => {
                if let Some((request, event)) = passed_on(other) {
                    self.waiting.remove(&request);
                    self.link.tell(event).await?;
                }
            }
        }
        Ok(None)
    }

    /// A room is no longer followed, because we left it or were removed from it.
    async fn unfollowed(&mut self, room: RoomId, why: UnfollowReason) -> Result<(), NoReceiver> {
        let put_out = |how| Event::PutOut { room, how };
        let event = match why {
            UnfollowReason::RequestFrame => return Ok(()),
            UnfollowReason::Left => Event::Left(room),
            UnfollowReason::Kicked { by, reason } => put_out(PutOut::Kicked { by, reason }),
            UnfollowReason::Banned { by, reason } => put_out(PutOut::Banned { by, reason }),
            UnfollowReason::Closed => put_out(PutOut::Closed),
        };
        self.forget(room).await;
        self.link.tell(event).await
    }

    /// Removes a room that we are no longer in.
    pub(super) async fn forget(&mut self, room: RoomId) {
        self.followed.remove(&room);
        self.link.cursors.remove(&room);
        if let (Some(cache), Some(server)) = (&self.link.cache, self.link.holds) {
            cache.left(server, room).await;
        }
    }

    /// A room is followed, or followed again: from the cursor, or from what the server has instead.
    async fn followed_again(
        &mut self,
        room: RoomId,
        epoch: Epoch,
        (first, last): (Seq, Seq),
        result: FollowResult,
        unread: Unread,
    ) -> Result<(), NoReceiver> {
        self.resyncing.remove(&room);
        self.link.health.ends(room, last);
        if result != FollowResult::Contiguous {
            self.link.cursors.remove(&room);
            self.link.pending.ask_again();
        }
        if let (Some(cache), Some(server)) = (&self.link.cache, self.link.holds) {
            let history = match result {
                FollowResult::EpochChanged | FollowResult::Ahead => History::Another,
                FollowResult::TooFar | FollowResult::Trimmed => History::Missed,
                FollowResult::Contiguous => History::Same,
            };
            cache.followed(server, room, epoch, first, history).await;
        }
        self.link
            .tell(Event::Followed {
                room,
                epoch,
                first,
                last,
                result,
                unread,
            })
            .await
    }

    /// Handles a pong: the server is there, and reports the ends of the rooms.
    async fn apply_heads(&mut self, heads: Vec<wire::Head>) -> Result<(), NoReceiver> {
        let now = Instant::now();
        if let Some(pinged_at) = self.pinged_at.take() {
            self.link.health.rtt = Some(now.saturating_duration_since(pinged_at));
        }
        let (cursors, followed) = (&self.link.cursors, &self.followed);
        for head in heads
            .into_iter()
            .filter(|head| followed.contains(&head.room))
        {
            let cursor = cursors.get(&head.room);
            self.link.health.heard(head, cursor, now);
        }
        if std::mem::take(&mut self.is_watched) {
            self.link.report().await?;
        }
        Ok(())
    }

    async fn welcomed(&mut self, welcome: Welcome) -> Result<(), NoReceiver> {
        self.welcome_at = Some(Instant::now());
        self.link.health.connections += 1;
        self.link.me = Some(welcome.you.id);
        self.link.last_session = Some(welcome.session);
        self.link.config.name.clone_from(&welcome.you.name);
        let rooms: Vec<RoomId> = welcome.rooms.iter().map(|room| room.id).collect();
        let server = welcome.server_id;
        self.link.server_id = Some(server);
        let is_another = self.link.holds.replace(server) != Some(server);
        // Where we are no longer a member, we may still read everything up to our removal, and why we were removed.
        let mut ending: Vec<RoomId> = self.link.cursors.keys().copied().collect();
        ending.retain(|room| !rooms.contains(room));
        if is_another {
            ending.clear();
            // Another server answers at this address. Cursors and posts of the former server mean nothing to it; they stay on disk.
            self.link.cursors.clear();
            self.link.pending = Pending::default();
            // Posts being written to disk belong to the former server too.
            self.link.keeping.clear();
        }
        let (you, server_id, limits) = (welcome.you, welcome.server_id, welcome.limits);
        if let Some(cache) = self.link.cache.clone() {
            let known = welcome.rooms.clone();
            let ending = ending.clone();
            cache
                .joined(server, you.clone(), limits, known, ending)
                .await;
        }
        self.link
            .tell(Event::Welcome {
                you,
                server_id,
                limits,
                rooms: welcome.rooms,
                ending: ending.clone(),
                settings: welcome.settings,
                status: welcome.status,
            })
            .await?;
        let whose = if is_another {
            Whose::All
        } else {
            Whose::Adopted
        };
        self.take_unsent(server, whose).await?;
        self.link.tell(Event::Link(LinkState::Online)).await?;
        for room in rooms.into_iter().chain(ending) {
            self.follow(room);
        }
        let directory = history::rooms(self.service.clone(), self.link.config.secret.clone());
        self.calls.push(Box::pin(async {
            Event::Directory(directory.await.unwrap_or_default())
        }));
        for room in std::mem::take(&mut self.link.to_join) {
            self.join(room.clone(), Waits::Start(room));
        }
        Ok(())
    }

    /// Takes over drafts and posts for this server from an earlier run, or from a process that has ended since.
    async fn take_unsent(&mut self, server: ServerId, whose: Whose) -> Result<(), NoReceiver> {
        let Some(cache) = self.link.cache.clone() else {
            return Ok(());
        };
        let (drafts, mut posts) = cache.unsent(server, whose).await;
        posts.retain(|unsent| !self.link.is_held(unsent.post.client_id));
        for unsent in posts.iter().filter(|unsent| unsent.failed.is_none()) {
            self.link.pending.add(unsent.post.clone());
        }
        if drafts.is_empty() && posts.is_empty() {
            return Ok(());
        }
        self.link.tell(Event::Unsent { drafts, posts }).await
    }

    async fn room_changed(&mut self, request: u64, room: RoomInfo) -> Result<(), NoReceiver> {
        let waits = self.waiting.remove(&request);
        if let (Some(cache), Some(server)) = (&self.link.cache, self.link.holds) {
            cache.room(server, room.clone()).await;
        }
        if let Some(Waits::Resolve(name)) = &waits {
            let posts = self.link.pending.resolved(name, room.id);
            // Written to disk before the first post is sent: names change hands, and a post must not be sent to two people.
            if let Some(cache) = &self.link.cache
                && let Err(why) = cache.address(posts, room.id).await
            {
                self.link.tell(Event::CacheFailed(why)).await?;
            }
        }
        let asked = matches!(waits, Some(Waits::For(_)));
        let id = room.id;
        self.link.tell(Event::Room { room, asked }).await?;
        if !self.followed.contains(&id) {
            self.follow(id);
        }
        Ok(())
    }
}

/// Returns an event that only needs to be passed on, with the request it answers.
fn passed_on(event: wire::Event) -> Option<(u64, Event)> {
    Some(match event {
        wire::Event::Gap { room, from, to } => (0, Event::Gap { room, from, to }),
        wire::Event::RosterPage {
            room,
            first: is_first,
            people,
            ..
        } => (
            0,
            Event::Roster {
                room,
                is_first,
                people,
            },
        ),
        wire::Event::RosterDelta {
            room, came, went, ..
        } => (0, Event::RosterDelta { room, came, went }),
        wire::Event::ReadMoved {
            request,
            room,
            epoch,
            last,
            unread,
        } => (
            request,
            Event::ReadMoved {
                room,
                epoch,
                last,
                unread,
            },
        ),
        wire::Event::Typing { room, person } => (0, Event::Typing { room, person }),
        wire::Event::Invitation { room, by } => (0, Event::Invited { room, by }),
        wire::Event::StatusChanged { request, status } => (request, Event::Status(status)),
        wire::Event::SettingsChanged { request, settings } => (request, Event::Settings(settings)),
        wire::Event::Profile { request, profile } => (request, Event::Profile(profile)),
        _ => return None,
    })
}

fn ended(goodbye: &Goodbye) -> End {
    let why = match goodbye.reason {
        GoodbyeReason::Draining => Why::Draining,
        GoodbyeReason::TooSlow => Why::TooSlow,
        _ => Why::Lost,
    };
    match goodbye.then {
        Then::Stop => End::Stopped(why),
        Then::Resume | Then::Reconnect => End::Lost {
            why,
            retry_after: goodbye.retry_after,
        },
    }
}
