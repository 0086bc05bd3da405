//! The frames of the protocol as plain values: requests in one direction, events in the other.

use std::time::Duration;

use crate::chat::{
    Author, Body, ClientId, Cursor, DeviceKey, Entry, Epoch, FollowResult, FormerProof, IdentityId,
    InstanceId, Invite, Level, Limits, NewRoom, Person, Profile, Recipient, Refusal, RequestAnswer,
    RoomId, RoomInfo, Seq, ServerId, SessionId, SessionToken, Settings, Status, Unread,
};

/// The protocol version of this program.
pub const PROTOCOL: u32 = 2;

/// A request with the number that its answer will carry; 0: no answer is wanted.
#[derive(Clone, PartialEq, Debug)]
pub struct RequestFrame {
    pub request: u64,
    pub what: Request,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Request {
    Hello(Hello),
    SignIn(SignIn),
    Join(JoinTarget),
    Leave(RoomId),
    Follow {
        room: RoomId,
        cursor: Option<Cursor>,
    },
    Unfollow(RoomId),
    Post {
        client_id: ClientId,
        to: Recipient,
        body: Body,
    },
    SetName(String),
    Open(PersonTarget),
    Create(NewRoom),
    MarkRead {
        room: RoomId,
        epoch: Epoch,
        seq: Seq,
    },
    SetStatus(Status),
    Typing(RoomId),
    Whois(PersonTarget),
    Ignore {
        who: PersonTarget,
        is_on: bool,
    },
    Block {
        who: PersonTarget,
        is_on: bool,
    },
    AnswerRequest {
        room: RoomId,
        answer: RequestAnswer,
    },
    SetLevel {
        room: RoomId,
        /// Absent: the default level for this kind of room.
        level: Option<Level>,
    },
    SetKeywords(Vec<String>),
    Ping,
    Bye,
    /// A request from a later version, which this version cannot handle.
    Unknown,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Hello {
    pub protocol_min: u32,
    pub protocol_max: u32,
    pub features: Vec<String>,
    /// Absent in protocol version 1.
    pub device: Option<DeviceKey>,
    /// What the person calls the device.
    pub device_name: String,
    pub name: String,
    pub last_session: Option<SessionId>,
    pub instance: InstanceId,
    pub locale: String,
    pub agent: String,
}

/// The answer to a challenge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignIn {
    /// The device's signature, not verified yet.
    pub signature: Vec<u8>,
    /// Proves that a device which the server does not know yet belongs to an account from version 1.
    pub former: Option<FormerProof>,
    /// The invitation of a device that the server does not know yet.
    pub invite: Option<Invite>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum JoinTarget {
    Room(RoomId),
    Name(String),
}

#[derive(Clone, PartialEq, Debug)]
pub enum PersonTarget {
    Person(IdentityId),
    Name(String),
}

#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// What the device has to sign.
    Challenge {
        nonce: [u8; 32],
        server_id: ServerId,
    },
    Welcome(Welcome),
    Followed {
        request: u64,
        room: RoomId,
        epoch: Epoch,
        first: Seq,
        last: Seq,
        result: FollowResult,
        unread: Unread,
    },
    Gap {
        room: RoomId,
        from: Seq,
        to: Seq,
    },
    Unfollowed {
        request: u64,
        room: RoomId,
        why: UnfollowReason,
    },
    Entry(Entry),
    Accepted {
        client_id: ClientId,
        room: RoomId,
        epoch: Epoch,
        seq: Option<Seq>,
    },
    Refused {
        request: u64,
        client_id: Option<ClientId>,
        refusal: Refusal,
    },
    RoomChanged {
        request: u64,
        room: RoomInfo,
    },
    RosterPage {
        room: RoomId,
        is_first: bool,
        is_last: bool,
        people: Vec<Person>,
        count: u32,
    },
    RosterDelta {
        room: RoomId,
        updated: Vec<Person>,
        removed: Vec<IdentityId>,
        count: u32,
    },
    NameChanged {
        request: u64,
        you: Author,
    },
    ReadPositionChanged {
        request: u64,
        room: RoomId,
        epoch: Epoch,
        /// The counts are as of this entry.
        last: Seq,
        unread: Unread,
    },
    StatusChanged {
        request: u64,
        status: Status,
    },
    Typing {
        room: RoomId,
        person: IdentityId,
    },
    Profile {
        request: u64,
        profile: Profile,
    },
    SettingsChanged {
        request: u64,
        settings: Settings,
    },
    Invitation {
        room: RoomInfo,
        by: Option<Author>,
    },
    /// Another device was added to the account.
    DeviceAdded {
        name: String,
        from: String,
    },
    Pong {
        request: u64,
        now_ms: u64,
        heads: Vec<Head>,
    },
    Goodbye(Goodbye),
    /// An event from a later version; it is skipped.
    Unknown,
}

/// The last entry of a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    pub room: RoomId,
    pub epoch: Epoch,
    pub last: Seq,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Welcome {
    pub session: SessionId,
    pub you: Author,
    pub server_id: ServerId,
    pub protocol: u32,
    pub features: Vec<String>,
    pub limits: Limits,
    pub now_ms: u64,
    pub rooms: Vec<RoomInfo>,
    pub settings: Settings,
    pub status: Status,
    /// The bearer token for calls outside the stream.
    pub token: SessionToken,
}

/// Why a room is no longer followed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UnfollowReason {
    Requested,
    Left,
    Kicked {
        by: String,
        reason: String,
    },
    Banned {
        by: String,
        reason: String,
    },
    /// The room was closed.
    Closed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Goodbye {
    pub reason: GoodbyeReason,
    pub action: GoodbyeAction,
    pub retry_after: Option<Duration>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GoodbyeReason {
    Bye,
    Draining,
    TooSlow,
    Malformed,
    Refused,
    /// The device was revoked, or the account was removed.
    Revoked,
    /// The account was banned from the server.
    Banned,
    /// An administrator ended the session.
    Kicked,
    Unknown,
}

/// What the client should do after a goodbye.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GoodbyeAction {
    Resume,
    Reconnect,
    Stop,
}
