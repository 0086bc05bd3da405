//! The port of a server: the first byte decides whether a connection is encrypted, and what it may do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tchat::chat::{Pin, Refusal, RefusalCode, Transport, UserName};
use tchat::client::tls::{Expected, encrypt};
use tchat::client::{Connector, Dialled, Event as ClientEvent, LinkState, Protection};
use tchat::server::ServerConfig;
use tchat::server::listen::{ClearText, CurrentTls, Encryption, FIRST_REQUEST_WITHIN, Peer};
use tchat::wire::{Event, GoodbyeAction, proto};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use crate::support::interceptor::any_key;
use crate::support::person::{Person, device};
use crate::support::raw_client::Raw;
use crate::support::server::{Server, config, memory};

const ELSEWHERE: SocketAddr = SocketAddr::V4(std::net::SocketAddrV4::new(
    std::net::Ipv4Addr::new(192, 0, 2, 7),
    40_000,
));

fn server(clear_text: ClearText) -> Server {
    encrypted(config(), clear_text).0
}

fn encrypted(mut config: ServerConfig, clear_text: ClearText) -> (Server, Pin) {
    let (tls, pin) = any_key();
    config.encryption = Encryption {
        tls: Some(Arc::new(CurrentTls::new(tls, pin))),
        clear_text,
    };
    (Server::with(config, memory()), pin)
}

/// The start of a TLS handshake, as a client sends it.
const HANDSHAKE: &[u8] = &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc];

#[tokio::test(start_paused = true)]
async fn a_handshake_that_stalls_is_closed_in_time() {
    let server = server(ClearText::Bridges);
    for said in [&HANDSHAKE[..1], &HANDSHAKE[..5], HANDSHAKE] {
        let mut socket = server.dial().await;
        socket.write_all(said).await.unwrap();
        let opened = Instant::now();
        let closed = timeout(
            FIRST_REQUEST_WITHIN * 2,
            socket.read_to_end(&mut Vec::new()),
        )
        .await;
        assert!(closed.is_ok(), "{said:?} is still open");
        assert!(opened.elapsed() >= FIRST_REQUEST_WITHIN / 2, "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_of_single_bytes_has_the_same_deadline() {
    let server = server(ClearText::Bridges);
    let mut socket = server.dial().await;
    let opened = Instant::now();
    // A record of 16,384 bytes, one byte a second.
    socket
        .write_all(&[0x16, 0x03, 0x01, 0x40, 0x00])
        .await
        .unwrap();
    while socket.write_all(&[0]).await.is_ok() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(opened.elapsed() <= FIRST_REQUEST_WITHIN * 2);
    }
}

/// The hello of version 1, which had a secret and no device.
fn former_hello() -> proto::ChatRequest {
    proto::ChatRequest {
        request: 3,
        kind: Some(proto::chat_request::Kind::Hello(proto::Hello {
            protocol_min: 1,
            protocol_max: 1,
            secret: vec![7; 32],
            name: "ann".into(),
            instance: vec![5; 16],
            ..Default::default()
        })),
    }
}

#[tokio::test]
async fn a_client_of_version_1_is_told_to_upgrade() {
    let local = SocketAddr::from(([127, 0, 0, 1], 40_000));
    for from in [local, ELSEWHERE] {
        let server = server(ClearText::Bridges);
        let mut old = Raw::open_over(server.dial_from(from).await).await;
        old.send(former_hello()).await;
        let Some(Event::Refused {
            request: 3,
            refusal,
            ..
        }) = old.try_event().await
        else {
            panic!("not refused")
        };
        // That version shows this code as the request to upgrade.
        assert_eq!(refusal.code, RefusalCode::Protocol);
        let Some(Event::Goodbye(goodbye)) = old.try_event().await else {
            panic!("no goodbye")
        };
        assert_eq!(goodbye.action, GoodbyeAction::Stop);
        assert_eq!(old.try_event().await, None);
        // Nobody got in.
        let ann = UserName::new("ann").unwrap().key();
        assert_eq!(server.store.identities_named(ann).await.unwrap(), []);
    }
}

#[tokio::test]
async fn nobody_signs_in_over_a_connection_that_others_can_read() {
    let server = server(ClearText::Bridges);
    let mut raw = Raw::open_over(server.dial_from(ELSEWHERE).await).await;
    raw.transport = Transport::ClearText;
    raw.signs_in(4, "ann", &device("ann")).await;
    let Some(Event::Refused {
        request: 4,
        refusal,
        ..
    }) = raw.try_event().await
    else {
        panic!("not refused")
    };
    assert_eq!(
        refusal,
        Refusal::new(RefusalCode::Unauthenticated).with("clear_text")
    );
}

#[tokio::test]
async fn clear_text_is_served_on_this_machine_and_where_the_operator_allows_it() {
    let local = SocketAddr::from(([127, 0, 0, 1], 40_000));
    for (clear_text, from) in [
        (ClearText::Bridges, local),
        (ClearText::Everything, ELSEWHERE),
    ] {
        let server = server(clear_text);
        let mut raw = Raw::open_over(server.dial_from(from).await).await;
        raw.transport = Transport::ClearText;
        raw.signs_in(0, "ann", &device("ann")).await;
        let event = raw.try_event().await;
        assert!(matches!(event, Some(Event::Welcome(_))), "{event:?}");
    }
}

#[tokio::test]
async fn an_encrypted_client_of_another_machine_gets_in() {
    let server = server(ClearText::Bridges);
    let pipe = server.dial_from(ELSEWHERE).await;
    let error = encrypt(pipe, ("localhost", "localhost"), Expected::Nothing)
        .await
        .unwrap_err();
    let untrusted = tchat::client::tls::untrusted(&error).unwrap();
    let tchat::client::Distrust::Unknown(pin) = untrusted.why else {
        panic!("{error}")
    };
    // What was signed for another key, or for no encryption, is worthless here.
    for (signed, is_welcome) in [
        (Transport::Tls(pin), true),
        (Transport::Tls(Pin::new([1; 32])), false),
        (Transport::ClearText, false),
        (Transport::Memory, false),
        (Transport::Socket, false),
    ] {
        let pipe = server.dial_from(ELSEWHERE).await;
        let (stream, _) = encrypt(pipe, ("localhost", "localhost"), Expected::Pin(pin))
            .await
            .unwrap();
        let mut raw = Raw::open_over(stream).await;
        raw.transport = signed;
        raw.signs_in(0, "ann", &device("ann")).await;
        let event = raw.try_event().await;
        let was_welcome = matches!(event, Some(Event::Welcome(_)));
        assert_eq!(was_welcome, is_welcome, "{signed:?}: {event:?}");
    }
}

/// Connects from another machine, always from the same address.
fn encrypted_connector(server: &Server, pin: Pin) -> Connector {
    let dials = server.connector_from(Peer::Tcp(ELSEWHERE));
    Arc::new(move |before| {
        let dialling = dials(before);
        Box::pin(async move {
            let pipe = dialling.await?.pipe;
            let names = ("localhost", "localhost");
            let (stream, _) = encrypt(pipe, names, Expected::Pin(pin)).await?;
            Ok(Dialled {
                transport: Transport::Tls(pin),
                protection: Protection::Pinned(pin),
                ..Dialled::local(stream)
            })
        })
    })
}

/// Waits until the client was let in.
async fn is_welcome(person: &mut Person) {
    let is = |_: &Person, event: &ClientEvent| {
        matches!(event, ClientEvent::Welcome { .. }).then_some(())
    };
    person.until("a welcome", is).await;
}

#[tokio::test]
async fn two_hundred_people_behind_one_address_are_all_back_after_a_restart() {
    let (mut server, pin) = encrypted(config(), ClearText::Bridges);
    for n in 0..200 {
        // Accounts made over the socket count as invited.
        let connector = server.connector_from(Peer::Socket);
        let mut person = Person::start(connector, &format!("person{n}"));
        is_welcome(&mut person).await;
        person.quits().await;
    }
    let connector = encrypted_connector(&server, pin);
    let mut people: Vec<Person> = (0..200)
        .map(|n| Person::start(Arc::clone(&connector), &format!("person{n}")))
        .collect();
    for person in &mut people {
        is_welcome(person).await;
    }
    server.stops().await.unwrap();
    server.restarts();
    for person in &mut people {
        is_welcome(person).await;
    }
    let first = &mut people[0];
    first.is_in("general").await;
    first.sends("general", "all back");
    for person in &mut people {
        person.sees("general", "all back").await;
    }
}

#[tokio::test]
async fn accounts_that_anybody_can_make_share_the_connections_of_their_address() {
    let mut config = config();
    config.caps.per_address = 3;
    let (server, pin) = encrypted(config, ClearText::Bridges);
    let connector = encrypted_connector(&server, pin);
    let mut known = Person::start(server.connector_from(Peer::Socket), "known");
    is_welcome(&mut known).await;
    let mut people = Vec::new();
    for name in ["ann", "ben", "cleo"] {
        let mut person = Person::start(Arc::clone(&connector), name);
        is_welcome(&mut person).await;
        people.push(person);
    }
    let mut dora = Person::start(Arc::clone(&connector), "dora");
    let is_lost = |_: &Person, event: &ClientEvent| {
        let waits = |it: &LinkState| matches!(it, LinkState::Waiting { .. });
        matches!(event, ClientEvent::Link(state) if waits(state)).then_some(())
    };
    dora.until("a lost connection", is_lost).await;
    // When somebody leaves, there is room for the next. A known person needs it only until they have signed in.
    people.pop().unwrap().quits().await;
    is_welcome(&mut dora).await;
    people.pop().unwrap().quits().await;
    let mut others = Vec::new();
    for _ in 0..4 {
        let mut other = Person::start(Arc::clone(&connector), "known");
        is_welcome(&mut other).await;
        others.push(other);
    }
}

#[tokio::test]
async fn a_person_has_at_most_eight_sessions() {
    let server = server(ClearText::Bridges);
    let mut sessions = Vec::new();
    for _ in 0..8 {
        let mut raw = Raw::open(&server).await;
        raw.signs_in(0, "ann", &device("ann")).await;
        assert!(matches!(raw.event().await, Event::Welcome(_)));
        sessions.push(raw);
    }
    let mut ninth = Raw::open(&server).await;
    ninth.signs_in(0, "ann", &device("ann")).await;
    let Event::Refused { refusal, .. } = ninth.event().await else {
        panic!("the ninth is let in")
    };
    assert_eq!(refusal.code, RefusalCode::TooMany);
    assert_eq!(refusal.arguments, ["sessions", "8"]);
    assert!(refusal.retry_after.is_some());
    // Others are not affected, and one that ends makes room.
    let mut ben = Raw::open(&server).await;
    ben.signs_in(0, "ben", &device("ben")).await;
    assert!(matches!(ben.event().await, Event::Welcome(_)));
    drop(sessions.pop());
    loop {
        let mut again = Raw::open(&server).await;
        again.signs_in(0, "ann", &device("ann")).await;
        if matches!(again.event().await, Event::Welcome(_)) {
            break;
        }
        tokio::task::yield_now().await;
    }
}
