//! Posting: checks a post before it goes to its room, and preserves a sender's order after a refusal.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Session;
use crate::chat::{
    Amendment, Body, ClientId, IdentityId, Limit, Limits, Post, Recipient, Refusal, RefusalCode,
    RoomId, RoomRules, Ruling, TOPIC, UserName,
};
use crate::server::hub::AdmitError;
use crate::server::room::mailbox::{RoomMsg, RoomQuery};
use crate::server::store::StoreError;
use crate::text;
use crate::wire::Event;

/// Preserves the order of a session's posts: after a temporary refusal, later posts are refused until the refused one is sent again.
///
/// The order covers all recipients, because a post to a person, to their name or to the conversation with them goes to
/// the same room. It also covers all client outboxes, because a client that takes over the outbox of a crashed one
/// sends those posts before new ones.
#[derive(Debug, Default)]
pub(super) struct PostOrder {
    refused: Option<ClientId>,
}

impl PostOrder {
    /// Checks whether a post may be accepted now.
    ///
    /// # Errors
    /// An earlier post must be sent again first.
    fn check(&self, id: ClientId) -> Result<(), Refusal> {
        let is_earlier =
            |refused: ClientId| id.instance == refused.instance && id.counter <= refused.counter;
        match self.refused {
            Some(refused) if !is_earlier(refused) => {
                Err(Refusal::new(RefusalCode::AfterRefused).retry_after(AFTER_REFUSED))
            }
            _ => Ok(()),
        }
    }

    fn record(&mut self, id: ClientId, outcome: &Result<RoomId, Refusal>) {
        match outcome {
            Err(refusal) if refusal.code == RefusalCode::AfterRefused => {}
            Err(refusal) if refusal.retry_after.is_some() => self.refused = Some(id),
            _ if self.refused == Some(id) => self.refused = None,
            _ => {}
        }
    }
}

/// Maximum size of an emoji in bytes. A family of four has 25 bytes, and 41 with skin tones.
const EMOJI: usize = 48;

/// Retry delay for a post that must wait for an earlier one. In practice the earlier post's own delay decides.
const AFTER_REFUSED: Duration = Duration::from_millis(100);

impl Session {
    /// Passes a post on to its room. Every post is answered, here or by the room.
    pub(super) async fn post(
        &mut self,
        client_id: ClientId,
        to: Recipient,
        mut body: Body,
    ) -> Result<(), StoreError> {
        // A guest's client never sends a post again, so a later post must not wait for that.
        let in_order = if self.is_guest() {
            Ok(())
        } else {
            self.order.check(client_id)
        };
        let checked = match in_order {
            Ok(()) => self.destination(client_id, &to, &mut body).await,
            Err(refusal) => Err(refusal.into()),
        };
        let outcome = match checked {
            Ok(room) => Ok(room),
            Err(AdmitError::Refused(refusal)) => Err(refusal),
            Err(AdmitError::Store(error)) => return Err(error),
        };
        self.order.record(client_id, &outcome);
        if let Ok(room) = outcome {
            self.join_after_answer(room).await?;
        }
        match outcome {
            Ok(room) => {
                self.refresh_name();
                let mentions = match body.mentioning_text() {
                    Some(text) => self.hub.mentions_in(room, text).await?,
                    None => Vec::new(),
                };
                let post = Post {
                    author: self.who.author.clone(),
                    client_id: (!self.is_guest()).then_some(client_id),
                    body,
                    mentions,
                };
                let outbox = Arc::clone(&self.outbox);
                self.hub
                    .send(
                        room,
                        RoomMsg::Post {
                            post,
                            session: self.who.session,
                            outbox,
                        },
                    )
                    .await;
            }
            Err(refusal) => {
                let pause = super::pause_after(&refusal);
                self.outbox.answer(Event::Refused {
                    request: 0,
                    client_id: Some(client_id),
                    refusal,
                });
                sleep(pause).await;
            }
        }
        Ok(())
    }

    /// A message that answers a request makes its author present in the conversation.
    async fn join_after_answer(&mut self, room: RoomId) -> Result<(), StoreError> {
        match self.attend_accepted(room).await {
            Err(AdmitError::Store(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// Checks a post and returns its room.
    async fn destination(
        &self,
        client_id: ClientId,
        to: &Recipient,
        body: &mut Body,
    ) -> Result<RoomId, AdmitError> {
        if self.hub.draining.is_cancelled() {
            return Err(Refusal::new(RefusalCode::Draining)
                .retry_after(Duration::from_secs(1))
                .into());
        }
        check_body(body, &self.hub.limits)?;
        self.hub.filter.apply(body)?;
        let me = self.who.author.id;
        self.charge_post(body.text().len()).await?;
        let own_limit = match body {
            Body::Topic(_) | Body::Rules(_) => Some(Limit::Topics),
            Body::Amendment {
                what: Amendment::React { .. },
                ..
            } => Some(Limit::Reactions),
            _ => None,
        };
        if let Some(limit) = own_limit {
            self.charge_own(limit).await?;
        }
        let other = match to {
            Recipient::Room(room) => {
                if !self.rooms.contains_key(room) {
                    self.known_room(*room).await?;
                }
                self.prepare_ruling(*room, body).await?;
                self.hub
                    .check_conversation_post(me, *room, client_id, body)
                    .await?;
                return Ok(*room);
            }
            _ if !body.is_message() => {
                return Err(Refusal::new(RefusalCode::Malformed).with("to").into());
            }
            Recipient::Person(person) => self.check_exists(*person).await?,
            Recipient::Name(name) => self.hub.resolve(name, me).await?,
        };
        if other == me {
            return Err(Refusal::new(RefusalCode::ToSelf).into());
        }
        let room = self.conversation_with(other).await?.id;
        self.hub
            .check_conversation_post(me, room, client_id, body)
            .await?;
        Ok(room)
    }

    /// Checks a room that this session has not joined: it must exist and the person must be a member. Otherwise nobody would answer the
    /// post.
    async fn known_room(&self, room: RoomId) -> Result<(), AdmitError> {
        let identity = self.who.author.id;
        match self
            .hub
            .ask(room, |reply| RoomQuery::Peek { identity, reply })
            .await
        {
            Some(Some(_)) => Ok(()),
            Some(None) => Err(Refusal::new(RefusalCode::NotAMember).with("").into()),
            None => Err(Refusal::new(RefusalCode::RoomUnknown).with(room).into()),
        }
    }

    /// Fills in the person of a moderation post that only has a name: a person the author could write to, or one with a
    /// standing in the room. Also refuses to close the home room.
    async fn prepare_ruling(&self, room: RoomId, body: &mut Body) -> Result<(), AdmitError> {
        if *body == Body::Closed && self.hub.is_home(room) {
            return Err(Refusal::new(RefusalCode::CannotLeave).into());
        }
        let Body::Ruling(person, ruling) = body else {
            return Ok(());
        };
        if person.id == IdentityId::NOBODY {
            person.id = self
                .hub
                .resolve_in(&person.name, self.who.author.id, room)
                .await?;
        } else {
            self.check_exists(person.id).await?;
        }
        person.name = self.hub.author_of(person.id).await?.name;
        if *ruling == Ruling::Invited {
            self.hub
                .check_invitation(self.who.author.id, person.id)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn check_exists(&self, person: IdentityId) -> Result<IdentityId, AdmitError> {
        match self.hub.store.identity(person).await? {
            Some(record) if record.via.is_bridge() || self.hub.exists(person) => Ok(record.id),
            _ => Err(Refusal::new(RefusalCode::PersonUnknown).with(person).into()),
        }
    }
}

fn check_body(body: &Body, limits: &Limits) -> Result<(), Refusal> {
    match body {
        Body::Text(_) | Body::Action(_) | Body::Reply { .. } => {}
        Body::Amendment { what, .. } => match what {
            Amendment::Edit(_) => {}
            Amendment::Erase => return Ok(()),
            Amendment::React { emoji, .. } => return check_emoji(emoji),
        },
        Body::Topic(topic) => return check_line("topic", topic, TOPIC),
        Body::Rules(rules) if rules.slow_s > RoomRules::SLOWEST => {
            return Err(Refusal::new(RefusalCode::TooLong)
                .with("slow")
                .with(rules.slow_s)
                .with(RoomRules::SLOWEST));
        }
        Body::Ruling(person, ruling) => {
            if person.name.chars().count() > UserName::LIMIT {
                return Err(Refusal::new(RefusalCode::PersonUnknown).with(&person.name));
            }
            return match ruling {
                Ruling::Kicked { reason } | Ruling::Banned { reason, .. } => {
                    check_line("reason", reason, TOPIC)
                }
                _ => Ok(()),
            };
        }
        Body::Rules(_) | Body::Closed => return Ok(()),
        _ => return Err(Refusal::new(RefusalCode::Malformed).with("body")),
    }
    let text = body.text();
    if text.len() > limits.body_bytes {
        return Err(Refusal::new(RefusalCode::BodyTooLong)
            .with(text.len())
            .with(limits.body_bytes));
    }
    let lines = text.split('\n').count();
    if lines > limits.body_lines {
        return Err(Refusal::new(RefusalCode::BodyTooManyLines)
            .with(lines)
            .with(limits.body_lines));
    }
    if text.trim().is_empty() {
        return Err(Refusal::new(RefusalCode::BodyEmpty));
    }
    match text
        .chars()
        .find(|c| c.is_control() && !matches!(c, '\n' | '\t'))
    {
        Some(control) => Err(refused_control(control)),
        None => Ok(()),
    }
}

fn refused_control(control: char) -> Refusal {
    Refusal::new(RefusalCode::BodyControl).with(format!("U+{:04X}", u32::from(control)))
}

/// Checks that a text is one emoji: a single short grapheme cluster without letters.
fn check_emoji(emoji: &str) -> Result<(), Refusal> {
    let is_one = text::clusters(emoji).count() == 1 && emoji.len() <= EMOJI;
    let is_letter = emoji
        .chars()
        .any(|c| c.is_alphanumeric() && !c.is_ascii_digit());
    let is_plain = emoji
        .chars()
        .all(|c| c.is_ascii() || c.is_whitespace() || c.is_control());
    if is_one && !is_letter && !is_plain {
        Ok(())
    } else {
        Err(Refusal::new(RefusalCode::EmojiInvalid))
    }
}

/// Checks a short text like a topic or a reason: at most `limit` characters, no control characters.
pub(super) fn check_line(what: &'static str, line: &str, limit: usize) -> Result<(), Refusal> {
    let length = line.chars().count();
    if length > limit {
        return Err(Refusal::new(RefusalCode::TooLong)
            .with(what)
            .with(length)
            .with(limit));
    }
    match line.chars().find(|c| c.is_control()) {
        Some(control) => Err(refused_control(control)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::InstanceId;

    fn checked(text: &str) -> Option<RefusalCode> {
        check_body(&Body::Text(text.into()), &Limits::default())
            .err()
            .map(|refusal| refusal.code)
    }

    #[test]
    fn a_body_is_accepted_at_its_limits_and_refused_one_over() {
        assert_eq!(checked(&"x".repeat(8192)), None);
        assert_eq!(checked(&"x".repeat(8193)), Some(RefusalCode::BodyTooLong));
        assert_eq!(checked(&"汉".repeat(2731)), Some(RefusalCode::BodyTooLong));
        assert_eq!(checked(&["x"; 100].join("\n")), None);
        assert_eq!(
            checked(&["x"; 101].join("\n")),
            Some(RefusalCode::BodyTooManyLines)
        );
        assert_eq!(checked(" \n\t "), Some(RefusalCode::BodyEmpty));
        assert_eq!(checked("a\tb\nc"), None);
        assert_eq!(checked("\u{1b}[2J"), Some(RefusalCode::BodyControl));
        assert_eq!(checked("a\u{9b}b"), Some(RefusalCode::BodyControl));
    }

    #[test]
    fn entries_made_by_the_server_cannot_be_posted() {
        assert!(check_body(&Body::Joined(crate::chat::Role::Member), &Limits::default()).is_err());
        assert!(check_body(&Body::Renamed("root".into()), &Limits::default()).is_err());
    }

    #[test]
    fn no_post_overtakes_one_that_was_refused_temporarily() {
        let of = |instance, counter| ClientId {
            instance: InstanceId::new([instance; 16]),
            counter,
        };
        let mut order = PostOrder::default();
        let limited =
            Err(Refusal::new(RefusalCode::RateLimited).retry_after(Duration::from_millis(1)));
        order.record(of(7, 5), &limited);
        let refused = |order: &PostOrder, id| order.check(id).err().map(|it| it.code);
        for later in [of(7, 6), of(8, 1)] {
            assert_eq!(refused(&order, later), Some(RefusalCode::AfterRefused));
        }
        order.record(
            of(7, 6),
            &Err(Refusal::new(RefusalCode::AfterRefused).retry_after(AFTER_REFUSED)),
        );
        assert!(order.check(of(7, 5)).is_ok());
        order.record(of(7, 5), &Ok(RoomId::new([1; 16])));
        assert!(order.check(of(7, 6)).is_ok() && order.check(of(8, 1)).is_ok());
    }
}
