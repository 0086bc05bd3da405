//! Protobuf over WebSocket: one room, with the user's name in the handshake. Its clients show a message only if it has both a name and a
//! text.

use std::collections::HashMap;

use bytes::Bytes;
use prost::{DecodeError, Message};

use super::action::{BridgeAction, Ending, Notification};
use super::notices;
use super::proto::websocket::ChatRoomRequest;
use crate::chat::Entry;

pub fn on_message(message: &[u8]) -> Result<Vec<BridgeAction>, DecodeError> {
    let request = ChatRoomRequest::decode(message)?;
    // The sender is the user named in the handshake. A name in the message is ignored.
    Ok(match request.r#type.as_str() {
        "talk" => vec![BridgeAction::Post {
            to: None,
            text: request.content,
        }],
        "userlist" => vec![BridgeAction::People],
        "exit" => vec![BridgeAction::Leave(Ending::Done)],
        _ => vec![notice(notices::UNKNOWN_TYPE.into()), BridgeAction::Ignore],
    })
}

pub fn on_event(news: Notification<'_>) -> Vec<BridgeAction> {
    let step = match news {
        Notification::Joined { .. } => return Vec::new(),
        Notification::NotAdmitted(refusal) => {
            return vec![
                notice(notices::refusal(refusal)),
                BridgeAction::Leave(Ending::Refused),
            ];
        }
        Notification::PersonJoined(person) => notice(notices::joined(&person.name)),
        Notification::PersonLeft(person) => notice(notices::left(&person.name)),
        Notification::Private { entry, .. } => match notices::message_of(entry) {
            Some((by, text)) => BridgeAction::Send(chat_message(by, notices::private(&text))),
            None => return Vec::new(),
        },
        Notification::SentPrivately { entry, to } => match notices::message_of(entry) {
            Some((by, text)) => {
                BridgeAction::Send(chat_message(by, notices::private_to(to, &text)))
            }
            None => return Vec::new(),
        },
        Notification::Refused(refusal) => notice(notices::refusal(refusal)),
        Notification::Notice(text) => notice(text.to_owned()),
        Notification::People(names) => BridgeAction::Send(user_list(names)),
    };
    vec![step]
}

pub fn entry(entry: &Entry) -> Bytes {
    notices::message_of(entry).map_or_else(Bytes::new, |(by, text)| chat_message(by, text))
}

fn notice(text: String) -> BridgeAction {
    BridgeAction::Send(chat_message(notices::SYSTEM, text))
}

fn chat_message(by: &str, text: String) -> Bytes {
    let message = ChatRoomRequest {
        r#type: "talk".into(),
        user_name: by.to_owned(),
        content: text,
        user_list: HashMap::new(),
    };
    message.encode_to_vec().into()
}

/// Encodes a user list, which has only names and no other field.
fn user_list(names: &[String]) -> Bytes {
    let message = ChatRoomRequest {
        user_list: names
            .iter()
            .map(|name| (name.clone(), name.clone()))
            .collect(),
        ..ChatRoomRequest::default()
    };
    message.encode_to_vec().into()
}
