//! Converts events between the protocol's messages and [`Event`].

use super::entry::{entry_from, entry_to};
use super::frame::{Event, Goodbye, GoodbyeAction, GoodbyeReason, Head, UnfollowReason, Welcome};
use super::parts::{
    Malformed, author_from, author_to, client_id_from, client_id_to, duration, epoch, identity,
    millis, person_from, person_to, refusal_from, refusal_to, room_from, room_id, room_to,
};
use super::personal::{
    self, settings_from, settings_to, status_from, status_to, unread_from, unread_to,
};
use super::proto::{self, event::Kind, followed, goodbye, unfollowed};
use crate::chat::{FollowResult, Limits, Seq, ServerId, SessionId, SessionToken};

/// Converts a message to an event.
///
/// # Errors
/// A field is missing or malformed; the error names it.
pub fn event_from(event: proto::Event) -> Result<Event, Malformed> {
    let Some(kind) = event.kind else {
        return Ok(Event::Unknown);
    };
    Ok(match kind {
        Kind::Challenge(it) => Event::Challenge {
            nonce: it.nonce.try_into().map_err(|_| Malformed("nonce"))?,
            server_id: ServerId::from_slice(&it.server_id).ok_or(Malformed("server_id"))?,
        },
        Kind::Welcome(welcome) => Event::Welcome(welcome_from(welcome)?),
        Kind::Followed(it) => followed_from(&it)?,
        Kind::Gap(gap) => Event::Gap {
            room: room_id(&gap.room)?,
            from: Seq(gap.from),
            to: Seq(gap.to),
        },
        Kind::Unfollowed(it) => Event::Unfollowed {
            request: it.request,
            room: room_id(&it.room)?,
            why: why_from(it),
        },
        Kind::Entry(entry) => Event::Entry(entry_from(entry)?),
        Kind::Accepted(it) => Event::Accepted {
            client_id: client_id_from(it.client_id.as_ref().ok_or(Malformed("client_id"))?)?,
            room: room_id(&it.room)?,
            epoch: epoch(&it.epoch)?,
            seq: (it.seq > 0).then_some(Seq(it.seq)),
        },
        Kind::Refused(it) => Event::Refused {
            request: it.request,
            client_id: it.client_id.as_ref().map(client_id_from).transpose()?,
            refusal: refusal_from(it),
        },
        Kind::RoomChanged(it) => Event::RoomChanged {
            request: it.request,
            room: room_from(it.room.ok_or(Malformed("room"))?)?,
        },
        Kind::RosterPage(page) => roster_page_from(page)?,
        Kind::RosterDelta(delta) => roster_delta_from(delta)?,
        Kind::Named(named) => Event::NameChanged {
            request: named.request,
            you: author_from(named.you)?,
        },
        Kind::Pong(pong) => Event::Pong {
            request: pong.request,
            now_ms: pong.now_ms,
            heads: pong.heads.iter().map(head_from).collect::<Result<_, _>>()?,
        },
        Kind::Goodbye(bye) => Event::Goodbye(goodbye_from(&bye)),
        of_one => personal::event_from(of_one)?,
    })
}

pub fn event_to(event: &Event) -> proto::Event {
    let kind = match event {
        Event::Challenge { nonce, server_id } => Some(Kind::Challenge(proto::Challenge {
            nonce: nonce.to_vec(),
            server_id: server_id.bytes().to_vec(),
        })),
        Event::Welcome(welcome) => Some(Kind::Welcome(welcome_to(welcome))),
        Event::Followed { .. } | Event::Gap { .. } | Event::Unfollowed { .. } => {
            following_to(event)
        }
        Event::Entry(entry) => Some(Kind::Entry(entry_to(entry))),
        Event::Accepted {
            client_id,
            room,
            epoch,
            seq,
        } => Some(Kind::Accepted(proto::Accepted {
            client_id: Some(client_id_to(*client_id)),
            room: room.bytes().to_vec(),
            epoch: epoch.bytes().to_vec(),
            seq: seq.map_or(0, |seq| seq.0),
        })),
        Event::Refused {
            request,
            client_id,
            refusal,
        } => Some(Kind::Refused(refusal_to(*request, *client_id, refusal))),
        Event::RoomChanged { request, room } => Some(Kind::RoomChanged(proto::RoomChanged {
            request: *request,
            room: Some(room_to(room)),
        })),
        Event::RosterPage { .. } | Event::RosterDelta { .. } => roster_to(event),
        Event::NameChanged { request, you } => Some(Kind::Named(proto::Named {
            request: *request,
            you: Some(author_to(you)),
        })),
        Event::Pong {
            request,
            now_ms,
            heads,
        } => Some(Kind::Pong(proto::Pong {
            request: *request,
            now_ms: *now_ms,
            heads: heads.iter().map(head_to).collect(),
        })),
        Event::Goodbye(bye) => Some(Kind::Goodbye(goodbye_to(bye))),
        of_one => personal::event_to(of_one),
    };
    proto::Event { kind }
}

fn followed_from(it: &proto::Followed) -> Result<Event, Malformed> {
    Ok(Event::Followed {
        request: it.request,
        room: room_id(&it.room)?,
        epoch: epoch(&it.epoch)?,
        first: Seq(it.first),
        last: Seq(it.last),
        result: result_from(it.result()),
        unread: unread_from(it.unread),
    })
}

/// Converts the events about following a room. Every other event becomes `None`.
fn following_to(event: &Event) -> Option<Kind> {
    match event {
        Event::Followed {
            request,
            room,
            epoch,
            first,
            last,
            result,
            unread,
        } => Some(Kind::Followed(proto::Followed {
            unread: unread_to(unread),
            request: *request,
            room: room.bytes().to_vec(),
            epoch: epoch.bytes().to_vec(),
            first: first.0,
            last: last.0,
            result: result_to(*result).into(),
        })),
        Event::Gap { room, from, to } => Some(Kind::Gap(proto::Gap {
            room: room.bytes().to_vec(),
            from: from.0,
            to: to.0,
        })),
        Event::Unfollowed { request, room, why } => Some(Kind::Unfollowed(proto::Unfollowed {
            request: *request,
            room: room.bytes().to_vec(),
            ..why_to(why)
        })),
        _ => None,
    }
}

fn roster_page_from(page: proto::RosterPage) -> Result<Event, Malformed> {
    let people = page.people.into_iter().map(person_from);
    Ok(Event::RosterPage {
        room: room_id(&page.room)?,
        is_first: page.first,
        is_last: page.last,
        people: people.collect::<Result<_, _>>()?,
        count: page.count,
    })
}

fn roster_delta_from(delta: proto::RosterDelta) -> Result<Event, Malformed> {
    let came = delta.r#in.into_iter().map(person_from);
    let went = delta.out.iter().map(|id| identity(id));
    Ok(Event::RosterDelta {
        room: room_id(&delta.room)?,
        updated: came.collect::<Result<_, _>>()?,
        removed: went.collect::<Result<_, _>>()?,
        count: delta.count,
    })
}

/// Converts the events about who is in a room. Every other event becomes `None`.
fn roster_to(event: &Event) -> Option<Kind> {
    match event {
        Event::RosterPage {
            room,
            is_first: first,
            is_last: last,
            people,
            count,
        } => Some(Kind::RosterPage(proto::RosterPage {
            room: room.bytes().to_vec(),
            first: *first,
            last: *last,
            people: people.iter().map(person_to).collect(),
            count: *count,
        })),
        Event::RosterDelta {
            room,
            updated: came,
            removed: went,
            count,
        } => Some(Kind::RosterDelta(proto::RosterDelta {
            room: room.bytes().to_vec(),
            r#in: came.iter().map(person_to).collect(),
            out: went.iter().map(|id| id.bytes().to_vec()).collect(),
            count: *count,
        })),
        _ => None,
    }
}

fn why_from(it: proto::Unfollowed) -> UnfollowReason {
    use unfollowed::Why;
    match it.why() {
        Why::Left => UnfollowReason::Left,
        Why::Kicked => UnfollowReason::Kicked {
            by: it.by,
            reason: it.reason,
        },
        Why::Banned => UnfollowReason::Banned {
            by: it.by,
            reason: it.reason,
        },
        Why::Closed => UnfollowReason::Closed,
        Why::Asked | Why::Unspecified => UnfollowReason::Requested,
    }
}

fn why_to(why: &UnfollowReason) -> proto::Unfollowed {
    use unfollowed::Why;
    let of = |why: Why| proto::Unfollowed {
        why: why.into(),
        ..Default::default()
    };
    let (base, by, reason) = match why {
        UnfollowReason::Requested => return of(Why::Asked),
        UnfollowReason::Left => return of(Why::Left),
        UnfollowReason::Closed => return of(Why::Closed),
        UnfollowReason::Kicked { by, reason } => (of(Why::Kicked), by, reason),
        UnfollowReason::Banned { by, reason } => (of(Why::Banned), by, reason),
    };
    proto::Unfollowed {
        by: by.clone(),
        reason: reason.clone(),
        ..base
    }
}

fn welcome_from(welcome: proto::Welcome) -> Result<Welcome, Malformed> {
    let limits = welcome.limits.ok_or(Malformed("limits"))?;
    let size = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
    Ok(Welcome {
        session: SessionId::from_slice(&welcome.session).ok_or(Malformed("session"))?,
        you: author_from(welcome.you)?,
        server_id: ServerId::from_slice(&welcome.server_id).ok_or(Malformed("server_id"))?,
        protocol: welcome.protocol,
        features: welcome.features,
        limits: Limits {
            body_bytes: size(limits.body_bytes),
            body_lines: size(limits.body_lines),
            burst: limits.burst,
            per_second: limits.per_second,
        },
        now_ms: welcome.now_ms,
        rooms: welcome
            .rooms
            .into_iter()
            .map(room_from)
            .collect::<Result<_, _>>()?,
        settings: settings_from(welcome.settings)?,
        status: status_from(welcome.status),
        token: SessionToken::from_slice(&welcome.token).ok_or(Malformed("token"))?,
    })
}

fn welcome_to(welcome: &Welcome) -> proto::Welcome {
    let size = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    proto::Welcome {
        session: welcome.session.bytes().to_vec(),
        you: Some(author_to(&welcome.you)),
        server_id: welcome.server_id.bytes().to_vec(),
        protocol: welcome.protocol,
        features: welcome.features.clone(),
        limits: Some(proto::Limits {
            body_bytes: size(welcome.limits.body_bytes),
            body_lines: size(welcome.limits.body_lines),
            burst: welcome.limits.burst,
            per_second: welcome.limits.per_second,
        }),
        now_ms: welcome.now_ms,
        rooms: welcome.rooms.iter().map(room_to).collect(),
        settings: settings_to(&welcome.settings),
        status: status_to(&welcome.status),
        token: welcome.token.bytes().to_vec(),
    }
}

fn head_from(head: &proto::Head) -> Result<Head, Malformed> {
    Ok(Head {
        room: room_id(&head.room)?,
        epoch: epoch(&head.epoch)?,
        last: Seq(head.last),
    })
}

fn head_to(head: &Head) -> proto::Head {
    proto::Head {
        room: head.room.bytes().to_vec(),
        epoch: head.epoch.bytes().to_vec(),
        last: head.last.0,
    }
}

fn result_from(result: followed::Result) -> FollowResult {
    match result {
        followed::Result::Contiguous | followed::Result::Unspecified => FollowResult::Contiguous,
        followed::Result::TooFar => FollowResult::TooFar,
        followed::Result::Trimmed => FollowResult::Trimmed,
        followed::Result::EpochChanged => FollowResult::EpochChanged,
        followed::Result::Ahead => FollowResult::Ahead,
    }
}

fn result_to(result: FollowResult) -> followed::Result {
    match result {
        FollowResult::Contiguous => followed::Result::Contiguous,
        FollowResult::TooFar => followed::Result::TooFar,
        FollowResult::Trimmed => followed::Result::Trimmed,
        FollowResult::EpochChanged => followed::Result::EpochChanged,
        FollowResult::Ahead => followed::Result::Ahead,
    }
}

fn goodbye_from(bye: &proto::Goodbye) -> Goodbye {
    let reason = match bye.reason() {
        goodbye::Reason::Bye => GoodbyeReason::Bye,
        goodbye::Reason::Draining => GoodbyeReason::Draining,
        goodbye::Reason::TooSlow => GoodbyeReason::TooSlow,
        goodbye::Reason::Malformed => GoodbyeReason::Malformed,
        goodbye::Reason::Refused => GoodbyeReason::Refused,
        goodbye::Reason::Revoked => GoodbyeReason::Revoked,
        goodbye::Reason::Banned => GoodbyeReason::Banned,
        goodbye::Reason::Kicked => GoodbyeReason::Kicked,
        goodbye::Reason::Unspecified => GoodbyeReason::Unknown,
    };
    let then = match bye.then() {
        goodbye::Then::Resume | goodbye::Then::Unspecified => GoodbyeAction::Resume,
        goodbye::Then::Reconnect => GoodbyeAction::Reconnect,
        goodbye::Then::Stop => GoodbyeAction::Stop,
    };
    Goodbye {
        reason,
        action: then,
        retry_after: duration(bye.retry_after_ms),
    }
}

fn goodbye_to(bye: &Goodbye) -> proto::Goodbye {
    let reason = match bye.reason {
        GoodbyeReason::Bye => goodbye::Reason::Bye,
        GoodbyeReason::Draining => goodbye::Reason::Draining,
        GoodbyeReason::TooSlow => goodbye::Reason::TooSlow,
        GoodbyeReason::Malformed => goodbye::Reason::Malformed,
        GoodbyeReason::Refused => goodbye::Reason::Refused,
        GoodbyeReason::Revoked => goodbye::Reason::Revoked,
        GoodbyeReason::Banned => goodbye::Reason::Banned,
        GoodbyeReason::Kicked => goodbye::Reason::Kicked,
        GoodbyeReason::Unknown => goodbye::Reason::Unspecified,
    };
    let then = match bye.action {
        GoodbyeAction::Resume => goodbye::Then::Resume,
        GoodbyeAction::Reconnect => goodbye::Then::Reconnect,
        GoodbyeAction::Stop => goodbye::Then::Stop,
    };
    proto::Goodbye {
        reason: reason.into(),
        then: then.into(),
        retry_after_ms: bye.retry_after.map(millis).unwrap_or_default(),
    }
}
