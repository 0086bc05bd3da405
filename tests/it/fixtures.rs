//! Compatibility fixtures: files of a released version that every later version must read. One is a database, one a client's stream.
//!
//! `cargo test make_fixtures -- --ignored` creates them for a new version; give them a new name then.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use prost::Message;
use tchat::chat::{Body, Digest, Seq, ServerId, digest};
use tchat::server::store::sqlite::SqliteStore;
use tchat::server::store::{PageLimit, Span, Store};
use tchat::wire::{Request, RequestFrame, proto, request_from, request_to};

use crate::frames::requests;
use crate::support::raw_client::Raw;
use crate::support::server::{Server, config};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures")
}

#[tokio::test]
async fn a_version_1_database_opens_with_the_same_content() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tchat.db");
    std::fs::copy(fixtures().join("v1.db"), &path).unwrap();
    let store = SqliteStore::open(&path, ServerId::new([0; 16])).unwrap();
    assert_eq!(store.server_id().await.unwrap(), ServerId::new([1; 16]));
    let rooms = store.named_rooms().await.unwrap();
    assert_eq!(
        rooms
            .iter()
            .map(|room| room.name.as_str())
            .collect::<Vec<_>>(),
        ["general", "tech", "random"]
    );
    let entries = store
        .page(rooms[0].id, Span::After(Seq::ZERO), PageLimit::PAGE)
        .await
        .unwrap();
    let said: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.body.is_message())
        .map(|entry| entry.body.text())
        .collect();
    assert_eq!(said, ["hello", "大家好 👋🏽", "waves"]);
    let mut chain = Digest::default();
    for entry in &entries {
        chain = digest(
            chain,
            entry.seq,
            entry.author.id,
            entry.client_id,
            &entry.body,
        );
        assert_eq!(entry.digest, chain, "valid chain up to {}", entry.seq);
    }
    // A server can continue where the fixture ends.
    let server = Server::with(config(), Arc::new(store));
    let mut ann = server.joins("ann").await;
    ann.sends("general", "still here");
    let entry = ann.sees("general", "still here").await;
    assert_eq!(entry.seq, entries.last().unwrap().seq.next());
}

#[test]
fn the_stream_of_a_version_1_client_is_decoded() {
    let bytes = std::fs::read(fixtures().join("v1.requests")).unwrap();
    let mut rest = &bytes[..];
    let mut understood = Vec::new();
    while !rest.is_empty() {
        let frame = proto::ChatRequest::decode_length_delimited(&mut rest).unwrap();
        understood.push(request_from(frame).unwrap());
    }
    let expected: Vec<RequestFrame> = (1..)
        .zip(requests())
        // The 15 requests of that version; newer ones come after them.
        .take(15)
        .map(|(request, (_, what))| RequestFrame { request, what })
        .collect();
    assert_eq!(understood, expected);
}

#[tokio::test]
#[ignore = "makes the fixtures of a new version; see the top of this file"]
async fn make_fixtures() {
    std::fs::create_dir_all(fixtures()).unwrap();
    let mut stream = Vec::new();
    for (request, (_, what)) in (1..).zip(requests()) {
        request_to(&RequestFrame { request, what })
            .encode_length_delimited(&mut stream)
            .unwrap();
    }
    std::fs::write(fixtures().join("v1.requests"), stream).unwrap();

    let path = fixtures().join("v1.db");
    let store = Arc::new(SqliteStore::open(&path, ServerId::new([1; 16])).unwrap());
    let mut server = Server::with(config(), store);
    let (mut raw, room) = Raw::join(&server, "ann", "general").await;
    for (counter, text) in [(1, "hello"), (2, "大家好 👋🏽")] {
        raw.post(counter, room, text).await;
        raw.answer().await;
    }
    let client_id = tchat::chat::ClientId {
        instance: tchat::chat::InstanceId::new([5; 16]),
        counter: 3,
    };
    let to = tchat::chat::Recipient::Room(room);
    raw.ask(
        0,
        Request::Post {
            client_id,
            to,
            body: Body::Action("waves".into()),
        },
    )
    .await;
    raw.answer().await;
    let (_ben, _) = Raw::enter(&server, "ben").await;
    raw.ask(
        9,
        Request::Open(tchat::wire::PersonTarget::Name("ben".into())),
    )
    .await;
    raw.answer().await;
    raw.ask(0, Request::Bye).await;
    server.stops().await.unwrap();
}
