//! Refusals: codes with arguments. Each client shows them in its own words.

use std::time::Duration;

/// Why a request or post was refused. `frames.proto` lists the arguments of each code.
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
    InviteNeeded,
    InviteInvalid,
    RegistrationClosed,
    LimitReached,
    /// The account, or the address of a new person, is banned from the server.
    ServerBanned,
    /// This person wrote a moment ago, and the room is in slow mode.
    SlowMode,
    /// Only moderators may write in the room.
    ReadOnly,
    /// The person does not accept messages or invitations of this one.
    NotAccepting,
    /// Nothing more may be written to this person before they accept the first message.
    RequestPending,
    /// The person has as many unanswered requests as they may have.
    RequestsFull,
    /// This person blocks the other one.
    PersonBlocked,
    /// Somebody else has the number. Only bridges whose protocols identify people by number create it, for their own clients.
    NumberTaken,
    /// Created by the client itself: there is no connection, and this request cannot wait for one.
    Offline,
    /// A code this version does not know.
    Unknown,
}

/// The maximum length of an argument, in code points, so that a refusal does not send long input back.
const ARGUMENT: usize = 128;

/// A request or post that was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub code: RefusalCode,
    pub arguments: Vec<String>,
    /// The time after which the same request may be sent again; absent if it is always refused unless it is changed.
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

    /// Adds an argument of the code.
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
