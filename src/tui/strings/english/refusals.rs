//! English: why a request was refused.

use crate::chat::RefusalCode;

pub(super) fn refusal(code: RefusalCode, [first, second]: [&str; 2]) -> &'static str {
    match code {
        RefusalCode::Malformed => {
            "the server did not understand '{0}'; one side may need a newer tchat"
        }
        RefusalCode::Protocol if second == "1" => {
            "the server is older than this tchat and must be updated first"
        }
        RefusalCode::Protocol => {
            "this tchat is too old for the server (it uses protocol {1}); update tchat"
        }
        RefusalCode::NameTaken if second.is_empty() => "the name {0} is taken",
        RefusalCode::NameTaken => "the name {0} is taken; {1} is free",
        RefusalCode::NumberTaken => "the number {0} is taken",
        RefusalCode::NameInvalid => match second {
            "empty" => "a name needs at least one letter or digit",
            "length" => "a name can have at most 32 characters",
            _ => "'{0}' is not a valid name: use letters and digits of any script, _ - and .",
        },
        RefusalCode::NameReserved if second == "operator" => {
            "'{0}' is the name of an operator of this server; choose another name, or ask the owner for an invitation"
        }
        RefusalCode::NameReserved => "'{0}' is reserved; choose another name",
        RefusalCode::RoomUnknown => "there is no room '{0}'; /rooms lists them",
        RefusalCode::RoomFull => "#{0} is full ({1} of {2}); try again when someone has left",
        RefusalCode::NotAMember => "you are not in this room; /join it first",
        RefusalCode::PersonUnknown => "nobody here is named {0}",
        RefusalCode::PersonAmbiguous => {
            "several people have used the name {0}, and none is here now"
        }
        RefusalCode::ToSelf => "that is you",
        RefusalCode::BodyEmpty => "there is nothing to send",
        RefusalCode::BodyTooLong => "too long: {0} bytes, the limit is {1}",
        RefusalCode::BodyTooManyLines => "too many lines: {0}, the limit is {1}",
        RefusalCode::BodyControl => "the control character {0} is not allowed",
        RefusalCode::RateLimited => "too many messages at once",
        RefusalCode::AfterRefused => "an earlier message must be sent first",
        RefusalCode::Draining => "the server is shutting down",
        RefusalCode::EpochChanged => "the room's history was replaced",
        RefusalCode::Unauthenticated => unauthenticated(first),
        RefusalCode::InviteNeeded => {
            "this server is invite only; ask for an invitation link, then run `tchat join` and paste it"
        }
        RefusalCode::InviteInvalid => {
            "the invitation in the link has expired, has been used up or was revoked; ask for a new link"
        }
        RefusalCode::RegistrationClosed => "registration is closed on this server",
        RefusalCode::TooManyRooms => "you are already in {0} rooms, which is the limit",
        RefusalCode::CannotLeave => "everyone starts in this room; it cannot be left or closed",
        RefusalCode::StorageFull => "the server's disk is full",
        RefusalCode::PersonGone => {
            "this person used an old client and has left; they cannot be reached"
        }
        RefusalCode::NotAllowed => not_allowed(first, second),
        RefusalCode::Outranked => "{0} has the same role as you here, or a higher one",
        RefusalCode::Muted if first.is_empty() => "you are muted in this room",
        RefusalCode::Muted => "you are muted in this room until {0}",
        RefusalCode::Banned if second.is_empty() => "you are banned from #{0}",
        RefusalCode::Banned => "you are banned from #{0} until {1}",
        RefusalCode::NotInvited => "#{0} is invite only; ask one of its moderators",
        RefusalCode::NoEffect => "that changes nothing for {0}",
        RefusalCode::Word => "'{0}' is not allowed on this server",
        RefusalCode::TooMany => too_many(first),
        RefusalCode::SlowMode => {
            "slow mode allows one message every {1} s here; you can write again in {0} s"
        }
        RefusalCode::ReadOnly => "only moderators can write in #{0}",
        RefusalCode::NotAccepting
        | RefusalCode::RequestPending
        | RefusalCode::RequestsFull
        | RefusalCode::PersonBlocked => not_reachable(code),
        RefusalCode::ServerBanned => match (first.is_empty(), second.is_empty()) {
            (true, true) => "you are banned from this server",
            (true, false) => "you are banned from this server: {1}",
            (false, true) => "you are banned from this server until {0}",
            (false, false) => "you are banned from this server until {0}: {1}",
        },
        RefusalCode::LimitReached => limit_reached(first),
        RefusalCode::RoomExists => "there is already a room #{0}, or one that looks like it",
        RefusalCode::RoomNameInvalid => match second {
            "empty" => "a room name needs at least one letter or digit",
            "length" => "a room name can have at most 64 characters",
            _ => "'{0}' is not a valid room name: use letters and digits of any script, _ - and .",
        },
        RefusalCode::TooLong if first == "slow" => "slow mode can be at most 6 hours",
        RefusalCode::TooLong => "the {0} is too long: {1} characters, the limit is {2}",
        RefusalCode::TargetUnknown => "that message no longer exists",
        RefusalCode::NotYours => "you can only edit your own messages",
        RefusalCode::EmojiInvalid => "that is not a single emoji",
        RefusalCode::TooManyReactions => "that message cannot have any more reactions",
        RefusalCode::RoomClosed => "#{0} was closed",
        RefusalCode::Offline => "you are not connected",
        RefusalCode::Unknown => {
            "the server refused it for a reason this version of tchat does not know"
        }
    }
}

/// Which role something in a room needs.
fn not_allowed(what: &str, role: &str) -> &'static str {
    match (what, role) {
        ("topic", "moderator") => "only moderators of this room can set the topic",
        ("rules", "moderator") => "only moderators of this room can change who can write",
        ("log", "moderator") => "only moderators of this room can see this",
        ("invite", "moderator") => "only moderators of this room can invite people",
        ("kick", "moderator") => "only moderators of this room can remove people",
        ("ban", "moderator") => "only moderators of this room can ban people",
        ("mute", "moderator") => "only moderators of this room can mute people",
        ("role", "owner") => "only owners of this room can appoint moderators",
        ("erase", "moderator") => "only moderators of this room can delete others' messages",
        ("close", "owner") => "only owners of this room can close it",
        _ => "this needs the permission '{0}', which every {1} of this room has",
    }
}

/// Why a person cannot be written to.
const fn not_reachable(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::NotAccepting => "{0} does not accept your messages and invitations",
        RefusalCode::RequestPending => {
            "{0} has not accepted your first message yet; you can write more once they do"
        }
        RefusalCode::RequestsFull => {
            "{0} already has {1} unanswered message requests, which is the limit; try again later"
        }
        _ => "you have blocked {0}; to write to them, type /unblock {0} first",
    }
}

/// Why a sign-in failed.
fn unauthenticated(why: &str) -> &'static str {
    match why {
        "clear_text" => {
            "the server does not allow sign-in without encryption; connect without --insecure"
        }
        "owner" => {
            "this account owns rooms; sign in once on the server's own machine, then it works from here too"
        }
        "revoked" => {
            "this device was removed from its account; add it again with a link from another device, or ask an admin of the server"
        }
        _ => {
            "the server could not verify this device; another program may be between you and the server"
        }
    }
}

/// What there is too much of.
fn too_many(what: &str) -> &'static str {
    match what {
        "ignored" => "you already ignore {1} people, which is the limit",
        "devices" => "this account already has {1} devices; remove one with /devices first",
        "sessions" => "this account already has {1} sessions, which is the limit",
        "renames" => "you can change your name {1} times a day",
        _ => "you can have at most {1} keywords",
    }
}

/// Which limit of the server is reached.
fn limit_reached(limit: &str) -> &'static str {
    match limit {
        "accounts_per_address" => {
            "{1} accounts an hour can be created from one address, which is the limit; an invitation has no such limit"
        }
        "accounts" | "accounts_on_loopback" => {
            "{1} accounts an hour can be created on this server, which is the limit"
        }
        "failed_invites" => {
            "{1} invalid invitations an hour are accepted from one address, which is the limit"
        }
        "sessions_in_all" => "the server is full: it has {1} sessions",
        "stranger_mib" => "{1} MiB a day can be sent without an invitation from one address",
        "topics" => "you can set {1} topics a minute",
        "statuses" => "you can change your status {1} times a minute",
        "reactions" => "you can react {1} times a minute",
        "rooms_owned" => "you already own {1} rooms, which is the limit; close one first",
        "rooms" => "the server already has {1} rooms, which is the limit",
        "conversations" => "you can start {1} private conversations an hour",
        "searches" | "searches_at_once" => "you are searching too often",
        _ => "that is too often: the server's limit '{0}' is {1}",
    }
}
