//! The unary calls next to the stream: older pages, the list of rooms, mentions and search.

use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::Event;
use super::cache::Cache;
use crate::chat::{
    Entry, Epoch, RoomId, RoomInfo, Search, SearchResults, Seq, ServerId, SessionToken,
};
use crate::wire::proto::chat_service_client::ChatServiceClient;
use crate::wire::{entry_from, proto, room_from, search_to};

/// Adds the session's token as the protocol requires: never in an address, never in a log.
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
    mut service: ChatServiceClient<Channel>,
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
    let Ok(request) = authorised(message, token) else {
        return failed;
    };
    let Ok(answer) = service.get_history(request).await else {
        return failed;
    };
    let answer = answer.into_inner();
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
    mut service: ChatServiceClient<Channel>,
    token: SessionToken,
) -> Option<Vec<Entry>> {
    let request = authorised(proto::ListMentionsRequest::default(), token).ok()?;
    let answer = service.list_mentions(request).await.ok()?.into_inner();
    answer
        .entries
        .into_iter()
        .map(|entry| entry_from(entry).ok())
        .collect()
}

/// Searches on the server.
pub async fn search_server(
    mut service: ChatServiceClient<Channel>,
    token: SessionToken,
    search: Search,
) -> Option<SearchResults> {
    let most = u32::try_from(Search::RESULT_LIMIT).unwrap_or(u32::MAX);
    let request = authorised(search_to(&search, most), token).ok()?;
    let answer = service.search(request).await.ok()?.into_inner();
    let entries = answer.entries.into_iter().map(|it| entry_from(it).ok());
    Some(SearchResults {
        entries: entries.collect::<Option<_>>()?,
        has_more: answer.more,
        is_partial: answer.partial,
    })
}

/// Returns the rooms anyone may join.
pub async fn fetch_rooms(
    mut service: ChatServiceClient<Channel>,
    token: SessionToken,
) -> Option<Vec<RoomInfo>> {
    let request = authorised(proto::ListRoomsRequest {}, token).ok()?;
    let answer = service.list_rooms(request).await.ok()?.into_inner();
    answer
        .rooms
        .into_iter()
        .map(|room| room_from(room).ok())
        .collect()
}
