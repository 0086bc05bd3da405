//! Events from the server: updates cursors and pending posts, and passes the events on.

use super::{ConnectionEnd, LinkSession, RequestPurpose};
use crate::chat::{
    Body, Cursor, Entry, Epoch, FollowResult, RoomId, RoomInfo, Seq, ServerId, Unread,
};
use crate::client::cache::{HistoryMatch, UnsentScope};
use crate::client::link::NoReceiver;
use crate::client::pending::Pending;
use crate::client::{DisconnectReason, Event, LinkState, RemovalReason, history};
use crate::wire::{
    self, Goodbye, GoodbyeAction, GoodbyeReason, UnfollowReason, Welcome, event_from, proto,
};
use tokio::time::Instant;

/// A batch of entries is passed on when it reaches this many bytes. The event queue is bounded in events, and so also in bytes.
const BATCH_BYTES: usize = 32 * 1024;

impl LinkSession<'_> {
    /// Handles a frame from the server. Consecutive entries of one room are passed on together.
    pub(super) async fn on_frame(
        &mut self,
        frame: proto::ChatResponse,
    ) -> Result<Option<ConnectionEnd>, NoReceiver> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut bytes = 0;
        for event in frame.events {
            // If a server breaks the protocol, disconnect instead of guessing.
            let Ok(event) = event_from(event) else {
                self.emit_entries(entries).await?;
                return Ok(Some(ConnectionEnd::end_reason(DisconnectReason::NotTchat(
                    String::new(),
                ))));
            };
            match event {
                wire::Event::Entry(entry) => {
                    let is_other = entries.last().is_some_and(|last| last.room != entry.room);
                    if is_other || bytes >= BATCH_BYTES {
                        self.emit_entries(std::mem::take(&mut entries)).await?;
                        bytes = 0;
                    }
                    bytes += size_of::<Entry>() + entry.estimated_size();
                    entries.extend(self.advance(entry).await);
                }
                other => {
                    self.emit_entries(std::mem::take(&mut entries)).await?;
                    if let Some(end) = self.apply(other).await? {
                        return Ok(Some(end));
                    }
                }
            }
        }
        self.emit_entries(entries).await?;
        Ok(None)
    }

    /// Passes on entries of one room, and stores copies.
    async fn emit_entries(&mut self, entries: Vec<Entry>) -> Result<(), NoReceiver> {
        if entries.is_empty() {
            return Ok(());
        }
        if let (Some(cache), Some(server)) = (&self.link.cache, self.link.cached_server)
            && !cache.put_entries(server, entries.clone())
        {
            // Copies may be left out, but existing copies must not retain text that was edited or deleted.
            let amends = |entry: &&Entry| matches!(entry.body, Body::Amendment { .. });
            let amending: Vec<Entry> = entries.iter().filter(amends).cloned().collect();
            cache.apply_amendments(server, amending).await;
        }
        self.link.emit(Event::Entries(entries)).await
    }

    /// Advances the room's cursor to an entry. Returns `None` if the entry was received before, or comes after a hole
    /// that no gap announced.
    async fn advance(&mut self, entry: Entry) -> Option<Entry> {
        if let Some(id) = entry.client_id
            && Some(entry.author.id) == self.link.me
        {
            self.link.remove_answered(id).await;
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
            self.link.health.count_duplicate(room);
            return None;
        }
        if has.is_some() && entry.seq != after.next() {
            self.link.health.count_hole(room);
            self.resyncing.insert(room);
            self.follow(room);
            return None;
        }
        self.link.health.on_room_end(room, entry.seq);
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

    async fn apply(&mut self, event: wire::Event) -> Result<Option<ConnectionEnd>, NoReceiver> {
        match event {
            wire::Event::Challenge { nonce, server_id }
                if self.signed_to.is_none() && self.token.is_none() =>
            {
                if let Err(end) = self.answer_challenge(nonce, server_id) {
                    return Ok(Some(end));
                }
            }
            wire::Event::Welcome(welcome)
                if self.signed_to.is_none_or(|id| id == welcome.server_id) =>
            {
                if let Err(end) = self.accept_id(welcome.server_id) {
                    return Ok(Some(end));
                }
                self.on_welcome(welcome).await?;
            }
            // Both break the protocol: a second challenge (answering any number of them would fill the memory), and a
            // welcome whose server id differs from that of the challenge.
            wire::Event::Challenge { .. } | wire::Event::Welcome(_) => {
                let why = DisconnectReason::NotTchat(String::new());
                return Ok(Some(ConnectionEnd::end_reason(why)));
            }
            wire::Event::Followed {
                request,
                room,
                epoch,
                first,
                last,
                result,
                unread,
            } => {
                self.requests.remove(&request);
                self.on_followed(room, epoch, (first, last), result, unread)
                    .await?;
            }
            wire::Event::Unfollowed { request, room, why } => {
                self.requests.remove(&request);
                self.unfollowed(room, why).await?;
            }
            wire::Event::Accepted {
                client_id,
                room,
                epoch,
                seq,
            } => {
                self.link.remove_answered(client_id).await;
                self.link
                    .emit(Event::Accepted {
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
            } => return self.on_refused(request, client_id, refusal).await,
            wire::Event::RoomChanged { request, room } => {
                self.on_room_changed(request, room).await?;
            }
            wire::Event::NameChanged { request, you } => {
                self.requests.remove(&request);
                self.link.config.name.clone_from(&you.name);
                self.link.emit(Event::NameChanged(you)).await?;
            }
            wire::Event::Goodbye(goodbye) => return Ok(Some(end_after_goodbye(&goodbye))),
            wire::Event::Pong { heads, .. } => self.apply_heads(heads).await?,
            other => {
                if let Some((request, event)) = to_client_event(other) {
                    self.requests.remove(&request);
                    self.link.emit(event).await?;
                }
            }
        }
        Ok(None)
    }

    /// Handles the end of following a room, because we left it or were removed from it.
    async fn unfollowed(&mut self, room: RoomId, why: UnfollowReason) -> Result<(), NoReceiver> {
        let put_out = |how| Event::Removed { room, reason: how };
        let event = match why {
            UnfollowReason::Requested => return Ok(()),
            UnfollowReason::Left => Event::Left(room),
            UnfollowReason::Kicked { by, reason } => put_out(RemovalReason::Kicked { by, reason }),
            UnfollowReason::Banned { by, reason } => put_out(RemovalReason::Banned { by, reason }),
            UnfollowReason::Closed => put_out(RemovalReason::Closed),
        };
        self.forget(room).await;
        self.link.emit(event).await
    }

    /// Removes a room that we are no longer in.
    pub(super) async fn forget(&mut self, room: RoomId) {
        self.followed.remove(&room);
        self.link.cursors.remove(&room);
        if let (Some(cache), Some(server)) = (&self.link.cache, self.link.cached_server) {
            cache.remove_room(server, room).await;
        }
    }

    /// Handles the answer to a follow request. Entries continue at the cursor only if the result is contiguous.
    async fn on_followed(
        &mut self,
        room: RoomId,
        epoch: Epoch,
        (first, last): (Seq, Seq),
        result: FollowResult,
        unread: Unread,
    ) -> Result<(), NoReceiver> {
        self.resyncing.remove(&room);
        self.link.health.on_room_end(room, last);
        if result != FollowResult::Contiguous {
            self.link.cursors.remove(&room);
            self.link.pending.resend_all();
        }
        if let (Some(cache), Some(server)) = (&self.link.cache, self.link.cached_server) {
            let history = match result {
                FollowResult::EpochChanged | FollowResult::Ahead => HistoryMatch::Replaced,
                FollowResult::TooFar | FollowResult::Trimmed => HistoryMatch::Gap,
                FollowResult::Contiguous => HistoryMatch::Same,
            };
            cache
                .record_history(server, room, epoch, first, history)
                .await;
        }
        self.link
            .emit(Event::Followed {
                room,
                epoch,
                first,
                last,
                result,
                unread,
            })
            .await
    }

    /// Handles a pong, which contains the last seq of each room.
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
            self.link.health.on_head(head, cursor, now);
        }
        if std::mem::take(&mut self.is_report_wanted) {
            self.link.report().await?;
        }
        Ok(())
    }

    async fn on_welcome(&mut self, welcome: Welcome) -> Result<(), NoReceiver> {
        self.welcome_at = Some(Instant::now());
        self.token = Some(welcome.token);
        self.link.health.connections += 1;
        self.link.me = Some(welcome.you.id);
        self.link.last_session = Some(welcome.session);
        self.link.config.name.clone_from(&welcome.you.name);
        let rooms: Vec<RoomId> = welcome.rooms.iter().map(|room| room.id).collect();
        let server = welcome.server_id;
        self.link.server_id = Some(server);
        let is_another = self.link.cached_server.replace(server) != Some(server);
        // In rooms that we were removed from, we may still read everything up to the removal, and its reason.
        let mut ending: Vec<RoomId> = self.link.cursors.keys().copied().collect();
        ending.retain(|room| !rooms.contains(room));
        if is_another {
            ending.clear();
            // Another server answers at this address. The cursors and posts of the former server do not apply to it;
            // they stay on disk.
            self.link.cursors.clear();
            self.link.pending = Pending::default();
            // Posts being written to disk belong to the former server too.
            self.link.writing.clear();
        }
        let (you, server_id, limits) = (welcome.you, welcome.server_id, welcome.limits);
        if let Some(cache) = self.link.cache.clone() {
            let known = welcome.rooms.clone();
            let ending = ending.clone();
            cache
                .store_memberships(server, you.clone(), limits, known, ending)
                .await;
        }
        self.link
            .emit(Event::Welcome {
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
            UnsentScope::All
        } else {
            UnsentScope::Adopted
        };
        self.restore_unsent(server, whose).await?;
        self.link.emit(Event::Link(LinkState::Online)).await?;
        for room in rooms.into_iter().chain(ending) {
            self.follow(room);
        }
        let directory = history::fetch_rooms(self.service.clone(), welcome.token);
        self.calls.push(Box::pin(async {
            Event::Directory(directory.await.unwrap_or_default())
        }));
        for room in std::mem::take(&mut self.link.to_join) {
            self.join(room.clone(), RequestPurpose::InitialJoin(room));
        }
        Ok(())
    }

    /// Takes over drafts and posts for this server from an earlier run, or from a process that has ended since.
    async fn restore_unsent(
        &mut self,
        server: ServerId,
        whose: UnsentScope,
    ) -> Result<(), NoReceiver> {
        let Some(cache) = self.link.cache.clone() else {
            return Ok(());
        };
        let (drafts, mut posts) = cache.unsent(server, whose).await;
        posts.retain(|unsent| !self.link.has_post(unsent.post.client_id));
        for unsent in posts.iter().filter(|unsent| unsent.failed.is_none()) {
            self.link.pending.add(unsent.post.clone());
        }
        if drafts.is_empty() && posts.is_empty() {
            return Ok(());
        }
        self.link.emit(Event::Unsent { drafts, posts }).await
    }

    async fn on_room_changed(&mut self, request: u64, room: RoomInfo) -> Result<(), NoReceiver> {
        let waits = self.requests.remove(&request);
        if let (Some(cache), Some(server)) = (&self.link.cache, self.link.cached_server) {
            cache.put_room(server, room.clone()).await;
        }
        if let Some(RequestPurpose::ResolveName(name)) = &waits {
            let posts = self.link.pending.resolve(name, room.id);
            // Written to disk before the first post is sent: the name may later belong to another person, and a
            // repeated post must not be sent to both.
            if let Some(cache) = &self.link.cache
                && let Err(why) = cache.set_recipient_room(posts, room.id).await
            {
                self.link.emit(Event::CacheFailed(why)).await?;
            }
        }
        let asked = matches!(waits, Some(RequestPurpose::For(_)));
        let id = room.id;
        self.link
            .emit(Event::Room {
                room,
                is_requested: asked,
            })
            .await?;
        if !self.followed.contains(&id) {
            self.follow(id);
        }
        Ok(())
    }
}

/// Returns an event that only needs to be passed on, with the request it answers.
fn to_client_event(event: wire::Event) -> Option<(u64, Event)> {
    Some(match event {
        wire::Event::Gap { room, from, to } => (0, Event::Gap { room, from, to }),
        wire::Event::RosterPage {
            room,
            is_first,
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
            room,
            updated: came,
            removed: went,
            ..
        } => (
            0,
            Event::RosterDelta {
                room,
                updated: came,
                removed: went,
            },
        ),
        wire::Event::ReadPositionChanged {
            request,
            room,
            epoch,
            last,
            unread,
        } => (
            request,
            Event::ReadPositionChanged {
                room,
                epoch,
                last,
                unread,
            },
        ),
        wire::Event::Typing { room, person } => (0, Event::Typing { room, person }),
        wire::Event::Invitation { room, by } => (0, Event::Invited { room, by }),
        wire::Event::DeviceAdded { name, from } => (0, Event::DeviceAdded { name, from }),
        wire::Event::StatusChanged { request, status } => (request, Event::Status(status)),
        wire::Event::SettingsChanged { request, settings } => (request, Event::Settings(settings)),
        wire::Event::Profile { request, profile } => (request, Event::Profile(profile)),
        _ => return None,
    })
}

fn end_after_goodbye(goodbye: &Goodbye) -> ConnectionEnd {
    let why = match goodbye.reason {
        GoodbyeReason::Draining => DisconnectReason::Draining,
        GoodbyeReason::TooSlow => DisconnectReason::TooSlow,
        GoodbyeReason::Revoked => DisconnectReason::Revoked,
        GoodbyeReason::Banned => DisconnectReason::Banned,
        GoodbyeReason::Kicked => DisconnectReason::Kicked,
        _ => DisconnectReason::Lost,
    };
    match goodbye.action {
        GoodbyeAction::Stop => ConnectionEnd::Stopped(why),
        GoodbyeAction::Resume | GoodbyeAction::Reconnect => ConnectionEnd::Lost {
            why,
            retry_after: goodbye.retry_after,
        },
    }
}
