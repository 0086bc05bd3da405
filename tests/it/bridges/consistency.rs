//! Six protocols in one busy room: everybody receives the same lines in the same order, and the log agrees.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tchat::client::boxed_stream;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

use super::{chat, gochat, service, user};
use crate::support::bridge_clients::chat::ClientEvent;
use crate::support::bridge_clients::{Call, Socket};
use crate::support::history::{History, tail};
use crate::support::terminal::{Home, ends, signal};

const PATIENCE: Duration = Duration::from_secs(200);

/// Everybody who posts: one user per bridge, and ann over tchat.
const NAMES: [&str; 6] = ["u", "g", "c", "w", "stream", "ann"];

/// The messages a client received, in order: author and text.
type Received = Arc<Mutex<Vec<(String, String)>>>;

/// A client that posts `lines` lines while it reads everything.
struct Talker {
    name: &'static str,
    has_echo: bool,
    received: Received,
    task: JoinHandle<()>,
}

/// The number of lines a client may be behind. Far below the limit of the server's outbox, so that no client has to skip messages.
const UNREAD: usize = 200;

/// Keeps the senders from getting too far ahead of the readers.
#[derive(Default)]
struct Throttle {
    /// Set once all readers are in the room.
    begins: AtomicBool,
    posted: AtomicUsize,
    received: Mutex<Vec<(bool, Received)>>,
}

impl Throttle {
    /// About how many lines this client has not read yet.
    fn behind(&self, heard: &Received, hears_itself: bool) -> usize {
        let heard = heard.lock().unwrap().len();
        let all = if hears_itself {
            heard
        } else {
            heard * NAMES.len() / (NAMES.len() - 1)
        };
        self.posted.load(Ordering::Relaxed).saturating_sub(all)
    }

    fn is_ahead(&self) -> bool {
        let heard = self.received.lock().unwrap();
        heard
            .iter()
            .any(|(itself, heard)| self.behind(heard, *itself) > 2 * UNREAD)
    }
}

fn line(name: &str, n: usize) -> String {
    format!("={name}{n}=")
}

async fn dial(port: u16) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}")).unwrap();
    endpoint.connect().await.unwrap()
}

fn note(heard: &Received, by: &str, text: &str) {
    if text.starts_with('=') {
        heard.lock().unwrap().push((by.to_owned(), text.to_owned()));
    }
}

/// A talker of one protocol: `$open` makes a client, `$says` sends a line, `$hear` reads one message and is false at the end of the stream.
macro_rules! talker {
    ($name:literal, $itself:literal, $lines:expr, $pace:expr, $client:ident = $open:expr, $text:ident => $says:expr, $heard:ident => $hear:expr) => {{
        let mut $client = $open;
        let $heard: Received = Arc::default();
        let kept = Arc::clone(&$heard);
        let (lines, pace) = ($lines, Arc::clone($pace));
        pace.received
            .lock()
            .unwrap()
            .push(($itself, Arc::clone(&$heard)));
        let task = tokio::spawn(async move {
            let mut said = 0;
            loop {
                if said == lines || pace.behind(&$heard, $itself) > UNREAD {
                    if !$hear {
                        return;
                    }
                } else if !pace.begins.load(Ordering::Relaxed) || pace.is_ahead() {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                } else {
                    said += 1;
                    pace.posted.fetch_add(1, Ordering::Relaxed);
                    let $text = line($name, said);
                    $says;
                }
            }
        });
        Talker {
            name: $name,
            has_echo: $itself,
            received: kept,
            task,
        }
    }};
}

async fn talkers(port: u16, lines: usize, pace: &Arc<Throttle>) -> Vec<Talker> {
    let mut all = Vec::new();
    all.push(talker!("u", true, lines, pace,
    client = {
        let client: user::Client = Call::on(dial(port).await, user::PATH, None).await;
        client.send(user::request(7, "u", "join", "")).await;
        client
    },
    text => client.send(user::request(7, "u", "message", &text)).await,
    heard => match client.stream.message().await {
        Ok(Some(told)) => {
            let message = told.message.unwrap();
            note(&heard, &message.username, &message.content);
            true
        }
        _ => false,
    }));
    all.push(talker!("g", false, lines, pace,
    client = {
        let client: gochat::Client = Call::on(dial(port).await, gochat::PATH, None).await;
        client.send(gochat::message("g", "", "has joined the chat")).await;
        client
    },
    text => client.send(gochat::message("g", "", &text)).await,
    heard => match client.stream.message().await {
        Ok(Some(told)) => {
            note(&heard, &told.username, &told.content);
            true
        }
        _ => false,
    }));
    all.push(talker!("c", true, lines, pace,
    client = {
        let client: chat::Client = Call::on(dial(port).await, chat::PATH, None).await;
        client.send(chat::join("c", "general")).await;
        client
    },
    text => client.send(chat::says(&text)).await,
    heard => match client.stream.message().await {
        Ok(Some(told)) => {
            if let Some(ClientEvent::Broadcast(told)) = told.event {
                note(&heard, &told.sender_name, &told.text);
            }
            true
        }
        _ => false,
    }));
    all.push(talker!("w", true, lines, pace,
    client = {
        let io = boxed_stream(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        Socket::handshake(io, b"username: w\r\n").await.unwrap()
    },
    text => client.sends_text(&text).await,
    heard => match client.message().await {
        Some(told) => {
            note(&heard, &told.user_name, &told.content);
            true
        }
        None => false,
    }));
    all
}

/// Everybody posts their share of `lines` lines.
async fn story(lines: usize) {
    let home = Home::new();
    let mut config = String::from("[server]\nburst = 0\n[bridges]\non = true\n");
    for bridge in ["gochat", "service", "websocket", "trigger"] {
        writeln!(config, "{bridge} = {{ listen = [] }}").unwrap();
    }
    std::fs::write(home.file("config.toml"), config).unwrap();
    let mut server = home.serves(&["--config", &home.file("config.toml")]);
    let port = home.port;
    let address = format!("localhost:{port}");
    let each = lines / 6;
    let pace = Arc::new(Throttle::default());
    let talkers = talkers(port, each, &pace).await;
    let lobby = dial(port).await;
    while chat::rooms(&lobby).await[0].1 < 4 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    pace.begins.store(true, Ordering::Relaxed);

    // The stream of the service bridge only posts.
    let (streams, anns) = (Arc::clone(&pace), Arc::clone(&pace));
    let names = tokio::spawn(async move {
        let path = "/service.v1.Service/Chat";
        let mut client: service::Client = Call::on(dial(port).await, path, None).await;
        for n in 1..=each {
            while streams.is_ahead() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            streams.posted.fetch_add(1, Ordering::Relaxed);
            client.send(service::named(&line("stream", n))).await;
            client.receives().await;
        }
        client.half_closes();
        client.ends().await
    });
    // And two tchat clients: a tail and a screen.
    let arguments = ["tail", "--json", "--last", "1000000", "--follow"];
    let mut reader: Child = home
        .command(&arguments)
        .args(["--server", &address, "--name", "reader"])
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(home.file("tail.json")).unwrap())
        .spawn()
        .unwrap();
    let mut ann = home.screen((80, 24), &["--server", &address, "--name", "ann"]);
    ann.shows("#general ›");
    let file = home.file("tail.json");
    let printed = move || std::fs::read_to_string(&file).unwrap();
    let printing = printed.clone();
    let ann = tokio::task::spawn_blocking(move || {
        for n in 1..=each {
            while anns.is_ahead() {
                std::thread::sleep(Duration::from_millis(1));
            }
            anns.posted.fetch_add(1, Ordering::Relaxed);
            ann.sends_line(&line("ann", n));
            // A screen accepts at most a thousand waiting posts.
            while n % 200 == 0 && !printing().contains(&line("ann", n)) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        ann
    });
    assert_eq!(names.await.unwrap().code(), tonic::Code::Ok);
    let ann = ann.await.unwrap();

    let all = each * NAMES.len();
    let began = Instant::now();
    for talker in &talkers {
        while !is_last(&talker.received, talker, each) {
            let heard = talker.received.lock().unwrap().len();
            assert!(began.elapsed() < PATIENCE, "{} got {heard}", talker.name);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    while printed().matches("\"kind\":\"text\"").count() < all {
        assert!(
            began.elapsed() < PATIENCE,
            "the tail does not reach the last line"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    signal(reader.id(), "TERM");
    ends(&mut reader, PATIENCE);
    let entries = tail(&printed()).unwrap();
    let log: Vec<(String, String)> = entries
        .iter()
        .filter(|entry| entry.body.text.starts_with('='))
        .map(|entry| (entry.author.name.clone(), entry.body.text.clone()))
        .collect();
    assert_eq!(log.len(), all);
    for name in NAMES {
        let own: Vec<&String> = log
            .iter()
            .filter(|(by, _)| by == name)
            .map(|(_, text)| text)
            .collect();
        let expected: Vec<String> = (1..=each).map(|n| line(name, n)).collect();
        assert!(
            own.iter().copied().eq(&expected),
            "all lines of {name}, in order"
        );
    }
    // Each client received exactly the log, except its own lines if its protocol has no echo.
    for talker in talkers {
        talker.task.abort();
        let heard = talker.received.lock().unwrap().clone();
        let theirs = |(by, _): &&(String, String)| talker.has_echo || by != talker.name;
        let expected: Vec<_> = log.iter().filter(theirs).cloned().collect();
        assert!(heard == expected, "{} received other messages", talker.name);
    }
    // Ann's own lines are shown at once and marked until they are stored.
    let last = &log.last().unwrap().1;
    ann.until("the last line, with everything stored", |screen| {
        screen.contains(last) && !screen.contains('…')
    });
    let mut history = History::default();
    history.tails.push(("reader".into(), entries));
    history.screens.push(("ann".into(), ann.text()));
    let wrong = history.check();
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("{all} lines of six protocols: consistent");
    signal(server.id(), "TERM");
    assert!(ends(&mut server, Duration::from_secs(50)).success());
}

/// Whether the client has received the last line of everybody it receives from.
fn is_last(heard: &Received, talker: &Talker, each: usize) -> bool {
    let heard = heard.lock().unwrap();
    let mut last: HashMap<&str, &str> = HashMap::new();
    for (by, text) in heard.iter() {
        last.insert(by, text);
    }
    NAMES
        .into_iter()
        .filter(|name| talker.has_echo || *name != talker.name)
        .all(|name| last.get(name).is_some_and(|text| *text == line(name, each)))
}

#[tokio::test(flavor = "multi_thread")]
async fn six_protocols_in_one_room_see_the_same_history() {
    story(300).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: 10,000 messages"]
async fn long_six_protocols_ten_thousand_messages() {
    story(10_000).await;
}
