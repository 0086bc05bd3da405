//! The port of a server: the first byte decides whether a connection is encrypted, and what it may do.

use std::net::SocketAddr;
use std::time::Duration;

use tchat::chat::RefusalCode;
use tchat::client::tls::{Expected, encrypt};
use tchat::server::listen::{ClearText, Encryption, FIRST_REQUEST_WITHIN};
use tchat::wire::{Event, GoodbyeAction, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use crate::support::interceptor::any_key;
use crate::support::person::secret;
use crate::support::raw_client::{Raw, hello};
use crate::support::server::{Server, config, memory};

const ELSEWHERE: SocketAddr = SocketAddr::V4(std::net::SocketAddrV4::new(
    std::net::Ipv4Addr::new(192, 0, 2, 7),
    40_000,
));

fn server(clear_text: ClearText) -> Server {
    let mut config = config();
    config.encryption = Encryption {
        tls: Some(any_key()),
        clear_text,
    };
    Server::with(config, memory())
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

#[tokio::test]
async fn a_client_of_the_last_release_is_told_to_upgrade() {
    let server = server(ClearText::Bridges);
    let mut old = Raw::open_over(server.dial_from(ELSEWHERE).await).await;
    // Its sign-in is not even read.
    let Some(Event::Refused { refusal, .. }) = old.try_event().await else {
        panic!("not refused")
    };
    // That release shows this code as the request to upgrade.
    assert_eq!(refusal.code, RefusalCode::Protocol);
    let Some(Event::Goodbye(goodbye)) = old.try_event().await else {
        panic!("no goodbye")
    };
    assert_eq!(goodbye.action, GoodbyeAction::Stop);
    // Nobody got in.
    let hash = secret("ann").hash();
    assert!(
        server
            .store
            .identity_by_secret(hash)
            .await
            .unwrap()
            .is_none()
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
        raw.ask(0, Request::Hello(hello("ann", secret("ann"))))
            .await;
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
    let pipe = server.dial_from(ELSEWHERE).await;
    let (stream, _) = encrypt(pipe, ("localhost", "localhost"), Expected::Pin(pin))
        .await
        .unwrap();
    let mut raw = Raw::open_over(stream).await;
    raw.ask(0, Request::Hello(hello("ann", secret("ann"))))
        .await;
    let event = raw.try_event().await;
    assert!(matches!(event, Some(Event::Welcome(_))), "{event:?}");
}
