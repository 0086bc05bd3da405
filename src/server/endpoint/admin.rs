//! The gRPC endpoint for `tchat.admin.v1.AdminService`: checks who calls, and passes the call on to the hub.

use std::sync::Arc;

use tonic::{Request, Response, Status, async_trait};

use super::grpc::token_of;
use super::shared_link::SharedLink;
use crate::chat::{IdentityId, Transport};
use crate::server::hub::{Hub, InviteFailure};
use crate::server::listen::Connection;
use crate::wire::admin_proto as proto;
use crate::wire::{Malformed, invite_terms_from, invite_to};

/// The server code that the build script generates.
mod generated {
    #![allow(clippy::all, clippy::pedantic)] // Generated.
    include!(concat!(
        env!("OUT_DIR"),
        "/server/tchat.admin.v1.AdminService.rs"
    ));
}

pub use generated::admin_service_server::{AdminService, AdminServiceServer};

#[derive(Clone, Debug)]
pub struct Admin {
    hub: Arc<Hub>,
    /// The link of this server, without an invitation.
    link: SharedLink,
}

/// Who administers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Administrator {
    /// The user who runs the server.
    Host,
    Person(IdentityId),
}

impl Admin {
    pub fn new(hub: Arc<Hub>, link: SharedLink) -> Self {
        Self { hub, link }
    }

    /// Returns who calls.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`: the call does not come through the local socket, and has no valid token. `PERMISSION_DENIED`: its person is not an
    /// owner.
    fn administrator<T>(&self, request: &Request<T>) -> Result<Administrator, Status> {
        let unauthenticated = || Status::unauthenticated("a session is needed");
        let connection = request.extensions().get::<Connection>();
        let connection = connection.ok_or_else(unauthenticated)?;
        let transport = connection.transport().ok_or_else(unauthenticated)?;
        if transport == Transport::Socket {
            connection.mark_admitted();
            return Ok(Administrator::Host);
        }
        let token = token_of(request.metadata());
        let person = token.and_then(|token| self.hub.person_of(token));
        let person = person.ok_or_else(unauthenticated)?;
        if self.hub.is_administrator(person) {
            Ok(Administrator::Person(person))
        } else {
            Err(Status::permission_denied(
                "only owners of the server may do this",
            ))
        }
    }

    fn failed(&self, failure: InviteFailure) -> Status {
        match failure {
            InviteFailure::TooMany => {
                Status::resource_exhausted("there are too many invitations that can still be used")
            }
            InviteFailure::Unknown => Status::not_found("there is no invitation with this id"),
            InviteFailure::Store(error) => {
                self.hub.fatal.raise(&error);
                Status::internal("the server's store failed")
            }
        }
    }
}

#[async_trait]
impl AdminService for Admin {
    async fn create_invite(
        &self,
        request: Request<proto::CreateInviteRequest>,
    ) -> Result<Response<proto::CreateInviteResponse>, Status> {
        let maker = match self.administrator(&request)? {
            Administrator::Host => None,
            Administrator::Person(person) => Some(person),
        };
        let terms = invite_terms_from(request.into_inner()).map_err(|Malformed(what)| {
            Status::invalid_argument(format!("'{what}' is too large"))
        })?;
        let made = self.hub.create_invite(terms, maker).await;
        let (invite, shown) = made.map_err(|failure| self.failed(failure))?;
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
        let open = open.map_err(|failure| self.failed(failure))?;
        let invites = open.iter().map(invite_to).collect();
        Ok(Response::new(proto::ListInvitesResponse { invites }))
    }

    async fn revoke_invite(
        &self,
        request: Request<proto::RevokeInviteRequest>,
    ) -> Result<Response<proto::RevokeInviteResponse>, Status> {
        self.administrator(&request)?;
        let revoked = self.hub.revoke_invite(&request.into_inner().id).await;
        revoked.map_err(|failure| self.failed(failure))?;
        Ok(Response::new(proto::RevokeInviteResponse {}))
    }
}
