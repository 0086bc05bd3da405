//! Hostile peers that send nothing, too much or invalid data: they are cut off, and nobody else is affected.

use std::time::Duration;

use tchat::chat::{Challenge, RefusalCode, ServerId, SessionToken};
use tchat::server::listen::{ADMITTED_WITHIN, ConnectionLimits, FIRST_REQUEST_WITHIN, Peer};
use tchat::wire::{Event, GoodbyeAction, GoodbyeReason, PROTOCOL, Request, SignIn, proto};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};

use crate::support::person::{Person, device};
use crate::support::raw_client::{Raw, channel_over, hello};
use crate::support::server::{Server, config, loopback, memory};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[tokio::test(start_paused = true)]
async fn a_socket_that_sends_nothing_or_half_a_request_is_closed_in_time() {
    let server = Server::start();
    for said in [
        &b""[..],
        &PREFACE[..10],
        PREFACE,
        b"GET / HTTP/1.1\r\nHost: x\r\n",
    ] {
        let mut socket = server.dial().await;
        socket.write_all(said).await.unwrap();
        let opened = Instant::now();
        let mut answer = Vec::new();
        let closed = timeout(FIRST_REQUEST_WITHIN * 2, socket.read_to_end(&mut answer)).await;
        assert!(closed.is_ok(), "{said:?} is still open");
        assert!(
            opened.elapsed() >= FIRST_REQUEST_WITHIN / 2,
            "{said:?} was closed after {:?}",
            opened.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn silent_sockets_do_not_keep_people_out() {
    let mut config = config();
    config.caps = ConnectionLimits {
        strangers: 8,
        strangers_per_address: 4,
        strangers_reserved: 0,
        ..ConnectionLimits::default()
    };
    let server = Server::with(config, memory());
    let mut silent = Vec::new();
    // More than there are places, from two addresses.
    for n in 0..24 {
        silent.push(server.dial_from(loopback(2 + n % 2)).await);
    }
    let began = Instant::now();
    let mut ann = Person::start(server.connector_from(Peer::Tcp(loopback(4))), "ann");
    ann.is_in("general").await;
    assert!(
        began.elapsed() <= FIRST_REQUEST_WITHIN * 2,
        "{:?}",
        began.elapsed()
    );
    ann.sends("general", "here at last");
    ann.is_answered().await;
}

#[tokio::test(start_paused = true)]
async fn connections_that_never_log_in_are_closed_to_make_room() {
    let mut config = config();
    config.caps = ConnectionLimits {
        strangers: 4,
        strangers_reserved: 0,
        ..ConnectionLimits::default()
    };
    let server = Server::with(config, memory());
    let mut probes = Vec::new();
    for _ in 0..4 {
        let channel = channel_over(server.dial_from(loopback(2)).await).await;
        let mut health = tonic_health::pb::health_client::HealthClient::new(channel.clone());
        let request = tonic_health::pb::HealthCheckRequest {
            service: String::new(),
        };
        let status = health.check(request).await.unwrap().into_inner().status();
        assert_eq!(
            status,
            tonic_health::pb::health_check_response::ServingStatus::Serving
        );
        probes.push(channel);
    }
    let began = Instant::now();
    let mut ann = Person::start(server.connector_from(Peer::Tcp(loopback(4))), "ann");
    ann.is_in("general").await;
    assert!(
        began.elapsed() <= ADMITTED_WITHIN * 2,
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn plain_http_gets_404() {
    let server = Server::start();
    let mut socket = server.dial().await;
    socket
        .write_all(b"GET /tchat.v1.ChatService/Chat HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_a_hello_is_ended() {
    let server = Server::start();
    let mut raw = Raw::open(&server).await;
    let opened = Instant::now();
    let Event::Goodbye(goodbye) = raw.event().await else {
        panic!("a goodbye")
    };
    assert_eq!(
        (goodbye.reason, goodbye.action),
        (GoodbyeReason::Malformed, GoodbyeAction::Stop)
    );
    assert_eq!(opened.elapsed().as_secs(), 10);
    assert_eq!(raw.try_event().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_first_frame_other_than_hello_and_an_unknown_version_are_refused() {
    let server = Server::start();
    let mut newer = hello("ann", &device("ann"));
    (newer.protocol_min, newer.protocol_max) = (PROTOCOL + 1, 9);
    for (request, code) in [
        (Request::Ping, RefusalCode::Malformed),
        (Request::Hello(newer), RefusalCode::Protocol),
    ] {
        let mut raw = Raw::open(&server).await;
        raw.ask(4, request).await;
        let Event::Refused {
            request: 4,
            refusal,
            ..
        } = raw.event().await
        else {
            panic!("a refusal")
        };
        assert_eq!(refusal.code, code);
        assert!(
            matches!(raw.event().await, Event::Goodbye(goodbye) if goodbye.action == GoodbyeAction::Stop)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_malformed_frame_ends_its_session_and_names_the_wrong_field() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let kinds = [
        (
            proto::chat_request::Kind::Leave(proto::Leave { room: vec![1, 2] }),
            "room",
        ),
        (
            proto::chat_request::Kind::Join(proto::Join { target: None }),
            "target",
        ),
        (
            proto::chat_request::Kind::Post(proto::Post::default()),
            "client_id",
        ),
    ];
    for (kind, field) in kinds {
        let (mut raw, _) = Raw::enter(&server, "eve").await;
        raw.send(proto::ChatRequest {
            request: 1,
            kind: Some(kind),
        })
        .await;
        let Event::Refused { refusal, .. } = raw.event().await else {
            panic!("a refusal")
        };
        assert_eq!(
            (refusal.code, refusal.arguments),
            (RefusalCode::Malformed, vec![field.to_owned()])
        );
        assert!(matches!(raw.event().await, Event::Goodbye(_)));
    }
    ann.sends("general", "not hurt");
    ann.is_answered().await;
}

#[tokio::test(start_paused = true)]
async fn a_request_over_64_kib_ends_the_stream_but_not_the_server() {
    let server = Server::start();
    let (mut raw, _) = Raw::enter(&server, "eve").await;
    let name = "x".repeat(65 * 1024);
    let join = proto::Join {
        target: Some(proto::join::Target::Name(proto::RoomName { name })),
    };
    raw.send(proto::ChatRequest {
        request: 1,
        kind: Some(proto::chat_request::Kind::Join(join)),
    })
    .await;
    while raw.try_event().await.is_some() {}
    server.joins("ann").await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_repeats_at_most_128_bytes_of_the_request() {
    let server = Server::start();
    let (mut raw, _) = Raw::enter(&server, "eve").await;
    raw.ask(
        3,
        Request::Join(tchat::wire::JoinTarget::Name("x".repeat(60_000))),
    )
    .await;
    let Event::Refused { refusal, .. } = raw.event().await else {
        panic!("a refusal")
    };
    assert_eq!(
        (refusal.code, refusal.arguments[0].len()),
        (RefusalCode::RoomUnknown, 128)
    );
}

#[tokio::test(start_paused = true)]
async fn a_signature_is_accepted_once_by_the_server_that_asked_for_it() {
    let server = Server::start();
    let ann = device("ann");
    let start = async || {
        let mut raw = Raw::open(&server).await;
        raw.ask(1, Request::Hello(hello("ann", &ann))).await;
        let challenge = raw.challenge().await.unwrap();
        (raw, challenge)
    };
    let sign_in = |signature: &[u8]| {
        Request::SignIn(SignIn {
            signature: signature.to_vec(),
            former: None,
            invite: None,
        })
    };
    let (mut one, for_one) = start().await;
    let (mut two, for_two) = start().await;
    assert_ne!(for_one.nonce, for_two.nonce);
    let of_another = Challenge {
        server_id: ServerId::new([1; 16]),
        ..for_two
    };
    let stolen = ann.sign(&for_one);
    one.ask(2, sign_in(&stolen)).await;
    assert!(matches!(one.event().await, Event::Welcome(_)));
    // Replayed on another stream, made for another server, made by another device, incomplete, or missing.
    let by_another = device("eve").sign(&for_two);
    two.ask(2, sign_in(&stolen)).await;
    is_refused(&mut two, RefusalCode::Unauthenticated).await;
    for wrong in [&ann.sign(&of_another)[..], &by_another, &stolen[..40], &[]] {
        let (mut raw, _) = start().await;
        raw.ask(2, sign_in(wrong)).await;
        is_refused(&mut raw, RefusalCode::Unauthenticated).await;
    }
    // Only an answer to the challenge is expected, and only one.
    let (mut raw, _) = start().await;
    raw.ask(2, Request::Ping).await;
    is_refused(&mut raw, RefusalCode::Malformed).await;
    one.ask(2, sign_in(&stolen)).await;
    let Event::Refused { refusal, .. } = one.answer().await else {
        panic!("a second sign-in is accepted")
    };
    assert_eq!(refusal.code, RefusalCode::Malformed);
}

async fn is_refused(raw: &mut Raw, code: RefusalCode) {
    let Event::Refused {
        request: 2,
        refusal,
        ..
    } = raw.event().await
    else {
        panic!("a refusal")
    };
    assert_eq!(refusal.code, code);
    assert!(matches!(raw.event().await, Event::Goodbye(_)));
    assert_eq!(raw.try_event().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_answer_the_challenge_is_closed_in_time() {
    let server = Server::start();
    let mut raw = Raw::open(&server).await;
    let opened = Instant::now();
    sleep(Duration::from_secs(6)).await;
    raw.ask(1, Request::Hello(hello("ann", &device("ann"))))
        .await;
    assert!(raw.challenge().await.is_some());
    assert!(matches!(raw.event().await, Event::Goodbye(_)));
    assert_eq!(
        opened.elapsed().as_secs(),
        10,
        "both together have ten seconds"
    );
}

#[tokio::test(start_paused = true)]
async fn reading_history_and_rooms_requires_a_session_and_membership() {
    let server = Server::start();
    let (raw, room) = Raw::join(&server, "ann", "tech").await;
    let history = proto::GetHistoryRequest {
        room: room.bytes().to_vec(),
        ..Default::default()
    };
    let code =
        |result: Result<(), tonic::Status>| result.map(|(): ()| ()).map_err(|status| status.code());
    let ask = async |token: Option<SessionToken>| {
        let mut request = tonic::Request::new(history.clone());
        if let Some(token) = token {
            let bearer = format!("Bearer {}", hex::encode(token.bytes()));
            request
                .metadata_mut()
                .insert("authorization", bearer.parse().unwrap());
        }
        code(raw.service.clone().get_history(request).await.map(drop))
    };
    let (ben, _) = Raw::enter(&server, "ben").await;
    for n in 1..=300 {
        raw.post(n, room, "x").await;
    }
    // Forwards: the oldest entries after a seq, at most one page.
    let mut forwards = tonic::Request::new(proto::GetHistoryRequest {
        after: 2,
        ..history.clone()
    });
    forwards = raw.authorised(forwards.into_inner());
    sleep(Duration::from_secs(1)).await;
    let page = raw
        .service
        .clone()
        .get_history(forwards)
        .await
        .unwrap()
        .into_inner();
    let seqs: Vec<u64> = page.entries.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (3..=202).collect::<Vec<_>>());
    assert_eq!((page.first, page.last), (1, 302));
    assert_eq!(ask(None).await, Err(tonic::Code::Unauthenticated));
    let unknown = Some(SessionToken::new([1; 32]));
    assert_eq!(ask(unknown).await, Err(tonic::Code::Unauthenticated));
    assert_eq!(ask(ben.token).await, Err(tonic::Code::PermissionDenied));
    assert_eq!(ask(raw.token).await, Ok(()));
    // The token ends with its session.
    let token = ben.token;
    drop(ben);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(ask(token).await, Err(tonic::Code::Unauthenticated));
    let rooms = raw
        .service
        .clone()
        .list_rooms(proto::ListRoomsRequest::default())
        .await;
    assert_eq!(code(rooms.map(drop)), Err(tonic::Code::Unauthenticated));
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_in_time_whatever_clients_do() {
    let mut server = Server::start();
    let mut silent = Vec::new();
    for said in [&b""[..], &PREFACE[..10], PREFACE] {
        let mut socket = server.dial().await;
        socket.write_all(said).await.unwrap();
        silent.push(socket);
    }
    let (mut reader, room) = Raw::join(&server, "reader", "general").await;
    let stalled = Raw::join(&server, "stalled", "general").await;
    stalled.0.follow(room, None).await;
    for n in 1..200 {
        reader.post(n, room, &"x".repeat(8000)).await;
        reader.answer().await;
    }
    sleep(Duration::from_secs(1)).await;
    let began = Instant::now();
    let (stopped, ()) = tokio::join!(server.stops(), async {
        let Event::Goodbye(goodbye) = reader.answer().await else {
            panic!("a goodbye")
        };
        assert_eq!(
            (goodbye.reason, goodbye.action),
            (GoodbyeReason::Draining, GoodbyeAction::Resume)
        );
        assert!(goodbye.retry_after.is_some());
    });
    stopped.unwrap();
    assert!(
        began.elapsed() <= Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_of_many_rooms_uses_no_cpu_while_it_waits() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let mut rooms = vec![ann.room("general").unwrap()];
    for room in ["tech", "random"] {
        rooms.push(ann.joins(room).await);
    }
    let (mut slow, _) = Raw::enter(&server, "slow").await;
    for (n, room) in rooms.iter().enumerate() {
        slow.ask(
            10 + u64::try_from(n).unwrap(),
            Request::Join(tchat::wire::JoinTarget::Room(*room)),
        )
        .await;
        slow.follow(*room, None).await;
    }
    let text = "x".repeat(2000);
    for n in 0..400 {
        for room in ["general", "tech", "random"] {
            ann.sends(room, &format!("{n} {text}"));
        }
        if n % 50 == 0 {
            ann.is_answered().await;
        }
    }
    ann.is_answered().await;
    // No task may spin while the reader sleeps, or paused time would not advance.
    sleep(Duration::from_secs(10)).await;
    let mut last = std::collections::HashMap::new();
    let mut skipped = std::collections::HashMap::new();
    while last.len() < 3 || last.values().any(|seq| *seq < 403) {
        match slow.event().await {
            Event::Entry(entry) => {
                let before = last.insert(entry.room, entry.seq.0).unwrap_or(0);
                let is_told = skipped.get(&entry.room) == Some(&(entry.seq.0 - 1));
                assert!(
                    entry.seq.0 == before + 1 || is_told,
                    "{before} then {}",
                    entry.seq
                );
            }
            Event::Gap { room, to, .. } => drop(skipped.insert(room, to.0)),
            _ => {}
        }
    }
}
