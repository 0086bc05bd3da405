//! The administrative calls of `tchat.admin.v1`: invitations.

use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use super::history::authorised;
use super::link;
use super::{Connector, DisconnectReason};
use crate::chat::{InviteTerms, OpenInvite, SessionToken};
use crate::wire::admin_proto as proto;
use crate::wire::admin_proto::admin_service_client::AdminServiceClient;
use crate::wire::{invite_from, invite_terms_to};

/// What an administrator wants to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AdminRequest {
    CreateInvite(InviteTerms),
    ListInvites,
    /// By its id.
    RevokeInvite(String),
}

/// What the server did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AdminAnswer {
    /// An invitation was made. The link is a secret.
    Created { link: String, invite: OpenInvite },
    /// The invitations that can still be used.
    Invites(Vec<OpenInvite>),
    /// The invitation with this id was withdrawn.
    Revoked(String),
}

/// Why the server did not do it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AdminError {
    /// We are not an owner of the server.
    NotAllowed,
    /// There are too many invitations.
    TooMany,
    /// There is no invitation with this id.
    Unknown(String),
    /// The terms are out of range.
    Terms,
    /// The server is older and has no administration.
    TooOld,
    /// There is no connection.
    Offline,
}

impl From<Status> for AdminError {
    fn from(status: Status) -> Self {
        match status.code() {
            Code::PermissionDenied | Code::Unauthenticated => Self::NotAllowed,
            Code::ResourceExhausted => Self::TooMany,
            Code::InvalidArgument => Self::Terms,
            Code::Unimplemented => Self::TooOld,
            _ => Self::Offline,
        }
    }
}

/// Makes one call over a connection of its own, as the user who runs the server.
///
/// # Errors
/// No server is running there, or it refused the call.
pub async fn call_as_host(
    connector: Connector,
    request: AdminRequest,
) -> Result<Result<AdminAnswer, AdminError>, DisconnectReason> {
    let channel = link::open_channel(connector).await?;
    Ok(call(channel, None, request).await)
}

/// Makes one call, as the person of a session or, through the local socket, as the user who runs the server.
///
/// # Errors
/// The server refused the call, or the connection broke.
pub async fn call(
    channel: Channel,
    token: Option<SessionToken>,
    request: AdminRequest,
) -> Result<AdminAnswer, AdminError> {
    let mut service = AdminServiceClient::new(channel);
    match request {
        AdminRequest::CreateInvite(terms) => {
            let message = with(invite_terms_to(terms), token)?;
            let made = service.create_invite(message).await?.into_inner();
            let invite = made.invite.map(invite_from).ok_or(AdminError::Offline)?;
            Ok(AdminAnswer::Created {
                link: made.link,
                invite,
            })
        }
        AdminRequest::ListInvites => {
            let message = with(proto::ListInvitesRequest {}, token)?;
            let listed = service.list_invites(message).await?.into_inner();
            let invites = listed.invites.into_iter().map(invite_from);
            Ok(AdminAnswer::Invites(invites.collect()))
        }
        AdminRequest::RevokeInvite(id) => {
            let message = with(proto::RevokeInviteRequest { id: id.clone() }, token)?;
            match service.revoke_invite(message).await {
                Ok(_) => Ok(AdminAnswer::Revoked(id)),
                Err(status) if status.code() == Code::NotFound => Err(AdminError::Unknown(id)),
                Err(status) => Err(status.into()),
            }
        }
    }
}

fn with<T>(message: T, token: Option<SessionToken>) -> Result<Request<T>, Status> {
    match token {
        Some(token) => authorised(message, token),
        None => Ok(Request::new(message)),
    }
}
