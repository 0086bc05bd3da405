//! `tchat.v1.ChatService` over gRPC. Thin: no rule of chat lives here.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{Stream, StreamExt};
use tokio::time::{Sleep, sleep};
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming, async_trait};

use crate::chat::{Epoch, IdentityId, RefusalCode, RoomId, Secret, Seq};
use crate::server::hub::{AdmitError, Hub};
use crate::server::listen::Connection;
use crate::server::outbox::{Item, Outbox};
use crate::server::room::mailbox::RoomMsg;
use crate::server::session::{self, Broken, Greeted};
use crate::server::store::{PageLimit, Span, StoreError};
use crate::wire::{Frame, encode_event, entry_to, proto, request_from, room_to};

/// What the build script describes of the service, for the server's side.
mod generated {
    #![allow(clippy::all, clippy::pedantic)] // Generated.
    include!(concat!(env!("OUT_DIR"), "/server/tchat.v1.ChatService.rs"));
}

pub use generated::chat_service_server::{ChatService, ChatServiceServer};

/// The largest request that is decoded.
pub const REQUEST_BYTES: usize = 64 * 1024;

#[derive(Clone, Debug)]
pub struct Endpoint {
    hub: Arc<Hub>,
}

impl Endpoint {
    pub fn new(hub: Arc<Hub>) -> Self {
        Self { hub }
    }

    /// Who asks, by the secret in the metadata.
    async fn caller<T>(&self, request: &Request<T>) -> Result<IdentityId, Status> {
        let metadata = request.metadata();
        let unauthenticated = || Status::unauthenticated("the secret is missing or unknown");
        let value = metadata
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .ok_or_else(unauthenticated)?;
        let secret = value
            .strip_prefix("Bearer ")
            .and_then(secret_from_hex)
            .ok_or_else(unauthenticated)?;
        let known = self.hub.known(&secret).await.map_err(|error| match error {
            AdmitError::Refused(_) => unauthenticated(),
            AdmitError::Store(error) => self.fail(&error),
        })?;
        if let Some(connection) = request.extensions().get::<Connection>() {
            connection.greeted();
        }
        Ok(known)
    }

    fn fail(&self, error: &StoreError) -> Status {
        self.hub.fatal.raise(error);
        Status::internal("the server's store failed")
    }
}

#[async_trait]
impl ChatService for Endpoint {
    type ChatStream = FrameStream;

    async fn chat(
        &self,
        request: Request<Streaming<proto::ChatRequest>>,
    ) -> Result<Response<FrameStream>, Status> {
        let deadline = deadline(request.metadata());
        let connection = request.extensions().get::<Connection>().cloned();
        let connection = connection
            .ok_or_else(|| Status::internal("the stream came over no known connection"))?;
        let outbox = Outbox::new(Arc::clone(&self.hub.budget));
        connection.watch(&outbox);
        let inbound = request.into_inner().map(|frame| match frame {
            Ok(frame) => request_from(frame).map_err(Broken::Malformed),
            Err(_) => Err(Broken::Lost),
        });
        let peer = connection.peer();
        tokio::spawn(session::run(
            Arc::clone(&self.hub),
            Arc::clone(&outbox),
            inbound,
            connection,
            peer,
        ));
        Ok(Response::new(FrameStream {
            outbox,
            deadline: deadline.map(|after| Box::pin(sleep(after))),
        }))
    }

    async fn list_rooms(
        &self,
        request: Request<proto::ListRoomsRequest>,
    ) -> Result<Response<proto::ListRoomsResponse>, Status> {
        self.caller(&request).await?;
        let rooms = self.hub.list().await.iter().map(room_to).collect();
        Ok(Response::new(proto::ListRoomsResponse { rooms }))
    }

    async fn get_history(
        &self,
        request: Request<proto::GetHistoryRequest>,
    ) -> Result<Response<proto::GetHistoryResponse>, Status> {
        let caller = self.caller(&request).await?;
        let asked = request.into_inner();
        let room = RoomId::from_slice(&asked.room)
            .ok_or_else(|| Status::invalid_argument("'room' is malformed"))?;
        // The same answer for a room that is not there and one that is not the caller's.
        let hidden = || Status::permission_denied("not a member of this room");
        let peek = self
            .hub
            .ask(room, |reply| RoomMsg::Peek {
                identity: caller,
                reply,
            })
            .await;
        let head = peek.flatten().ok_or_else(hidden)?;
        if !asked.epoch.is_empty() && Epoch::from_slice(&asked.epoch) != Some(head.epoch) {
            return Err(Status::failed_precondition(format!(
                "{:?}",
                RefusalCode::EpochChanged
            )));
        }
        let span = match (asked.before, asked.after) {
            (0, 0) => Span::Before(Seq(u64::MAX)),
            (0, after) => Span::After(Seq(after)),
            (before, _) => Span::Before(Seq(before)),
        };
        let most = PageLimit::PAGE.entries;
        let entries = usize::try_from(asked.limit)
            .ok()
            .filter(|limit| (1..=most).contains(limit))
            .unwrap_or(most);
        let limit = PageLimit {
            entries,
            ..PageLimit::PAGE
        };
        let page = self
            .hub
            .store
            .page(room, span, limit)
            .await
            .map_err(|error| self.fail(&error))?;
        Ok(Response::new(proto::GetHistoryResponse {
            entries: page.iter().map(entry_to).collect(),
            first: head.first.0,
            last: head.seq.0,
            epoch: head.epoch.bytes().to_vec(),
        }))
    }
}

/// An outbox as the response stream: each item is a frame that is encoded already or encoded here.
#[derive(Debug)]
pub struct FrameStream {
    outbox: Arc<Outbox>,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Stream for FrameStream {
    type Item = Result<Frame, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Some(Err(Status::deadline_exceeded(
                "the call's own deadline is over",
            ))));
        }
        self.outbox.poll_pop(context).map(|item| {
            let bytes = match item? {
                Item::Answer(event) => encode_event(&event),
                Item::Entries(delivery, after) => delivery.frame_after(after),
                Item::Signal(signal) => signal.frame.clone(),
            };
            Some(Ok(Frame(bytes)))
        })
    }
}

impl Drop for FrameStream {
    fn drop(&mut self) {
        self.outbox.abandon();
    }
}

/// `grpc-timeout` bounds the whole stream; tonic heeds it only in its own server.
fn deadline(metadata: &MetadataMap) -> Option<Duration> {
    let value = metadata.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

fn secret_from_hex(text: &str) -> Option<Secret> {
    Secret::from_slice(&hex::decode(text).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeout(value: &'static str) -> Option<Duration> {
        let mut metadata = MetadataMap::new();
        metadata.insert("grpc-timeout", value.parse().unwrap());
        deadline(&metadata)
    }

    #[test]
    fn grpc_timeouts_are_read_in_every_unit() {
        assert_eq!(timeout("30S"), Some(Duration::from_secs(30)));
        assert_eq!(timeout("999876543n"), None, "more than eight digits");
        assert_eq!(
            timeout("99987654u"),
            Some(Duration::from_micros(99_987_654))
        );
        assert_eq!(timeout("1H"), Some(Duration::from_hours(1)));
        assert_eq!(timeout("S"), None);
        assert_eq!(timeout("+1S"), None);
    }

    #[test]
    fn a_secret_is_64_hex_digits() {
        assert_eq!(
            secret_from_hex(&"0f".repeat(32)),
            Some(Secret::new([15; 32]))
        );
        assert_eq!(secret_from_hex(&"0f".repeat(31)), None);
        assert_eq!(secret_from_hex(&"é".repeat(32)), None);
    }
}
