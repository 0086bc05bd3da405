//! `chat.ChatService`: several rooms, and names of letters and digits that a client can reserve before it joins.

use bytes::Bytes;
use prost::{DecodeError, Message};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use super::exchange::{Ending, EventTime, Notification, Step};
use super::notices;
use super::proto::chat::{
    BroadcastMessage, ClientMessage, JoinResponse, ServerMessage, UserJoinedNotification,
    UserLeftNotification, client_message, server_message,
};
use crate::chat::{Entry, Refusal, RefusalCode};

/// Maximum length of a name in this protocol, in characters.
const NAME: usize = 20;

/// One client's stream, which lasts for one stay in one room.
#[derive(Debug, Default)]
pub struct Chat {
    has_asked: bool,
    is_leaving: bool,
}

impl Chat {
    pub(super) fn on_message(&mut self, message: &[u8]) -> Result<Vec<Step>, DecodeError> {
        use client_message::Event;
        let event = ClientMessage::decode(message)?.event;
        Ok(match event {
            Some(Event::JoinRequest(join)) if !self.has_asked => {
                self.has_asked = true;
                match checked(&join.user_name) {
                    Ok(()) if join.room_id.is_empty() => self
                        .refuse_entry(&Refusal::new(RefusalCode::RoomUnknown).with(&join.room_id)),
                    Ok(()) => vec![Step::Enter {
                        name: join.user_name,
                        room: join.room_id,
                        number: None,
                    }],
                    Err(refusal) => self.refuse_entry(&refusal),
                }
            }
            // The first message must be the join.
            _ if !self.has_asked => vec![Step::Leave(Ending::Done)],
            Some(Event::ChatMessage(message)) => vec![Step::Post {
                to: None,
                text: message.text,
            }],
            // The name and room in the request are ignored: a stream can only end its own stay.
            Some(Event::LeaveRequest(_)) => {
                self.is_leaving = true;
                vec![Step::Leave(Ending::Done)]
            }
            Some(Event::JoinRequest(_)) | None => vec![Step::Ignore],
        })
    }

    /// A client that has joined may end its messages and continue to receive.
    pub(super) fn on_end(&self) -> Vec<Step> {
        if self.has_asked {
            Vec::new()
        } else {
            vec![Step::Leave(Ending::Done)]
        }
    }

    pub(super) fn on_event(&mut self, news: Notification<'_>, at: EventTime) -> Vec<Step> {
        use server_message::Event;
        if self.is_leaving {
            // The client would mistake it for an event of its next stay.
            return Vec::new();
        }
        let event = match news {
            Notification::Joined { room, .. } => Event::JoinResponse(JoinResponse {
                success: true,
                message: notices::room_welcome(room, at.people()),
            }),
            Notification::NotIn(refusal) => return self.refuse_entry(refusal),
            Notification::Came(person) => Event::UserJoined(UserJoinedNotification {
                user_name: person.name.clone(),
                current_count: at.people(),
            }),
            Notification::Went(person) => Event::UserLeft(UserLeftNotification {
                user_name: person.name.clone(),
                current_count: at.people(),
            }),
            Notification::Private { entry, .. } => match notices::said(entry) {
                Some((by, text)) => broadcast(by, notices::private(&text), at),
                None => return Vec::new(),
            },
            Notification::SentPrivately { entry, to } => match notices::said(entry) {
                Some((by, text)) => broadcast(by, notices::private_to(to, &text), at),
                None => return Vec::new(),
            },
            Notification::Refused(refusal) => {
                broadcast(notices::SYSTEM, notices::refusal(refusal), at)
            }
            Notification::Notice(text) => broadcast(notices::SYSTEM, text.to_owned(), at),
            Notification::People(_) => return Vec::new(),
        };
        vec![say(event)]
    }

    fn refuse_entry(&mut self, refusal: &Refusal) -> Vec<Step> {
        self.is_leaving = true;
        let response = JoinResponse {
            success: false,
            message: notices::room_refusal(refusal),
        };
        vec![
            say(server_message::Event::JoinResponse(response)),
            Step::Leave(Ending::Refused),
        ]
    }
}

/// Checks a name against the extra rules of this protocol.
///
/// # Errors
/// The name is not 1 to 20 letters and digits.
pub fn checked(name: &str) -> Result<(), Refusal> {
    let length = name.chars().count();
    // Combining marks are part of the letters in some scripts.
    let is_letter =
        |c: char| c.is_alphanumeric() || c.general_category_group() == GeneralCategoryGroup::Mark;
    let is_plain = name.chars().all(is_letter);
    if is_plain && (1..=NAME).contains(&length) {
        Ok(())
    } else {
        Err(Refusal::new(RefusalCode::NameInvalid).with(name))
    }
}

pub fn entry(entry: &Entry, at: EventTime) -> Bytes {
    notices::said(entry).map_or_else(Bytes::new, |(by, text)| encoded(broadcast(by, text, at)))
}

fn broadcast(by: &str, text: String, at: EventTime) -> server_message::Event {
    server_message::Event::Broadcast(BroadcastMessage {
        sender_name: by.to_owned(),
        text,
        timestamp: at.seconds,
    })
}

fn say(event: server_message::Event) -> Step {
    Step::Say(encoded(event))
}

fn encoded(event: server_message::Event) -> Bytes {
    ServerMessage { event: Some(event) }.encode_to_vec().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{IdentityId, Person, Presence, Role, Via};
    use crate::server::bridge::proto::chat::{JoinRequest, LeaveRequest};

    const NOW: EventTime = EventTime {
        seconds: 1,
        count: 2,
    };

    fn hears(chat: &mut Chat, event: client_message::Event) -> Vec<Step> {
        let message = ClientMessage { event: Some(event) };
        chat.on_message(&message.encode_to_vec()).unwrap()
    }

    #[test]
    fn a_client_that_leaves_receives_nothing_more() {
        let mut chat = Chat::default();
        let (user_name, room_id) = ("ann".to_owned(), "tech".to_owned());
        let join = JoinRequest { user_name, room_id };
        hears(&mut chat, client_message::Event::JoinRequest(join));
        let ben = Person {
            id: IdentityId::new([1; 16]),
            name: "ben".into(),
            presence: Presence::Online,
            role: Role::Member,
            via: Via::Chat,
            status: String::new(),
        };
        assert_eq!(chat.on_event(Notification::Went(&ben), NOW).len(), 1);
        let leave = client_message::Event::LeaveRequest(LeaveRequest::default());
        assert_eq!(hears(&mut chat, leave), [Step::Leave(Ending::Done)]);
        assert_eq!(chat.on_event(Notification::Went(&ben), NOW), []);
    }

    #[test]
    fn names_are_1_to_20_letters_and_digits_of_any_script() {
        for good in ["a", "张三", "é1", "नमस्ते", &"汉".repeat(20)] {
            assert!(checked(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a_b", "a-b", "a.b", "😀", &"汉".repeat(21)] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }
}
