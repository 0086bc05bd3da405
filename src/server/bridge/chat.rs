//! `chat.ChatService`: several rooms, and names of letters and digits that a client can reserve before it joins.

use bytes::Bytes;
use prost::{DecodeError, Message};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use super::action::{BridgeAction, Ending, EventTime, Notification};
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
    pub(super) fn on_message(&mut self, message: &[u8]) -> Result<Vec<BridgeAction>, DecodeError> {
        use client_message::Event;
        let event = ClientMessage::decode(message)?.event;
        Ok(match event {
            Some(Event::JoinRequest(join)) if !self.has_asked => {
                self.has_asked = true;
                match check_name(&join.user_name) {
                    Ok(()) if join.room_id.is_empty() => self
                        .refuse_entry(&Refusal::new(RefusalCode::RoomUnknown).with(&join.room_id)),
                    Ok(()) => vec![BridgeAction::Enter {
                        name: join.user_name,
                        room: join.room_id,
                        number: None,
                    }],
                    Err(refusal) => self.refuse_entry(&refusal),
                }
            }
            // The first message must be the join.
            _ if !self.has_asked => vec![BridgeAction::Leave(Ending::Done)],
            Some(Event::ChatMessage(message)) => vec![BridgeAction::Post {
                to: None,
                text: message.text,
            }],
            // The name and room in the request are ignored: a stream can only end its own stay.
            Some(Event::LeaveRequest(_)) => {
                self.is_leaving = true;
                vec![BridgeAction::Leave(Ending::Done)]
            }
            Some(Event::JoinRequest(_)) | None => vec![BridgeAction::Ignore],
        })
    }

    /// Handles the end of the client's messages. A client that has joined may stop sending and continue to receive.
    pub(super) fn on_end(&self) -> Vec<BridgeAction> {
        if self.has_asked {
            Vec::new()
        } else {
            vec![BridgeAction::Leave(Ending::Done)]
        }
    }

    pub(super) fn on_event(&mut self, news: Notification<'_>, at: EventTime) -> Vec<BridgeAction> {
        use server_message::Event;
        if self.is_leaving {
            // The client would mistake the event for one of its next stay.
            return Vec::new();
        }
        let event = match news {
            Notification::Joined { room, .. } => Event::JoinResponse(JoinResponse {
                success: true,
                message: notices::room_welcome(room, at.people()),
            }),
            Notification::NotAdmitted(refusal) => return self.refuse_entry(refusal),
            Notification::PersonJoined(person) => Event::UserJoined(UserJoinedNotification {
                user_name: person.name.clone(),
                current_count: at.people(),
            }),
            Notification::PersonLeft(person) => Event::UserLeft(UserLeftNotification {
                user_name: person.name.clone(),
                current_count: at.people(),
            }),
            Notification::Private { entry, .. } => match notices::message_of(entry) {
                Some((by, text)) => broadcast(by, notices::private(&text), at),
                None => return Vec::new(),
            },
            Notification::SentPrivately { entry, to } => match notices::message_of(entry) {
                Some((by, text)) => broadcast(by, notices::private_to(to, &text), at),
                None => return Vec::new(),
            },
            Notification::Refused(refusal) => {
                broadcast(notices::SYSTEM, notices::refusal(refusal), at)
            }
            Notification::Notice(text) => broadcast(notices::SYSTEM, text.to_owned(), at),
            Notification::People(_) => return Vec::new(),
        };
        vec![send_step(event)]
    }

    fn refuse_entry(&mut self, refusal: &Refusal) -> Vec<BridgeAction> {
        self.is_leaving = true;
        let response = JoinResponse {
            success: false,
            message: notices::room_refusal(refusal),
        };
        vec![
            send_step(server_message::Event::JoinResponse(response)),
            BridgeAction::Leave(Ending::Refused),
        ]
    }
}

/// Checks a name against the extra rules of this protocol.
///
/// # Errors
/// The name is not 1 to 20 letters and digits.
pub fn check_name(name: &str) -> Result<(), Refusal> {
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
    notices::message_of(entry)
        .map_or_else(Bytes::new, |(by, text)| encoded(broadcast(by, text, at)))
}

fn broadcast(by: &str, text: String, at: EventTime) -> server_message::Event {
    server_message::Event::Broadcast(BroadcastMessage {
        sender_name: by.to_owned(),
        text,
        timestamp: at.seconds,
    })
}

fn send_step(event: server_message::Event) -> BridgeAction {
    BridgeAction::Send(encoded(event))
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

    fn hears(chat: &mut Chat, event: client_message::Event) -> Vec<BridgeAction> {
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
        assert_eq!(chat.on_event(Notification::PersonLeft(&ben), NOW).len(), 1);
        let leave = client_message::Event::LeaveRequest(LeaveRequest::default());
        assert_eq!(hears(&mut chat, leave), [BridgeAction::Leave(Ending::Done)]);
        assert_eq!(chat.on_event(Notification::PersonLeft(&ben), NOW), []);
    }

    #[test]
    fn names_are_1_to_20_letters_and_digits_of_any_script() {
        for good in ["a", "张三", "é1", "नमस्ते", &"汉".repeat(20)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a_b", "a-b", "a.b", "😀", &"汉".repeat(21)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
