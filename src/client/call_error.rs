//! Why a unary call failed: the server's status as a value that the interface can turn into a message.

use tonic::{Code, Status};

use crate::chat::Refusal;
use crate::wire::limit_refusal;

/// Why the server did not carry out a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallError {
    /// Our role on the server is too low.
    NotAllowed,
    /// There are too many already.
    TooMany,
    /// A limit of the server is reached.
    Limited(Refusal),
    Missing(Missing),
    /// The room does not allow it: it is the one where everyone starts, or the account is not in it.
    RoomRefuses,
    /// It would leave the server without an owner.
    LastOwner,
    /// The name is taken or looks like one that is.
    NameTaken(String),
    /// A value is out of range, or is not a name.
    Invalid,
    /// The server is older and does not know this call.
    TooOld,
    /// There is no connection.
    Offline,
    /// The server did not carry it out now: it is busy, its disk is full, or the connection broke.
    Busy,
}

/// What does not exist, by the name or id that was given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Missing {
    Invite(String),
    Account(String),
    Device(String),
    /// Nobody with this name is connected.
    Session(String),
    /// A public room, or the message or account in it.
    PublicRoom,
    /// One of the given rooms, or a room that we may not add people to.
    Room,
}

impl CallError {
    /// Returns the error for the status of a call. `missing` is what `NOT_FOUND` means for it; `name` is the name that
    /// was requested.
    pub(super) fn about(status: &Status, missing: Option<Missing>, name: &str) -> Self {
        if let Some(refusal) = limit_refusal(status) {
            return Self::Limited(refusal);
        }
        match status.code() {
            Code::PermissionDenied => Self::NotAllowed,
            Code::ResourceExhausted => Self::TooMany,
            Code::InvalidArgument => Self::Invalid,
            Code::FailedPrecondition => Self::LastOwner,
            Code::AlreadyExists => Self::NameTaken(name.to_owned()),
            Code::Unimplemented => Self::TooOld,
            Code::NotFound => missing.map_or(Self::Busy, Self::Missing),
            _ => Self::Busy,
        }
    }
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        Self::about(&status, None, "")
    }
}
