//! Clients of different protocols in one room: private messages between them, the same counts for all, and guests who have left for good.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tchat::chat::{Body, Recipient, RefusalCode, Seq, Via};
use tchat::client::{Command, Event as ClientEvent};
use tchat::server::store::{PageLimit, Span, Store, StoreError};
use tchat::wire::Event;

use super::{chat, gochat, user};
use crate::support::bridge_clients::Socket;
use crate::support::bridge_clients::chat::ClientEvent as ToldChat;
use crate::support::faulty_store::Faulty;
use crate::support::person::Person;
use crate::support::raw_client::{Raw, channel};
use crate::support::server::{Server, config, memory};

/// Posts a message that is refused; returns the code.
async fn refused(person: &mut Person, to: Recipient) -> RefusalCode {
    person.posts(to, "anybody there?");
    person.is_answered().await;
    person.refused.last().expect("a refusal").1.code
}

#[tokio::test(start_paused = true)]
async fn private_messages_cross_from_tchat_to_gochat_and_back() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let mut zhang = gochat::joins(&server, "张三").await;
    ann.sees("general", "has joined the chat").await;
    ann.whispers("张三", "for you");
    assert_eq!(
        zhang.receives().await,
        gochat::message("ann", "张三", "for you")
    );
    zhang.send(gochat::message("张三", "ann", "and back")).await;
    ann.sees("@张三", "and back").await;
    assert_eq!(ann.messages_in("@张三"), ["for you", "and back"]);
    assert_eq!(server.log("general").await, ["has joined the chat"]);
}

#[tokio::test(start_paused = true)]
async fn a_guest_who_left_is_gone_and_a_later_guest_of_that_name_is_another_person() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let zhang = gochat::joins(&server, "张三").await;
    ann.sees("general", "has joined the chat").await;
    ann.whispers("张三", "for you");
    ann.is_answered().await;
    let conversation = ann.room("@张三").unwrap();
    drop(zhang);
    let left = |person: &Person, _: &ClientEvent| {
        let entries = person.entries.get(&conversation)?;
        entries.iter().any(|it| it.body == Body::Left).then_some(())
    };
    ann.until("the end of the conversation", left).await;
    let gone = refused(&mut ann, Recipient::Room(conversation)).await;
    assert_eq!(gone, RefusalCode::PersonGone);
    let unknown = refused(&mut ann, Recipient::Name("张三".into())).await;
    assert_eq!(unknown, RefusalCode::PersonUnknown);

    let mut other = gochat::joins(&server, "张三").await;
    ann.whispers("张三", "are you new?");
    assert_eq!(other.receives().await.content, "are you new?");
    ann.is_answered().await;
    // Messages for the first guest cannot be read by the second, and the old conversation can be closed.
    ann.client.send(Command::Leave(conversation)).unwrap();
    let gone =
        |_: &Person, event: &ClientEvent| (*event == ClientEvent::Left(conversation)).then_some(());
    ann.until("the conversation gone", gone).await;
    assert!(other.is_quiet().await);
}

#[tokio::test(start_paused = true)]
async fn every_protocol_shows_the_same_count_and_announces_joins_in_its_own_words() {
    let server = Server::start();
    let _ann = server.joins("ann").await;
    let mut user = user::joins(&server, 7, "u").await;
    let mut gochat = gochat::joins(&server, "g").await;
    let mut chat = chat::joins(&server, "c", "general").await;
    let mut socket = Socket::enter(&server, "w").await;
    let list = async |socket: &mut Socket| loop {
        socket.sends_request("userlist", "").await;
        let heard = socket.receives().await;
        if !heard.user_list.is_empty() {
            break heard.user_list.len();
        }
    };
    assert_eq!(list(&mut socket).await, 5);
    let (mut raw, room) = Raw::join(&server, "watcher", "general").await;
    raw.follow(room, None).await;
    let people = loop {
        if let Event::RosterPage { people, .. } = raw.event().await {
            break people;
        }
    };
    let via = people.into_iter().map(|it| (it.name, it.via)).collect();
    let expected = [
        ("ann", Via::Tchat),
        ("c", Via::Chat),
        ("g", Via::Gochat),
        ("u", Via::User),
        ("w", Via::WebSocket),
        ("watcher", Via::Tchat),
    ];
    let expected = expected.map(|(name, via)| (name.to_owned(), via));
    assert_eq!(BTreeMap::from(expected), via);
    let lobby = channel(&server).await;
    assert_eq!(chat::rooms(&lobby).await[0], ("general".to_owned(), 6));

    // A tchat user joins and leaves again.
    let ben = server.joins("ben").await;
    ben.quits().await;
    let (mut came, mut went) = (None, None);
    while went.is_none() {
        let heard = user.receives().await;
        let message = heard.message.unwrap();
        if message.username == "ben" {
            let told = (message.message_type, heard.online_users);
            if came.is_none() {
                came = Some(told);
            } else {
                went = Some(told);
            }
        }
    }
    assert_eq!(came, Some(("join".to_owned(), 7)));
    assert_eq!(went, Some(("leave".to_owned(), 6)));
    let mut words = Vec::new();
    while words.len() < 2 {
        let heard = gochat.receives().await;
        if heard.username == "ben" {
            words.push(heard.content);
        }
    }
    assert_eq!(words, ["has joined the chat", "has left the chat"]);
    let mut counts = Vec::new();
    while counts.len() < 2 {
        match chat::next_event(&mut chat).await {
            ToldChat::Joined(it) | ToldChat::Left(it) if it.user_name == "ben" => {
                counts.push(it.current_count);
            }
            _ => {}
        }
    }
    assert_eq!(counts, [7, 6]);
    let mut notices = Vec::new();
    while notices.len() < 2 {
        let (by, text) = socket.chat_message().await;
        if by == "系统" && text.starts_with("ben") {
            notices.push(text);
        }
    }
    assert_eq!(notices, ["ben 加入了聊天室", "ben 离开了聊天室"]);
}

#[tokio::test(start_paused = true)]
async fn a_rename_is_announced_as_a_system_line() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let mut user = user::joins(&server, 7, "u").await;
    let mut gochat = gochat::joins(&server, "g").await;
    user.receives().await;
    ann.sees("general", "has joined the chat").await;
    user.receives().await;
    ann.client.send(Command::SetName("安".into())).unwrap();
    let words = "ann 改名为 安";
    let heard = user.receives().await.message.unwrap();
    assert_eq!(
        (&*heard.username, &*heard.content, &*heard.message_type),
        ("系统", words, "system")
    );
    assert_eq!(gochat.receives().await, gochat::message("系统", "", words));
}

#[tokio::test(start_paused = true)]
async fn the_rate_limit_delays_a_guest_and_never_refuses() {
    let mut config = config();
    (config.hub.limits.burst, config.hub.limits.per_second) = (5, 10);
    let server = Server::with(config, memory());
    let mut user = user::joins(&server, 7, "u").await;
    let began = tokio::time::Instant::now();
    for n in 0..40 {
        let text = n.to_string();
        user.send(user::request(7, "u", "message", &text)).await;
    }
    for n in 0..40 {
        let message = user.receives().await.message.unwrap();
        assert_eq!(
            (message.message_type, message.content),
            ("text".into(), n.to_string())
        );
    }
    let took = began.elapsed().as_secs_f64();
    assert!(
        (3.0..5.0).contains(&took),
        "{took} s for 35 more than the burst"
    );
}

#[tokio::test(start_paused = true)]
async fn a_guest_is_told_that_the_disk_is_full_and_can_continue_later() {
    let is_full = Arc::new(AtomicBool::new(false));
    let full = Arc::clone(&is_full);
    let store = Arc::new(Faulty {
        inner: memory(),
        before: Box::new(move || full.load(Ordering::Relaxed).then_some(StoreError::Full)),
        after: Box::new(|| {}),
        accounts: Box::new(|| None),
    });
    let server = Server::with(config(), Arc::clone(&store) as Arc<dyn Store>);
    let mut ann = gochat::joins(&server, "ann").await;
    let ben = gochat::joins(&server, "ben").await;
    ann.receives().await;
    is_full.store(true, Ordering::Relaxed);
    ann.send(gochat::message("", "", "lost")).await;
    let notice = ann.receives().await;
    let is_told = notice.username == "系统" && notice.content.contains("磁盘已满");
    assert!(is_told, "{notice:?}");
    let mut late = gochat::joins(&server, "late").await;
    assert!(late.receives().await.content.contains("磁盘已满"));
    assert_eq!(late.ends().await.code(), tonic::Code::Ok);
    // A leave is announced even if it cannot be stored.
    drop(ben);
    assert_eq!(
        ann.receives().await,
        gochat::message("ben", "", "has left the chat")
    );
    is_full.store(false, Ordering::Relaxed);
    ann.send(gochat::message("", "", "again")).await;
    let began = tokio::time::Instant::now();
    while store.guests().await.unwrap().len() > 1 {
        assert!(began.elapsed() < Duration::from_secs(30), "still there");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let said = server.log("general").await;
    assert_eq!(
        said,
        ["has joined the chat", "has joined the chat", "again"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_guest_left_behind_by_a_killed_server_is_removed_by_the_next_server() {
    let store = memory();
    let server = Server::with(config(), Arc::clone(&store));
    let mut user = user::joins(&server, 7, "u").await;
    user.send(user::request(7, "u", "message", "here")).await;
    user.receives().await;
    assert_eq!(store.guests().await.unwrap().len(), 1);
    // The first server keeps running, but for this store it is as if it had been killed.
    std::mem::forget(server);
    let next = Server::with(config(), Arc::clone(&store));
    let ann = next.joins("ann").await;
    let began = tokio::time::Instant::now();
    while !store.guests().await.unwrap().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "still there");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let room = ann.room("general").unwrap();
    let page = store.page(room, Span::Before(Seq(u64::MAX)), PageLimit::PAGE);
    let left = page.await.unwrap();
    assert!(
        left.iter()
            .any(|it| it.author.name == "u" && it.body == Body::Left)
    );
}
