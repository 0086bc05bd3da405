//! The unary calls next to the stream: older pages, the list of rooms, mentions and search.

use std::time::Duration;

use tokio::time::sleep;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

use super::cache::Cache;
use super::{Event, RequestKind};
use crate::chat::{
    Entry, Epoch, Refusal, RefusalCode, Role, RoomId, RoomInfo, Search, SearchResults, Seq,
    ServerId, SessionToken,
};
use crate::wire::proto::chat_service_client::ChatServiceClient;
use crate::wire::{
    Malformed, entry_from, limit_refusal, proto, room_from, sanction_from, search_to,
};

/// The maximum number of attempts at a call while the server is at a limit.
const ATTEMPTS: u32 = 8;
/// The longest wait before one of these attempts.
const PATIENCE: Duration = Duration::from_secs(5);
/// The maximum number of pages of the list of rooms, with up to 200 rooms each.
const ROOM_PAGES: usize = 100;

/// Adds the session's token to a call, in a header that is not logged.
pub(super) fn authorised<T>(message: T, token: SessionToken) -> Result<Request<T>, Status> {
    let value = format!("Bearer {}", hex::encode(token.bytes()));
    let mut value: MetadataValue<_> = value
        .parse()
        .map_err(|_| Status::internal("a token is always a valid header"))?;
    value.set_sensitive(true);
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", value);
    Ok(request)
}

/// Loads a page of older entries, from the cache if it has them, otherwise from the server. Returns [`Event::PageFailed`] if that fails.
pub async fn load_page(
    service: ChatServiceClient<Channel>,
    token: SessionToken,
    cache: Option<(Cache, ServerId)>,
    room: RoomId,
    before: Seq,
) -> Event {
    if let Some((cache, server)) = &cache
        && let Some(page) = cached_page(cache, *server, room, before).await
    {
        return page;
    }
    let page = fetch_page(service, token, room, before).await;
    if let (Some((cache, server)), Event::Page { entries, .. }) = (&cache, &page) {
        cache.put_entries(*server, entries.clone());
    }
    page
}

/// Returns a page from the cache.
pub async fn cached_page(
    cache: &Cache,
    server: ServerId,
    room: RoomId,
    before: Seq,
) -> Option<Event> {
    let page = cache.page(server, room, before).await?;
    Some(Event::Page {
        room,
        before,
        epoch: page.epoch,
        first: page.first,
        entries: page.entries,
    })
}

async fn fetch_page(
    service: ChatServiceClient<Channel>,
    token: SessionToken,
    room: RoomId,
    before: Seq,
) -> Event {
    let failed = Event::PageFailed { room, before };
    let message = proto::GetHistoryRequest {
        room: room.bytes().to_vec(),
        before: before.0,
        limit: 200,
        ..Default::default()
    };
    let answer = patiently(|| {
        let (mut service, request) = (service.clone(), authorised(message.clone(), token));
        async move { service.get_history(request?).await }
    });
    let Ok(answer) = answer.await else {
        return failed;
    };
    let entries: Result<Vec<_>, _> = answer.entries.into_iter().map(entry_from).collect();
    match (entries, Epoch::from_slice(&answer.epoch)) {
        (Ok(entries), Some(epoch)) => Event::Page {
            room,
            before,
            epoch,
            first: Seq(answer.first),
            entries,
        },
        _ => failed,
    }
}

/// Returns the entries that mention us, newest first.
pub async fn fetch_mentions(
    service: ChatServiceClient<Channel>,
    token: SessionToken,
) -> Result<Vec<Entry>, Refusal> {
    let message = proto::ListMentionsRequest::default();
    let answer = patiently(|| {
        let (mut service, request) = (service.clone(), authorised(message, token));
        async move { service.list_mentions(request?).await }
    });
    let answer = answer.await.map_err(|status| call_refusal(&status))?;
    let entries = answer.entries.into_iter().map(entry_from);
    entries.collect::<Result<_, _>>().map_err(malformed)
}

/// Asks what moderators did in a room.
pub async fn fetch_moderation(
    service: ChatServiceClient<Channel>,
    token: SessionToken,
    room: RoomId,
) -> Event {
    let message = proto::ListModerationRequest {
        room: room.bytes().to_vec(),
        ..Default::default()
    };
    let answer = patiently(|| {
        let (mut service, request) = (service.clone(), authorised(message.clone(), token));
        async move { service.list_moderation(request?).await }
    });
    let entries = answer.await.map_err(|status| room_refusal(&status));
    let entries = entries.and_then(|answer| {
        let entries = answer.entries.into_iter().map(entry_from);
        entries.collect::<Result<_, _>>().map_err(malformed)
    });
    match entries {
        Ok(entries) => Event::Moderation { room, entries },
        Err(refusal) => Event::Refused {
            about: RequestKind::Moderation(room),
            refusal,
        },
    }
}

/// Asks for the bans and mutes of a room.
pub async fn fetch_sanctions(
    service: ChatServiceClient<Channel>,
    token: SessionToken,
    room: RoomId,
) -> Event {
    let message = proto::ListSanctionsRequest {
        room: room.bytes().to_vec(),
    };
    let answer = patiently(|| {
        let (mut service, request) = (service.clone(), authorised(message.clone(), token));
        async move { service.list_sanctions(request?).await }
    });
    let sanctions = answer.await.map_err(|status| room_refusal(&status));
    let sanctions = sanctions.and_then(|answer| {
        let sanctions = answer.sanctions.into_iter().map(sanction_from);
        sanctions.collect::<Result<_, _>>().map_err(malformed)
    });
    match sanctions {
        Ok(sanctions) => Event::Sanctions { room, sanctions },
        Err(refusal) => Event::Refused {
            about: RequestKind::Moderation(room),
            refusal,
        },
    }
}

/// Searches on the server.
pub async fn search_server(
    service: ChatServiceClient<Channel>,
    token: SessionToken,
    search: Search,
) -> Option<SearchResults> {
    let most = u32::try_from(Search::RESULT_LIMIT).unwrap_or(u32::MAX);
    let message = search_to(&search, most);
    let answer = patiently(|| {
        let (mut service, request) = (service.clone(), authorised(message.clone(), token));
        async move { service.search(request?).await }
    });
    let answer = answer.await.ok()?;
    let entries = answer.entries.into_iter().map(|it| entry_from(it).ok());
    Some(SearchResults {
        entries: entries.collect::<Option<_>>()?,
        has_more: answer.more,
        is_partial: answer.partial,
    })
}

/// Returns the rooms that we can see.
pub async fn fetch_rooms(
    service: ChatServiceClient<Channel>,
    token: SessionToken,
) -> Result<Vec<RoomInfo>, Refusal> {
    let mut rooms = Vec::new();
    let mut message = proto::ListRoomsRequest::default();
    for _ in 0..ROOM_PAGES {
        let answer = patiently(|| {
            let (mut service, request) = (service.clone(), authorised(message.clone(), token));
            async move { service.list_rooms(request?).await }
        });
        let answer = answer.await.map_err(|status| call_refusal(&status))?;
        for room in answer.rooms {
            rooms.push(room_from(room).map_err(malformed)?);
        }
        if answer.next_page.is_empty() {
            break;
        }
        message.page = answer.next_page;
    }
    Ok(rooms)
}

/// Makes a call. If the server is at a limit, waits for the time that it gives and tries again.
///
/// # Errors
/// The call failed, or the server stays at the limit for too long.
pub(super) async fn patiently<T, F>(call: impl Fn() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    for attempt in 1..=ATTEMPTS {
        let status = match call().await {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) => status,
        };
        let retry_after = limit_refusal(&status).and_then(|refusal| refusal.retry_after);
        match retry_after.filter(|after| *after <= PATIENCE && attempt < ATTEMPTS) {
            // Each time a little longer: other calls of ours may be waiting for the same limit.
            Some(after) => sleep(after * attempt).await,
            None => return Err(status),
        }
    }
    Err(Status::unavailable("no attempt was made"))
}

fn malformed(what: Malformed) -> Refusal {
    Refusal::new(RefusalCode::Malformed).with(what.0)
}

/// Returns why a call of moderators failed, as a refusal.
fn room_refusal(status: &Status) -> Refusal {
    match status.code() {
        Code::PermissionDenied => Refusal::new(RefusalCode::NotAllowed)
            .with("log")
            .with(Role::Moderator.word()),
        _ => call_refusal(status),
    }
}

/// Returns why a call failed, as a refusal.
fn call_refusal(status: &Status) -> Refusal {
    limit_refusal(status).unwrap_or_else(|| Refusal::new(RefusalCode::Offline))
}
