//! The gRPC endpoint for `tchat.v1.ChatService`. It contains no chat rules.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::caller::{carry_out, token_of};
use super::shared_link::SharedLink;
use crate::chat::{Epoch, IdentityId, Limit, RoomId, Search, Seq};
use crate::server::deadline;
use crate::server::deadline::Deadline;
use crate::server::hub::charging::Occupied;
use crate::server::hub::{AdmitError, Admitted, Caller, Hub, RemoveWhen, RoomPage};
use crate::server::listen::{Connection, UnreadAnswer};
use crate::server::outbox::{Item, Outbox};
use crate::server::session::{self, Origin, SessionError};
use crate::server::store::{PageLimit, SearchLimit, Span, StoreError};
use crate::wire::{
    Frame, Malformed, device_to, encode_event, entry_to, limit_status, proto, request_from,
    room_to, sanction_to, search_from,
};

/// The server code that the build script generates.
mod generated {
    #![allow(clippy::all, clippy::pedantic)] // Generated.
    include!(concat!(env!("OUT_DIR"), "/server/tchat.v1.ChatService.rs"));
}

pub use generated::chat_service_server::{ChatService, ChatServiceServer};

/// Maximum number of mentions in one list.
const MENTIONS: usize = 100;
/// The most entries about moderation in one answer.
const MODERATION: usize = 100;

#[derive(Clone, Debug)]
pub struct Endpoint {
    hub: Arc<Hub>,
    /// The link of this server, without an invitation.
    link: SharedLink,
}

impl Endpoint {
    pub fn new(hub: Arc<Hub>, link: SharedLink) -> Self {
        Self { hub, link }
    }

    /// Like [`Endpoint::calling`], for calls that need only the person.
    fn caller<T>(&self, request: &Request<T>) -> Result<IdentityId, Status> {
        Ok(self.calling(request)?.person)
    }

    /// Returns the caller, from the session's token in the metadata.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`: the token is missing, or its session has ended. `FAILED_PRECONDITION`: the connection is not
    /// encrypted.
    fn calling<T>(&self, request: &Request<T>) -> Result<Caller, Status> {
        let unauthenticated =
            || Status::unauthenticated("the token is missing, or its session has ended");
        let connection = request.extensions().get::<Connection>();
        let connection = connection.ok_or_else(unauthenticated)?;
        if connection.transport().is_none() {
            return Err(Status::failed_precondition(
                "the connection is not encrypted: use a newer tchat",
            ));
        }
        let token = token_of(request.metadata()).ok_or_else(unauthenticated)?;
        let known = self.hub.caller_of(token).ok_or_else(unauthenticated)?;
        Ok(known)
    }

    /// Counts a call against one of the caller's rate limits.
    fn charge(&self, limit: Limit, caller: IdentityId) -> Result<(), Status> {
        let charged = self.hub.charge(limit, caller);
        charged.map_err(|refusal| limit_status(&refusal))
    }

    /// Like [`Endpoint::charge`], for a call with a long answer. The answer counts as unread until the returned value
    /// is dropped.
    fn begin_reading(&self, limit: Limit, caller: IdentityId) -> Result<Occupied, Status> {
        self.charge(limit, caller)?;
        let occupied = self.hub.occupy(Limit::UnreadAnswers, caller);
        occupied.map_err(|refusal| limit_status(&refusal))
    }

    /// Returns the status of a call about a room that is not allowed, or that failed.
    fn refuse(&self, error: AdmitError) -> Status {
        match error {
            AdmitError::Store(error) => self.fail(&error),
            AdmitError::Refused(_) => {
                Status::permission_denied("only moderators of the room may do this")
            }
        }
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
        let deadline = deadline::of(request.metadata());
        let connection = request.extensions().get::<Connection>().cloned();
        let connection =
            connection.ok_or_else(|| Status::internal("the connection of this call is unknown"))?;
        let outbox = Outbox::new(Arc::clone(&self.hub.budget));
        connection.watch(&outbox);
        let inbound = request.into_inner().map(|frame| match frame {
            Ok(frame) => request_from(frame).map_err(SessionError::Malformed),
            Err(_) => Err(SessionError::Lost),
        });
        let origin = Origin {
            peer: connection.peer(),
            address: connection.address(),
            transport: connection.transport(),
        };
        let (hub, out) = (Arc::clone(&self.hub), Arc::clone(&outbox));
        tokio::spawn(async move {
            let mut who = None;
            let on_admitted = |admitted: &Admitted| {
                connection.mark_signed_in();
                connection.session_began(admitted.is_stranger);
                who = Some(admitted.is_stranger);
            };
            let draining = hub.draining.clone();
            session::run(hub, out, inbound, on_admitted, origin).await;
            // A server that stops drops its connections anyway, after the goodbyes.
            if let Some(is_stranger) = who.filter(|_| !draining.is_cancelled()) {
                connection.session_ended(is_stranger);
            }
        });
        Ok(Response::new(FrameStream { outbox, deadline }))
    }

    async fn list_rooms(
        &self,
        request: Request<proto::ListRoomsRequest>,
    ) -> Result<Response<proto::ListRoomsResponse>, Status> {
        let caller = self.caller(&request)?;
        let charged = self.begin_reading(Limit::Calls, caller)?;
        let asked = request.into_inner();
        let page = RoomPage {
            after: asked.page,
            rooms: page_size(asked.limit, RoomPage::ROOMS),
        };
        let listed = self.hub.list(caller, page).await;
        let (listed, next_page) = listed.map_err(|error| self.fail(&error))?;
        let rooms = listed.iter().map(room_to).collect();
        let answer = proto::ListRoomsResponse { rooms, next_page };
        Ok(long_answer(charged, answer))
    }

    async fn list_mentions(
        &self,
        request: Request<proto::ListMentionsRequest>,
    ) -> Result<Response<proto::ListMentionsResponse>, Status> {
        let caller = self.caller(&request)?;
        let charged = self.begin_reading(Limit::Calls, caller)?;
        let asked = usize::try_from(request.into_inner().limit).ok();
        let most = asked.filter(|most| (1..=MENTIONS).contains(most));
        let found = self.hub.store.mentions_of(caller, most.unwrap_or(MENTIONS));
        let found = found.await.map_err(|error| self.fail(&error))?;
        let entries = found.iter().map(entry_to).collect();
        Ok(long_answer(
            charged,
            proto::ListMentionsResponse { entries },
        ))
    }

    async fn search(
        &self,
        request: Request<proto::SearchRequest>,
    ) -> Result<Response<proto::SearchResponse>, Status> {
        let caller = self.caller(&request)?;
        let charged = self.begin_reading(Limit::Searches, caller)?;
        let at_once = self.hub.occupy(Limit::SearchesAtOnce, caller);
        let _at_once = at_once.map_err(|refusal| limit_status(&refusal))?;
        let message = request.into_inner();
        let asked = usize::try_from(message.limit).ok();
        let most = asked.filter(|most| (1..=Search::RESULT_LIMIT).contains(most));
        let search = search_from(message).map_err(|Malformed(what)| {
            Status::invalid_argument(format!("'{what}' is malformed"))
        })?;
        let time_ms = self.hub.quotas.get(Limit::SearchTime);
        let limit = SearchLimit {
            entries: most.unwrap_or(Search::RESULT_LIMIT),
            time: time_ms.map(|ms| Duration::from_millis(ms.into())),
        };
        let found = self.hub.store.search(caller, search, limit);
        let found = found.await.map_err(|error| self.fail(&error))?;
        let answer = proto::SearchResponse {
            entries: found.entries.iter().map(entry_to).collect(),
            more: found.has_more,
            partial: found.is_partial,
        };
        Ok(long_answer(charged, answer))
    }

    async fn list_moderation(
        &self,
        request: Request<proto::ListModerationRequest>,
    ) -> Result<Response<proto::ListModerationResponse>, Status> {
        let caller = self.caller(&request)?;
        let charged = self.begin_reading(Limit::Calls, caller)?;
        let asked = request.into_inner();
        let room = room_of(&asked.room)?;
        let before = match asked.before {
            0 => Seq(u64::MAX),
            before => Seq(before),
        };
        let most = page_size(asked.limit, MODERATION);
        let found = self.hub.moderation(caller, room, before, most).await;
        let found = found.map_err(|error| self.refuse(error))?;
        let entries = found.iter().map(entry_to).collect();
        Ok(long_answer(
            charged,
            proto::ListModerationResponse { entries },
        ))
    }

    async fn list_sanctions(
        &self,
        request: Request<proto::ListSanctionsRequest>,
    ) -> Result<Response<proto::ListSanctionsResponse>, Status> {
        let caller = self.caller(&request)?;
        let charged = self.begin_reading(Limit::Calls, caller)?;
        let room = room_of(&request.into_inner().room)?;
        let found = self.hub.sanctions(caller, room).await;
        let found = found.map_err(|error| self.refuse(error))?;
        let sanctions = found.iter().map(sanction_to).collect();
        Ok(long_answer(
            charged,
            proto::ListSanctionsResponse { sanctions },
        ))
    }

    async fn list_devices(
        &self,
        request: Request<proto::ListDevicesRequest>,
    ) -> Result<Response<proto::ListDevicesResponse>, Status> {
        let caller = self.calling(&request)?;
        self.charge(Limit::Posts, caller.person)?;
        let devices = self.hub.devices_of(caller.person, Some(caller.device));
        let devices = devices.await.map_err(|error| self.fail(&error))?;
        let devices = devices.into_iter().map(device_to).collect();
        Ok(Response::new(proto::ListDevicesResponse { devices }))
    }

    async fn add_device(
        &self,
        request: Request<proto::AddDeviceRequest>,
    ) -> Result<Response<proto::AddDeviceResponse>, Status> {
        let caller = self.calling(&request)?;
        self.charge(Limit::Posts, caller.person)?;
        let hub = Arc::clone(&self.hub);
        let made = async move { hub.create_device_link(caller).await };
        let invite = carry_out(&self.hub, made).await?;
        let link = invite.added_to(&self.link.get());
        Ok(Response::new(proto::AddDeviceResponse { link }))
    }

    async fn revoke_device(
        &self,
        request: Request<proto::RevokeDeviceRequest>,
    ) -> Result<Response<proto::RevokeDeviceResponse>, Status> {
        let caller = self.calling(&request)?;
        self.charge(Limit::Posts, caller.person)?;
        let id = request.into_inner().id;
        let hub = Arc::clone(&self.hub);
        let done = async move { hub.revoke_device(caller.person, &id, None).await };
        carry_out(&self.hub, done).await?;
        Ok(Response::new(proto::RevokeDeviceResponse {}))
    }

    async fn delete_account(
        &self,
        request: Request<proto::DeleteAccountRequest>,
    ) -> Result<Response<proto::DeleteAccountResponse>, Status> {
        let caller = self.caller(&request)?;
        let hub = Arc::clone(&self.hub);
        let done = async move { hub.remove_account(caller, RemoveWhen::Always, None).await };
        carry_out(&self.hub, done).await?;
        Ok(Response::new(proto::DeleteAccountResponse {}))
    }

    async fn get_history(
        &self,
        request: Request<proto::GetHistoryRequest>,
    ) -> Result<Response<proto::GetHistoryResponse>, Status> {
        let caller = self.caller(&request)?;
        let charged = self.begin_reading(Limit::Calls, caller)?;
        let asked = request.into_inner();
        let room = room_of(&asked.room)?;
        // Same answer for a room that does not exist and one the caller is not in, so that nobody can probe for rooms.
        let hidden = || Status::permission_denied("not a member of this room");
        let head = self.hub.head(room, caller).await.ok_or_else(hidden)?;
        if !asked.epoch.is_empty() && Epoch::from_slice(&asked.epoch) != Some(head.epoch) {
            return Err(Status::failed_precondition(
                "the room's history was replaced (epoch changed)",
            ));
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
        // Removed members may not read entries made after their removal.
        let span = match span {
            Span::Before(seq) => Span::Before(seq.min(head.seq.next())),
            Span::After(seq) => Span::After(seq),
        };
        let mut page = self
            .hub
            .store
            .page(room, span, limit)
            .await
            .map_err(|error| self.fail(&error))?;
        page.retain(|entry| entry.seq <= head.seq);
        for entry in &mut page {
            entry.withhold_after(head.seq);
        }
        let answer = proto::GetHistoryResponse {
            entries: page.iter().map(entry_to).collect(),
            first: head.first.0,
            last: head.seq.0,
            epoch: head.epoch.bytes().to_vec(),
        };
        Ok(long_answer(charged, answer))
    }
}

fn room_of(id: &[u8]) -> Result<RoomId, Status> {
    RoomId::from_slice(id).ok_or_else(|| Status::invalid_argument("'room' is malformed"))
}

/// Returns an answer that may be long. It counts as unread until the client has read it.
fn long_answer<T>(charged: Occupied, answer: T) -> Response<T> {
    let mut response = Response::new(answer);
    let charged = UnreadAnswer(Arc::new(charged));
    response.extensions_mut().insert(charged);
    response
}

/// Returns the number of items in a page, given the number that the caller requested. 0 requests as many as possible.
fn page_size(asked: u32, most: usize) -> usize {
    let asked = usize::try_from(asked).unwrap_or(usize::MAX);
    if asked == 0 { most } else { asked.min(most) }
}

/// The response stream that reads from an outbox. An item is already an encoded frame, or is encoded here.
#[derive(Debug)]
pub struct FrameStream {
    outbox: Arc<Outbox>,
    deadline: Deadline,
}

impl Stream for FrameStream {
    type Item = Result<Frame, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if deadline::is_over(&mut self.deadline, context) {
            return Poll::Ready(Some(Err(deadline::exceeded())));
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
