//! Following rooms and catching up. A first join, a reconnect and a slow reader all use the same code path.

use std::sync::Arc;

use super::{Following, Session};
use crate::chat::{
    ConversationStatus, Cursor, Digest, FollowResult, Limit, Refusal, RefusalCode, Removal,
    RemovalKind, RoomId, Seq, Unread,
};
use crate::server::delivery::Delivery;
use crate::server::hub::AdmitError;
use crate::server::outbox::Slot;
use crate::server::room::mailbox::{RoomMsg, RoomQuery};
use crate::server::room::{FollowOutcome, Follower, Room, RoomHead};
use crate::server::store::{PageLimit, Span, StoreError};
use crate::wire::{Event, UnfollowReason};

impl Session {
    /// Answers Follow, sends everything after the cursor and then goes live.
    pub(super) async fn follow(
        &mut self,
        request: u64,
        room: RoomId,
        cursor: Option<Cursor>,
    ) -> Result<(), AdmitError> {
        let me = self.who.author.id;
        let is_request = match self.hub.conversation_status(room, me).await? {
            ConversationStatus::Request => true,
            ConversationStatus::Open => false,
            // Another session of this person has hidden the conversation.
            _ => {
                self.outbox.answer(Event::Unfollowed {
                    request,
                    room,
                    why: UnfollowReason::Left,
                });
                return Ok(());
            }
        };
        if !is_request {
            self.check_room_limit(room)?;
        }
        // Each time, many entries may be read again.
        if self.rooms.get(&room).is_some_and(|it| it.was_followed) {
            self.charge_own(Limit::Follows).await?;
        }
        let who = self.attendee();
        let unknown = || Refusal::new(RefusalCode::RoomUnknown).with(room);
        // A stranger does not see whether the person who was asked is here.
        let attended = if is_request {
            let head = self.hub.head(room, me).await;
            head.map(Ok)
        } else {
            self.hub
                .ask(room, |reply| RoomMsg::Attend { who, reply })
                .await
        };
        let Some(attended) = attended else {
            // To look for a room costs a read of the database.
            self.charge().await?;
            return Err(unknown().into());
        };
        let head = match attended {
            Ok(head) => head,
            Err(refusal) if refusal.code == RefusalCode::NotAMember => {
                self.charge_own(Limit::Follows).await?;
                return self
                    .follow_until_removal(request, room, cursor, refusal)
                    .await;
            }
            Err(refusal) => return Err(refusal.into()),
        };
        self.unfollow(room).await;
        let judged = self.check_cursor(room, &head, cursor.as_ref()).await?;
        let unread = self.unread(room, head.seq).await?;
        self.send_result(request, room, &head, judged, cursor.as_ref(), unread);
        let after = judged.1;
        let slot = self.outbox.take_slot(after);
        let following = Following {
            is_request,
            ..Following::at(slot)
        };
        self.rooms.insert(room, following);
        if self.go_live(room, slot, after).await? {
            self.send_roster(room).await?;
        }
        Ok(())
    }

    /// Sends a person who was removed from a room the entries up to their removal, and the reason.
    async fn follow_until_removal(
        &mut self,
        request: u64,
        room: RoomId,
        cursor: Option<Cursor>,
        refusal: Refusal,
    ) -> Result<(), AdmitError> {
        let put_out = self.removal(room).await;
        let Some((put_out, head)) = put_out else {
            return Err(refusal.into());
        };
        self.unfollow(room).await;
        if put_out.at < head.first {
            // All entries they may read have been deleted by retention.
            self.outbox.answer(Event::Unfollowed {
                request,
                room,
                why: removal_reason(put_out),
            });
            return Ok(());
        }
        let head = RoomHead {
            seq: put_out.at,
            ..head
        };
        let judged = self.check_cursor(room, &head, cursor.as_ref()).await?;
        // For former members nothing counts as unread.
        let unread = Unread::none_after(head.seq);
        self.send_result(request, room, &head, judged, cursor.as_ref(), unread);
        let after = judged.1;
        let slot = self.outbox.take_slot(after);
        self.send_up_to(room, slot, after, put_out.at).await?;
        self.end_follow(room, slot, removal_reason(put_out));
        Ok(())
    }

    /// Returns how this person was removed from a room, if they were.
    async fn removal(&self, room: RoomId) -> Option<(Removal, RoomHead)> {
        let identity = self.who.author.id;
        self.hub
            .ask(room, |reply| RoomQuery::Removal { identity, reply })
            .await
            .flatten()
    }

    /// Sends the entries of a room after `after`, up to and including `last`.
    async fn send_up_to(
        &self,
        room: RoomId,
        slot: Slot,
        mut after: Seq,
        last: Seq,
    ) -> Result<(), StoreError> {
        while after < last {
            self.wait_for_room().await;
            if self.is_over() {
                return Ok(());
            }
            let mut entries = self
                .hub
                .store
                .page(room, Span::After(after), PageLimit::PAGE)
                .await?;
            entries.retain(|entry| entry.seq <= last);
            for entry in &mut entries {
                entry.withhold_after(last);
            }
            let Some(page) = Delivery::new(Arc::new(entries)).map(Arc::new) else {
                return Ok(());
            };
            self.outbox.page(slot, &page, after);
            after = page.last();
        }
        Ok(())
    }

    /// Catches up in every room from the last written entry, after the live lane overflowed. Returns the generation that is now valid.
    pub(super) async fn catch_up_all(&mut self) -> Result<u64, StoreError> {
        'anew: loop {
            let generation = self.outbox.generation();
            let following: Vec<_> = self
                .rooms
                .iter()
                .filter_map(|(room, it)| it.slot.map(|slot| (*room, slot)))
                .collect();
            for (room, slot) in following {
                if self.is_over() {
                    return Ok(generation);
                }
                // Entries are sent no faster than the client reads.
                self.wait_for_room().await;
                self.resume(room, slot).await?;
                if self.outbox.generation() != generation {
                    continue 'anew;
                }
            }
            return Ok(generation);
        }
    }

    /// Catches up in one room from the last written entry. Reports a gap if there are too many entries.
    async fn resume(&mut self, room: RoomId, slot: Slot) -> Result<(), StoreError> {
        let written = self.outbox.written(slot);
        let me = self.who.author.id;
        let attended = match self.hub.conversation_status(room, me).await? {
            ConversationStatus::Request => self.hub.head(room, me).await,
            ConversationStatus::Open => {
                let who = self.attendee();
                let attend = self.hub.ask(room, |reply| RoomMsg::Attend { who, reply });
                attend.await.and_then(Result::ok)
            }
            // Another session of this person has hidden the conversation.
            _ => {
                self.end_follow(room, slot, UnfollowReason::Left);
                return Ok(());
            }
        };
        let Some(head) = attended else {
            return self.resume_until_removal(room, slot, written).await;
        };
        let cursor = Cursor {
            epoch: head.epoch,
            seq: written,
            digest: None,
        };
        let judged = Room::check_cursor(&head, Some(&cursor), None);
        let after = judged.1;
        if judged.0 != FollowResult::Contiguous {
            let unread = self.unread(room, head.seq).await?;
            self.send_result(0, room, &head, judged, Some(&cursor), unread);
            self.outbox.set_cursor(slot, after);
        }
        if self.go_live(room, slot, after).await? {
            self.send_roster(room).await?;
        }
        Ok(())
    }

    /// Ends following a room that removed this session while it was behind.
    async fn resume_until_removal(
        &mut self,
        room: RoomId,
        slot: Slot,
        written: Seq,
    ) -> Result<(), StoreError> {
        let put_out = self.removal(room).await;
        let why = match put_out {
            Some((put_out, _)) => {
                self.send_up_to(room, slot, written, put_out.at).await?;
                removal_reason(put_out)
            }
            None => UnfollowReason::Left,
        };
        self.end_follow(room, slot, why);
        Ok(())
    }

    async fn check_cursor(
        &self,
        room: RoomId,
        head: &RoomHead,
        cursor: Option<&Cursor>,
    ) -> Result<(FollowResult, Seq), StoreError> {
        let known = match cursor {
            Some(cursor)
                if cursor.digest.is_some()
                    && cursor.epoch == head.epoch
                    && cursor.seq <= head.seq =>
            {
                self.digest_at(room, cursor.seq).await?
            }
            _ => None,
        };
        Ok(Room::check_cursor(head, cursor, known))
    }

    async fn digest_at(&self, room: RoomId, seq: Seq) -> Result<Option<Digest>, StoreError> {
        let in_memory = self
            .hub
            .ask(room, |reply| RoomQuery::DigestAt { seq, reply })
            .await
            .flatten();
        if in_memory.is_some() {
            return Ok(in_memory);
        }
        let one = PageLimit {
            entries: 1,
            ..PageLimit::PAGE
        };
        let page = self
            .hub
            .store
            .page(room, Span::After(seq.before()), one)
            .await?;
        Ok(page
            .first()
            .filter(|entry| entry.seq == seq)
            .map(|entry| entry.digest))
    }

    /// Returns what is unread in a room up to an entry. Guests have no unread counts, because their protocols have none.
    async fn unread(&self, room: RoomId, last: Seq) -> Result<Unread, StoreError> {
        if self.is_guest() {
            return Ok(Unread::default());
        }
        self.hub.unread(room, self.who.author.id, last).await
    }

    fn send_result(
        &self,
        request: u64,
        room: RoomId,
        head: &RoomHead,
        (result, after): (FollowResult, Seq),
        cursor: Option<&Cursor>,
        unread: Unread,
    ) {
        let RoomHead {
            epoch,
            first,
            seq: last,
            ..
        } = *head;
        self.outbox.answer(Event::Followed {
            request,
            room,
            epoch,
            first,
            last,
            result,
            unread,
        });
        let had = match result {
            FollowResult::EpochChanged | FollowResult::Ahead => Seq::ZERO,
            _ => cursor.map_or(Seq::ZERO, |cursor| cursor.seq),
        };
        if after > had {
            self.outbox.answer(Event::Gap {
                room,
                from: had.next(),
                to: after,
            });
        }
    }

    /// Sends pages from the store until the room's tail can supply the rest, then goes live. Returns false if another overflow came first,
    /// or if following has ended.
    pub(super) async fn go_live(
        &mut self,
        room: RoomId,
        slot: Slot,
        mut after: Seq,
    ) -> Result<bool, StoreError> {
        loop {
            let last;
            let follower = self.follower(slot);
            match self
                .hub
                .ask(room, |reply| RoomMsg::Follow {
                    follower,
                    after,
                    reply,
                })
                .await
            {
                Some((FollowOutcome::Live, _)) => return Ok(true),
                Some((FollowOutcome::Overflowed, _)) => return Ok(false),
                Some((FollowOutcome::NotAMember, _)) | None => {
                    self.resume_until_removal(room, slot, after).await?;
                    return Ok(false);
                }
                Some((FollowOutcome::Behind, head)) => {
                    if self.is_guest() {
                        after = self.skip_old_entries(room, slot, &head, after);
                    }
                    // This person was a member up to this entry. For later entries the room is asked again.
                    last = head.seq;
                }
            }
            self.wait_for_room().await;
            if self.is_over() {
                return Ok(false);
            }
            let mut entries = self
                .hub
                .store
                .page(room, Span::After(after), PageLimit::PAGE)
                .await?;
            entries.retain(|entry| entry.seq <= last);
            // The room has more entries, so the store must have them. Without this error the loop would never end.
            let Some(page) = Delivery::new(Arc::new(entries)).map(Arc::new) else {
                return Err(StoreError::Failed(format!(
                    "entries after {after} of room {room} are missing"
                )));
            };
            if page.first() > after.next() {
                // Retention deleted entries between the room's answer and this page.
                self.send_trimmed(room, after, page.first()).await?;
            }
            self.outbox.page(slot, &page, after);
            after = page.last();
        }
    }

    /// Skips old entries for a guest who is too far behind. Returns the seq to continue after. A guest's protocol cannot ask for missing
    /// entries, so a guest continues with the newest.
    fn skip_old_entries(&self, room: RoomId, slot: Slot, head: &RoomHead, after: Seq) -> Seq {
        let cursor = Cursor {
            epoch: head.epoch,
            seq: after,
            digest: None,
        };
        let (result, newest) = Room::check_cursor(head, Some(&cursor), None);
        if result != FollowResult::TooFar {
            return after;
        }
        let skipped = (result, newest);
        self.send_result(0, room, head, skipped, Some(&cursor), Unread::default());
        self.outbox.set_cursor(slot, newest);
        newest
    }

    pub(super) fn follower(&self, slot: Slot) -> Follower {
        Follower {
            session: self.who.session,
            identity: self.who.author.id,
            outbox: Arc::clone(&self.outbox),
            slot,
            generation: self.outbox.generation(),
            is_guest: self.is_guest(),
        }
    }

    async fn send_trimmed(&self, room: RoomId, after: Seq, first: Seq) -> Result<(), StoreError> {
        if let Some(head) = self.hub.head(room, self.who.author.id).await {
            let cursor = Cursor {
                epoch: head.epoch,
                seq: after,
                digest: None,
            };
            let trimmed = (FollowResult::Trimmed, first.before());
            let unread = self.unread(room, head.seq).await?;
            self.send_result(0, room, &head, trimmed, Some(&cursor), unread);
        }
        Ok(())
    }

    /// Ends following a room that no longer serves this session: another session of this person left it, they were
    /// removed, or it is full.
    fn end_follow(&mut self, room: RoomId, slot: Slot, why: UnfollowReason) {
        self.outbox.free_slot(slot);
        self.rooms.remove(&room);
        self.outbox.answer(Event::Unfollowed {
            request: 0,
            room,
            why,
        });
    }

    pub(super) async fn unfollow(&mut self, room: RoomId) {
        let Some(slot) = self.rooms.get(&room).and_then(|it| it.slot) else {
            return;
        };
        let session = self.who.session;
        self.hub
            .ask(room, |reply| RoomMsg::Unfollow { session, reply })
            .await;
        self.outbox.free_slot(slot);
        let left = Following {
            slot: None,
            was_followed: true,
            is_request: false,
        };
        self.rooms.insert(room, left);
    }
}

fn removal_reason(put_out: Removal) -> UnfollowReason {
    let Removal {
        by,
        reason,
        kind: exit,
        ..
    } = put_out;
    match exit {
        RemovalKind::Kicked => UnfollowReason::Kicked { by, reason },
        RemovalKind::Banned => UnfollowReason::Banned { by, reason },
        RemovalKind::Closed => UnfollowReason::Closed,
    }
}
