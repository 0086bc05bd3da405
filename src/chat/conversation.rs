//! Private conversations of two people, and their status for each of them.

use super::{ClientId, IdentityId};

/// The status of a private conversation for one of its two people.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum ConversationStatus {
    /// Listed among their conversations.
    #[default]
    Open,
    /// A stranger opened it and has not written yet. Not listed.
    Unsent,
    /// A stranger has written one message. It is listed as a request, until this person answers.
    Request,
    /// This person declined the request. Not listed, and the other one may not write.
    Declined,
    /// This person left it. Not listed, until they open it again or the other one writes.
    Left,
}

impl ConversationStatus {
    /// Returns its number in the store. It never changes.
    pub const fn number(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Unsent => 1,
            Self::Request => 2,
            Self::Declined => 3,
            Self::Left => 4,
        }
    }

    /// Returns the status with a number. A damaged one is a request, which hides nothing and notifies nobody.
    pub fn from_number(number: Option<u64>) -> Self {
        match number {
            Some(0) => Self::Open,
            Some(1) => Self::Unsent,
            Some(3) => Self::Declined,
            Some(4) => Self::Left,
            _ => Self::Request,
        }
    }

    /// Whether the person has not answered the stranger who opened the conversation, or has declined.
    pub const fn is_unanswered(self) -> bool {
        matches!(self, Self::Unsent | Self::Request | Self::Declined)
    }
}

/// One of the two people of a private conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConversationSide {
    pub person: IdentityId,
    pub status: ConversationStatus,
    /// The post of the other person that is the request.
    pub request: Option<ClientId>,
    /// Whether this person blocks the other one.
    pub blocks: bool,
}

/// A request in a conversation, as one of the two people sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RequestDirection {
    /// This person has not answered it.
    Incoming,
    /// The other person has not accepted it.
    Outgoing,
}

/// The answer to the request of a stranger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestAnswer {
    Accept,
    Decline,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_stored_as_its_number() {
        use ConversationStatus::{Declined, Left, Open, Request, Unsent};
        for status in [Open, Unsent, Request, Declined, Left] {
            let number = Some(u64::from(status.number()));
            assert_eq!(ConversationStatus::from_number(number), status);
        }
        assert_eq!(ConversationStatus::from_number(None), Request);
        assert_eq!(ConversationStatus::from_number(Some(99)), Request);
    }
}
