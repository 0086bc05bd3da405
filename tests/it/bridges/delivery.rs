//! What is promised of delivery, over every protocol: the same stories, told by whoever speaks it.

mod private;

use std::time::Duration;
use tchat::chat::{Author, Body, IdentityId, Recipient, Ruling, Until};

use tokio::time::Instant;
use tonic::transport::Channel;

use super::{chat, gochat, user};
use crate::support::foreign::Socket;
use crate::support::foreign::chat::ClientEvent;
use crate::support::person::Person;
use crate::support::raw::channel;
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
    /// A name for whoever speaks it.
    fn name(self) -> &'static str {
        match self {
            Self::Tchat => "安",
            Self::User => "user",
            Self::Gochat => "gochat",
            Self::Chat => "chat",
            Self::WebSocket => "web",
        }
    }

    fn hears_itself(self) -> bool {
        self != Self::Gochat
    }

    fn is_bridge(self) -> bool {
        self != Self::Tchat
    }
}

/// Somebody in `general`, whatever they speak.
enum Anyone {
    /// Who has read so many lines.
    Tchat(Box<Person>, usize),
    User(Box<user::Client>),
    Gochat(Box<gochat::Client>),
    Chat(Box<chat::Client>),
    WebSocket(Box<Socket>),
}

impl Anyone {
    /// Comes under a name, and asks to be let in; whether they are is another question.
    async fn comes(server: &Server, protocol: Protocol, name: &str) -> Self {
        match protocol {
            Protocol::Tchat => {
                let mut person = server.joins(name).await;
                person.is_in("general").await;
                Self::Tchat(Box::new(person), 0)
            }
            Protocol::User => {
                let client = user::Client::open(server, user::PATH).await;
                client.ask(user::request(0, name, "join", "")).await;
                Self::User(Box::new(client))
            }
            Protocol::Gochat => {
                let client = gochat::Client::open(server, gochat::PATH).await;
                client.ask(gochat::message(name, "", "")).await;
                Self::Gochat(Box::new(client))
            }
            Protocol::Chat => {
                let client = chat::Client::open(server, chat::PATH).await;
                client.ask(chat::join(name, "general")).await;
                Self::Chat(Box::new(client))
            }
            Protocol::WebSocket => Self::WebSocket(Box::new(Socket::enter(server, name).await)),
        }
    }

    async fn says(&mut self, text: &str) {
        match self {
            Self::Tchat(person, _) => drop(person.says("general", text)),
            Self::User(client) => client.ask(user::request(0, "", "message", text)).await,
            Self::Gochat(client) => client.ask(gochat::message("", "", text)).await,
            Self::Chat(client) => client.ask(chat::says(text)).await,
            Self::WebSocket(client) => client.says(text).await,
        }
    }

    /// The next line, notices and all: by whom, and what. Nothing: it has ended.
    async fn next(&mut self) -> Option<(String, String)> {
        match self {
            Self::Tchat(person, read) => {
                let read_before = *read;
                *read += 1;
                let nth = |person: &Person| {
                    let lines = person.entries.get(&person.room("general")?)?;
                    let mut said = lines.iter().filter(|entry| entry.body.is_said());
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

    /// The next `count` lines that begin with `=`.
    async fn hears(&mut self, count: usize) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        while lines.len() < count {
            let line = self.next().await.expect("it goes on");
            if line.1.starts_with('=') {
                lines.push(line);
            }
        }
        lines
    }

    /// Waits for words somewhere in a line.
    async fn is_told(&mut self, words: &str) -> (String, String) {
        loop {
            let line = self.next().await.expect("it goes on");
            if line.1.contains(words) {
                return line;
            }
        }
    }
}

async fn people(lobby: &Channel) -> i32 {
    chat::rooms(lobby).await[0].1
}

/// Waits until there are so many people.
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

/// One of each protocol, all in the room.
async fn everybody(server: &Server) -> Vec<(Protocol, Anyone)> {
    let mut all = Vec::new();
    for protocol in ALL {
        all.push((
            protocol,
            Anyone::comes(server, protocol, protocol.name()).await,
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
async fn what_anybody_says_everybody_hears_once_and_in_one_order() {
    const LINES: usize = 40;
    let server = Server::start();
    let mut all = everybody(&server).await;
    for n in 0..LINES {
        for (protocol, one) in &mut all {
            one.says(&numbered(*protocol, n)).await;
        }
    }
    let log: Vec<(String, String)> = all[0].1.hears(LINES * ALL.len()).await;
    for protocol in ALL {
        let own = log.iter().filter(|(by, _)| by == protocol.name());
        let own: Vec<&String> = own.map(|(_, text)| text).collect();
        let expected: Vec<String> = (0..LINES).map(|n| numbered(protocol, n)).collect();
        assert_eq!(own, expected.iter().collect::<Vec<_>>(), "{protocol:?}");
    }
    for (protocol, one) in &mut all[1..] {
        let is_for = |by: &str| protocol.hears_itself() || by != protocol.name();
        let expected: Vec<_> = log.iter().filter(|(by, _)| is_for(by)).cloned().collect();
        let heard = one.hears(expected.len()).await;
        assert_eq!(heard, expected, "{protocol:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_late_hears_what_is_said_from_then_on_and_by_tchat_also_before() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    ann.says("general", "=before");
    ann.is_answered().await;
    let mut all = everybody(&server).await;
    ann.says("general", "=after");
    for (protocol, one) in &mut all {
        let first = if protocol.is_bridge() {
            "=after"
        } else {
            "=before"
        };
        assert_eq!(one.hears(1).await[0].1, first, "{protocol:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_in_use_is_refused_whatever_either_speaks() {
    for held in ALL {
        for asked in ALL.into_iter().filter(|it| it.is_bridge()) {
            let server = Server::start();
            let _holder = Anyone::comes(&server, held, "张三").await;
            let lobby = channel(&server).await;
            are_here(&lobby, |count| count >= 1).await;
            let mut second = Anyone::comes(&server, asked, "张三").await;
            let notice = second.next().await;
            let notice = notice.unwrap_or_else(|| panic!("{held:?} {asked:?}: a notice first"));
            let is_notice = notice.0 == "系统" && notice.1.contains("张三");
            assert!(is_notice, "{held:?} {asked:?}: {notice:?}");
            assert_eq!(second.next().await, None, "{held:?} {asked:?}: and the end");
            assert_eq!(people(&lobby).await, 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_too_long_is_said_so_and_the_next_line_is_taken() {
    let server = Server::start();
    let mut all = everybody(&server).await;
    for (protocol, one) in all.iter_mut().filter(|(it, _)| it.is_bridge()) {
        one.says(&format!("={}", "x".repeat(8192))).await;
        one.says(&numbered(*protocol, 1)).await;
        assert_eq!(one.is_told("8192").await.0, "系统", "{protocol:?}");
    }
    let said: Vec<String> = all[0].1.hears(4).await.into_iter().map(|it| it.1).collect();
    let bridges = ALL.into_iter().filter(|it| it.is_bridge());
    let expected: Vec<String> = bridges.map(|it| numbered(it, 1)).collect();
    assert_eq!(said, expected);
}

#[tokio::test(start_paused = true)]
async fn what_is_said_privately_reaches_one_and_nobody_else() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let mut all = everybody(&server).await;
    for protocol in ALL {
        ann.whispers(protocol.name(), &format!("=for {}", protocol.name()));
        ann.is_answered().await;
    }
    ann.says("general", "=for all");
    for (protocol, one) in &mut all {
        if let Anyone::Tchat(person, _) = one {
            person.sees("@ann", "=for 安").await;
        } else {
            let line = one.is_told("=").await;
            let own = format!("=for {}", protocol.name());
            assert!(line.1.contains(&own), "{protocol:?}: {line:?}");
            assert!(line.0 == "ann" || line.1.contains("ann"), "{line:?}");
        }
        assert_eq!(one.hears(1).await[0].1, "=for all", "{protocol:?}");
    }
}

/// Orders about a guest, by somebody who may give them.
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
async fn whoever_is_muted_or_removed_hears_so_and_why_and_has_left() {
    let server = Server::start();
    let mut boss = server.joins("boss").await;
    boss.is_in("general").await;
    let mut all = everybody(&server).await;
    for (protocol, one) in all.iter_mut().filter(|(it, _)| it.is_bridge()) {
        rules(
            &mut boss,
            protocol.name(),
            Ruling::Muted { until: Until::Ever },
        )
        .await;
        one.says("=unheard").await;
        assert_eq!(one.is_told("禁言").await.0, "系统", "{protocol:?}");
        let reason = "=spam".to_owned();
        rules(&mut boss, protocol.name(), Ruling::Kicked { reason }).await;
        let told = one.is_told("您被 boss 移出了房间：=spam").await;
        assert_eq!(told.0, "系统", "{protocol:?}");
        assert_eq!(one.next().await, None, "{protocol:?}: and the end");
    }
    let lobby = channel(&server).await;
    are_here(&lobby, |count| count <= 2).await;
    assert!(server.log("general").await.is_empty(), "nobody was heard");
}

#[tokio::test(start_paused = true)]
async fn over_the_rate_nobody_is_refused_and_the_order_stays() {
    for protocol in ALL {
        let mut config = config();
        (config.hub.limits.burst, config.hub.limits.per_second) = (5, 10);
        let server = Server::with(config, memory());
        let mut one = Anyone::comes(&server, protocol, protocol.name()).await;
        let mut ann = server.joins("ann").await;
        for n in 0..30 {
            one.says(&numbered(protocol, n)).await;
        }
        ann.sees("general", &numbered(protocol, 29)).await;
        let expected: Vec<String> = (0..30).map(|n| numbered(protocol, n)).collect();
        assert_eq!(server.log("general").await, expected, "{protocol:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_crash_what_was_heard_is_kept_and_everybody_can_come_back() {
    let store = memory();
    let mut server = Server::crashing(config(), move || std::sync::Arc::clone(&store));
    let mut all = everybody(&server).await;
    for (protocol, one) in &mut all {
        one.says(&numbered(*protocol, 1)).await;
    }
    let log = all[0].1.hears(5).await;
    for (protocol, one) in &mut all[1..] {
        one.hears(4 + usize::from(protocol.hears_itself())).await;
    }
    server.crashes().await;
    for (_, one) in &mut all[1..] {
        while one.next().await.is_some() {}
    }
    server.restarts();
    // Guests are other people now, under the same names; whoever speaks tchat has never gone.
    for (protocol, one) in &mut all[1..] {
        *one = Anyone::comes(&server, *protocol, protocol.name()).await;
    }
    let lobby = channel(&server).await;
    are_here(&lobby, |count| count >= 5).await;
    for (protocol, one) in &mut all {
        one.says(&numbered(*protocol, 2)).await;
    }
    let more = all[0].1.hears(5).await;
    for (protocol, one) in &mut all[1..] {
        let heard = one.hears(4 + usize::from(protocol.hears_itself())).await;
        let own = |by: &str| !protocol.hears_itself() && by == protocol.name();
        let expected: Vec<_> = more.iter().filter(|(by, _)| !own(by)).cloned().collect();
        assert_eq!(heard, expected, "{protocol:?}");
    }
    let said: Vec<String> = log.into_iter().chain(more).map(|it| it.1).collect();
    assert_eq!(server.log("general").await, said);
}
