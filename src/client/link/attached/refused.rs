//! Refusals from the server: which are final, which are retried, and which end the connection.

use tokio::time::Instant;

use super::{Attached, End, Waits};
use crate::chat::{ClientId, Refusal, RefusalCode};
use crate::client::link::NoReceiver;
use crate::client::{About, Event, Why};

impl Attached<'_> {
    pub(super) async fn refused(
        &mut self,
        request: u64,
        client_id: Option<ClientId>,
        refusal: Refusal,
    ) -> Result<Option<End>, NoReceiver> {
        if self.welcome_at.is_none() {
            return Ok(Some(hello_refused(refusal)));
        }
        match client_id {
            Some(client_id) => self.post_refused(client_id, refusal).await?,
            None => self.request_refused(request, refusal).await?,
        }
        Ok(None)
    }

    /// A post was refused: it is sent again later, or has failed.
    async fn post_refused(
        &mut self,
        client_id: ClientId,
        refusal: Refusal,
    ) -> Result<(), NoReceiver> {
        if let Some(after) = refusal.retry_after {
            self.link
                .pending
                .postponed(client_id, after, Instant::now().into_std());
            if refusal.code == RefusalCode::StorageFull {
                self.link.tell(Event::PostWaits(refusal)).await?;
            }
        } else if self.link.pending.answered(client_id).is_some() {
            self.fail(client_id, refusal).await?;
        }
        Ok(())
    }

    /// Any other request was refused.
    async fn request_refused(&mut self, request: u64, refusal: Refusal) -> Result<(), NoReceiver> {
        let about = match self.waiting.remove(&request) {
            Some(Waits::For(about)) => about,
            Some(Waits::Start(room)) => About::Join(room),
            Some(Waits::Resolve(name)) => return self.not_resolved(&name, refusal).await,
            Some(Waits::Quietly) | None => return Ok(()),
        };
        if let About::Follow(room) = about
            && is_gone(refusal.code)
        {
            self.forget(room).await;
        }
        self.link.tell(Event::Refused { about, refusal }).await
    }

    /// The conversation of a name was refused: it is requested again later, or the posts that wait for it have failed.
    async fn not_resolved(&mut self, name: &str, refusal: Refusal) -> Result<(), NoReceiver> {
        if let Some(after) = refusal.retry_after {
            self.link
                .pending
                .not_resolved_yet(after, Instant::now().into_std());
            return Ok(());
        }
        for post in self.link.pending.unresolved(name) {
            self.fail(post.client_id, refusal.clone()).await?;
        }
        Ok(())
    }

    /// A post was refused permanently: it stays on disk with the reason, until it is repeated or discarded.
    async fn fail(&mut self, client_id: ClientId, refusal: Refusal) -> Result<(), NoReceiver> {
        if let Some(cache) = &self.link.cache {
            cache.failed(client_id, refusal.clone()).await;
        }
        self.link
            .tell(Event::PostRefused { client_id, refusal })
            .await
    }
}

/// Returns how a connection ends whose hello was refused.
fn hello_refused(refusal: Refusal) -> End {
    match refusal.code {
        RefusalCode::NameTaken | RefusalCode::NameInvalid | RefusalCode::NameReserved => {
            End::NameRefused(refusal)
        }
        _ if refusal.retry_after.is_some() => End::Lost {
            retry_after: refusal.retry_after,
            why: Why::Refused(refusal),
        },
        _ => End::Stopped(Why::Refused(refusal)),
    }
}

/// Whether a room cannot be followed because we are not a member or it was deleted.
const fn is_gone(code: RefusalCode) -> bool {
    matches!(code, RefusalCode::NotAMember | RefusalCode::RoomUnknown)
}
