//! The bytes of every frame of version 1, so that a change of the wire format cannot go unnoticed.
//!
//! A changed line here breaks every released client: add fields, never change existing ones.

mod events;

use self::events::events;
use std::time::Duration;

use prost::Message;
use tchat::chat::{
    Amended, Amendment, Author, Body, ClientId, Cursor, DeviceKey, Digest, Entry, Epoch,
    FollowResult, FormerProof, Has, IdentityId, InstanceId, Invite, LastMessage, Level, Limits,
    NewRoom, Person, Presence, Profile, Reaction, Recipient, Refusal, RefusalCode, RequestAnswer,
    RequestDirection, Role, RoomId, RoomInfo, RoomKind, Ruling, Sanction, SanctionKind, Search,
    Seq, ServerId, SessionId, SessionToken, Settings, Status, Unread, Until, Via,
};
use tchat::wire::{
    Event, Goodbye, GoodbyeAction, GoodbyeReason, Head, Hello, JoinTarget, Malformed, PersonTarget,
    Request, RequestFrame, SignIn, UnfollowReason, Welcome, entry_to, event_from, event_to, proto,
    request_from, request_to, room_to, sanction_from, sanction_to, search_from, search_to,
};

const ROOM: RoomId = RoomId::new([0xA1; 16]);
const EPOCH: Epoch = Epoch::new([0xA2; 16]);
const PERSON: IdentityId = IdentityId::new([0xA3; 16]);
const POST: ClientId = ClientId {
    instance: InstanceId::new([0xA4; 16]),
    counter: 300,
};

fn author() -> Author {
    Author {
        id: PERSON,
        name: "张三".into(),
    }
}

pub fn requests() -> Vec<(&'static str, Request)> {
    let hello = Hello {
        protocol_min: 1,
        protocol_max: 2,
        features: vec!["one".into()],
        device: Some(DeviceKey::new([0xB1; 32])),
        device_name: "笔记本".into(),
        name: "ann".into(),
        last_session: Some(SessionId::new([0xB2; 16])),
        instance: POST.instance,
        locale: "zh-CN".into(),
        agent: "tchat/0".into(),
    };
    let cursor = Cursor {
        epoch: EPOCH,
        seq: Seq(7),
        digest: Some(Digest([0xB3; 8])),
    };
    let post = |to, body| Request::Post {
        client_id: POST,
        to,
        body,
    };
    vec![
        ("hello", Request::Hello(hello)),
        ("join by id", Request::Join(JoinTarget::Room(ROOM))),
        (
            "join by name",
            Request::Join(JoinTarget::Name("general".into())),
        ),
        ("leave", Request::Leave(ROOM)),
        (
            "follow from a cursor",
            Request::Follow {
                room: ROOM,
                cursor: Some(cursor),
            },
        ),
        (
            "follow from the beginning",
            Request::Follow {
                room: ROOM,
                cursor: None,
            },
        ),
        ("unfollow", Request::Unfollow(ROOM)),
        (
            "post text to a room",
            post(Recipient::Room(ROOM), Body::Text("hi 世界".into())),
        ),
        (
            "post an action to a person",
            post(Recipient::Person(PERSON), Body::Action("waves".into())),
        ),
        (
            "post to a name",
            post(Recipient::Name("ben".into()), Body::Text("psst".into())),
        ),
        ("set name", Request::SetName("安".into())),
        ("open by id", Request::Open(PersonTarget::Person(PERSON))),
        (
            "open by name",
            Request::Open(PersonTarget::Name("ben".into())),
        ),
        ("ping", Request::Ping),
        ("bye", Request::Bye),
        (
            "create",
            Request::Create(NewRoom {
                name: "vault".into(),
                kind: RoomKind::Secret,
                topic: "钥匙".into(),
                capacity: 12,
            }),
        ),
        (
            "mark read",
            Request::MarkRead {
                room: ROOM,
                epoch: EPOCH,
                seq: Seq(300),
            },
        ),
        (
            "set status",
            Request::SetStatus(Status {
                is_away: true,
                text: "午饭".into(),
            }),
        ),
        ("typing", Request::Typing(ROOM)),
        ("whois by id", Request::Whois(PersonTarget::Person(PERSON))),
        (
            "whois by name",
            Request::Whois(PersonTarget::Name("ben".into())),
        ),
        (
            "ignore",
            Request::Ignore {
                who: PersonTarget::Person(PERSON),
                is_on: true,
            },
        ),
        (
            "ignore no more",
            Request::Ignore {
                who: PersonTarget::Name("ben".into()),
                is_on: false,
            },
        ),
        (
            "block",
            Request::Block {
                who: PersonTarget::Person(PERSON),
                is_on: true,
            },
        ),
        (
            "unblock",
            Request::Block {
                who: PersonTarget::Name("ben".into()),
                is_on: false,
            },
        ),
        (
            "accept",
            Request::AnswerRequest {
                room: ROOM,
                answer: RequestAnswer::Accept,
            },
        ),
        (
            "decline",
            Request::AnswerRequest {
                room: ROOM,
                answer: RequestAnswer::Decline,
            },
        ),
        (
            "set level",
            Request::SetLevel {
                room: ROOM,
                level: Some(Level::All),
            },
        ),
        (
            "set the usual level",
            Request::SetLevel {
                room: ROOM,
                level: None,
            },
        ),
        (
            "set keywords",
            Request::SetKeywords(vec!["deploy".into(), "部署".into()]),
        ),
        (
            "sign in",
            Request::SignIn(SignIn {
                signature: vec![0xB4; 64],
                former: Some(FormerProof {
                    hint: [0xB5; 8],
                    mac: [0xB6; 32],
                }),
                invite: Some(Invite::new([0xB7; 16])),
            }),
        ),
    ]
}

fn entry(body: Body) -> Event {
    Event::Entry(Entry {
        room: ROOM,
        epoch: EPOCH,
        seq: Seq(300),
        digest: Digest([0xC1; 8]),
        at_ms: 1_700_000_000_000,
        author: author(),
        client_id: Some(POST),
        body,
        mentions: Vec::new(),
        amended: None,
    })
}

#[test]
fn every_request_has_these_bytes_and_comes_back() {
    let mut lines = Vec::new();
    for (name, what) in requests() {
        let asked = RequestFrame { request: 300, what };
        let frame = request_to(&asked);
        assert_eq!(request_from(frame.clone()), Ok(asked), "{name}");
        lines.push(format!("{name}: {}", hex::encode(frame.encode_to_vec())));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_event_has_these_bytes_and_comes_back() {
    let mut lines = Vec::new();
    for (name, event) in events() {
        let frame = event_to(&event);
        assert_eq!(event_from(frame.clone()), Ok(event), "{name}");
        lines.push(format!("{name}: {}", hex::encode(frame.encode_to_vec())));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_unary_calls_have_these_bytes() {
    let Event::RoomChanged { room, .. } = events()
        .into_iter()
        .find(|(name, _)| *name == "room changed")
        .unwrap()
        .1
    else {
        panic!("a room")
    };
    let Event::Entry(entry) = entry(Body::Text("hi".into())) else {
        panic!("an entry")
    };
    let history = proto::GetHistoryRequest {
        room: ROOM.bytes().to_vec(),
        epoch: EPOCH.bytes().to_vec(),
        before: 300,
        after: 5,
        limit: 200,
    };
    let page = proto::GetHistoryResponse {
        entries: vec![entry_to(&entry)],
        first: 1,
        last: 300,
        epoch: EPOCH.bytes().to_vec(),
    };
    let rooms = proto::ListRoomsResponse {
        rooms: vec![room_to(&room)],
        next_page: String::new(),
    };
    let search = Search {
        phrases: vec!["关键".into(), "is green".into()],
        is_prefix: true,
        from: vec!["ann".into()],
        rooms: vec![ROOM],
        since_ms: 5,
        before_ms: 600,
        has: Has::ALL.map(|(_, what)| what).into(),
    };
    let asked = search_to(&search, 50);
    assert_eq!(search_from(asked.clone()), Ok(search));
    let whenever = search_to(&Search::default(), 0);
    assert_eq!(search_from(whenever.clone()), Ok(Search::default()));
    assert!(whenever.encode_to_vec().is_empty());
    let unknown = proto::SearchRequest {
        has: vec![99],
        ..asked.clone()
    };
    assert_eq!(search_from(unknown), Err(Malformed("has")));
    let found = proto::SearchResponse {
        entries: vec![entry_to(&entry)],
        more: true,
        partial: true,
    };
    let sanction = Sanction {
        person: author(),
        kind: SanctionKind::Ban,
        until: Until::At(1_700_000_000_000),
        by: "ben".into(),
        at_ms: 1_600_000_000_000,
        reason: "spam".into(),
    };
    let sanctions = proto::ListSanctionsResponse {
        sanctions: vec![sanction_to(&sanction)],
    };
    let again = sanction_from(sanctions.sanctions[0].clone());
    assert_eq!(again, Ok(sanction));
    let moderation = proto::ListModerationRequest {
        room: ROOM.bytes().to_vec(),
        before: 300,
        limit: 100,
    };
    let lines = [
        ("list moderation", moderation.encode_to_vec()),
        ("sanctions", sanctions.encode_to_vec()),
        (
            "list rooms",
            proto::ListRoomsRequest::default().encode_to_vec(),
        ),
        ("rooms", rooms.encode_to_vec()),
        ("get history", history.encode_to_vec()),
        ("history", page.encode_to_vec()),
        ("search", asked.encode_to_vec()),
        ("found", found.encode_to_vec()),
    ];
    let lines = lines.map(|(name, bytes)| format!("{name}: {}", hex::encode(bytes)));
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn additions_of_a_later_version_are_ignored() {
    // An event with an unknown arm 99, and an entry with an unknown body 99.
    let unknown = proto::Event::decode(&[0x9a, 0x06, 0x02, 0x08, 0x01][..]).unwrap();
    assert_eq!(event_from(unknown), Ok(Event::Unknown));
    let mut frame = match event_to(&entry(Body::Created)).kind {
        Some(proto::event::Kind::Entry(entry)) => entry,
        other => panic!("{other:?}"),
    };
    frame.body = Some(proto::Body::decode(&[0x9a, 0x06, 0x02, 0x08, 0x01][..]).unwrap());
    let kind = Some(proto::event::Kind::Entry(frame));
    let Ok(Event::Entry(entry)) = event_from(proto::Event { kind }) else {
        panic!("an entry")
    };
    assert_eq!(
        (entry.seq, entry.body),
        (Seq(300), Body::Unknown(0)),
        "an unknown entry still moves the cursor"
    );
}
