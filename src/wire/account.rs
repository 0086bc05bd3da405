//! Converts invitations, accounts and devices between the messages of `tchat.admin.v1` and the types of `chat`.

use std::time::Duration;

use super::admin_proto as proto;
use super::parts::Malformed;
use super::proto::Device as ProtoDevice;
use crate::chat::{
    AccountInfo, AuditEntry, Author, Device, IdentityId, InviteTerms, OpenInvite, ServerRole,
};

pub fn invite_terms_to(terms: InviteTerms) -> proto::CreateInviteRequest {
    proto::CreateInviteRequest {
        uses: terms.uses,
        valid_ms: millis(terms.valid),
        role: server_role_to(terms.role).into(),
        rooms: terms.rooms,
    }
}

/// Returns the terms of an invitation, with defaults for fields that are 0.
///
/// # Errors
/// A term is out of range; the error names it.
pub fn invite_terms_from(asked: proto::CreateInviteRequest) -> Result<InviteTerms, Malformed> {
    let mut terms = InviteTerms {
        role: server_role_asked(asked.role)?,
        rooms: asked.rooms,
        ..InviteTerms::default()
    };
    if terms.rooms.len() > InviteTerms::MOST_ROOMS {
        return Err(Malformed("rooms"));
    }
    if asked.uses > 0 {
        terms.uses = asked.uses;
    }
    if asked.valid_ms > 0 {
        terms.valid = Duration::from_millis(asked.valid_ms);
    }
    if terms.uses > InviteTerms::MOST_USES {
        return Err(Malformed("uses"));
    }
    if terms.valid > InviteTerms::LONGEST {
        return Err(Malformed("valid_ms"));
    }
    Ok(terms)
}

pub fn invite_to(invite: &OpenInvite) -> proto::Invite {
    proto::Invite {
        id: invite.id.clone(),
        uses_left: invite.uses_left,
        valid_ms: millis(invite.valid),
        maker: invite.maker.clone(),
        role: server_role_to(invite.role).into(),
        rooms: invite.rooms.clone(),
    }
}

pub fn invite_from(invite: proto::Invite) -> OpenInvite {
    OpenInvite {
        role: server_role_from(invite.role()),
        id: invite.id,
        uses_left: invite.uses_left,
        valid: Duration::from_millis(invite.valid_ms),
        maker: invite.maker,
        rooms: invite.rooms,
    }
}

pub fn server_role_to(role: ServerRole) -> proto::Role {
    match role {
        ServerRole::Member => proto::Role::Unspecified,
        ServerRole::Admin => proto::Role::Admin,
        ServerRole::Owner => proto::Role::Owner,
    }
}

/// Returns the role that a request asks for.
///
/// # Errors
/// The role is from a later version.
pub fn server_role_asked(role: i32) -> Result<ServerRole, Malformed> {
    let role = proto::Role::try_from(role);
    role.map(server_role_from).map_err(|_| Malformed("role"))
}

/// Returns the role in a message. A role from a later version becomes [`ServerRole::Member`].
pub fn server_role_from(role: proto::Role) -> ServerRole {
    match role {
        proto::Role::Unspecified => ServerRole::Member,
        proto::Role::Admin => ServerRole::Admin,
        proto::Role::Owner => ServerRole::Owner,
    }
}

pub fn device_to(device: Device) -> ProtoDevice {
    ProtoDevice {
        id: device.id,
        name: device.name,
        seen_ms: device.seen_ms,
        from: device.from,
        this_one: device.is_this,
        connected: device.is_connected,
    }
}

pub fn device_from(device: ProtoDevice) -> Device {
    Device {
        id: device.id,
        name: device.name,
        seen_ms: device.seen_ms,
        from: device.from,
        is_this: device.this_one,
        is_connected: device.connected,
    }
}

pub fn account_to(account: AccountInfo) -> proto::Account {
    proto::Account {
        name: account.name,
        role: server_role_to(account.role).into(),
        bot: account.is_bot,
        seen_ms: account.seen_ms,
        connected: account.is_connected,
    }
}

pub fn account_from(account: proto::Account) -> AccountInfo {
    AccountInfo {
        role: server_role_from(account.role()),
        name: account.name,
        is_bot: account.bot,
        seen_ms: account.seen_ms,
        is_connected: account.connected,
    }
}

pub fn audit_to(row: AuditEntry) -> proto::AuditRow {
    let (actor_id, actor) = match row.actor {
        Some(actor) => (actor.id.bytes().to_vec(), actor.name),
        None => (Vec::new(), String::new()),
    };
    proto::AuditRow {
        actor_id,
        number: row.number,
        at_ms: row.at_ms,
        actor,
        act: row.act,
        target: row.target,
        detail: row.detail,
        hash: row.hash.to_vec(),
    }
}

/// Returns a row of the audit log. A hash of another length becomes zeros, which match no row.
pub fn audit_from(row: proto::AuditRow) -> AuditEntry {
    let actor = IdentityId::from_slice(&row.actor_id).map(|id| Author {
        id,
        name: row.actor,
    });
    AuditEntry {
        number: row.number,
        at_ms: row.at_ms,
        actor,
        act: row.act,
        target: row.target,
        detail: row.detail,
        hash: row.hash.try_into().unwrap_or_default(),
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
