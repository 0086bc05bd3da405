//! Protobuf over WebSocket: one room, with the user's name in the handshake. Its clients show a message only if it has both a name and a
//! text.

use std::collections::HashMap;

use bytes::Bytes;
use prost::{DecodeError, Message};

use super::exchange::{Ending, Notification, Step};
use super::notices;
use super::proto::websocket::ChatRoomRequest;
use crate::chat::Entry;

pub fn on_message(message: &[u8]) -> Result<Vec<Step>, DecodeError> {
    let request = ChatRoomRequest::decode(message)?;
    // The sender is the user named in the handshake. A name in the message is ignored.
    Ok(match request.r#type.as_str() {
        "talk" => vec![Step::Post {
            to: None,
            text: request.content,
        }],
        "userlist" => vec![Step::People],
        "exit" => vec![Step::Leave(Ending::Done)],
        _ => vec![notice(notices::UNKNOWN_TYPE.into()), Step::Ignore],
    })
}

pub fn on_event(news: Notification<'_>) -> Vec<Step> {
    let step = match news {
        Notification::Joined { .. } => return Vec::new(),
        Notification::NotIn(refusal) => {
            return vec![
                notice(notices::refusal(refusal)),
                Step::Leave(Ending::Refused),
            ];
        }
        Notification::Came(person) => notice(notices::came(&person.name)),
        Notification::Went(person) => notice(notices::went(&person.name)),
        Notification::Private { entry, .. } => match notices::said(entry) {
            Some((by, text)) => Step::Say(talk(by, notices::private(&text))),
            None => return Vec::new(),
        },
        Notification::SentPrivately { entry, to } => match notices::said(entry) {
            Some((by, text)) => Step::Say(talk(by, notices::private_to(to, &text))),
            None => return Vec::new(),
        },
        Notification::Refused(refusal) => notice(notices::refusal(refusal)),
        Notification::Notice(text) => notice(text.to_owned()),
        Notification::People(names) => Step::Say(list(names)),
    };
    vec![step]
}

pub fn entry(entry: &Entry) -> Bytes {
    notices::said(entry).map_or_else(Bytes::new, |(by, text)| talk(by, text))
}

fn notice(text: String) -> Step {
    Step::Say(talk(notices::SYSTEM, text))
}

fn talk(by: &str, text: String) -> Bytes {
    let message = ChatRoomRequest {
        r#type: "talk".into(),
        user_name: by.to_owned(),
        content: text,
        user_list: HashMap::new(),
    };
    message.encode_to_vec().into()
}

/// Encodes a user list, which has only names and no other field.
fn list(names: &[String]) -> Bytes {
    let message = ChatRoomRequest {
        user_list: names
            .iter()
            .map(|name| (name.clone(), name.clone()))
            .collect(),
        ..ChatRoomRequest::default()
    };
    message.encode_to_vec().into()
}
