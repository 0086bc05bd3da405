//! English: why something was refused.

use crate::chat::RefusalCode;

pub(super) fn refusal(code: RefusalCode, [first, second]: [&str; 2]) -> &'static str {
    match code {
        RefusalCode::Malformed => {
            "the server did not understand '{0}'; one of both may need a newer tchat"
        }
        RefusalCode::Protocol => {
            "the server speaks protocol {0} to {1}; a newer tchat is needed on one side"
        }
        RefusalCode::NameTaken if second.is_empty() => "somebody here is called {0} already",
        RefusalCode::NameTaken => "somebody here is called {0} already; {1} is free",
        RefusalCode::NumberTaken => "somebody here has the number {0} already",
        RefusalCode::NameInvalid => match second {
            "empty" => "a name has at least one letter or digit",
            "length" => "a name has at most 32 characters",
            _ => "'{0}' is no name: letters and digits of any script, _ - and . are allowed",
        },
        RefusalCode::NameReserved => "'{0}' is kept for tchat's own use; take another name",
        RefusalCode::RoomUnknown => "there is no room '{0}'; /rooms lists them",
        RefusalCode::RoomFull => "#{0} is full ({1} of {2}); try again when somebody has left",
        RefusalCode::NotAMember => "you are not in this room; /join it first",
        RefusalCode::PersonUnknown => "nobody here is called {0}",
        RefusalCode::PersonAmbiguous => "more than one person was called {0}, and none is here now",
        RefusalCode::ToSelf => "that is you",
        RefusalCode::BodyEmpty => "there is nothing to send",
        RefusalCode::BodyTooLong => "too long: {0} of {1} bytes",
        RefusalCode::BodyTooManyLines => "too many lines: {0} of {1}",
        RefusalCode::BodyControl => "the control character {0} cannot stand there",
        RefusalCode::RateLimited => "too many messages at once",
        RefusalCode::AfterRefused => "an earlier message has to go first",
        RefusalCode::Draining => "the server is restarting",
        RefusalCode::EpochChanged => "the room's history was replaced",
        RefusalCode::Unauthenticated => "the server does not know us",
        RefusalCode::TooManyRooms => "you are in {0} rooms, and no more are allowed",
        RefusalCode::CannotLeave => {
            "everybody starts in this room, and it can be neither left nor closed"
        }
        RefusalCode::StorageFull => "the server's disk is full",
        RefusalCode::PersonGone => "they have left for good: they came with an old client",
        RefusalCode::NotAllowed => match (first, second) {
            ("topic", "moderator") => "setting the topic needs a moderator of this room",
            ("invite", "moderator") => "inviting somebody here needs a moderator of this room",
            ("kick", "moderator") => "removing somebody needs a moderator of this room",
            ("ban", "moderator") => "banning somebody needs a moderator of this room",
            ("mute", "moderator") => "muting somebody needs a moderator of this room",
            ("role", "owner") => "making moderators needs an owner of this room",
            ("erase", "moderator") => "deleting what others said needs a moderator of this room",
            ("close", "owner") => "closing this room needs an owner of it",
            _ => "this needs the right '{0}', which a {1} of this room has",
        },
        RefusalCode::Outranked => "{0} has the same role here as you, or a higher one",
        RefusalCode::Muted if first.is_empty() => "you are muted in this room",
        RefusalCode::Muted => "you are muted in this room until {0}",
        RefusalCode::Banned if second.is_empty() => "you are banned from #{0}",
        RefusalCode::Banned => "you are banned from #{0} until {1}",
        RefusalCode::NotInvited => "#{0} needs an invitation; ask one of its moderators",
        RefusalCode::NoEffect => "it changes nothing for {0}",
        RefusalCode::Word => "'{0}' is not said on this server",
        RefusalCode::TooMany if first == "ignored" => {
            "you ignore {1} people already, and no more are allowed"
        }
        RefusalCode::TooMany => "at most {1} words are looked for",
        RefusalCode::RoomExists => "there is a room #{0}, or one that looks like it",
        RefusalCode::RoomNameInvalid => match second {
            "empty" => "a room's name has at least one letter or digit",
            "length" => "a room's name has at most 64 characters",
            _ => {
                "'{0}' is no name of a room: letters and digits of any script, _ - and . are allowed"
            }
        },
        RefusalCode::TooLong => "the {0} is too long: {1} of {2} characters",
        RefusalCode::TargetUnknown => "that message is not there any more",
        RefusalCode::NotYours => "only your own messages can be edited",
        RefusalCode::EmojiInvalid => "that is not one emoji",
        RefusalCode::TooManyReactions => "that message has as many reactions as one may have",
        RefusalCode::RoomClosed => "#{0} was closed",
        RefusalCode::Offline => "there is no connection now",
        RefusalCode::Unknown => "the server refused it for a reason this tchat does not know",
    }
}
