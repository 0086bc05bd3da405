//! Converts the bodies of entries and their amendments.

use prost::Message as _;

use super::parts::{Malformed, author_from, author_to, role_from, role_to};
use super::proto;
use crate::chat::{
    Amended, Amendment, Author, Body, IdentityId, Reaction, Role, RoomRules, Ruling, Seq, Until,
};

/// Converts a body. A kind from a later version becomes [`Body::Unknown`].
pub(super) fn body_from(body: Option<proto::Body>) -> Body {
    use proto::body::Kind;
    match body.and_then(|body| body.kind) {
        Some(Kind::Text(text)) => Body::Text(text.text),
        Some(Kind::Action(text)) => Body::Action(text.text),
        Some(Kind::Created(_)) => Body::Created,
        Some(Kind::Joined(joined)) => Body::Joined(role_from(joined.role())),
        Some(Kind::Left(_)) => Body::Left,
        Some(Kind::Renamed(renamed)) => Body::Renamed(renamed.to),
        Some(Kind::Topic(topic)) => Body::Topic(topic.topic),
        Some(Kind::Closed(_)) => Body::Closed,
        Some(Kind::NewKey(_)) => Body::NewKey,
        Some(Kind::Rules(it)) => Body::Rules(RoomRules {
            slow_s: it.slow_s,
            is_read_only: it.read_only,
        }),
        Some(Kind::Reply(reply)) => Body::Reply {
            to: Seq(reply.to),
            text: reply.text,
        },
        Some(Kind::Edited(it)) => Body::Amendment {
            target: Seq(it.target),
            what: Amendment::Edit(it.text),
        },
        Some(Kind::Deleted(it)) => Body::Amendment {
            target: Seq(it.target),
            what: Amendment::Erase,
        },
        Some(Kind::Reacted(it)) => Body::Amendment {
            target: Seq(it.target),
            what: Amendment::React {
                emoji: it.emoji,
                is_on: it.on,
            },
        },
        Some(Kind::Erased(it)) => match it.hash.try_into() {
            Ok(hash) => Body::Erased(hash),
            Err(_) => Body::Unknown(0),
        },
        Some(Kind::Damaged(it)) => match it.hash.try_into() {
            Ok(hash) => Body::Damaged(hash),
            Err(_) => Body::Unknown(0),
        },
        Some(ruling) => ruling_from(ruling).unwrap_or(Body::Unknown(0)),
        None => Body::Unknown(0),
    }
}

fn ruling_from(kind: proto::body::Kind) -> Option<Body> {
    use proto::body::Kind;
    let (person, ruling) = match kind {
        Kind::Invited(it) => (it.person, Ruling::Invited),
        Kind::RoleGiven(it) => {
            let role = role_from(it.role());
            (it.person, Ruling::Role(role))
        }
        Kind::Kicked(it) => (it.person, Ruling::Kicked { reason: it.reason }),
        Kind::Banned(it) => {
            let until = until_from(it.until_ms, it.for_ms);
            let reason = it.reason;
            (it.person, Ruling::Banned { until, reason })
        }
        Kind::Unbanned(it) => (it.person, Ruling::Unbanned),
        Kind::Muted(it) => {
            let until = until_from(it.until_ms, it.for_ms);
            (it.person, Ruling::Muted { until })
        }
        Kind::Unmuted(it) => (it.person, Ruling::Unmuted),
        _ => return None,
    };
    let person = person?;
    let id = match person.id.as_slice() {
        // The server finds out who has the name.
        [] => IdentityId::NOBODY,
        id => IdentityId::from_slice(id)?,
    };
    let name = person.name;
    Some(Body::Ruling(Author { id, name }, ruling))
}

pub(super) fn body_to(body: &Body) -> proto::Body {
    use proto::body::Kind;
    let text = |text: &String| proto::Text { text: text.clone() };
    let kind = match body {
        Body::Text(said) => Some(Kind::Text(text(said))),
        Body::Action(done) => Some(Kind::Action(text(done))),
        Body::Created => Some(Kind::Created(proto::Created {})),
        Body::Joined(Role::Member) => Some(Kind::Joined(proto::Joined::default())),
        Body::Joined(role) => Some(Kind::Joined(proto::Joined {
            role: role_to(*role).into(),
        })),
        Body::Left => Some(Kind::Left(proto::Left {})),
        Body::Renamed(to) => Some(Kind::Renamed(proto::Renamed { to: to.clone() })),
        Body::Topic(topic) => Some(Kind::Topic(proto::Topic {
            topic: topic.clone(),
        })),
        Body::Closed => Some(Kind::Closed(proto::Closed {})),
        Body::NewKey => Some(Kind::NewKey(proto::NewKey {})),
        Body::Rules(rules) => Some(Kind::Rules(proto::Rules {
            slow_s: rules.slow_s,
            read_only: rules.is_read_only,
        })),
        Body::Reply { to, text } => Some(Kind::Reply(proto::Reply {
            to: to.0,
            text: text.clone(),
        })),
        Body::Ruling(person, ruling) => Some(ruling_to(person, ruling)),
        Body::Amendment { target, what } => Some(amendment_to(*target, what)),
        Body::Erased(hash) => Some(Kind::Erased(proto::Erased {
            hash: hash.to_vec(),
        })),
        Body::Damaged(hash) => Some(Kind::Damaged(proto::Damaged {
            hash: hash.to_vec(),
        })),
        Body::Unknown(_) => None,
    };
    proto::Body { kind }
}

fn amendment_to(target: Seq, what: &Amendment) -> proto::body::Kind {
    use proto::body::Kind;
    let target = target.0;
    match what {
        Amendment::Edit(text) => Kind::Edited(proto::Edited {
            target,
            text: text.clone(),
        }),
        Amendment::Erase => Kind::Deleted(proto::Deleted { target }),
        Amendment::React { emoji, is_on } => Kind::Reacted(proto::Reacted {
            target,
            emoji: emoji.clone(),
            on: *is_on,
        }),
    }
}

/// Converts the amendments of an entry.
///
/// # Errors
/// A field is missing or malformed; the error names it.
pub(super) fn amended_from(amended: proto::Amended) -> Result<Amended, Malformed> {
    let reaction = |it: proto::Reaction| {
        let people = it.people.into_iter().map(|who| author_from(Some(who)));
        Ok(Reaction {
            emoji: it.emoji,
            people: people.collect::<Result<_, _>>()?,
        })
    };
    Ok(Amended {
        seq: Seq(amended.seq),
        hash: amended.hash.try_into().map_err(|_| Malformed("hash"))?,
        is_edited: amended.edited,
        reactions: amended
            .reactions
            .into_iter()
            .map(reaction)
            .collect::<Result<_, Malformed>>()?,
    })
}

pub(super) fn amended_to(amended: &Amended) -> proto::Amended {
    let reaction = |it: &Reaction| proto::Reaction {
        emoji: it.emoji.clone(),
        people: it.people.iter().map(author_to).collect(),
    };
    proto::Amended {
        seq: amended.seq.0,
        hash: amended.hash.to_vec(),
        edited: amended.is_edited,
        reactions: amended.reactions.iter().map(reaction).collect(),
    }
}

fn ruling_to(person: &Author, ruling: &Ruling) -> proto::body::Kind {
    use proto::body::Kind;
    let mut author = author_to(person);
    if person.id == IdentityId::NOBODY {
        author.id.clear();
    }
    let person = Some(author);
    match ruling {
        Ruling::Invited => Kind::Invited(proto::Invited { person }),
        Ruling::Role(role) => Kind::RoleGiven(proto::RoleGiven {
            person,
            role: role_to(*role).into(),
        }),
        Ruling::Kicked { reason } => Kind::Kicked(proto::Kicked {
            person,
            reason: reason.clone(),
        }),
        Ruling::Banned { until, reason } => Kind::Banned(proto::Banned {
            person,
            reason: reason.clone(),
            until_ms: until_to(*until).0,
            for_ms: until_to(*until).1,
        }),
        Ruling::Unbanned => Kind::Unbanned(proto::Unbanned { person }),
        Ruling::Muted { until } => Kind::Muted(proto::Muted {
            person,
            until_ms: until_to(*until).0,
            for_ms: until_to(*until).1,
        }),
        Ruling::Unmuted => Kind::Unmuted(proto::Unmuted { person }),
    }
}

fn until_from(until_ms: u64, for_ms: u64) -> Until {
    if for_ms > 0 {
        Until::For(for_ms)
    } else {
        Until::from_millis(until_ms)
    }
}

/// Returns `until_ms` and `for_ms`.
fn until_to(until: Until) -> (u64, u64) {
    match until {
        Until::For(ms) => (0, ms),
        other => (other.millis(), 0),
    }
}

/// Encodes the amendments of an entry, so that a later version can read them as well.
pub fn amended_to_bytes(amended: &Amended) -> Vec<u8> {
    amended_to(amended).encode_to_vec()
}

/// Decodes the amendments of an entry.
///
/// # Errors
/// A field is missing or malformed; the error names it.
pub fn amended_from_bytes(bytes: &[u8]) -> Result<Amended, Malformed> {
    let amended = proto::Amended::decode(bytes).map_err(|_| Malformed("amended"))?;
    amended_from(amended)
}
