//! The body of an entry: its content, and how it is encoded for the digest and the store.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use super::{Amendment, Author, IdentityId, Role, RoomRules, Ruling, Seq, Until};

/// The content of an entry. Text is stored as it was sent; only drawing sanitises it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    Text(String),
    /// A third-person message about the author ("/me waves").
    Action(String),
    /// A text that replies to an earlier entry of the room.
    Reply {
        to: Seq,
        text: String,
    },
    /// The room was created.
    Created,
    /// The author became a member, in this role.
    Joined(Role),
    Left,
    /// The author has this name from now on.
    Renamed(String),
    /// The room has this topic from now on.
    Topic(String),
    /// The room has these rules from now on.
    Rules(RoomRules),
    /// An invitation, role change or moderation decision about a person, with the name that person had at that time.
    Ruling(Author, Ruling),
    /// The room was closed for everyone, permanently.
    Closed,
    /// Changes an earlier entry of the room.
    Amendment {
        target: Seq,
        what: Amendment,
    },
    /// Somebody has signed in as the author with a new key, which replaces all earlier keys.
    NewKey,
    /// What remains of a deleted body: its hash, so that the digest chain can still be verified.
    Erased([u8; 32]),
    /// A body that was damaged on the server's disk and cannot be read. The hash stored with it remains, so that the digest chain can still
    /// be verified.
    Damaged([u8; 32]),
    /// A kind that this version does not know. The number is the protocol's, or 0 if even that is unknown.
    Unknown(u8),
}

impl Body {
    /// Returns the number of the kind. It is the same in protocol, digest and store, and never changes.
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Text(_) => 1,
            Self::Action(_) => 2,
            Self::Created => 3,
            Self::Joined(_) => 4,
            Self::Left => 5,
            Self::Renamed(_) => 6,
            Self::Topic(_) => 7,
            Self::Ruling(_, ruling) => match ruling {
                Ruling::Invited => 8,
                Ruling::Role(_) => 9,
                Ruling::Kicked { .. } => 10,
                Ruling::Banned { .. } => 11,
                Ruling::Unbanned => 12,
                Ruling::Muted { .. } => 13,
                Ruling::Unmuted => 14,
            },
            Self::Closed => 16,
            Self::Reply { .. } => 17,
            Self::Amendment { what, .. } => match what {
                Amendment::Edit(_) => 18,
                Amendment::Erase => 19,
                Amendment::React { .. } => 20,
            },
            Self::Erased(_) => 21,
            Self::Damaged(_) => 22,
            Self::NewKey => 23,
            Self::Rules(_) => 24,
            Self::Unknown(kind) => *kind,
        }
    }

    /// Returns the text, or "" for kinds that have none.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text)
            | Self::Action(text)
            | Self::Reply { text, .. }
            | Self::Renamed(text)
            | Self::Topic(text)
            | Self::Amendment {
                what: Amendment::Edit(text),
                ..
            } => text,
            Self::Created
            | Self::Joined(_)
            | Self::Left
            | Self::Ruling(..)
            | Self::Closed
            | Self::NewKey
            | Self::Rules(_)
            | Self::Amendment { .. }
            | Self::Erased(_)
            | Self::Damaged(_)
            | Self::Unknown(_) => "",
        }
    }

    /// Returns everything in the body except its kind, as one text. The store saves this text and the digest covers it, so its format never
    /// changes. Each part is on a line of its own; a part that may contain line breaks comes last.
    pub fn payload(&self) -> Cow<'_, str> {
        match self {
            Self::Joined(Role::Member) => "".into(),
            Self::Joined(role) => role.number().to_string().into(),
            Self::Reply { to, text } => format!("{to}\n{text}").into(),
            Self::Ruling(person, ruling) => {
                let rest = match ruling {
                    Ruling::Invited | Ruling::Unbanned | Ruling::Unmuted => String::new(),
                    Ruling::Role(role) => role.number().to_string(),
                    Ruling::Kicked { reason } => reason.clone(),
                    Ruling::Banned { until, reason } => format!("{until}\n{reason}"),
                    Ruling::Muted { until } => until.to_string(),
                };
                format!("{}\n{}\n{rest}", person.id, person.name).into()
            }
            Self::Amendment { target, what } => match what {
                Amendment::Edit(text) => format!("{target}\n{text}").into(),
                Amendment::Erase => target.to_string().into(),
                Amendment::React { emoji, is_on } => {
                    format!("{target}\n{}\n{emoji}", u8::from(*is_on)).into()
                }
            },
            Self::Rules(rules) => {
                format!("{}\n{}", rules.slow_s, u8::from(rules.is_read_only)).into()
            }
            Self::Erased(hash) | Self::Damaged(hash) => hex::encode(hash).into(),
            other => other.text().into(),
        }
    }

    /// Builds a body from the results of [`Body::kind`] and [`Body::payload`]. A payload that cannot be parsed becomes [`Body::Unknown`].
    pub fn from_parts(kind: u8, payload: String) -> Self {
        Self::assembled(kind, payload).unwrap_or(Self::Unknown(kind))
    }

    fn assembled(kind: u8, payload: String) -> Option<Self> {
        Some(match kind {
            1 => Self::Text(payload),
            2 => Self::Action(payload),
            3 => Self::Created,
            4 if payload.is_empty() => Self::Joined(Role::Member),
            4 => Self::Joined(Role::from_number(payload.parse().ok()?)?),
            5 => Self::Left,
            6 => Self::Renamed(payload),
            7 => Self::Topic(payload),
            8..=14 => ruling(kind, &payload)?,
            16 => Self::Closed,
            17 => {
                let (to, text) = payload.split_once('\n')?;
                Self::Reply {
                    to: Seq(to.parse().ok()?),
                    text: text.to_owned(),
                }
            }
            18..=20 => amendment(kind, &payload)?,
            21 => Self::Erased(hex::decode(payload).ok()?.try_into().ok()?),
            22 => Self::Damaged(hex::decode(payload).ok()?.try_into().ok()?),
            23 => Self::NewKey,
            24 => {
                let (slow, is_read_only) = payload.split_once('\n')?;
                Self::Rules(RoomRules {
                    slow_s: slow.parse().ok()?,
                    is_read_only: is_read_only == "1",
                })
            }
            _ => return None,
        })
    }

    /// Returns whether this version knows the kind with this number. If the payload of a known kind cannot be parsed, it is damaged; an
    /// unknown kind comes from a later version.
    pub const fn is_known_kind(kind: u8) -> bool {
        matches!(kind, 1..=14 | 16..=24)
    }

    /// Returns whether this is a message that a person wrote: text, action or reply.
    pub const fn is_message(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Action(_) | Self::Reply { .. })
    }

    /// Returns whether this entry ends a membership. It is then the last entry that the former member may read.
    pub const fn ends_membership(&self) -> bool {
        matches!(
            self,
            Self::Left
                | Self::Closed
                | Self::Ruling(_, Ruling::Kicked { .. } | Ruling::Banned { .. })
        )
    }

    /// Returns the SHA-256 of kind and payload. A deleted or damaged body keeps its original hash, so that the digest chain can still be
    /// verified.
    pub fn hash(&self) -> [u8; 32] {
        match self {
            Self::Erased(hash) | Self::Damaged(hash) => *hash,
            _ => Self::hash_of(self.kind(), self.payload().as_bytes()),
        }
    }

    /// Returns the hash of a body given as its kind and payload.
    pub fn hash_of(kind: u8, payload: &[u8]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update([kind]);
        hash.update(payload);
        hash.finalize().into()
    }
}

fn ruling(kind: u8, payload: &str) -> Option<Body> {
    let (id, rest) = payload.split_once('\n')?;
    let (name, rest) = rest.split_once('\n')?;
    let person = Author {
        id: IdentityId::from_slice(&hex::decode(id).ok()?)?,
        name: name.to_owned(),
    };
    let ruling = match kind {
        8 => Ruling::Invited,
        9 => Ruling::Role(Role::from_number(rest.parse().ok()?)?),
        10 => Ruling::Kicked {
            reason: rest.to_owned(),
        },
        11 => {
            let (until, reason) = rest.split_once('\n')?;
            Ruling::Banned {
                until: Until::parse(until)?,
                reason: reason.to_owned(),
            }
        }
        12 => Ruling::Unbanned,
        13 => Ruling::Muted {
            until: Until::parse(rest)?,
        },
        14 => Ruling::Unmuted,
        _ => return None,
    };
    Some(Body::Ruling(person, ruling))
}

fn amendment(kind: u8, payload: &str) -> Option<Body> {
    let (target, rest) = payload.split_once('\n').unwrap_or((payload, ""));
    let what = match kind {
        18 => Amendment::Edit(rest.to_owned()),
        19 => Amendment::Erase,
        20 => {
            let (is_on, emoji) = rest.split_once('\n')?;
            Amendment::React {
                emoji: emoji.to_owned(),
                is_on: is_on == "1",
            }
        }
        _ => return None,
    };
    Some(Body::Amendment {
        target: Seq(target.parse().ok()?),
        what,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_survives_a_round_trip_through_kind_and_payload() {
        let ann = || Author {
            id: IdentityId::new([7; 16]),
            name: "安".into(),
        };
        let reason = || "spam\nand more".to_owned();
        let rulings = [
            Ruling::Invited,
            Ruling::Role(Role::Moderator),
            Ruling::Kicked { reason: reason() },
            Ruling::Banned {
                until: Until::Forever,
                reason: reason(),
            },
            Ruling::Unbanned,
            Ruling::Muted {
                until: Until::At(1_700_000_000_000),
            },
            Ruling::Muted {
                until: Until::For(600_000),
            },
            Ruling::Unmuted,
        ];
        let bodies = [
            Body::Text("hi\nthere".into()),
            Body::Action("waves".into()),
            Body::Reply {
                to: Seq(7),
                text: "yes\nsir".into(),
            },
            Body::Created,
            Body::Joined(Role::Member),
            Body::Joined(Role::Owner),
            Body::Left,
            Body::Renamed("ben".into()),
            Body::Topic(String::new()),
            Body::Closed,
            Body::NewKey,
            Body::Rules(RoomRules {
                slow_s: 30,
                is_read_only: true,
            }),
            Body::Erased([9; 32]),
            Body::Damaged([9; 32]),
        ];
        let amendments = [
            Amendment::Edit("one\ntwo".into()),
            Amendment::Erase,
            Amendment::React {
                emoji: "👍".into(),
                is_on: true,
            },
        ];
        let target = Seq(7);
        let amendments = amendments.map(|what| Body::Amendment { target, what });
        let rulings = rulings.map(|ruling| Body::Ruling(ann(), ruling));
        for body in bodies.into_iter().chain(rulings).chain(amendments) {
            let again = Body::from_parts(body.kind(), body.payload().into_owned());
            assert_eq!(again, body);
        }
        assert_eq!(Body::from_parts(13, "nonsense".into()), Body::Unknown(13));
        assert_eq!(Body::from_parts(99, String::new()), Body::Unknown(99));
    }

    #[test]
    fn the_known_kinds_are_exactly_those_that_can_be_parsed() {
        for kind in 0..=u8::MAX {
            let texts = ["", "x", "7", "7\nx", "7\n1\nx", &"00".repeat(32)];
            let person = format!("{}\nann\n", "00".repeat(16));
            let rulings = ["", "1", "0", "0\nspam"].map(|rest| format!("{person}{rest}"));
            let all = texts.into_iter().map(str::to_owned).chain(rulings);
            let is_read = all
                .map(|payload| Body::from_parts(kind, payload))
                .any(|body| !matches!(body, Body::Unknown(_)));
            assert_eq!(Body::is_known_kind(kind), is_read, "{kind}");
        }
    }

    #[test]
    fn a_join_stored_before_roles_existed_keeps_its_hash() {
        let mut before = Sha256::new();
        before.update([4]);
        let before: [u8; 32] = before.finalize().into();
        assert_eq!(Body::Joined(Role::Member).hash(), before);
    }
}
