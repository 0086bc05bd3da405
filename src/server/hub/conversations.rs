//! Private conversations: opening and leaving them, requests of strangers, and blocked people.
//!
//! A stranger's first message to an account is a request. Until it is accepted, the stranger cannot write more. The status for each of the two
//! people is stored apart from the room: both are members from the beginning, so that both can read the messages.

use std::net::IpAddr;

use super::{AdmitError, Hub, random_bytes};
use crate::chat::{
    AccountOrigin, Amendment, Author, Body, Changes, ClientId, ConversationSide,
    ConversationStatus, Epoch, IdentityId, Limit, Refusal, RefusalCode, RequestAnswer, RoomId,
    RoomKind, RoomRules, ServerRole,
};
use crate::server::hub::rooms::first_append;
use crate::server::room::mailbox::RoomMsg;
use crate::server::store::{PersonalChange, RoomRecord, StoreError, pair};
use crate::wire::{Event, UnfollowReason};

/// The two sides of a conversation, as one person sees them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides {
    pub(super) mine: ConversationSide,
    pub(super) theirs: ConversationSide,
}

impl Hub {
    /// Finds or creates the conversation of two people, and shows it to `opener` again if it was hidden. A new one is announced to all
    /// sessions of both, unless it is a request.
    ///
    /// # Errors
    /// One of the two blocks the other, the opener has started too many conversations, or the store failed.
    pub async fn conversation(
        &self,
        opener: &Author,
        other: IdentityId,
        stranger_at: Option<IpAddr>,
    ) -> Result<RoomRecord, AdmitError> {
        if let Some(record) = self.store.conversation(opener.id, other).await? {
            self.unhide(&record, opener.id).await?;
            return Ok(record);
        }
        if self.has_blocked(opener.id, other).await? {
            return Err(self
                .refusal_about(RefusalCode::PersonBlocked, other)
                .await?);
        }
        if self.has_blocked(other, opener.id).await? {
            return Err(self.refusal_about(RefusalCode::NotAccepting, other).await?);
        }
        self.charge_conversation(opener.id, stranger_at)?;
        let is_request = self.is_stranger_to(opener.id, other).await?;
        // Checked before anything is stored, and so that nobody gets more requests than the limit.
        let lock = if is_request {
            Some(self.person_locks.lock(other).await)
        } else {
            None
        };
        if is_request {
            self.check_request_limit(other).await?;
        }
        let record = RoomRecord {
            id: RoomId::new(random_bytes()),
            kind: RoomKind::Conversation,
            name: String::new(),
            key: None,
            topic: String::new(),
            capacity: 0,
            position: u32::MAX,
            epoch: Epoch::new(random_bytes()),
            pair: Some(pair(opener.id, other)),
            rules: RoomRules::default(),
        };
        let members = vec![opener.id, other];
        let mut created = first_append(&record, opener.clone(), members, self.rooms.clock.stamp());
        created.changes = Changes {
            request_to: is_request.then_some(other),
            ..created.changes
        };
        match self.store.create_room(record.clone(), created).await {
            Ok(()) => {}
            Err(StoreError::Conflict) => {
                // The other person opened it at the same moment.
                drop(lock);
                let made = self.store.conversation(opener.id, other).await?;
                let made = made.ok_or(StoreError::Conflict)?;
                self.unhide(&made, opener.id).await?;
                return Ok(made);
            }
            Err(error) => return Err(error.into()),
        }
        self.announce_conversation(&record, opener.id).await?;
        if !is_request {
            self.announce_conversation(&record, other).await?;
        }
        Ok(record)
    }

    /// Whether a person is a stranger to an account: a guest, or somebody who registered without an invitation and shares no room with the
    /// account except the home room. Guests have no strangers, because they could not answer a request.
    pub(super) async fn is_stranger_to(
        &self,
        person: IdentityId,
        other: IdentityId,
    ) -> Result<bool, StoreError> {
        {
            let state = self.lock();
            if !state.accounts.contains_key(&other) {
                return Ok(false);
            }
            let role = state.roles.get(&person).copied().unwrap_or_default();
            match state.accounts.get(&person) {
                None => return Ok(true),
                Some(AccountOrigin::Open) if role == ServerRole::Member => {}
                Some(_) => return Ok(false),
            }
        }
        let rooms = self.store.memberships(person).await?;
        let shared = self.store.memberships(other).await?;
        let is_shared = |room: &RoomRecord| {
            room.kind != RoomKind::Conversation
                && !self.is_home(room.id)
                && shared.iter().any(|it| it.id == room.id)
        };
        Ok(!rooms.iter().any(is_shared))
    }

    /// Checks a post to a conversation. The first message of a stranger becomes a request. A message by somebody who has not answered a request
    /// accepts it. If the other person has left the conversation, they see it again.
    ///
    /// # Errors
    /// The other person does not accept the post, or the store failed.
    pub async fn check_conversation_post(
        &self,
        author: IdentityId,
        room: RoomId,
        post: ClientId,
        body: &Body,
    ) -> Result<(), AdmitError> {
        if self.rooms.directory.contains(room) || is_deletion(body) {
            return Ok(());
        }
        let Some(sides) = self.sides(room, author).await? else {
            return Ok(());
        };
        if sides.are_open() {
            return Ok(());
        }
        let other = sides.theirs.person;
        if sides.mine.blocks {
            return Err(self
                .refusal_about(RefusalCode::PersonBlocked, other)
                .await?);
        }
        if !body.is_message() {
            // An edit or a reaction is no message: it neither asks, nor answers, nor shows a conversation again.
            return self.check_amendment(&sides.theirs).await;
        }
        self.admit_post((author, other), room, post).await?;
        let status = sides.mine.status;
        if status.is_unanswered() || status == ConversationStatus::Left {
            self.answer_request(author, room, RequestAnswer::Accept)
                .await?;
        }
        Ok(())
    }

    /// Checks an edit or a reaction in a conversation that is not open for both.
    async fn check_amendment(&self, theirs: &ConversationSide) -> Result<(), AdmitError> {
        let code = match theirs.status {
            _ if theirs.blocks => RefusalCode::NotAccepting,
            ConversationStatus::Declined => RefusalCode::NotAccepting,
            ConversationStatus::Request | ConversationStatus::Unsent => RefusalCode::RequestPending,
            ConversationStatus::Open | ConversationStatus::Left => return Ok(()),
        };
        Err(self.refusal_about(code, theirs.person).await?)
    }

    /// Checks whether the other person of a conversation accepts a post, and shows them the conversation if it is hidden.
    async fn admit_post(
        &self,
        (author, other): (IdentityId, IdentityId),
        room: RoomId,
        post: ClientId,
    ) -> Result<(), AdmitError> {
        // So that of two first messages only one is accepted, and nobody gets more requests than the limit.
        let _lock = self.person_locks.lock(other).await;
        let Some(Sides { theirs, .. }) = self.sides(room, author).await? else {
            return Ok(());
        };
        if theirs.blocks {
            return Err(self.refusal_about(RefusalCode::NotAccepting, other).await?);
        }
        let (status, request) = match theirs.status {
            ConversationStatus::Open => return Ok(()),
            ConversationStatus::Declined => {
                return Err(self.refusal_about(RefusalCode::NotAccepting, other).await?);
            }
            // The same message again, because the sender has not received the answer.
            ConversationStatus::Request if theirs.request == Some(post) => return Ok(()),
            ConversationStatus::Request => {
                return Err(self
                    .refusal_about(RefusalCode::RequestPending, other)
                    .await?);
            }
            ConversationStatus::Unsent => (ConversationStatus::Request, Some(post)),
            ConversationStatus::Left => (ConversationStatus::Open, None),
        };
        self.set_conversation_status(other, room, status, request)
            .await?;
        if let Some(record) = self.store.conversation(author, other).await? {
            self.announce_conversation(&record, other).await?;
        }
        Ok(())
    }

    /// Hides a conversation from a person until they open it or the other one writes.
    ///
    /// # Errors
    /// It is not a conversation of theirs, or the store failed.
    pub async fn leave_conversation(&self, me: IdentityId, room: RoomId) -> Result<(), AdmitError> {
        let _lock = self.person_locks.lock(me).await;
        let unknown = || Refusal::new(RefusalCode::RoomUnknown).with(room);
        let sides = self.sides(room, me).await?.ok_or_else(unknown)?;
        let status = match sides.mine.status {
            ConversationStatus::Open | ConversationStatus::Left => ConversationStatus::Left,
            ConversationStatus::Unsent => return Err(unknown().into()),
            ConversationStatus::Request | ConversationStatus::Declined => {
                ConversationStatus::Declined
            }
        };
        self.set_conversation_status(me, room, status, None).await?;
        self.dismiss(me, room).await;
        Ok(())
    }

    /// Blocks a person, and hides the conversation with them.
    ///
    /// # Errors
    /// The store failed.
    pub async fn block(&self, me: IdentityId, other: IdentityId) -> Result<(), AdmitError> {
        self.change_settings(me, PersonalChange::Block(other))
            .await?;
        let Some(record) = self.store.conversation(me, other).await? else {
            return Ok(());
        };
        match self.leave_conversation(me, record.id).await {
            // It was opened and nothing was written. It stays out of sight.
            Err(AdmitError::Refused(_)) => Ok(()),
            left => left,
        }
    }

    /// Checks whether a person accepts an invitation. A stranger's invitation counts as a new conversation, which limits how many people a
    /// stranger can reach.
    ///
    /// # Errors
    /// They block the inviter or have declined their request, the inviter has contacted too many people, or the store failed.
    pub async fn check_invitation(
        &self,
        by: IdentityId,
        person: IdentityId,
    ) -> Result<(), AdmitError> {
        if self.has_blocked(person, by).await? {
            return Err(self
                .refusal_about(RefusalCode::NotAccepting, person)
                .await?);
        }
        if self.is_stranger_to(by, person).await? {
            if let Some(record) = self.store.conversation(by, person).await?
                && let Some(sides) = self.sides(record.id, by).await?
                && sides.theirs.status == ConversationStatus::Declined
            {
                return Err(self
                    .refusal_about(RefusalCode::NotAccepting, person)
                    .await?);
            }
            self.charge(Limit::Conversations, by)?;
        }
        Ok(())
    }

    /// Whether a typing signal may be sent to a room. In a conversation both people must have it open.
    ///
    /// # Errors
    /// The store failed.
    pub async fn may_show_typing(&self, room: RoomId, who: IdentityId) -> Result<bool, StoreError> {
        if self.rooms.directory.contains(room) {
            return Ok(true);
        }
        let sides = self.sides(room, who).await?;
        Ok(sides.is_none_or(Sides::are_open))
    }

    /// Returns the status of a conversation for a person; other rooms are open.
    ///
    /// # Errors
    /// The store failed.
    pub async fn conversation_status(
        &self,
        room: RoomId,
        me: IdentityId,
    ) -> Result<ConversationStatus, StoreError> {
        if self.rooms.directory.contains(room) {
            return Ok(ConversationStatus::Open);
        }
        let sides = self.sides(room, me).await?;
        Ok(sides.map(|it| it.mine.status).unwrap_or_default())
    }

    /// Shows a conversation to a person again if they left it or declined it.
    async fn unhide(&self, record: &RoomRecord, me: IdentityId) -> Result<(), AdmitError> {
        let Some(Sides { mine, theirs }) = self.sides(record.id, me).await? else {
            return Ok(());
        };
        if mine.blocks {
            return Err(self
                .refusal_about(RefusalCode::PersonBlocked, theirs.person)
                .await?);
        }
        match mine.status {
            // To look at a request does not accept it.
            ConversationStatus::Open | ConversationStatus::Request => Ok(()),
            // If a stranger has only opened it, both want to write, so neither needs to ask.
            ConversationStatus::Unsent
            | ConversationStatus::Declined
            | ConversationStatus::Left => {
                let accept = RequestAnswer::Accept;
                self.answer_request(me, record.id, accept).await.map(drop)
            }
        }
    }

    pub(super) async fn sides(
        &self,
        room: RoomId,
        me: IdentityId,
    ) -> Result<Option<Sides>, StoreError> {
        let sides = self.store.conversation_sides(room).await?;
        Ok(sides.and_then(|[one, other]| {
            if one.person == me {
                Some(Sides {
                    mine: one,
                    theirs: other,
                })
            } else {
                (other.person == me).then_some(Sides {
                    mine: other,
                    theirs: one,
                })
            }
        }))
    }

    pub(super) async fn set_conversation_status(
        &self,
        person: IdentityId,
        room: RoomId,
        status: ConversationStatus,
        request: Option<ClientId>,
    ) -> Result<(), StoreError> {
        let change = PersonalChange::Conversation(room, status, request);
        self.store.change_personal(person, change).await
    }

    async fn has_blocked(&self, person: IdentityId, other: IdentityId) -> Result<bool, StoreError> {
        let personal = self.store.personal(person).await?;
        Ok(personal.settings.blocks(other))
    }

    /// Sends a conversation to all sessions of one of its people.
    pub(super) async fn announce_conversation(
        &self,
        record: &RoomRecord,
        person: IdentityId,
    ) -> Result<(), StoreError> {
        let room = self.describe(record, person).await?;
        self.notify_person(person, &Event::RoomChanged { request: 0, room });
        Ok(())
    }

    /// Ends all subscriptions of a person to a conversation that they do not want to see.
    pub(super) async fn dismiss(&self, person: IdentityId, room: RoomId) {
        self.notify(room, RoomMsg::Dismiss { identity: person })
            .await;
        let event = Event::Unfollowed {
            request: 0,
            room,
            why: UnfollowReason::Left,
        };
        self.notify_person(person, &event);
    }

    pub(super) async fn refusal_about(
        &self,
        code: RefusalCode,
        person: IdentityId,
    ) -> Result<AdmitError, StoreError> {
        let name = self.author_of(person).await?.name;
        Ok(Refusal::new(code).with(name).into())
    }
}

impl Sides {
    /// Whether both people have the conversation open, and neither blocks the other.
    fn are_open(self) -> bool {
        [self.mine, self.theirs]
            .iter()
            .all(|side| side.status == ConversationStatus::Open && !side.blocks)
    }
}

/// Whether a post deletes a message, which everybody may do with their own.
fn is_deletion(body: &Body) -> bool {
    matches!(body, Body::Amendment { what, .. } if *what == Amendment::Erase)
}
