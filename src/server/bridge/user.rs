//! `user.UserService`: one room, and people with a user id and a name. When a client closes its sending side, the
//! stream ends with an error, as in the original server.

use bytes::Bytes;
use prost::{DecodeError, Message};

use super::action::{BridgeAction, Ending, EventTime, Notification};
use super::notices;
use super::proto::user::{ChatMessage, ChatRequest, ChatResponse};
use crate::chat::{Body, Entry, IdentityId, Person};
use crate::server::hub::guests::numeric_id;

/// One client.
#[derive(Debug, Default)]
pub struct User {
    has_joined: bool,
}

impl User {
    pub(super) fn on_message(
        &mut self,
        message: &[u8],
        at: EventTime,
    ) -> Result<Vec<BridgeAction>, DecodeError> {
        let request = ChatRequest::decode(message)?;
        // Name and user id come from the join. Those in later messages are ignored.
        Ok(match (request.action.as_str(), self.has_joined) {
            ("join", false) => {
                self.has_joined = true;
                vec![BridgeAction::Enter {
                    name: request.username,
                    room: String::new(),
                    number: Some(request.user_id),
                }]
            }
            ("join", true) => vec![system(notices::JOINED_ALREADY.into(), at)],
            ("message", true) => vec![BridgeAction::Post {
                to: None,
                text: request.content,
            }],
            ("message", false) => vec![system(notices::JOIN_FIRST.into(), at)],
            ("leave", _) => vec![BridgeAction::Leave(Ending::Done)],
            _ => vec![BridgeAction::Ignore],
        })
    }
}

pub fn on_event(news: Notification<'_>, at: EventTime) -> Vec<BridgeAction> {
    match news {
        Notification::Joined { name, .. } => {
            let message = server_message(notices::welcome(name), at);
            vec![send_step(message, "joined", at.people())]
        }
        Notification::NotAdmitted(refusal) => vec![
            system(notices::refusal(refusal), at),
            BridgeAction::Leave(Ending::Refused),
        ],
        Notification::PersonJoined(person) => vec![join_or_leave(
            person,
            notices::joined(&person.name),
            "join",
            at,
        )],
        Notification::PersonLeft(person) => vec![join_or_leave(
            person,
            notices::left(&person.name),
            "leave",
            at,
        )],
        Notification::Private { entry, .. } => private(entry, notices::private, at),
        Notification::SentPrivately { entry, to } => {
            private(entry, |text| notices::private_to(to, text), at)
        }
        Notification::Refused(refusal) => vec![system(notices::refusal(refusal), at)],
        Notification::Notice(text) => {
            vec![send_step(
                server_message(text.to_owned(), at),
                "broadcast",
                at.people(),
            )]
        }
        Notification::People(_) => Vec::new(),
    }
}

/// Returns the actions for a private message, with its text marked as private.
fn private(entry: &Entry, worded: impl Fn(&str) -> String, at: EventTime) -> Vec<BridgeAction> {
    let Some((_, text)) = notices::message_of(entry) else {
        return Vec::new();
    };
    let author = &entry.author;
    let message = message_from(author.id, &author.name, worded(&text), at, "text");
    vec![send_step(message, "broadcast", at.people())]
}

/// Returns the action that announces a person who joined or left.
fn join_or_leave(person: &Person, content: String, kind: &str, at: EventTime) -> BridgeAction {
    let message = message_from(person.id, &person.name, content, at, kind);
    send_step(message, "broadcast", at.people())
}

pub fn entry(entry: &Entry, at: EventTime) -> Bytes {
    let Some((_, text)) = notices::message_of(entry) else {
        return Bytes::new();
    };
    let message = if matches!(entry.body, Body::Renamed(_)) {
        server_message(text, at)
    } else {
        message_from(entry.author.id, &entry.author.name, text, at, "text")
    };
    encoded(message, "broadcast", at.people())
}

fn message_from(
    id: IdentityId,
    name: &str,
    content: String,
    at: EventTime,
    kind: &str,
) -> ChatMessage {
    ChatMessage {
        user_id: numeric_id(id),
        username: name.to_owned(),
        content,
        timestamp: at.seconds,
        message_type: kind.to_owned(),
    }
}

/// Makes a message from the server itself.
fn server_message(content: String, at: EventTime) -> ChatMessage {
    ChatMessage {
        user_id: 0,
        username: notices::SYSTEM.into(),
        content,
        timestamp: at.seconds,
        message_type: "system".into(),
    }
}

/// Returns the action that sends a message to this client alone. Its `online_users` is always 0.
fn system(content: String, at: EventTime) -> BridgeAction {
    send_step(server_message(content, at), "error", 0)
}

fn send_step(message: ChatMessage, status: &str, online_users: i32) -> BridgeAction {
    BridgeAction::Send(encoded(message, status, online_users))
}

fn encoded(message: ChatMessage, status: &str, online_users: i32) -> Bytes {
    let response = ChatResponse {
        message: Some(message),
        status: status.to_owned(),
        online_users,
    };
    response.encode_to_vec().into()
}
