//! Requests about rooms: join, leave, create, and open a conversation. Also the request to change one's own name.

use super::{Following, ROOMS, Session, post};
use crate::chat::{
    Author, ConversationStatus, IdentityId, Limit, NewRoom, Refusal, RefusalCode, RequestAnswer,
    RoomId, RoomKind, TOPIC,
};
use crate::server::hub::AdmitError;
use crate::server::room::FollowOutcome;
use crate::server::room::mailbox::{LeaveReason, RoomMsg};
use crate::server::store::RoomRecord;
use crate::wire::{Event, JoinTarget, PersonTarget, UnfollowReason};

impl Session {
    pub(super) async fn join(
        &mut self,
        request: u64,
        target: JoinTarget,
    ) -> Result<(), AdmitError> {
        // Before the look-up, so that guessing room names is rate-limited.
        self.charge().await?;
        let (room, asked) = match target {
            JoinTarget::Room(room) => (room, room.to_string()),
            JoinTarget::Name(name) => (self.hub.find(&name, self.who.author.id).await?, name),
        };
        self.check_room_limit(room)?;
        let unknown = || Refusal::new(RefusalCode::RoomUnknown).with(&asked);
        if !self.hub.is_in_reach(room, self.reach) {
            return Err(unknown().into());
        }
        let who = self.attendee();
        let follower = self.guest_follower(room);
        let slot = follower.as_ref().map(|it| it.slot);
        let joined = self.hub.ask(room, |reply| RoomMsg::Join {
            who,
            follower,
            reply,
        });
        let joined = joined.await.ok_or_else(unknown).and_then(|it| it);
        // A hidden room and one that does not exist get the same refusal, with the name from the request.
        let joined = joined.map_err(|refusal| match refusal.code {
            RefusalCode::RoomUnknown => unknown(),
            _ => refusal,
        });
        let joined = match (joined, slot) {
            (Ok(joined), _) => joined,
            (Err(refusal), None) => return Err(refusal.into()),
            (Err(refusal), Some(slot)) => {
                self.outbox.free_slot(slot);
                self.rooms.remove(&room);
                return Err(refusal.into());
            }
        };
        match (slot, joined.follow) {
            (Some(_), Some(FollowOutcome::Live)) => {}
            (Some(slot), _) => {
                self.go_live(room, slot, joined.at).await?;
            }
            (None, _) => {
                self.rooms.entry(room).or_insert(Following {
                    slot: None,
                    was_followed: false,
                    is_request: false,
                });
                self.outbox.answer(Event::RoomChanged {
                    request,
                    room: joined.info,
                });
            }
        }
        Ok(())
    }

    pub(super) async fn leave(&mut self, request: u64, room: RoomId) -> Result<(), AdmitError> {
        if self.hub.is_home(room) {
            return Err(Refusal::new(RefusalCode::CannotLeave).into());
        }
        self.charge().await?;
        let author = self.who.author.clone();
        let unknown = || Refusal::new(RefusalCode::RoomUnknown).with(room);
        let left = self.hub.ask(room, |reply| RoomMsg::Leave {
            author,
            how: LeaveReason::Requested,
            reply,
        });
        match left.await.ok_or_else(unknown)? {
            // Both people stay members of a conversation.
            Err(refusal) if refusal.code == RefusalCode::CannotLeave => {
                let me = self.who.author.id;
                self.hub.leave_conversation(me, room).await?;
            }
            left => left?,
        }
        self.unfollow(room).await;
        self.rooms.remove(&room);
        self.outbox.answer(Event::Unfollowed {
            request,
            room,
            why: UnfollowReason::Left,
        });
        Ok(())
    }

    pub(super) async fn create(
        &mut self,
        request: u64,
        mut wanted: NewRoom,
    ) -> Result<(), AdmitError> {
        if wanted.kind == RoomKind::Conversation {
            return Err(Refusal::new(RefusalCode::Malformed).with("kind").into());
        }
        post::check_line("topic", &wanted.topic, TOPIC)?;
        self.hub.filter.check_name(&wanted.name)?;
        self.hub.filter.mask(&mut wanted.topic)?;
        self.charge().await?;
        self.refresh_name();
        let room = self.hub.create(&self.who.author, wanted).await?;
        self.outbox.answer(Event::RoomChanged { request, room });
        Ok(())
    }

    pub(super) async fn set_name(&mut self, request: u64, name: &str) -> Result<(), AdmitError> {
        self.hub.charge(Limit::Posts, self.who.author.id)?;
        self.hub.filter.check_name(name)?;
        self.refresh_name();
        let me = self.who.author.id;
        let answer = |you: &Author| {
            let you = you.clone();
            self.outbox.answer(Event::NameChanged { request, you });
        };
        let you = self.hub.rename(me, name, answer).await?;
        let from = std::mem::replace(&mut self.who.author, you.clone()).name;
        tracing::info!(%from, to = %you.name, identity = %you.id, "renamed");
        Ok(())
    }

    pub(super) async fn open(&self, request: u64, who: PersonTarget) -> Result<(), AdmitError> {
        let me = self.who.author.id;
        self.hub.charge(Limit::Posts, me)?;
        let other = self.resolve(who).await?;
        if other == me {
            return Err(Refusal::new(RefusalCode::ToSelf).into());
        }
        let record = self.conversation_with(other).await?;
        let room = self.hub.describe(&record, me).await?;
        self.outbox.answer(Event::RoomChanged { request, room });
        Ok(())
    }

    /// Answers a request of a stranger.
    pub(super) async fn answer_request(
        &mut self,
        request: u64,
        room: RoomId,
        answer: RequestAnswer,
    ) -> Result<(), AdmitError> {
        self.charge().await?;
        let me = self.who.author.id;
        let record = self.hub.answer_request(me, room, answer).await?;
        let answer = match answer {
            RequestAnswer::Accept => {
                self.attend_accepted(room).await?;
                let room = self.hub.describe(&record, me).await?;
                Event::RoomChanged { request, room }
            }
            RequestAnswer::Decline => {
                self.unfollow(room).await;
                self.rooms.remove(&room);
                Event::Unfollowed {
                    request,
                    room,
                    why: UnfollowReason::Left,
                }
            }
        };
        self.outbox.answer(answer);
        Ok(())
    }

    /// Finds or creates the conversation with a person.
    pub(super) async fn conversation_with(
        &self,
        other: IdentityId,
    ) -> Result<RoomRecord, AdmitError> {
        let stranger_at = self.address.filter(|_| self.who.is_stranger);
        let hub = &self.hub;
        hub.conversation(&self.who.author, other, stranger_at).await
    }

    /// Makes this person present in a conversation whose request they have accepted. Before, the stranger did not see them there.
    pub(super) async fn attend_accepted(&mut self, room: RoomId) -> Result<(), AdmitError> {
        let is_request = |it: &Following| it.is_request;
        if !self.rooms.get(&room).is_some_and(is_request)
            || self
                .hub
                .conversation_status(room, self.who.author.id)
                .await?
                != ConversationStatus::Open
        {
            return Ok(());
        }
        let who = self.attendee();
        let attend = self.hub.ask(room, |reply| RoomMsg::Attend { who, reply });
        drop(attend.await);
        if let Some(following) = self.rooms.get_mut(&room) {
            following.is_request = false;
        }
        Ok(())
    }

    pub(super) fn check_room_limit(&self, room: RoomId) -> Result<(), Refusal> {
        let rooms = self.rooms.values().filter(|it| !it.is_request);
        if rooms.count() >= ROOMS && !self.rooms.contains_key(&room) {
            return Err(Refusal::new(RefusalCode::TooManyRooms).with(ROOMS));
        }
        Ok(())
    }
}
