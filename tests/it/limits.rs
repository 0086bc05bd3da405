//! The limits of a server: at each, and one over it.

mod calls;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use tchat::chat::{
    Amendment, Body, ClientId, InstanceId, Invite, InviteTerms, Limit, NewRoom, Quotas, Recipient,
    Refusal, RefusalCode, RoomId, RoomKind, Seq, Status, Transport,
};
use tchat::client::{AdminAnswer, AdminRequest, DisconnectReason, call_as_host};
use tchat::server::listen::{Peer, STALLED};
use tchat::wire::{Event, PersonTarget, Request, limit_refusal, proto};
use tokio::task::JoinHandle;
use tokio::time::{Instant, advance, sleep};

use crate::support::person::{Person, device};
use crate::support::raw_client::Raw;
use crate::support::server::{Server, config, loopback, memory};

/// A server with one limit, and no others that matter here.
fn with_limit(limit: Limit, value: u32) -> Server {
    let mut config = config();
    config.hub.quotas.set(limit, value);
    Server::with(config, memory())
}

/// Opens a stream from an address of this machine.
async fn opens_from(server: &Server, address: SocketAddr) -> Raw {
    let mut raw = Raw::open_over(server.dial_from(address).await).await;
    raw.transport = Transport::ClearText;
    raw
}

/// Signs in from an address of this machine; returns the refusal, if any.
async fn enters_from(server: &Server, address: SocketAddr, name: &str) -> Result<Raw, Refusal> {
    let mut raw = opens_from(server, address).await;
    raw.signs_in(1, name, &device(name)).await;
    match raw.event().await {
        Event::Welcome(_) => Ok(raw),
        Event::Refused { refusal, .. } => Err(refusal),
        other => panic!("{other:?}"),
    }
}

/// Asserts that a refusal names a limit, and when to try again.
#[track_caller]
fn assert_limit(refusal: &Refusal, limit: Limit, value: u32) {
    let code = match limit {
        Limit::Posts | Limit::StrangerPosts | Limit::ServerPosts => RefusalCode::RateLimited,
        _ => RefusalCode::LimitReached,
    };
    assert_eq!(refusal.code, code);
    let arguments = [limit.row().name.to_owned(), value.to_string()];
    assert_eq!(refusal.arguments, arguments);
    let is_time_known = limit.is_rate();
    assert_eq!(refusal.retry_after.is_some(), is_time_known, "{refusal:?}");
}

/// Sends a request; returns its refusal, or `None` if it was carried out.
async fn asks(raw: &mut Raw, what: Request) -> Option<Refusal> {
    raw.ask(9, what).await;
    loop {
        match raw.event().await {
            Event::Refused {
                request: 9,
                refusal,
                ..
            } => return Some(refusal),
            Event::RoomChanged { request: 9, .. }
            | Event::StatusChanged { request: 9, .. }
            | Event::Followed { request: 9, .. } => return None,
            _ => {}
        }
    }
}

/// Posts something; returns its refusal, or `None` if it was accepted.
async fn posts(raw: &mut Raw, room: RoomId, counter: u64, body: Body) -> Option<Refusal> {
    let client_id = ClientId {
        instance: InstanceId::new([5; 16]),
        counter,
    };
    let to = Recipient::Room(room);
    let post = Request::Post {
        client_id,
        to,
        body,
    };
    raw.ask(0, post).await;
    loop {
        match raw.event().await {
            Event::Refused {
                client_id: Some(id),
                refusal,
                ..
            } if id == client_id => return Some(refusal),
            Event::Accepted { client_id: id, .. } if id == client_id => return None,
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn open_accounts_are_limited_by_the_hour_and_invited_ones_are_not() {
    let server = with_limit(Limit::AccountsOnLoopback, 3);
    for n in 1..=3 {
        let entered = enters_from(&server, loopback(n), &format!("new{n}")).await;
        assert!(entered.is_ok());
    }
    let over = enters_from(&server, loopback(9), "late").await;
    let Err(refusal) = over else { panic!("let in") };
    assert_limit(&refusal, Limit::AccountsOnLoopback, 3);
    // Who has an account comes back, and those of the server's own user are not counted.
    assert!(enters_from(&server, loopback(9), "new1").await.is_ok());
    let mut own = Person::start(server.connector(), "own");
    own.is_in("general").await;
    // The name that was refused is not taken.
    advance(refusal.retry_after.unwrap()).await;
    assert!(enters_from(&server, loopback(9), "late").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn invalid_invitations_are_limited_by_address() {
    let server = with_limit(Limit::FailedInvites, 4);
    let tries = async |address, n: u8| {
        let mut raw = opens_from(&server, address).await;
        raw.invite = Some(Invite::new([n; 16]));
        raw.signs_in(1, "guesser", &device("guesser")).await;
        match raw.event().await {
            Event::Refused { refusal, .. } => refusal,
            other => panic!("{other:?}"),
        }
    };
    for n in 0..4 {
        let refusal = tries(loopback(2), n).await;
        assert_eq!(refusal.code, RefusalCode::InviteInvalid);
    }
    assert_limit(&tries(loopback(2), 5).await, Limit::FailedInvites, 4);
    let elsewhere = tries(loopback(3), 5).await;
    assert_eq!(elsewhere.code, RefusalCode::InviteInvalid);
    // Who needs no invitation is not affected, nor who has a valid one.
    assert!(enters_from(&server, loopback(2), "ann").await.is_ok());
    let made = AdminRequest::CreateInvite(InviteTerms::default());
    let connector = server.connector_from(Peer::Socket);
    let made: Result<_, DisconnectReason> = call_as_host(connector, made).await;
    let Ok(Ok(AdminAnswer::Created { link, .. })) = made else {
        panic!("no invitation")
    };
    let (_, secret) = link.0.rsplit_once('.').unwrap();
    let mut raw = opens_from(&server, loopback(2)).await;
    raw.invite = Some(secret.parse().unwrap());
    raw.signs_in(1, "invited", &device("invited")).await;
    assert!(matches!(raw.event().await, Event::Welcome(_)));
}

#[tokio::test(start_paused = true)]
async fn sessions_of_the_server_are_limited() {
    let server = with_limit(Limit::SessionsInAll, 4);
    // Strangers get half of them.
    let Ok(first) = enters_from(&server, loopback(1), "ann").await else {
        panic!("not let in")
    };
    let _second = enters_from(&server, loopback(1), "ben").await;
    let Err(refusal) = enters_from(&server, loopback(2), "cat").await else {
        panic!("let in")
    };
    assert_eq!(refusal.arguments, ["sessions_in_all", "2"]);
    assert!(refusal.retry_after.is_some());
    // The user who runs the server always gets in.
    Raw::enter(&server, "host").await;
    first.ask(0, Request::Bye).await;
    sleep(Duration::from_secs(1)).await;
    assert!(enters_from(&server, loopback(2), "cat").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn statuses_topics_and_reactions_are_limited_by_the_minute() {
    let mut config = config();
    for limit in [Limit::Statuses, Limit::Topics, Limit::Reactions] {
        config.hub.quotas.set(limit, 3);
    }
    let server = Server::with(config, memory());
    let mut boss = Person::start(server.connector_from(Peer::Socket), "host");
    boss.is_in("general").await;
    boss.quits().await;
    let (mut ann, room) = Raw::join(&server, "ann", "general").await;
    let status = |n: u32| {
        Request::SetStatus(Status {
            text: format!("busy {n}"),
            ..Status::default()
        })
    };
    for n in 0..3 {
        assert_eq!(asks(&mut ann, status(n)).await, None);
    }
    let over = asks(&mut ann, status(3)).await.unwrap();
    assert_limit(&over, Limit::Statuses, 3);
    advance(over.retry_after.unwrap()).await;
    assert_eq!(asks(&mut ann, status(4)).await, None);

    let text = Body::Text("react to this".into());
    assert_eq!(posts(&mut ann, room, 1, text).await, None);
    let log = server.store.entries_at(room, (1..20).map(Seq).collect());
    let log = log.await.unwrap();
    let target = log.iter().find(|entry| entry.body.is_message()).unwrap();
    let react = |emoji: &str| Body::Amendment {
        target: target.seq,
        what: Amendment::React {
            emoji: emoji.into(),
            is_on: true,
        },
    };
    for (n, emoji) in (2..).zip(["👍", "🎉", "❤️"]) {
        assert_eq!(posts(&mut ann, room, n, react(emoji)).await, None);
    }
    let over = posts(&mut ann, room, 5, react("🚀")).await.unwrap();
    assert_limit(&over, Limit::Reactions, 3);
    // The limit does not lose it: the same post is accepted later.
    advance(over.retry_after.unwrap()).await;
    assert_eq!(posts(&mut ann, room, 5, react("🚀")).await, None);
}

#[tokio::test(start_paused = true)]
async fn rooms_and_conversations_are_limited() {
    let mut config = config();
    config.hub.quotas.set(Limit::RoomsOwned, 2);
    config.hub.quotas.set(Limit::Rooms, 6);
    config.hub.quotas.set(Limit::Conversations, 2);
    let server = Server::with(config, memory());
    let create = |name: &str| {
        Request::Create(NewRoom {
            name: name.into(),
            topic: String::new(),
            kind: RoomKind::Public,
            capacity: 0,
        })
    };
    let (mut ann, _) = Raw::enter(&server, "ann").await;
    for name in ["one", "two"] {
        assert_eq!(asks(&mut ann, create(name)).await, None);
    }
    let over = asks(&mut ann, create("three")).await.unwrap();
    assert_limit(&over, Limit::RoomsOwned, 2);
    // Nor do they become fewer by leaving: an owner who returns owns the room again.
    let rooms = server.store.named_rooms().await.unwrap();
    let one = rooms.iter().find(|room| room.name == "one").unwrap().id;
    ann.ask(8, Request::Leave(one)).await;
    while !matches!(ann.event().await, Event::Unfollowed { request: 8, .. }) {}
    let over = asks(&mut ann, create("three")).await.unwrap();
    assert_limit(&over, Limit::RoomsOwned, 2);
    // Rooms that somebody else owns do not count, also if one is a member of them.
    let (mut ben, _) = Raw::enter(&server, "ben").await;
    assert_eq!(asks(&mut ben, create("three")).await, None);
    // Three preset rooms and three others.
    let over = asks(&mut ben, create("four")).await.unwrap();
    assert_limit(&over, Limit::Rooms, 6);

    let open = |name: &str| Request::Open(PersonTarget::Name(name.into()));
    for name in ["cat", "dan", "eve"] {
        Raw::enter(&server, name).await;
    }
    for name in ["cat", "dan", "cat"] {
        assert_eq!(asks(&mut ann, open(name)).await, None, "{name}");
    }
    let over = asks(&mut ann, open("eve")).await.unwrap();
    assert_limit(&over, Limit::Conversations, 2);
    // The others can still write to her.
    assert_eq!(asks(&mut ben, open("ann")).await, None);
}

#[tokio::test(start_paused = true)]
async fn asking_for_the_same_room_again_is_limited_and_many_rooms_are_not() {
    let server = with_limit(Limit::Follows, 2);
    let (mut ann, room) = Raw::join(&server, "ann", "general").await;
    let follow = || Request::Follow { room, cursor: None };
    for _ in 0..3 {
        assert_eq!(asks(&mut ann, follow()).await, None);
    }
    let over = asks(&mut ann, follow()).await.unwrap();
    assert_limit(&over, Limit::Follows, 2);
    ann.ask(0, Request::Unfollow(room)).await;
    let over = asks(&mut ann, follow()).await.unwrap();
    assert_limit(&over, Limit::Follows, 2);
}

#[tokio::test(start_paused = true)]
async fn strangers_of_one_address_share_a_limit_and_others_do_not_wait() {
    let mut config = config();
    config.hub.quotas.set(Limit::StrangerPosts, 10);
    config.hub.quotas.set(Limit::StrangerPostBurst, 20);
    let server = Server::with(config, memory());
    let text = |n: u64| Body::Text(format!("line {n}"));
    let mut strangers = Vec::new();
    for n in 0..4 {
        let entered = enters_from(&server, loopback(2), &format!("stranger{n}")).await;
        let mut raw = entered.unwrap_or_else(|refusal| panic!("{refusal:?}"));
        let general = tchat::wire::JoinTarget::Name("general".into());
        assert_eq!(asks(&mut raw, Request::Join(general)).await, None);
        strangers.push(raw);
    }
    let room = server.store.named_rooms().await.unwrap()[0].id;
    for n in 0..20 {
        let raw = &mut strangers[n % 4];
        let n = u64::try_from(n).unwrap() + 1;
        assert_eq!(posts(raw, room, n, text(n)).await, None);
    }
    let over = posts(&mut strangers[0], room, 30, text(30)).await.unwrap();
    assert_limit(&over, Limit::StrangerPosts, 10);
    // A stranger at another address, and a colleague at the same one.
    let mut other = enters_from(&server, loopback(3), "elsewhere")
        .await
        .ok()
        .unwrap();
    let general = || tchat::wire::JoinTarget::Name("general".into());
    assert_eq!(asks(&mut other, Request::Join(general())).await, None);
    assert_eq!(posts(&mut other, room, 1, text(1)).await, None);
    let (mut colleague, room) = Raw::join(&server, "colleague", "general").await;
    for n in 1..60 {
        assert_eq!(posts(&mut colleague, room, n, text(n)).await, None);
    }
    advance(over.retry_after.unwrap()).await;
    assert_eq!(posts(&mut strangers[0], room, 30, text(30)).await, None);
}

#[tokio::test(start_paused = true)]
async fn over_the_budget_of_the_server_the_largest_senders_wait_first() {
    let mut config = config();
    config.hub.quotas.set(Limit::ServerPosts, 20);
    (config.hub.limits.burst, config.hub.limits.per_second) = (50, 10);
    let server = Server::with(config, memory());
    let text = |n: u64| Body::Text(format!("line {n}"));
    let (mut flooder, room) = Raw::join(&server, "flooder", "general").await;
    let (mut quiet, _) = Raw::join(&server, "quiet", "general").await;
    let mut refused = None;
    for n in 1..=40 {
        refused = posts(&mut flooder, room, n, text(n)).await;
        if refused.is_some() {
            break;
        }
    }
    assert_limit(&refused.expect("slowed"), Limit::ServerPosts, 20);
    for n in 1..=5 {
        assert_eq!(posts(&mut quiet, room, n, text(n)).await, None);
    }
}

#[test]
fn defaults_are_those_of_the_table() {
    let quotas = Quotas::default();
    for (limit, value) in [
        (Limit::Strangers, 256),
        (Limit::StrangersPerAddress, 16),
        (Limit::AccountsPerAddress, 5),
        (Limit::RoomsOwned, 32),
        (Limit::Sessions, 8),
        (Limit::SearchTime, 50),
    ] {
        assert_eq!(quotas.get(limit), Some(value));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_on_at_a_limit_is_read_more_slowly() {
    let server = with_limit(Limit::Conversations, 1);
    for name in ["ben", "cay"] {
        Raw::enter(&server, name).await;
    }
    let (mut ann, _) = Raw::enter(&server, "ann").await;
    let open = |name: &str| Request::Open(PersonTarget::Name(name.into()));
    assert_eq!(asks(&mut ann, open("ben")).await, None);
    let began = Instant::now();
    for n in 0..200 {
        ann.ask(100 + n, open("cay")).await;
    }
    for _ in 0..200 {
        while !matches!(ann.event().await, Event::Refused { .. }) {}
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(199 * 5), "{took:?}");
}
