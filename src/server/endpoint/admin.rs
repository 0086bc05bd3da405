//! The gRPC endpoint for `tchat.admin.v1.AdminService`: checks who calls, and passes the call on to the hub.

use std::sync::Arc;
use std::time::Duration;

use tonic::{Request, Response, Status, async_trait};

use super::caller::{carry_out, status_of, token_of};
use super::shared_link::SharedLink;
use crate::chat::{ServerRole, Transport};
use crate::server::hub::{Administrator, Hub};
use crate::server::listen::Connection;
use crate::wire::admin_proto as proto;
use crate::wire::{
    Malformed, account_to, audit_to, ban_to, device_to, invite_terms_from, invite_to, limit_to,
    room_act_from, server_role_asked, session_to, status_to,
};

/// The server code that the build script generates.
mod generated {
    #![allow(clippy::all, clippy::pedantic)] // Generated.
    include!(concat!(
        env!("OUT_DIR"),
        "/server/tchat.admin.v1.AdminService.rs"
    ));
}

pub use generated::admin_service_server::{AdminService, AdminServiceServer};

/// Maximum number of audit log rows in one answer.
const AUDIT_ROWS: usize = 200;

#[derive(Clone, Debug)]
pub struct Admin {
    hub: Arc<Hub>,
    /// The link of this server, without an invitation.
    link: SharedLink,
}

impl Admin {
    pub fn new(hub: Arc<Hub>, link: SharedLink) -> Self {
        Self { hub, link }
    }

    /// Returns the caller as an administrator.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`: the call does not come through the local socket, and has no valid token. `PERMISSION_DENIED`:
    /// the caller is neither an admin nor an owner.
    fn administrator<T>(&self, request: &Request<T>) -> Result<Administrator, Status> {
        let unauthenticated =
            || Status::unauthenticated("the call needs the token of an open session");
        let connection = request.extensions().get::<Connection>();
        let connection = connection.ok_or_else(unauthenticated)?;
        let transport = connection.transport().ok_or_else(unauthenticated)?;
        let token = token_of(request.metadata());
        let caller = token.and_then(|token| self.hub.caller_of(token));
        let person = caller.and_then(|caller| self.hub.administrator(caller.person));
        match (person, caller) {
            // Anyone who can open the socket has the rights of an owner, whatever their account, and also without one.
            (Some(Administrator::Person(author, _)), _) if transport == Transport::Socket => {
                Ok(Administrator::Person(author, ServerRole::Owner))
            }
            (Some(person), _) => Ok(person),
            (None, _) if transport == Transport::Socket => {
                connection.mark_admitted();
                Ok(Administrator::Host)
            }
            (None, Some(_)) => Err(Status::permission_denied(
                "only admins and owners of the server may do this",
            )),
            (None, None) => Err(unauthenticated()),
        }
    }
}

#[async_trait]
impl AdminService for Admin {
    async fn create_invite(
        &self,
        request: Request<proto::CreateInviteRequest>,
    ) -> Result<Response<proto::CreateInviteResponse>, Status> {
        let by = self.administrator(&request)?;
        let terms = invite_terms_from(request.into_inner()).map_err(|Malformed(what)| {
            Status::invalid_argument(format!("'{what}' is too large"))
        })?;
        let hub = Arc::clone(&self.hub);
        let made = async move { hub.create_invite(&by, &terms).await };
        let (invite, shown) = carry_out(&self.hub, made).await?;
        Ok(Response::new(proto::CreateInviteResponse {
            invite: Some(invite_to(&shown)),
            link: invite.added_to(&self.link.get()),
        }))
    }

    async fn list_invites(
        &self,
        request: Request<proto::ListInvitesRequest>,
    ) -> Result<Response<proto::ListInvitesResponse>, Status> {
        self.administrator(&request)?;
        let open = self.hub.open_invites().await;
        let open = open.map_err(|failure| status_of(&self.hub, failure))?;
        let invites = open.iter().map(invite_to).collect();
        Ok(Response::new(proto::ListInvitesResponse { invites }))
    }

    async fn revoke_invite(
        &self,
        request: Request<proto::RevokeInviteRequest>,
    ) -> Result<Response<proto::RevokeInviteResponse>, Status> {
        let by = self.administrator(&request)?;
        let (hub, id) = (Arc::clone(&self.hub), request.into_inner().id);
        let revoked = async move { hub.revoke_invite(&by, &id).await };
        carry_out(&self.hub, revoked).await?;
        Ok(Response::new(proto::RevokeInviteResponse {}))
    }

    async fn list_accounts(
        &self,
        request: Request<proto::ListAccountsRequest>,
    ) -> Result<Response<proto::ListAccountsResponse>, Status> {
        self.administrator(&request)?;
        let accounts = self.hub.list_accounts().await;
        let mut accounts = accounts.map_err(|error| status_of(&self.hub, error.into()))?;
        accounts.sort_by(|one, other| one.name.cmp(&other.name));
        let accounts = accounts.into_iter().map(account_to).collect();
        Ok(Response::new(proto::ListAccountsResponse { accounts }))
    }

    async fn set_role(
        &self,
        request: Request<proto::SetRoleRequest>,
    ) -> Result<Response<proto::SetRoleResponse>, Status> {
        let by = self.administrator(&request)?;
        let asked = request.into_inner();
        let role = server_role_asked(asked.role)
            .map_err(|_| Status::invalid_argument("'role' is unknown"))?;
        let hub = Arc::clone(&self.hub);
        let done = async move { hub.set_role(&by, &asked.name, role).await };
        carry_out(&self.hub, done).await?;
        Ok(Response::new(proto::SetRoleResponse {}))
    }

    async fn rename_account(
        &self,
        request: Request<proto::RenameAccountRequest>,
    ) -> Result<Response<proto::RenameAccountResponse>, Status> {
        let by = self.administrator(&request)?;
        let asked = request.into_inner();
        let hub = Arc::clone(&self.hub);
        let done = async move { hub.rename_account(&by, &asked.name, &asked.to).await };
        carry_out(&self.hub, done).await?;
        Ok(Response::new(proto::RenameAccountResponse {}))
    }

    async fn remove_account(
        &self,
        request: Request<proto::RemoveAccountRequest>,
    ) -> Result<Response<proto::RemoveAccountResponse>, Status> {
        let by = self.administrator(&request)?;
        let name = request.into_inner().name;
        let hub = Arc::clone(&self.hub);
        let done = async move { hub.remove_account_named(&by, &name).await };
        carry_out(&self.hub, done).await?;
        Ok(Response::new(proto::RemoveAccountResponse {}))
    }

    async fn relink(
        &self,
        request: Request<proto::RelinkRequest>,
    ) -> Result<Response<proto::RelinkResponse>, Status> {
        let by = self.administrator(&request)?;
        let (hub, name) = (Arc::clone(&self.hub), request.into_inner().name);
        let made = async move { hub.relink(&by, &name).await };
        let invite = carry_out(&self.hub, made).await?;
        let link = invite.added_to(&self.link.get());
        Ok(Response::new(proto::RelinkResponse { link }))
    }

    async fn create_bot(
        &self,
        request: Request<proto::CreateBotRequest>,
    ) -> Result<Response<proto::CreateBotResponse>, Status> {
        let by = self.administrator(&request)?;
        let asked = request.into_inner();
        let hub = Arc::clone(&self.hub);
        let made = async move { hub.create_bot(&by, &asked.name, &asked.rooms).await };
        let secret = carry_out(&self.hub, made).await?;
        Ok(Response::new(proto::CreateBotResponse {
            link: self.link.get(),
            key: secret.seed().to_vec(),
        }))
    }

    async fn list_account_devices(
        &self,
        request: Request<proto::ListAccountDevicesRequest>,
    ) -> Result<Response<proto::ListAccountDevicesResponse>, Status> {
        self.administrator(&request)?;
        let name = request.into_inner().name;
        let devices = self.hub.devices_of_account(&name).await;
        let devices = devices.map_err(|failure| status_of(&self.hub, failure))?;
        let devices = devices.into_iter().map(device_to).collect();
        Ok(Response::new(proto::ListAccountDevicesResponse { devices }))
    }

    async fn revoke_account_device(
        &self,
        request: Request<proto::RevokeAccountDeviceRequest>,
    ) -> Result<Response<proto::RevokeAccountDeviceResponse>, Status> {
        let by = self.administrator(&request)?;
        let asked = request.into_inner();
        let hub = Arc::clone(&self.hub);
        let done = async move { hub.revoke_device_of(&by, &asked.name, &asked.id).await };
        carry_out(&self.hub, done).await?;
        Ok(Response::new(proto::RevokeAccountDeviceResponse {}))
    }

    async fn ban(
        &self,
        request: Request<proto::BanRequest>,
    ) -> Result<Response<proto::BanResponse>, Status> {
        let by = self.administrator(&request)?;
        let asked = request.into_inner();
        let lasts = (asked.duration_ms > 0).then(|| Duration::from_millis(asked.duration_ms));
        let hub = Arc::clone(&self.hub);
        let done = async move { hub.ban(&by, &asked.target, lasts, &asked.reason).await };
        carry_out(&self.hub, done).await?;
        Ok(Response::new(proto::BanResponse {}))
    }

    async fn unban(
        &self,
        request: Request<proto::UnbanRequest>,
    ) -> Result<Response<proto::UnbanResponse>, Status> {
        let by = self.administrator(&request)?;
        let (hub, target) = (Arc::clone(&self.hub), request.into_inner().target);
        let done = async move { hub.unban(&by, &target).await };
        carry_out(&self.hub, done).await?;
        Ok(Response::new(proto::UnbanResponse {}))
    }

    async fn list_bans(
        &self,
        request: Request<proto::ListBansRequest>,
    ) -> Result<Response<proto::ListBansResponse>, Status> {
        self.administrator(&request)?;
        let bans = self.hub.list_bans().await;
        let bans = bans.map_err(|error| status_of(&self.hub, error.into()))?;
        let bans = bans.into_iter().map(ban_to).collect();
        Ok(Response::new(proto::ListBansResponse { bans }))
    }

    async fn kick(
        &self,
        request: Request<proto::KickRequest>,
    ) -> Result<Response<proto::KickResponse>, Status> {
        let by = self.administrator(&request)?;
        let asked = request.into_inner();
        let hub = Arc::clone(&self.hub);
        let done = async move { hub.kick(&by, &asked.name, &asked.reason).await };
        carry_out(&self.hub, done).await?;
        Ok(Response::new(proto::KickResponse {}))
    }

    async fn list_sessions(
        &self,
        request: Request<proto::ListSessionsRequest>,
    ) -> Result<Response<proto::ListSessionsResponse>, Status> {
        self.administrator(&request)?;
        let sessions = self.hub.list_sessions().into_iter();
        let sessions = sessions.map(session_to).collect();
        Ok(Response::new(proto::ListSessionsResponse { sessions }))
    }

    async fn get_status(
        &self,
        request: Request<proto::GetStatusRequest>,
    ) -> Result<Response<proto::GetStatusResponse>, Status> {
        self.administrator(&request)?;
        Ok(Response::new(status_to(self.hub.status_of_server())))
    }

    async fn list_limits(
        &self,
        request: Request<proto::ListLimitsRequest>,
    ) -> Result<Response<proto::ListLimitsResponse>, Status> {
        self.administrator(&request)?;
        let limits = self.hub.limits_of_server().into_iter();
        let limits = limits.map(limit_to).collect();
        Ok(Response::new(proto::ListLimitsResponse { limits }))
    }

    async fn moderate_room(
        &self,
        request: Request<proto::ModerateRoomRequest>,
    ) -> Result<Response<proto::ModerateRoomResponse>, Status> {
        let by = self.administrator(&request)?;
        let asked = request.into_inner();
        let act = room_act_from(asked.act)
            .map_err(|Malformed(what)| Status::invalid_argument(format!("'{what}' is missing")))?;
        let hub = Arc::clone(&self.hub);
        let done = async move { hub.moderate_room(&by, &asked.room, act).await };
        carry_out(&self.hub, done).await?;
        Ok(Response::new(proto::ModerateRoomResponse {}))
    }

    async fn list_audit(
        &self,
        request: Request<proto::ListAuditRequest>,
    ) -> Result<Response<proto::ListAuditResponse>, Status> {
        let by = self.administrator(&request)?;
        let asked = request.into_inner();
        let before = match asked.before {
            0 => u64::MAX,
            before => before,
        };
        let most = usize::try_from(asked.limit).unwrap_or_default();
        let most = if (1..=AUDIT_ROWS).contains(&most) {
            most
        } else {
            AUDIT_ROWS
        };
        let rows = self.hub.audit_log(&by, before, most).await;
        let rows = rows.map_err(|failure| status_of(&self.hub, failure))?;
        let rows = rows.into_iter().map(audit_to).collect();
        Ok(Response::new(proto::ListAuditResponse { rows }))
    }
}
