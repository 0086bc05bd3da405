//! Converts requests between `ChatRequest` and [`RequestFrame`].

use super::body::{body_from, body_to};
use super::frame::{Hello, JoinTarget, PersonTarget, Request, RequestFrame, SignIn};
use super::parts::{
    Malformed, client_id_from, client_id_to, cursor_from, cursor_to, epoch, identity, room_id,
    room_kind_from, room_kind_to,
};
use super::personal::{level_from, level_to, status_from, status_to};
use super::proto::{self, block, chat_request::Kind, ignore, join::Target, open, post::To, whois};
use crate::chat::{
    DeviceKey, FormerProof, IdentityId, InstanceId, Invite, NewRoom, Recipient, RequestAnswer,
    RoomId, Seq, SessionId,
};

/// Converts a message to a request.
///
/// # Errors
/// A field is missing or malformed; the error names it.
pub fn request_from(frame: proto::ChatRequest) -> Result<RequestFrame, Malformed> {
    let Some(kind) = frame.kind else {
        return Ok(RequestFrame {
            request: frame.request,
            what: Request::Unknown,
        });
    };
    let what = match kind {
        Kind::Hello(hello) => Request::Hello(hello_from(hello)?),
        Kind::SignIn(it) => Request::SignIn(sign_in_from(it)?),
        Kind::Join(join) => Request::Join(target_from(join.target.ok_or(Malformed("target"))?)?),
        Kind::Leave(leave) => Request::Leave(room_id(&leave.room)?),
        Kind::Follow(follow) => Request::Follow {
            room: room_id(&follow.room)?,
            cursor: follow
                .cursor
                .as_ref()
                .map(cursor_from)
                .transpose()?
                .flatten(),
        },
        Kind::Unfollow(unfollow) => Request::Unfollow(room_id(&unfollow.room)?),
        Kind::Post(post) => Request::Post {
            client_id: client_id_from(post.client_id.as_ref().ok_or(Malformed("client_id"))?)?,
            to: recipient_from(post.to.ok_or(Malformed("to"))?)?,
            body: body_from(post.body),
        },
        Kind::SetName(name) => Request::SetName(name.name),
        Kind::Open(open) => Request::Open(open.who.ok_or(Malformed("who"))?.try_into()?),
        Kind::Whois(it) => Request::Whois(it.who.ok_or(Malformed("who"))?.try_into()?),
        Kind::Ignore(it) => Request::Ignore {
            is_on: it.on,
            who: it.who.ok_or(Malformed("who"))?.try_into()?,
        },
        Kind::Block(it) => Request::Block {
            is_on: it.on,
            who: it.who.ok_or(Malformed("who"))?.try_into()?,
        },
        Kind::AnswerRequest(it) => Request::AnswerRequest {
            room: room_id(&it.room)?,
            answer: if it.accept {
                RequestAnswer::Accept
            } else {
                RequestAnswer::Decline
            },
        },
        Kind::MarkRead(it) => Request::MarkRead {
            room: room_id(&it.room)?,
            epoch: epoch(&it.epoch)?,
            seq: Seq(it.seq),
        },
        Kind::SetStatus(it) => Request::SetStatus(status_from(it.status)),
        Kind::Typing(it) => Request::Typing(room_id(&it.room)?),
        Kind::SetLevel(it) => Request::SetLevel {
            room: room_id(&it.room)?,
            level: level_from(it.level()),
        },
        Kind::SetKeywords(it) => Request::SetKeywords(it.words),
        Kind::Create(create) => Request::Create(NewRoom {
            kind: room_kind_from(create.kind())?,
            name: create.name,
            topic: create.topic,
            capacity: create.capacity,
        }),
        Kind::Ping(_) => Request::Ping,
        Kind::Bye(_) => Request::Bye,
    };
    Ok(RequestFrame {
        request: frame.request,
        what,
    })
}

pub fn request_to(asked: &RequestFrame) -> proto::ChatRequest {
    proto::ChatRequest {
        request: asked.request,
        kind: kind_to(&asked.what),
    }
}

/// Returns `None` for [`Request::Unknown`].
fn kind_to(what: &Request) -> Option<Kind> {
    Some(match what {
        Request::Hello(hello) => Kind::Hello(hello_to(hello)),
        Request::SignIn(it) => Kind::SignIn(sign_in_to(it)),
        Request::Join(target) => Kind::Join(proto::Join {
            target: Some(target_to(target)),
        }),
        Request::Leave(room) => Kind::Leave(proto::Leave {
            room: room.bytes().to_vec(),
        }),
        Request::Follow { room, cursor } => Kind::Follow(proto::Follow {
            room: room.bytes().to_vec(),
            cursor: cursor.as_ref().map(cursor_to),
        }),
        Request::Unfollow(room) => Kind::Unfollow(proto::Unfollow {
            room: room.bytes().to_vec(),
        }),
        Request::Post {
            client_id,
            to,
            body,
        } => Kind::Post(proto::Post {
            client_id: Some(client_id_to(*client_id)),
            to: Some(recipient_to(to)),
            body: Some(body_to(body)),
        }),
        Request::SetName(name) => Kind::SetName(proto::SetName { name: name.clone() }),
        Request::Open(who) => Kind::Open(proto::Open {
            who: Some(who.into()),
        }),
        Request::Whois(who) => Kind::Whois(proto::Whois {
            who: Some(who.into()),
        }),
        Request::MarkRead { .. }
        | Request::SetStatus(_)
        | Request::Ignore { .. }
        | Request::Block { .. }
        | Request::AnswerRequest { .. }
        | Request::SetLevel { .. }
        | Request::SetKeywords(_) => return personal_to(what),
        Request::Typing(room) => Kind::Typing(proto::Typing {
            room: room.bytes().to_vec(),
        }),
        Request::Create(wanted) => Kind::Create(proto::Create {
            name: wanted.name.clone(),
            kind: room_kind_to(wanted.kind).into(),
            topic: wanted.topic.clone(),
            capacity: wanted.capacity,
        }),
        Request::Ping => Kind::Ping(proto::Ping {}),
        Request::Bye => Kind::Bye(proto::Bye {}),
        Request::Unknown => return None,
    })
}

/// Converts the requests about what belongs to one person. Every other request becomes `None`.
fn personal_to(what: &Request) -> Option<Kind> {
    Some(match what {
        Request::MarkRead { room, epoch, seq } => Kind::MarkRead(proto::MarkRead {
            room: room.bytes().to_vec(),
            epoch: epoch.bytes().to_vec(),
            seq: seq.0,
        }),
        Request::SetStatus(status) => Kind::SetStatus(proto::SetStatus {
            status: status_to(status),
        }),
        Request::Ignore { who, is_on } => Kind::Ignore(proto::Ignore {
            who: Some(who.into()),
            on: *is_on,
        }),
        Request::Block { who, is_on } => Kind::Block(proto::Block {
            who: Some(who.into()),
            on: *is_on,
        }),
        Request::AnswerRequest { room, answer } => Kind::AnswerRequest(proto::AnswerRequest {
            room: room.bytes().to_vec(),
            accept: *answer == RequestAnswer::Accept,
        }),
        Request::SetLevel { room, level } => Kind::SetLevel(proto::SetLevel {
            room: room.bytes().to_vec(),
            level: level_to(*level).into(),
        }),
        Request::SetKeywords(words) => Kind::SetKeywords(proto::SetKeywords {
            words: words.clone(),
        }),
        _ => return None,
    })
}

fn target_from(target: Target) -> Result<JoinTarget, Malformed> {
    Ok(match target {
        Target::Room(room) => JoinTarget::Room(room_id(&room.id)?),
        Target::Name(name) => JoinTarget::Name(name.name),
    })
}

fn target_to(target: &JoinTarget) -> Target {
    match target {
        JoinTarget::Room(room) => Target::Room(room_message(*room)),
        JoinTarget::Name(name) => Target::Name(proto::RoomName { name: name.clone() }),
    }
}

fn recipient_from(to: To) -> Result<Recipient, Malformed> {
    Ok(match to {
        To::Room(room) => Recipient::Room(room_id(&room.id)?),
        To::Person(person) => Recipient::Person(identity(&person.id)?),
        To::Name(name) => Recipient::Name(name.name),
    })
}

fn recipient_to(to: &Recipient) -> To {
    match to {
        Recipient::Room(room) => To::Room(room_message(*room)),
        Recipient::Person(id) => To::Person(person_message(*id)),
        Recipient::Name(name) => To::Name(proto::PersonName { name: name.clone() }),
    }
}

/// Converts between [`PersonTarget`] and the `who` of a message. Each message has its own type for it, with the same content.
macro_rules! convert_who {
    ($($message:ident),*) => {$(
        impl TryFrom<$message::Who> for PersonTarget {
            type Error = Malformed;

            fn try_from(who: $message::Who) -> Result<Self, Malformed> {
                Ok(match who {
                    $message::Who::Person(person) => Self::Person(identity(&person.id)?),
                    $message::Who::Name(name) => Self::Name(name.name),
                })
            }
        }

        impl From<&PersonTarget> for $message::Who {
            fn from(who: &PersonTarget) -> Self {
                match who {
                    PersonTarget::Person(id) => Self::Person(person_message(*id)),
                    PersonTarget::Name(name) => Self::Name(proto::PersonName { name: name.clone() }),
                }
            }
        }
    )*};
}

convert_who!(open, whois, ignore, block);

fn room_message(room: RoomId) -> proto::RoomId {
    proto::RoomId {
        id: room.bytes().to_vec(),
    }
}

fn person_message(person: IdentityId) -> proto::PersonId {
    proto::PersonId {
        id: person.bytes().to_vec(),
    }
}

fn hello_from(hello: proto::Hello) -> Result<Hello, Malformed> {
    let last_session = match hello.last_session.as_slice() {
        [] => None,
        bytes => Some(SessionId::from_slice(bytes).ok_or(Malformed("last_session"))?),
    };
    let device = match hello.device.as_slice() {
        [] => None,
        bytes => Some(DeviceKey::from_slice(bytes).ok_or(Malformed("device"))?),
    };
    Ok(Hello {
        protocol_min: hello.protocol_min,
        protocol_max: hello.protocol_max,
        features: hello.features,
        device,
        device_name: hello.device_name,
        name: hello.name,
        last_session,
        instance: InstanceId::from_slice(&hello.instance).ok_or(Malformed("instance"))?,
        locale: hello.locale,
        agent: hello.agent,
    })
}

fn hello_to(hello: &Hello) -> proto::Hello {
    proto::Hello {
        protocol_min: hello.protocol_min,
        protocol_max: hello.protocol_max,
        features: hello.features.clone(),
        device: hello
            .device
            .map(|key| key.bytes().to_vec())
            .unwrap_or_default(),
        device_name: hello.device_name.clone(),
        // Used only in version 1.
        secret: Vec::new(),
        name: hello.name.clone(),
        last_session: hello
            .last_session
            .map(|id| id.bytes().to_vec())
            .unwrap_or_default(),
        instance: hello.instance.bytes().to_vec(),
        locale: hello.locale.clone(),
        agent: hello.agent.clone(),
    }
}

fn sign_in_from(sign_in: proto::SignIn) -> Result<SignIn, Malformed> {
    let former = match sign_in.former {
        None => None,
        Some(it) => Some(FormerProof {
            hint: it.hint.try_into().map_err(|_| Malformed("hint"))?,
            mac: it.mac.try_into().map_err(|_| Malformed("mac"))?,
        }),
    };
    let invite = match sign_in.invite.as_slice() {
        [] => None,
        bytes => Some(Invite::from_slice(bytes).ok_or(Malformed("invite"))?),
    };
    Ok(SignIn {
        signature: sign_in.signature,
        former,
        invite,
    })
}

fn sign_in_to(sign_in: &SignIn) -> proto::SignIn {
    proto::SignIn {
        signature: sign_in.signature.clone(),
        former: sign_in.former.map(|it| proto::FormerProof {
            hint: it.hint.to_vec(),
            mac: it.mac.to_vec(),
        }),
        invite: sign_in
            .invite
            .map(|invite| invite.bytes().to_vec())
            .unwrap_or_default(),
    }
}
