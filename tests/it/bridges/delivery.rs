//! Delivery guarantees, checked over every protocol with the same scenarios.

mod private;

use std::time::Duration;
use tchat::chat::{Author, Body, IdentityId, Recipient, Ruling, Until};

use tokio::time::{Instant, timeout};
use tonic::transport::Channel;

use super::{chat, gochat, user};
use crate::support::bridge_clients::Socket;
use crate::support::bridge_clients::chat::ClientEvent;
use crate::support::person::Person;
use crate::support::raw_client::channel;
use crate::support::server::{Server, config, memory};

const PATIENCE: Duration = Duration::from_secs(50);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Protocol {
    Tchat,
    User,
    Gochat,
    Chat,
    WebSocket,
}

const ALL: [Protocol; 5] = [
    Protocol::Tchat,
    Protocol::User,
    Protocol::Gochat,
    Protocol::Chat,
    Protocol::WebSocket,
];

impl Protocol {
    /// The name of the person who uses this protocol.
    fn name(self) -> &'static str {
        match self {
            Self::Tchat => "安",
            Self::User => "user",
            Self::Gochat => "gochat",
            Self::Chat => "chat",
            Self::WebSocket => "web",
        }
    }

    fn has_echo(self) -> bool {
        self != Self::Gochat
    }

    fn is_bridge(self) -> bool {
        self != Self::Tchat
    }
}

/// A person in `general`, over any protocol.
enum AnyClient {
    /// With the number of messages read so far.
    Tchat(Box<Person>, usize),
    User(Box<user::Client>),
    Gochat(Box<gochat::Client>),
    Chat(Box<chat::Client>),
    WebSocket(Box<Socket>),
}

impl AnyClient {
    /// Connects under a name and asks to be let in; the server may still refuse.
    async fn connects(server: &Server, protocol: Protocol, name: &str) -> Self {
        match protocol {
            Protocol::Tchat => {
                let mut person = server.joins(name).await;
                person.is_in("general").await;
                Self::Tchat(Box::new(person), 0)
            }
            Protocol::User => {
                let client = user::Client::open(server, user::PATH).await;
                client.send(user::request(0, name, "join", "")).await;
                Self::User(Box::new(client))
            }
            Protocol::Gochat => {
                let client = gochat::Client::open(server, gochat::PATH).await;
                client.send(gochat::message(name, "", "")).await;
                Self::Gochat(Box::new(client))
            }
            Protocol::Chat => {
                let client = chat::Client::open(server, chat::PATH).await;
                client.send(chat::join(name, "general")).await;
                Self::Chat(Box::new(client))
            }
            Protocol::WebSocket => Self::WebSocket(Box::new(Socket::enter(server, name).await)),
        }
    }

    async fn sends(&mut self, text: &str) {
        match self {
            Self::Tchat(person, _) => drop(person.sends("general", text)),
            Self::User(client) => client.send(user::request(0, "", "message", text)).await,
            Self::Gochat(client) => client.send(gochat::message("", "", text)).await,
            Self::Chat(client) => client.send(chat::says(text)).await,
            Self::WebSocket(client) => client.sends_text(text).await,
        }
    }

    /// The next line, notices included: its author and its text. `None`: the stream has ended.
    async fn next(&mut self) -> Option<(String, String)> {
        let line = timeout(PATIENCE, self.next_in_time()).await;
        line.expect("a line, or the end of the stream")
    }

    async fn next_in_time(&mut self) -> Option<(String, String)> {
        match self {
            Self::Tchat(person, read) => {
                let read_before = *read;
                *read += 1;
                let nth = |person: &Person| {
                    let lines = person.entries.get(&person.room("general")?)?;
                    let mut said = lines.iter().filter(|entry| entry.body.is_message());
                    let line = said.nth(read_before)?;
                    Some((line.author.name.clone(), line.body.text().to_owned()))
                };
                while nth(person).is_none() {
                    person.next().await;
                }
                nth(person)
            }
            Self::User(client) => {
                let heard = client.stream.message().await.ok()??.message?;
                Some((heard.username, heard.content))
            }
            Self::Gochat(client) => {
                let heard = client.stream.message().await.ok()??;
                Some((heard.username, heard.content))
            }
            Self::Chat(client) => Some(match client.stream.message().await.ok()??.event? {
                ClientEvent::Broadcast(line) => (line.sender_name, line.text),
                ClientEvent::Joined(it) | ClientEvent::Left(it) => ("系统".into(), it.user_name),
                ClientEvent::Response(answer) => ("系统".into(), answer.message),
            }),
            Self::WebSocket(client) => {
                let heard = client.message().await?;
                Some((heard.user_name, heard.content))
            }
        }
    }

    /// The next `count` lines whose text begins with `=`.
    async fn receives(&mut self, count: usize) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        while lines.len() < count {
            let line = self.next().await.expect("the stream continues");
            if line.1.starts_with('=') {
                lines.push(line);
            }
        }
        lines
    }

    /// Waits for a line that contains these words.
    async fn waits_for_text(&mut self, words: &str) -> (String, String) {
        loop {
            let line = self.next().await.expect("the stream continues");
            if line.1.contains(words) {
                return line;
            }
        }
    }
}

async fn people(lobby: &Channel) -> i32 {
    chat::rooms(lobby).await[0].1
}

/// Waits until the number of people satisfies the condition.
async fn are_here(lobby: &Channel, is: impl Fn(i32) -> bool) {
    let began = Instant::now();
    loop {
        let count = people(lobby).await;
        if is(count) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{count} people");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// One person per protocol, all in the room.
async fn everybody(server: &Server) -> Vec<(Protocol, AnyClient)> {
    let mut all = Vec::new();
    for protocol in ALL {
        all.push((
            protocol,
            AnyClient::connects(server, protocol, protocol.name()).await,
        ));
    }
    let lobby = channel(server).await;
    are_here(&lobby, |count| count >= 5).await;
    all
}

fn numbered(protocol: Protocol, n: usize) -> String {
    format!("={} {n}", protocol.name())
}

#[tokio::test(start_paused = true)]
async fn everybody_receives_every_message_once_and_in_the_same_order() {
    const LINES: usize = 40;
    let server = Server::start();
    let mut all = everybody(&server).await;
    for n in 0..LINES {
        for (protocol, one) in &mut all {
            one.sends(&numbered(*protocol, n)).await;
        }
    }
    let log: Vec<(String, String)> = all[0].1.receives(LINES * ALL.len()).await;
    for protocol in ALL {
        let own = log.iter().filter(|(by, _)| by == protocol.name());
        let own: Vec<&String> = own.map(|(_, text)| text).collect();
        let expected: Vec<String> = (0..LINES).map(|n| numbered(protocol, n)).collect();
        assert_eq!(own, expected.iter().collect::<Vec<_>>(), "{protocol:?}");
    }
    for (protocol, one) in &mut all[1..] {
        let is_for = |by: &str| protocol.has_echo() || by != protocol.name();
        let expected: Vec<_> = log.iter().filter(|(by, _)| is_for(by)).cloned().collect();
        let heard = one.receives(expected.len()).await;
        assert_eq!(heard, expected, "{protocol:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_joiner_gets_new_messages_and_over_tchat_also_the_backlog() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    ann.sends("general", "=before");
    ann.is_answered().await;
    let mut all = everybody(&server).await;
    ann.sends("general", "=after");
    for (protocol, one) in &mut all {
        let first = if protocol.is_bridge() {
            "=after"
        } else {
            "=before"
        };
        assert_eq!(one.receives(1).await[0].1, first, "{protocol:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_in_use_is_refused_across_protocols() {
    for held in ALL {
        for asked in ALL.into_iter().filter(|it| it.is_bridge()) {
            let server = Server::start();
            let _holder = AnyClient::connects(&server, held, "张三").await;
            let lobby = channel(&server).await;
            are_here(&lobby, |count| count >= 1).await;
            let mut second = AnyClient::connects(&server, asked, "张三").await;
            let notice = second.next().await;
            let notice = notice.unwrap_or_else(|| panic!("{held:?} {asked:?}: a notice first"));
            let is_notice = notice.0 == "系统" && notice.1.contains("张三");
            assert!(is_notice, "{held:?} {asked:?}: {notice:?}");
            assert_eq!(second.next().await, None, "{held:?} {asked:?}: stream ends");
            assert_eq!(people(&lobby).await, 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_too_long_is_refused_and_the_next_one_is_accepted() {
    let server = Server::start();
    let mut all = everybody(&server).await;
    for (protocol, one) in all.iter_mut().filter(|(it, _)| it.is_bridge()) {
        one.sends(&format!("={}", "x".repeat(8192))).await;
        one.sends(&numbered(*protocol, 1)).await;
        assert_eq!(one.waits_for_text("8192").await.0, "系统", "{protocol:?}");
    }
    let said: Vec<String> = all[0]
        .1
        .receives(4)
        .await
        .into_iter()
        .map(|it| it.1)
        .collect();
    let bridges = ALL.into_iter().filter(|it| it.is_bridge());
    let expected: Vec<String> = bridges.map(|it| numbered(it, 1)).collect();
    assert_eq!(said, expected);
}

#[tokio::test(start_paused = true)]
async fn a_private_message_reaches_only_its_recipient() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let mut all = everybody(&server).await;
    for protocol in ALL {
        ann.whispers(protocol.name(), &format!("=for {}", protocol.name()));
        ann.is_answered().await;
    }
    ann.sends("general", "=for all");
    for (protocol, one) in &mut all {
        if let AnyClient::Tchat(person, _) = one {
            person.sees("@ann", "=for 安").await;
        } else {
            let line = one.waits_for_text("=").await;
            let own = format!("=for {}", protocol.name());
            assert!(line.1.contains(&own), "{protocol:?}: {line:?}");
            assert!(line.0 == "ann" || line.1.contains("ann"), "{line:?}");
        }
        assert_eq!(one.receives(1).await[0].1, "=for all", "{protocol:?}");
    }
}

/// Applies a ruling to a guest, by a person who may do so.
async fn rules(boss: &mut Person, whom: &str, ruling: Ruling) {
    let room = boss.room("general").unwrap();
    let person = Author {
        id: IdentityId::NOBODY,
        name: whom.into(),
    };
    boss.posts_body(Recipient::Room(room), Body::Ruling(person, ruling));
    boss.is_answered().await;
    assert!(boss.refused.is_empty(), "{:?}", boss.refused);
}

#[tokio::test(start_paused = true)]
async fn a_muted_or_removed_guest_is_told_why() {
    let server = Server::start();
    let mut boss = server.joins("boss").await;
    boss.is_in("general").await;
    let mut all = everybody(&server).await;
    for (protocol, one) in all.iter_mut().filter(|(it, _)| it.is_bridge()) {
        rules(
            &mut boss,
            protocol.name(),
            Ruling::Muted {
                until: Until::Forever,
            },
        )
        .await;
        one.sends("=unheard").await;
        assert_eq!(one.waits_for_text("禁言").await.0, "系统", "{protocol:?}");
        let reason = "=spam".to_owned();
        rules(&mut boss, protocol.name(), Ruling::Kicked { reason }).await;
        let told = one.waits_for_text("您被 boss 移出了房间：=spam").await;
        assert_eq!(told.0, "系统", "{protocol:?}");
        assert_eq!(one.next().await, None, "{protocol:?}: stream ends");
    }
    let lobby = channel(&server).await;
    are_here(&lobby, |count| count <= 2).await;
    assert!(server.log("general").await.is_empty(), "nothing stored");
}

#[tokio::test(start_paused = true)]
async fn above_the_rate_limit_nothing_is_refused_and_the_order_is_kept() {
    for protocol in ALL {
        let mut config = config();
        (config.hub.limits.burst, config.hub.limits.per_second) = (5, 10);
        let server = Server::with(config, memory());
        let mut one = AnyClient::connects(&server, protocol, protocol.name()).await;
        let mut ann = server.joins("ann").await;
        for n in 0..30 {
            one.sends(&numbered(protocol, n)).await;
        }
        ann.sees("general", &numbered(protocol, 29)).await;
        let expected: Vec<String> = (0..30).map(|n| numbered(protocol, n)).collect();
        assert_eq!(server.log("general").await, expected, "{protocol:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_delivered_messages_are_kept_and_everybody_can_return() {
    let store = memory();
    let mut server = Server::crashing(config(), move || std::sync::Arc::clone(&store));
    let mut all = everybody(&server).await;
    for (protocol, one) in &mut all {
        one.sends(&numbered(*protocol, 1)).await;
    }
    let log = all[0].1.receives(5).await;
    for (protocol, one) in &mut all[1..] {
        one.receives(4 + usize::from(protocol.has_echo())).await;
    }
    server.crashes().await;
    for (_, one) in &mut all[1..] {
        while one.next().await.is_some() {}
    }
    server.restarts();
    // Guests are new people now, under the same names. The tchat client reconnects by itself and stays the same person.
    for (protocol, one) in &mut all[1..] {
        *one = AnyClient::connects(&server, *protocol, protocol.name()).await;
    }
    let lobby = channel(&server).await;
    are_here(&lobby, |count| count >= 5).await;
    for (protocol, one) in &mut all {
        one.sends(&numbered(*protocol, 2)).await;
    }
    let more = all[0].1.receives(5).await;
    for (protocol, one) in &mut all[1..] {
        let heard = one.receives(4 + usize::from(protocol.has_echo())).await;
        let own = |by: &str| !protocol.has_echo() && by == protocol.name();
        let expected: Vec<_> = more.iter().filter(|(by, _)| !own(by)).cloned().collect();
        assert_eq!(heard, expected, "{protocol:?}");
    }
    let said: Vec<String> = log.into_iter().chain(more).map(|it| it.1).collect();
    assert_eq!(server.log("general").await, said);
}
