//! Converts the parts of frames: ids, cursors, people, rooms, entries and refusals.

use std::time::Duration;

use prost::Message as _;

use super::proto;
use crate::chat::{
    Author, ClientId, Cursor, Digest, Epoch, IdentityId, InstanceId, LastMessage, Person, Presence,
    Refusal, RefusalCode, RequestDirection, Role, RoomId, RoomInfo, RoomKind, RoomRules, Seq, Via,
};

/// A frame that breaks the rules of `chat.proto`, with the name of the wrong field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("'{0}' is missing or malformed")]
pub struct Malformed(pub &'static str);

pub(super) fn room_id(bytes: &[u8]) -> Result<RoomId, Malformed> {
    RoomId::from_slice(bytes).ok_or(Malformed("room"))
}

pub(super) fn epoch(bytes: &[u8]) -> Result<Epoch, Malformed> {
    Epoch::from_slice(bytes).ok_or(Malformed("epoch"))
}

pub(super) fn identity(bytes: &[u8]) -> Result<IdentityId, Malformed> {
    IdentityId::from_slice(bytes).ok_or(Malformed("identity"))
}

pub(super) fn client_id_from(id: &proto::ClientId) -> Result<ClientId, Malformed> {
    let instance = InstanceId::from_slice(&id.instance).ok_or(Malformed("instance"))?;
    // The store's integers are signed; a larger number would not come back unchanged.
    if id.counter == 0 || i64::try_from(id.counter).is_err() {
        Err(Malformed("counter"))
    } else {
        Ok(ClientId {
            instance,
            counter: id.counter,
        })
    }
}

pub(super) fn client_id_to(id: ClientId) -> proto::ClientId {
    proto::ClientId {
        instance: id.instance.bytes().to_vec(),
        counter: id.counter,
    }
}

pub(super) fn cursor_from(cursor: &proto::Cursor) -> Result<Option<Cursor>, Malformed> {
    if cursor.seq == 0 {
        return Ok(None);
    }
    let digest = match cursor.digest.as_slice() {
        [] => None,
        bytes => Some(Digest::from_slice(bytes).ok_or(Malformed("digest"))?),
    };
    Ok(Some(Cursor {
        epoch: epoch(&cursor.epoch)?,
        seq: Seq(cursor.seq),
        digest,
    }))
}

pub(super) fn cursor_to(cursor: &Cursor) -> proto::Cursor {
    proto::Cursor {
        epoch: cursor.epoch.bytes().to_vec(),
        seq: cursor.seq.0,
        digest: cursor
            .digest
            .map(|digest| digest.0.to_vec())
            .unwrap_or_default(),
    }
}

pub(super) fn author_from(author: Option<proto::Author>) -> Result<Author, Malformed> {
    let author = author.ok_or(Malformed("author"))?;
    Ok(Author {
        id: identity(&author.id)?,
        name: author.name,
    })
}

pub(super) fn author_to(author: &Author) -> proto::Author {
    proto::Author {
        id: author.id.bytes().to_vec(),
        name: author.name.clone(),
    }
}

pub(super) fn role_from(role: proto::Role) -> Role {
    match role {
        proto::Role::Owner => Role::Owner,
        proto::Role::Moderator => Role::Moderator,
        proto::Role::Member | proto::Role::Unspecified => Role::Member,
    }
}

pub(super) fn role_to(role: Role) -> proto::Role {
    match role {
        Role::Member => proto::Role::Member,
        Role::Moderator => proto::Role::Moderator,
        Role::Owner => proto::Role::Owner,
    }
}

pub(super) fn room_kind_from(kind: proto::room_info::Kind) -> Result<RoomKind, Malformed> {
    use proto::room_info::Kind;
    match kind {
        Kind::Public => Ok(RoomKind::Public),
        Kind::Private => Ok(RoomKind::Private),
        Kind::Secret => Ok(RoomKind::Secret),
        Kind::Conversation => Ok(RoomKind::Conversation),
        Kind::Unspecified => Err(Malformed("kind")),
    }
}

pub(super) fn room_kind_to(kind: RoomKind) -> proto::room_info::Kind {
    use proto::room_info::Kind;
    match kind {
        RoomKind::Public => Kind::Public,
        RoomKind::Private => Kind::Private,
        RoomKind::Secret => Kind::Secret,
        RoomKind::Conversation => Kind::Conversation,
    }
}

fn request_from(request: proto::room_info::Request) -> Option<RequestDirection> {
    use proto::room_info::Request;
    match request {
        Request::Unspecified => None,
        Request::Incoming => Some(RequestDirection::Incoming),
        Request::Outgoing => Some(RequestDirection::Outgoing),
    }
}

fn request_to(request: Option<RequestDirection>) -> proto::room_info::Request {
    use proto::room_info::Request;
    match request {
        None => Request::Unspecified,
        Some(RequestDirection::Incoming) => Request::Incoming,
        Some(RequestDirection::Outgoing) => Request::Outgoing,
    }
}

/// Converts a message to a room.
///
/// # Errors
/// A field is missing or malformed; the error names it.
pub fn room_from(room: proto::RoomInfo) -> Result<RoomInfo, Malformed> {
    let role = room.role();
    let has_role = role != proto::Role::Unspecified;
    let request = request_from(room.request());
    Ok(RoomInfo {
        kind: room_kind_from(room.kind())?,
        role: has_role.then(|| role_from(role)),
        id: room_id(&room.id)?,
        name: room.name,
        topic: room.topic,
        capacity: room.capacity,
        present: room.present,
        request,
        rules: RoomRules {
            slow_s: room.slow_s,
            is_read_only: room.read_only,
        },
        peer: room.peer.map(|peer| author_from(Some(peer))).transpose()?,
        last: room.last.map(|last| LastMessage {
            author: last.author,
            text: last.text,
            at_ms: last.at_ms,
        }),
    })
}

pub fn room_to(room: &RoomInfo) -> proto::RoomInfo {
    let role = room.role.map_or(proto::Role::Unspecified, role_to);
    proto::RoomInfo {
        id: room.id.bytes().to_vec(),
        kind: room_kind_to(room.kind).into(),
        role: role.into(),
        last: room.last.as_ref().map(|last| proto::LastLine {
            author: last.author.clone(),
            text: last.text.clone(),
            at_ms: last.at_ms,
        }),
        name: room.name.clone(),
        topic: room.topic.clone(),
        capacity: room.capacity,
        present: room.present,
        peer: room.peer.as_ref().map(author_to),
        request: request_to(room.request).into(),
        slow_s: room.rules.slow_s,
        read_only: room.rules.is_read_only,
    }
}

pub(super) fn person_from(person: proto::Person) -> Result<Person, Malformed> {
    let presence = match person.presence() {
        proto::Presence::Waiting => Presence::Waiting,
        proto::Presence::Away => Presence::Away,
        proto::Presence::Offline => Presence::Offline,
        proto::Presence::Online | proto::Presence::Unspecified => Presence::Online,
    };
    let role = role_from(person.role());
    let via = via_from(person.via());
    Ok(Person {
        via,
        id: identity(&person.id)?,
        name: person.name,
        presence,
        role,
        status: person.status,
    })
}

pub(super) fn via_from(via: proto::Via) -> Via {
    match via {
        proto::Via::Unspecified => Via::Tchat,
        proto::Via::User => Via::User,
        proto::Via::Gochat => Via::Gochat,
        proto::Via::Chat => Via::Chat,
        proto::Via::Service => Via::Service,
        proto::Via::Websocket => Via::WebSocket,
    }
}

pub(super) fn via_to(via: Via) -> proto::Via {
    match via {
        Via::Tchat => proto::Via::Unspecified,
        Via::User => proto::Via::User,
        Via::Gochat => proto::Via::Gochat,
        Via::Chat => proto::Via::Chat,
        Via::Service => proto::Via::Service,
        Via::WebSocket => proto::Via::Websocket,
    }
}

pub(super) fn person_to(person: &Person) -> proto::Person {
    let presence = match person.presence {
        Presence::Online => proto::Presence::Online,
        Presence::Away => proto::Presence::Away,
        Presence::Waiting => proto::Presence::Waiting,
        Presence::Offline => proto::Presence::Offline,
    };
    let role = role_to(person.role);
    let via = via_to(person.via);
    proto::Person {
        via: via.into(),
        id: person.id.bytes().to_vec(),
        name: person.name.clone(),
        presence: presence.into(),
        role: role.into(),
        status: person.status.clone(),
    }
}

/// Converts refusal codes in both directions from one table.
macro_rules! codes {
    ($($name:ident),* $(,)?) => {
        fn code_to(code: RefusalCode) -> proto::RefusalCode {
            match code {
                $(RefusalCode::$name => proto::RefusalCode::$name,)*
                // The first two are never sent: only bridges identify people by number, and `Offline` means that there is no server to send to.
                RefusalCode::NumberTaken | RefusalCode::Offline | RefusalCode::Unknown => {
                    proto::RefusalCode::Unspecified
                }
            }
        }

        fn code_from(code: proto::RefusalCode) -> RefusalCode {
            match code {
                $(proto::RefusalCode::$name => RefusalCode::$name,)*
                proto::RefusalCode::Unspecified => RefusalCode::Unknown,
            }
        }
    };
}

codes!(
    Malformed,
    Protocol,
    NameTaken,
    NameInvalid,
    NameReserved,
    RoomUnknown,
    RoomFull,
    NotAMember,
    PersonUnknown,
    PersonAmbiguous,
    ToSelf,
    BodyEmpty,
    BodyTooLong,
    BodyTooManyLines,
    BodyControl,
    RateLimited,
    AfterRefused,
    Draining,
    EpochChanged,
    Unauthenticated,
    TooManyRooms,
    CannotLeave,
    StorageFull,
    PersonGone,
    NotAllowed,
    Outranked,
    Muted,
    Banned,
    NotInvited,
    NoEffect,
    RoomExists,
    RoomNameInvalid,
    TooLong,
    RoomClosed,
    TargetUnknown,
    NotYours,
    EmojiInvalid,
    TooManyReactions,
    Word,
    TooMany,
    InviteNeeded,
    InviteInvalid,
    RegistrationClosed,
    LimitReached,
    ServerBanned,
    SlowMode,
    ReadOnly,
    NotAccepting,
    RequestPending,
    RequestsFull,
    PersonBlocked,
);

pub fn refusal_to(request: u64, client_id: Option<ClientId>, refusal: &Refusal) -> proto::Refused {
    proto::Refused {
        request,
        client_id: client_id.map(client_id_to),
        code: code_to(refusal.code).into(),
        arguments: refusal.arguments.clone(),
        retry_after_ms: refusal.retry_after.map(millis).unwrap_or_default(),
    }
}

pub fn refusal_from(refused: proto::Refused) -> Refusal {
    Refusal {
        code: code_from(refused.code()),
        retry_after: duration(refused.retry_after_ms),
        arguments: refused.arguments,
    }
}

/// Encodes a refusal, so that a later version can read it as well.
pub fn refusal_to_bytes(refusal: &Refusal) -> Vec<u8> {
    refusal_to(0, None, refusal).encode_to_vec()
}

/// Decodes a refusal. Unreadable bytes become a refusal with a code that this version does not know.
pub fn refusal_from_bytes(bytes: &[u8]) -> Refusal {
    refusal_from(proto::Refused::decode(bytes).unwrap_or_default())
}

/// Returns a duration in milliseconds as it is sent: at least 1, because 0 means "none".
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .max(1)
}

pub(super) fn duration(ms: u64) -> Option<Duration> {
    (ms > 0).then(|| Duration::from_millis(ms))
}
