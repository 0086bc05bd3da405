//! Refusals: codes with arguments. The client has the words.

use std::time::Duration;

/// Why something was not done. `frames.proto` names the arguments of each code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RefusalCode {
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
    /// Made by a bridge whose protocol numbers people, for its own client alone: somebody else has the number.
    NumberTaken,
    /// Made by the client itself: there is no link, and this cannot wait for one.
    Offline,
    /// A code this version does not know.
    Unknown,
}

/// Code points of an argument; what somebody sent is not sent back at any length.
const ARGUMENT: usize = 128;

/// A request or post that was not done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub code: RefusalCode,
    pub arguments: Vec<String>,
    /// The same thing may be sent again after this long; absent: never as it is.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    pub fn new(code: RefusalCode) -> Self {
        Self {
            code,
            arguments: Vec::new(),
            retry_after: None,
        }
    }

    /// Adds an argument for the words of the code.
    #[must_use]
    #[allow(clippy::needless_pass_by_value)] // References and values both read well at the call.
    pub fn with(mut self, argument: impl std::fmt::Display) -> Self {
        self.arguments
            .push(argument.to_string().chars().take(ARGUMENT).collect());
        self
    }

    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }
}
