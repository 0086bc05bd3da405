//! Converts what belongs to one person: status, read positions, settings and profiles.

use super::Event;
use super::parts::{
    Malformed, author_from, author_to, epoch, identity, person_from, person_to, room_from, room_id,
    room_to,
};
use super::proto::{self, event::Kind};
use crate::chat::{Level, Profile, Seq, Settings, Status, Unread};

/// Converts the personal events. Every other kind becomes [`Event::Unknown`].
pub(super) fn event_from(kind: Kind) -> Result<Event, Malformed> {
    Ok(match kind {
        Kind::ReadMoved(it) => Event::ReadPositionChanged {
            request: it.request,
            room: room_id(&it.room)?,
            epoch: epoch(&it.epoch)?,
            last: Seq(it.last),
            unread: unread_from(it.unread),
        },
        Kind::StatusChanged(it) => Event::StatusChanged {
            request: it.request,
            status: status_from(it.status),
        },
        Kind::IsTyping(it) => Event::Typing {
            room: room_id(&it.room)?,
            person: identity(&it.person)?,
        },
        Kind::Profile(it) => Event::Profile {
            request: it.request,
            profile: profile_from(it)?,
        },
        Kind::SettingsChanged(it) => Event::SettingsChanged {
            request: it.request,
            settings: settings_from(it.settings)?,
        },
        Kind::Invitation(it) => Event::Invitation {
            room: room_from(it.room.ok_or(Malformed("room"))?)?,
            by: it.by.map(|by| author_from(Some(by))).transpose()?,
        },
        Kind::DeviceAdded(it) => Event::DeviceAdded {
            name: it.name,
            from: it.from,
        },
        _ => Event::Unknown,
    })
}

pub(super) fn event_to(event: &Event) -> Option<Kind> {
    match event {
        Event::ReadPositionChanged {
            request,
            room,
            epoch,
            last,
            unread,
        } => Some(Kind::ReadMoved(proto::ReadMoved {
            request: *request,
            room: room.bytes().to_vec(),
            epoch: epoch.bytes().to_vec(),
            last: last.0,
            unread: unread_to(unread),
        })),
        Event::StatusChanged { request, status } => {
            Some(Kind::StatusChanged(proto::StatusChanged {
                request: *request,
                status: status_to(status),
            }))
        }
        Event::Typing { room, person } => Some(Kind::IsTyping(proto::IsTyping {
            room: room.bytes().to_vec(),
            person: person.bytes().to_vec(),
        })),
        Event::Profile { request, profile } => Some(Kind::Profile(profile_to(*request, profile))),
        Event::SettingsChanged { request, settings } => {
            Some(Kind::SettingsChanged(proto::SettingsChanged {
                request: *request,
                settings: settings_to(settings),
            }))
        }
        Event::Invitation { room, by } => Some(Kind::Invitation(proto::Invitation {
            room: Some(room_to(room)),
            by: by.as_ref().map(author_to),
        })),
        Event::DeviceAdded { name, from } => Some(Kind::DeviceAdded(proto::DeviceAdded {
            name: name.clone(),
            from: from.clone(),
        })),
        _ => None,
    }
}

pub(super) fn status_from(status: Option<proto::Status>) -> Status {
    let status = status.unwrap_or_default();
    Status {
        is_away: status.away,
        text: status.text,
    }
}

/// Returns `None` for an empty status. Settings and counts are converted in the same way.
pub(super) fn status_to(status: &Status) -> Option<proto::Status> {
    (*status != Status::default()).then(|| proto::Status {
        away: status.is_away,
        text: status.text.clone(),
    })
}

/// Returns `None` if no level is set, so that the default for this kind of room applies.
pub(super) fn level_from(level: proto::Level) -> Option<Level> {
    match level {
        proto::Level::All => Some(Level::All),
        proto::Level::Mentions => Some(Level::Mentions),
        proto::Level::Nothing => Some(Level::Nothing),
        proto::Level::Unspecified => None,
    }
}

pub(super) fn level_to(level: Option<Level>) -> proto::Level {
    match level {
        None => proto::Level::Unspecified,
        Some(Level::All) => proto::Level::All,
        Some(Level::Mentions) => proto::Level::Mentions,
        Some(Level::Nothing) => proto::Level::Nothing,
    }
}

pub(super) fn settings_from(settings: Option<proto::Settings>) -> Result<Settings, Malformed> {
    let settings = settings.unwrap_or_default();
    let mut levels = Vec::new();
    for it in &settings.levels {
        if let Some(level) = level_from(it.level()) {
            levels.push((room_id(&it.room)?, level));
        }
    }
    let ignored = settings.ignored.into_iter().map(|it| author_from(Some(it)));
    let blocked = settings.blocked.iter().map(|id| identity(id));
    Ok(Settings {
        ignored: ignored.collect::<Result<_, _>>()?,
        blocked: blocked.collect::<Result<_, _>>()?,
        levels,
        keywords: settings.keywords,
    })
}

pub(super) fn settings_to(settings: &Settings) -> Option<proto::Settings> {
    let level = |(room, level): &(crate::chat::RoomId, Level)| proto::RoomLevel {
        room: room.bytes().to_vec(),
        level: level_to(Some(*level)).into(),
    };
    (*settings != Settings::default()).then(|| proto::Settings {
        ignored: settings.ignored.iter().map(author_to).collect(),
        levels: settings.levels.iter().map(level).collect(),
        blocked: settings
            .blocked
            .iter()
            .map(|id| id.bytes().to_vec())
            .collect(),
        keywords: settings.keywords.clone(),
    })
}

pub(super) fn unread_from(unread: Option<proto::Unread>) -> Unread {
    let unread = unread.unwrap_or_default();
    Unread {
        read: Seq(unread.read),
        messages: unread.messages.min(Unread::LIMIT),
        mentions: unread.mentions.min(Unread::LIMIT),
    }
}

pub(super) fn unread_to(unread: &Unread) -> Option<proto::Unread> {
    (*unread != Unread::default()).then_some(proto::Unread {
        read: unread.read.0,
        messages: unread.messages,
        mentions: unread.mentions,
    })
}

pub(super) fn profile_from(profile: proto::Profile) -> Result<Profile, Malformed> {
    let rooms = profile.rooms.into_iter().map(room_from);
    Ok(Profile {
        person: person_from(profile.person.ok_or(Malformed("person"))?)?,
        seen_ms: (profile.seen_ms > 0).then_some(profile.seen_ms),
        rooms: rooms.collect::<Result<_, _>>()?,
    })
}

pub(super) fn profile_to(request: u64, profile: &Profile) -> proto::Profile {
    proto::Profile {
        request,
        person: Some(person_to(&profile.person)),
        seen_ms: profile.seen_ms.unwrap_or(0),
        rooms: profile.rooms.iter().map(room_to).collect(),
    }
}
