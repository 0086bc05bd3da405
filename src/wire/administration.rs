//! Converts bans, sessions, limits and the state of a server between the messages of `tchat.admin.v1` and the types of `chat`.

use std::time::Duration;

use super::account::{millis, server_role_from, server_role_to};
use super::admin_proto as proto;
use super::parts::{Malformed, via_from, via_to};
use crate::chat::{BanInfo, LimitInfo, RoomAct, Seq, ServerStatus, SessionInfo};

pub fn ban_to(ban: BanInfo) -> proto::Ban {
    proto::Ban {
        target: ban.target,
        // At least 1, because 0 means that it does not end.
        remaining_ms: ban.remaining.map_or(0, |left| millis(left).max(1)),
        at_ms: ban.at_ms,
        by: ban.by,
        reason: ban.reason,
    }
}

pub fn ban_from(ban: proto::Ban) -> BanInfo {
    BanInfo {
        target: ban.target,
        remaining: (ban.remaining_ms > 0).then(|| Duration::from_millis(ban.remaining_ms)),
        at_ms: ban.at_ms,
        by: ban.by,
        reason: ban.reason,
    }
}

pub fn session_to(session: SessionInfo) -> proto::Session {
    proto::Session {
        name: session.name,
        role: server_role_to(session.role).into(),
        via: via_to(session.via).into(),
        from: session.from,
        since_ms: session.since_ms,
    }
}

pub fn session_from(session: proto::Session) -> SessionInfo {
    SessionInfo {
        role: server_role_from(session.role()),
        via: via_from(session.via()),
        name: session.name,
        from: session.from,
        since_ms: session.since_ms,
    }
}

pub fn limit_to(limit: LimitInfo) -> proto::Limit {
    proto::Limit {
        name: limit.name,
        value: limit.value,
        default_value: limit.default,
        charged: limit.charged,
        unit: limit.unit,
        protects: limit.protects,
    }
}

pub fn limit_from(limit: proto::Limit) -> LimitInfo {
    LimitInfo {
        name: limit.name,
        value: limit.value,
        default: limit.default_value,
        charged: limit.charged,
        unit: limit.unit,
        protects: limit.protects,
    }
}

pub fn status_to(status: ServerStatus) -> proto::GetStatusResponse {
    proto::GetStatusResponse {
        version: status.version,
        started_ms: status.started_ms,
        sessions: status.sessions,
        connected: status.connected,
        accounts: status.accounts,
        rooms: status.rooms,
        registration: status.registration,
        bans: status.bans,
        damages: status.damages,
    }
}

pub fn status_from(status: proto::GetStatusResponse) -> ServerStatus {
    ServerStatus {
        version: status.version,
        started_ms: status.started_ms,
        sessions: status.sessions,
        connected: status.connected,
        accounts: status.accounts,
        rooms: status.rooms,
        registration: status.registration,
        bans: status.bans,
        damages: status.damages,
    }
}

pub fn room_act_to(act: RoomAct) -> proto::moderate_room_request::Act {
    use proto::moderate_room_request::Act;
    match act {
        RoomAct::Close => Act::Close(proto::CloseRoom {}),
        RoomAct::Topic(topic) => Act::Topic(proto::SetRoomTopic { topic }),
        RoomAct::Owner(name) => Act::Owner(proto::SetRoomOwner { name }),
        RoomAct::Erase(seq) => Act::Erase(proto::EraseEntry { seq: seq.0 }),
    }
}

/// Returns what to do to a room.
///
/// # Errors
/// The act is missing, or from a later version.
pub fn room_act_from(act: Option<proto::moderate_room_request::Act>) -> Result<RoomAct, Malformed> {
    use proto::moderate_room_request::Act;
    Ok(match act.ok_or(Malformed("act"))? {
        Act::Close(_) => RoomAct::Close,
        Act::Topic(it) => RoomAct::Topic(it.topic),
        Act::Owner(it) => RoomAct::Owner(it.name),
        Act::Erase(it) => RoomAct::Erase(Seq(it.seq)),
    })
}
