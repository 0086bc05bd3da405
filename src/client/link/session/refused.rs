//! Refusals from the server: which are final, which are retried, and which end the connection.

use tokio::time::Instant;

use super::{ConnectionEnd, LinkSession, RequestPurpose};
use crate::chat::{ClientId, Refusal, RefusalCode};
use crate::client::link::NoReceiver;
use crate::client::{DisconnectReason, Event, RequestKind};

impl LinkSession<'_> {
    pub(super) async fn on_refused(
        &mut self,
        request: u64,
        client_id: Option<ClientId>,
        refusal: Refusal,
    ) -> Result<Option<ConnectionEnd>, NoReceiver> {
        if self.welcome_at.is_none() {
            return Ok(Some(hello_refused(refusal)));
        }
        match client_id {
            Some(client_id) => self.post_refused(client_id, refusal).await?,
            None => self.request_refused(request, refusal).await?,
        }
        Ok(None)
    }

    /// Handles the refusal of a post: it is sent again later, or has failed.
    async fn post_refused(
        &mut self,
        client_id: ClientId,
        refusal: Refusal,
    ) -> Result<(), NoReceiver> {
        if let Some(after) = refusal.retry_after {
            self.link
                .pending
                .postpone(client_id, after, Instant::now().into_std());
            let is_long = matches!(
                refusal.code,
                RefusalCode::StorageFull | RefusalCode::LimitReached
            );
            if is_long {
                self.link.emit(Event::PostDelayed(refusal)).await?;
            }
        } else if self.link.pending.remove_answered(client_id).is_some() {
            self.fail(client_id, refusal).await?;
        }
        Ok(())
    }

    /// Handles the refusal of any other request.
    async fn request_refused(&mut self, request: u64, refusal: Refusal) -> Result<(), NoReceiver> {
        let about = match self.requests.remove(&request) {
            Some(RequestPurpose::For(about)) => about,
            Some(RequestPurpose::InitialJoin(room)) => RequestKind::Join(room),
            Some(RequestPurpose::ResolveName(name)) => {
                return self.not_resolved(&name, refusal).await;
            }
            Some(RequestPurpose::IgnoreRefusal) | None => return Ok(()),
        };
        if let RequestKind::Follow(room) = about
            && is_gone(refusal.code)
        {
            self.forget(room).await;
        }
        self.link.emit(Event::Refused { about, refusal }).await
    }

    /// Handles the refusal to open the conversation with a name: it is requested again later, or the posts that wait
    /// for it have failed.
    async fn not_resolved(&mut self, name: &str, refusal: Refusal) -> Result<(), NoReceiver> {
        if let Some(after) = refusal.retry_after {
            self.link
                .pending
                .retry_resolve_after(after, Instant::now().into_std());
            return Ok(());
        }
        for post in self.link.pending.remove_unresolved(name) {
            self.fail(post.client_id, refusal.clone()).await?;
        }
        Ok(())
    }

    /// Marks a post as failed. It stays on disk with the reason, until the user sends it again or discards it.
    async fn fail(&mut self, client_id: ClientId, refusal: Refusal) -> Result<(), NoReceiver> {
        if let Some(cache) = &self.link.cache {
            cache.mark_failed(client_id, refusal.clone()).await;
        }
        self.link
            .emit(Event::PostRefused { client_id, refusal })
            .await
    }
}

/// Returns how a connection ends after its hello was refused.
fn hello_refused(refusal: Refusal) -> ConnectionEnd {
    let first = refusal.arguments.first().map(String::as_str);
    let refusal = match (refusal.code, first) {
        // A server of version 1 reports the missing secret before it checks the version.
        (RefusalCode::Malformed, Some("secret")) => {
            Refusal::new(RefusalCode::Protocol).with(1).with(1)
        }
        _ => refusal,
    };
    match refusal.code {
        RefusalCode::NameTaken | RefusalCode::NameInvalid | RefusalCode::NameReserved => {
            ConnectionEnd::NameRefused(refusal)
        }
        _ if refusal.retry_after.is_some() => ConnectionEnd::Lost {
            retry_after: refusal.retry_after,
            why: DisconnectReason::Refused(refusal),
        },
        _ => ConnectionEnd::Stopped(DisconnectReason::Refused(refusal)),
    }
}

/// Whether a room cannot be followed because we are not a member or it was deleted.
const fn is_gone(code: RefusalCode) -> bool {
    matches!(code, RefusalCode::NotAMember | RefusalCode::RoomUnknown)
}
