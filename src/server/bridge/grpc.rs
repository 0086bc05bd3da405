//! The gRPC services of the bridges. They pass the bytes of each message on to a call without decoding them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::{Stream, StreamExt};
use tokio::sync::mpsc;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status, Streaming, async_trait};

use super::action::Ending;
use super::call::{self, FromClient, ToClient};
use super::chat::{self, Chat};
use super::gochat::Gochat;
use super::notices;
use super::proto::chat::{
    CheckUsernameRequest, CheckUsernameResponse, ListRoomsRequest, ListRoomsResponse, RoomInfo,
};
use super::protocol::Protocol;
use super::service::Service;
use super::user::User;
use crate::chat::{Bridge, Bridges};
use crate::server::REQUEST_BYTES;
use crate::server::deadline;
use crate::server::deadline::Deadline;
use crate::server::hub::Hub;
use crate::server::listen::Connection;
use crate::wire::Frame;

/// The server code that the build script generates.
mod generated {
    #![allow(clippy::all, clippy::pedantic)] // Generated.
    pub mod user {
        include!(concat!(env!("OUT_DIR"), "/server/user.UserService.rs"));
    }
    pub mod gochat {
        include!(concat!(env!("OUT_DIR"), "/server/gochat.ChatService.rs"));
    }
    pub mod chat {
        include!(concat!(env!("OUT_DIR"), "/server/chat.ChatService.rs"));
    }
    pub mod service {
        include!(concat!(env!("OUT_DIR"), "/server/service.v1.Service.rs"));
    }
}

use generated::chat::chat_service_server as rooms;
use generated::gochat::chat_service_server as talk;
use generated::service::service_server as greetings;
use generated::user::user_service_server as people;

/// Adds the services that are switched on.
pub fn add(mut routes: Routes, hub: &Arc<Hub>, bridges: Bridges) -> Routes {
    for bridge in bridges.iter() {
        let service = BridgeService {
            hub: Arc::clone(hub),
        };
        routes = match bridge {
            Bridge::User => {
                let server = people::UserServiceServer::new(service);
                routes.add_service(server.max_decoding_message_size(REQUEST_BYTES))
            }
            Bridge::Gochat => {
                let server = talk::ChatServiceServer::new(service);
                routes.add_service(server.max_decoding_message_size(REQUEST_BYTES))
            }
            Bridge::Chat => {
                let server = rooms::ChatServiceServer::new(service);
                routes.add_service(server.max_decoding_message_size(REQUEST_BYTES))
            }
            Bridge::Service => {
                let server = greetings::ServiceServer::new(service);
                routes.add_service(server.max_decoding_message_size(REQUEST_BYTES))
            }
            // They are served over plain HTTP.
            Bridge::WebSocket | Bridge::Trigger => routes,
        };
    }
    routes
}

/// The implementation of all foreign services.
#[derive(Clone, Debug)]
struct BridgeService {
    hub: Arc<Hub>,
}

fn not_served() -> Status {
    Status::permission_denied(
        "this server does not serve clients of this protocol from this network",
    )
}

type Calls = Request<Streaming<Frame>>;
type BridgeResponse = Result<Response<ResponseStream>, Status>;

impl BridgeService {
    /// Starts a call. The response headers are sent at once, because some clients wait for them before they send anything.
    fn open(&self, protocol: Protocol, request: Calls) -> BridgeResponse {
        let unknown = || Status::internal("the connection of this call is unknown");
        let connection = request.extensions().get::<Connection>().cloned();
        let connection = connection.ok_or_else(unknown)?;
        let reach = call::reach(&self.hub, &connection).ok_or_else(not_served)?;
        let deadline = deadline::of(request.metadata());
        let heard = request.into_inner().map(|message| match message {
            Ok(Frame(message)) => FromClient::Message(message),
            // Uses tonic's own error for what it could not read. A client that cancelled receives nothing.
            Err(status) if status.code() != Code::Cancelled => {
                FromClient::Unreadable(Ending::Failed(status.code(), status.message().to_owned()))
            }
            Err(_) => FromClient::Lost,
        });
        let said = call::begin(&self.hub, (connection, reach), protocol, None, heard);
        Ok(Response::new(ResponseStream {
            messages: said,
            deadline,
            has_ended: false,
        }))
    }
}

#[async_trait]
impl people::UserService for BridgeService {
    type ChatStream = ResponseStream;

    async fn chat(&self, request: Calls) -> BridgeResponse {
        self.open(Protocol::User(User::default()), request)
    }
}

#[async_trait]
impl talk::ChatService for BridgeService {
    type ChatStream = ResponseStream;

    async fn chat(&self, request: Calls) -> BridgeResponse {
        self.open(Protocol::Gochat(Gochat::default()), request)
    }
}

#[async_trait]
impl greetings::Service for BridgeService {
    type ChatStream = ResponseStream;
    type ChatStreamStream = ResponseStream;

    async fn chat(&self, request: Calls) -> BridgeResponse {
        self.open(Protocol::Service(Service::default()), request)
    }

    async fn chat_stream(&self, request: Calls) -> BridgeResponse {
        self.open(Protocol::Service(Service::default()), request)
    }
}

#[async_trait]
impl rooms::ChatService for BridgeService {
    type ChatStream = ResponseStream;

    async fn chat(&self, request: Calls) -> BridgeResponse {
        self.open(Protocol::Chat(Chat::default()), request)
    }

    async fn list_rooms(
        &self,
        request: Request<ListRoomsRequest>,
    ) -> Result<Response<ListRoomsResponse>, Status> {
        let unknown = || Status::internal("the connection of this call is unknown");
        let connection = request.extensions().get::<Connection>();
        let connection = connection.ok_or_else(unknown)?;
        let reach = call::reach(&self.hub, connection).ok_or_else(not_served)?;
        connection.admit_guest();
        let rooms = self
            .hub
            .list_public(reach)
            .await
            .into_iter()
            .map(|room| RoomInfo {
                room_id: room.name,
                participant_count: i32::try_from(room.present).unwrap_or(i32::MAX),
            });
        Ok(Response::new(ListRoomsResponse {
            rooms: rooms.collect(),
        }))
    }

    async fn check_username(
        &self,
        request: Request<CheckUsernameRequest>,
    ) -> Result<Response<CheckUsernameResponse>, Status> {
        let unknown = || Status::internal("the connection of this call is unknown");
        let connection = request.extensions().get::<Connection>().cloned();
        let connection = connection.ok_or_else(unknown)?;
        call::reach(&self.hub, &connection).ok_or_else(not_served)?;
        connection.admit_guest();
        let name = request.into_inner().user_name;
        let reserved = match chat::check_name(&name) {
            Ok(()) => call::reserve(&self.hub, &connection, &name).await,
            Err(refusal) => Err(refusal),
        };
        Ok(Response::new(match reserved {
            Ok(_) => CheckUsernameResponse {
                available: true,
                message: notices::NAME_FREE.into(),
            },
            Err(refusal) => CheckUsernameResponse {
                available: false,
                message: notices::room_refusal(&refusal),
            },
        }))
    }
}

/// The response stream of a call.
#[derive(Debug)]
struct ResponseStream {
    messages: mpsc::Receiver<ToClient>,
    deadline: Deadline,
    has_ended: bool,
}

impl Stream for ResponseStream {
    type Item = Result<Frame, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        if deadline::is_over(&mut self.deadline, context) {
            self.has_ended = true;
            return Poll::Ready(Some(Err(deadline::exceeded())));
        }
        let said = std::task::ready!(self.messages.poll_recv(context));
        let end = match said {
            Some(ToClient::Message(message)) => return Poll::Ready(Some(Ok(Frame(message)))),
            Some(ToClient::End(ending)) => ending,
            None => Ending::Stopping,
        };
        self.has_ended = true;
        Poll::Ready(status(end).map(Err))
    }
}

/// Returns the gRPC status for an ending; nothing for a successful end.
fn status(ending: Ending) -> Option<Status> {
    match ending {
        Ending::Done | Ending::Refused => None,
        Ending::Eof => Some(Status::unknown("EOF")),
        Ending::Malformed => Some(Status::internal("the message cannot be read")),
        Ending::Stopping => Some(Status::unavailable("the server is stopping")),
        Ending::Failed(code, message) => Some(Status::new(code, message)),
    }
}
