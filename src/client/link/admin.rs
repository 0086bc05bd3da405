//! The administrative calls of `tchat.admin.v1`: invitations, accounts, roles, devices, and the audit log.

use std::fmt;
use std::time::Duration;

use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use super::open_channel;
use crate::chat::{
    AccountInfo, AuditEntry, BanInfo, Device, DeviceSecret, InviteTerms, LimitInfo, OpenInvite,
    RoomAct, ServerRole, ServerStatus, SessionInfo, SessionToken,
};
use crate::client::call_error::{CallError, Missing};
use crate::client::history::authorised;
use crate::client::{Connector, DisconnectReason};
use crate::wire::admin_proto as proto;
use crate::wire::admin_proto::admin_service_client::AdminServiceClient;
use crate::wire::{
    account_from, audit_from, ban_from, device_from, invite_from, invite_terms_to, limit_from,
    room_act_to, server_role_to, session_from, status_from,
};

/// A request of an administrator. Accounts are identified by name, invitations and devices by id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AdminRequest {
    CreateInvite(InviteTerms),
    ListInvites,
    RevokeInvite(String),
    ListAccounts,
    SetRole {
        account: String,
        role: ServerRole,
    },
    Rename {
        account: String,
        to: String,
    },
    Remove {
        account: String,
    },
    Relink {
        account: String,
    },
    CreateBot {
        name: String,
        rooms: Vec<String>,
    },
    ListDevices {
        account: String,
    },
    RevokeDevice {
        account: String,
        id: String,
    },
    /// Bans an account or a network, for a time or until the ban is lifted.
    Ban {
        target: String,
        lasts: Option<Duration>,
        reason: String,
    },
    Unban {
        target: String,
    },
    ListBans,
    Kick {
        name: String,
        reason: String,
    },
    ListSessions,
    Status,
    ListLimits,
    ModerateRoom {
        room: String,
        act: RoomAct,
    },
    /// Lists at most `most` rows with numbers below `before`, the newest first; 0: the newest rows of all.
    ListAudit {
        before: u64,
        most: u32,
    },
}

/// The server's answer to an [`AdminRequest`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AdminAnswer {
    /// An invitation was created.
    Created {
        link: SecretLink,
        invite: OpenInvite,
    },
    /// The invitations that can still be used.
    Invites(Vec<OpenInvite>),
    /// The invitation with this id was revoked.
    Revoked(String),
    Accounts(Vec<AccountInfo>),
    /// A role was given, an account renamed or removed, or a device revoked.
    Done,
    /// The link for a person who has lost all devices.
    Relinked(SecretLink),
    Bot(BotCredential),
    Devices(Vec<Device>),
    Audit(Vec<AuditEntry>),
    Bans(Vec<BanInfo>),
    Sessions(Vec<SessionInfo>),
    Status(ServerStatus),
    Limits(Vec<LimitInfo>),
}

/// A link with an invitation. Anyone who has it can use it, so `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretLink(pub String);

impl fmt::Debug for SecretLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretLink(…)")
    }
}

/// How a program signs in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BotCredential {
    pub name: String,
    /// The link of the server, without an invitation.
    pub link: String,
    pub key: DeviceSecret,
}

/// Makes one call over a connection of its own, as the user who runs the server.
///
/// # Errors
/// No server is running there, or it refused the call.
pub async fn call_as_host(
    connector: Connector,
    request: AdminRequest,
) -> Result<Result<AdminAnswer, CallError>, DisconnectReason> {
    let channel = open_channel(connector).await?;
    Ok(call(channel, None, request).await)
}

/// Makes one call, as the person of a session or, through the local socket, as the user who runs the server.
///
/// # Errors
/// The server refused the call, or the connection broke.
pub(super) async fn call(
    channel: Channel,
    token: Option<SessionToken>,
    request: AdminRequest,
) -> Result<AdminAnswer, CallError> {
    let service = AdminServiceClient::new(channel);
    match request {
        AdminRequest::CreateInvite(_)
        | AdminRequest::ListInvites
        | AdminRequest::RevokeInvite(_) => call_invites(service, token, request).await,
        AdminRequest::Ban { .. }
        | AdminRequest::Unban { .. }
        | AdminRequest::ListBans
        | AdminRequest::Kick { .. }
        | AdminRequest::ListSessions
        | AdminRequest::Status
        | AdminRequest::ListLimits
        | AdminRequest::ModerateRoom { .. } => call_order(service, token, request).await,
        request => call_accounts(service, token, request).await,
    }
}

async fn call_invites(
    mut service: AdminServiceClient<Channel>,
    token: Option<SessionToken>,
    request: AdminRequest,
) -> Result<AdminAnswer, CallError> {
    match request {
        AdminRequest::CreateInvite(terms) => {
            let message = with(invite_terms_to(terms), token)?;
            let made = service.create_invite(message).await;
            let made = made
                .map_err(|status| CallError::about(&status, Some(Missing::Room), ""))?
                .into_inner();
            let invite = made.invite.map(invite_from).ok_or(CallError::Busy)?;
            let link = SecretLink(made.link);
            Ok(AdminAnswer::Created { link, invite })
        }
        AdminRequest::RevokeInvite(id) => {
            let message = with(proto::RevokeInviteRequest { id: id.clone() }, token)?;
            let missing = Some(Missing::Invite(id.clone()));
            let revoked = service.revoke_invite(message).await;
            revoked.map_err(|status| CallError::about(&status, missing, ""))?;
            Ok(AdminAnswer::Revoked(id))
        }
        _ => {
            let message = with(proto::ListInvitesRequest {}, token)?;
            let listed = service.list_invites(message).await?.into_inner();
            let invites = listed.invites.into_iter().map(invite_from);
            Ok(AdminAnswer::Invites(invites.collect()))
        }
    }
}

async fn call_accounts(
    mut service: AdminServiceClient<Channel>,
    token: Option<SessionToken>,
    request: AdminRequest,
) -> Result<AdminAnswer, CallError> {
    let (missing, name) = subject(&request);
    let failed = |status: Status| CallError::about(&status, missing.clone(), &name);
    Ok(match request {
        AdminRequest::SetRole { account, role } => {
            let role = server_role_to(role).into();
            let message = proto::SetRoleRequest {
                name: account,
                role,
            };
            let done = service.set_role(with(message, token)?).await;
            done.map_err(failed)?;
            AdminAnswer::Done
        }
        AdminRequest::Rename { account, to } => {
            let message = proto::RenameAccountRequest { name: account, to };
            let done = service.rename_account(with(message, token)?).await;
            done.map_err(failed)?;
            AdminAnswer::Done
        }
        AdminRequest::Remove { account } => {
            let message = proto::RemoveAccountRequest { name: account };
            let done = service.remove_account(with(message, token)?).await;
            done.map_err(failed)?;
            AdminAnswer::Done
        }
        AdminRequest::Relink { account } => {
            let message = proto::RelinkRequest { name: account };
            let made = service.relink(with(message, token)?).await;
            AdminAnswer::Relinked(SecretLink(made.map_err(failed)?.into_inner().link))
        }
        AdminRequest::CreateBot { name, rooms } => {
            let message = proto::CreateBotRequest {
                name: name.clone(),
                rooms,
            };
            let made = service.create_bot(with(message, token)?).await;
            let made = made.map_err(failed)?.into_inner();
            let key = made.key.try_into().map_err(|_| CallError::Busy)?;
            AdminAnswer::Bot(BotCredential {
                name,
                link: made.link,
                key: DeviceSecret::new(key),
            })
        }
        AdminRequest::ListDevices { account } => {
            let message = proto::ListAccountDevicesRequest { name: account };
            let listed = service.list_account_devices(with(message, token)?).await;
            let devices = listed.map_err(failed)?.into_inner().devices;
            AdminAnswer::Devices(devices.into_iter().map(device_from).collect())
        }
        AdminRequest::RevokeDevice { account, id } => {
            let message = proto::RevokeAccountDeviceRequest { name: account, id };
            let done = service.revoke_account_device(with(message, token)?).await;
            done.map_err(failed)?;
            AdminAnswer::Done
        }
        AdminRequest::ListAudit {
            before,
            most: limit,
        } => {
            let message = with(proto::ListAuditRequest { before, limit }, token)?;
            let listed = service.list_audit(message).await.map_err(failed)?;
            let rows = listed.into_inner().rows;
            AdminAnswer::Audit(rows.into_iter().map(audit_from).collect())
        }
        _ => {
            let message = with(proto::ListAccountsRequest {}, token)?;
            let listed = service.list_accounts(message).await.map_err(failed)?;
            let accounts = listed.into_inner().accounts;
            AdminAnswer::Accounts(accounts.into_iter().map(account_from).collect())
        }
    })
}

/// The calls that keep order: bans, sessions, rooms, and what the server does.
async fn call_order(
    mut service: AdminServiceClient<Channel>,
    token: Option<SessionToken>,
    request: AdminRequest,
) -> Result<AdminAnswer, CallError> {
    let (missing, _) = subject(&request);
    let failed = |status: Status| CallError::about(&status, missing.clone(), "");
    Ok(match request {
        AdminRequest::Ban {
            target,
            lasts,
            reason,
        } => {
            let duration_ms = lasts.map_or(0, |lasts| {
                u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX).max(1)
            });
            let message = proto::BanRequest {
                target,
                duration_ms,
                reason,
            };
            service.ban(with(message, token)?).await.map_err(failed)?;
            AdminAnswer::Done
        }
        AdminRequest::Unban { target } => {
            let message = with(proto::UnbanRequest { target }, token)?;
            service.unban(message).await.map_err(failed)?;
            AdminAnswer::Done
        }
        AdminRequest::Kick { name, reason } => {
            let message = with(proto::KickRequest { name, reason }, token)?;
            service.kick(message).await.map_err(failed)?;
            AdminAnswer::Done
        }
        AdminRequest::ModerateRoom { room, act } => {
            let act = Some(room_act_to(act));
            let message = with(proto::ModerateRoomRequest { room, act }, token)?;
            let done = service.moderate_room(message).await;
            done.map_err(|status| match status.code() {
                Code::FailedPrecondition => CallError::RoomRefuses,
                _ => failed(status),
            })?;
            AdminAnswer::Done
        }
        AdminRequest::ListSessions => {
            let message = with(proto::ListSessionsRequest {}, token)?;
            let listed = service.list_sessions(message).await?.into_inner().sessions;
            AdminAnswer::Sessions(listed.into_iter().map(session_from).collect())
        }
        AdminRequest::ListLimits => {
            let message = with(proto::ListLimitsRequest {}, token)?;
            let listed = service.list_limits(message).await?.into_inner().limits;
            AdminAnswer::Limits(listed.into_iter().map(limit_from).collect())
        }
        AdminRequest::ListBans => {
            let message = with(proto::ListBansRequest {}, token)?;
            let listed = service.list_bans(message).await?.into_inner().bans;
            AdminAnswer::Bans(listed.into_iter().map(ban_from).collect())
        }
        _ => {
            let message = with(proto::GetStatusRequest {}, token)?;
            let status = service.get_status(message).await?.into_inner();
            AdminAnswer::Status(status_from(status))
        }
    })
}

/// Returns what `NOT_FOUND` means for a request, and the name that is taken if the server answers `ALREADY_EXISTS`.
fn subject(request: &AdminRequest) -> (Option<Missing>, String) {
    let account = |name: &String| Some(Missing::Account(name.clone()));
    match request {
        AdminRequest::SetRole { account: name, .. }
        | AdminRequest::Remove { account: name }
        | AdminRequest::Relink { account: name }
        | AdminRequest::ListDevices { account: name }
        | AdminRequest::Ban { target: name, .. }
        | AdminRequest::Unban { target: name } => (account(name), String::new()),
        AdminRequest::Rename { account: name, to } => (account(name), to.clone()),
        AdminRequest::CreateBot { name, .. } => (Some(Missing::Room), name.clone()),
        AdminRequest::Kick { name, .. } => (Some(Missing::Session(name.clone())), String::new()),
        AdminRequest::ModerateRoom { .. } => (Some(Missing::PublicRoom), String::new()),
        AdminRequest::RevokeDevice { id, .. } => (Some(Missing::Device(id.clone())), String::new()),
        _ => (None, String::new()),
    }
}

fn with<T>(message: T, token: Option<SessionToken>) -> Result<Request<T>, Status> {
    match token {
        Some(token) => authorised(message, token),
        None => Ok(Request::new(message)),
    }
}
