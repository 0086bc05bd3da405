//! Requests of strangers: how many a person may have, and their answers.

use super::conversations::Sides;
use super::{AdmitError, Hub};
use crate::chat::{
    ConversationStatus, IdentityId, Limit, Refusal, RefusalCode, RequestAnswer, RequestDirection,
    RoomId,
};
use crate::server::store::{RoomRecord, StoreError};

impl Hub {
    /// Checks that a person may get one more request, written or not. If there are too many, one of a guest who has left makes room: nobody
    /// can answer it.
    pub(super) async fn check_request_limit(&self, person: IdentityId) -> Result<(), AdmitError> {
        let Some(most) = self.quotas.get(Limit::Requests) else {
            return Ok(());
        };
        let most_here = usize::try_from(most).unwrap_or(usize::MAX);
        let mut requests = self.store.conversations_of(person).await?;
        requests.retain(|(_, status)| {
            matches!(
                status,
                ConversationStatus::Request | ConversationStatus::Unsent
            )
        });
        let mut count = requests.len();
        for (room, _) in requests {
            if count < most_here {
                break;
            }
            let sides = self.sides(room, person).await?;
            if sides.is_some_and(|it| self.is_gone(it.theirs.person)) {
                let declined = ConversationStatus::Declined;
                self.set_conversation_status(person, room, declined, None)
                    .await?;
                self.dismiss(person, room).await;
                count -= 1;
            }
        }
        if count < most_here {
            return Ok(());
        }
        let name = self.author_of(person).await?.name;
        let refusal = Refusal::new(RefusalCode::RequestsFull);
        Err(refusal.with(name).with(most).into())
    }

    /// Whether somebody will never be back: a guest who has left, or a removed account.
    fn is_gone(&self, person: IdentityId) -> bool {
        let state = self.lock();
        !state.accounts.contains_key(&person) && !state.people.contains_key(&person)
    }

    /// Accepts or declines a request, and informs all sessions of this person. A request that was declined can still be accepted.
    ///
    /// # Errors
    /// There is no such request, or the store failed.
    pub async fn answer_request(
        &self,
        me: IdentityId,
        room: RoomId,
        answer: RequestAnswer,
    ) -> Result<RoomRecord, AdmitError> {
        let _lock = self.person_locks.lock(me).await;
        let unknown = || Refusal::new(RefusalCode::RoomUnknown).with(room);
        let sides = self.sides(room, me).await?.ok_or_else(unknown)?;
        let other = sides.theirs.person;
        let record = self.store.conversation(me, other).await?;
        let record = record.ok_or_else(unknown)?;
        match (answer, sides.mine.status) {
            (RequestAnswer::Accept, ConversationStatus::Open) => return Ok(record),
            (RequestAnswer::Accept, ConversationStatus::Request) if self.is_gone(other) => {
                return Err(Refusal::new(RefusalCode::PersonGone).into());
            }
            (RequestAnswer::Accept, _) => {
                self.set_conversation_status(me, room, ConversationStatus::Open, None)
                    .await?;
                self.announce_conversation(&record, me).await?;
                self.announce_conversation(&record, other).await?;
            }
            (RequestAnswer::Decline, ConversationStatus::Request) => {
                self.set_conversation_status(me, room, ConversationStatus::Declined, None)
                    .await?;
                self.dismiss(me, room).await;
            }
            (RequestAnswer::Decline, _) => {
                let refusal = self.refusal_about(RefusalCode::NoEffect, other).await?;
                return Err(refusal);
            }
        }
        Ok(record)
    }

    /// Returns which request a conversation is for a person.
    pub(super) async fn request_in(
        &self,
        room: RoomId,
        viewer: IdentityId,
    ) -> Result<Option<RequestDirection>, StoreError> {
        let Some(Sides { mine, theirs }) = self.sides(room, viewer).await? else {
            return Ok(None);
        };
        // A declined request looks like one that is not answered.
        Ok(if mine.status.is_unanswered() {
            Some(RequestDirection::Incoming)
        } else if theirs.status.is_unanswered() {
            Some(RequestDirection::Outgoing)
        } else {
            None
        })
    }
}
