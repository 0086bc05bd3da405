//! Many bridge connections at once, half of which drop without a goodbye.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tchat::client::boxed_stream;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

use super::gochat;
use crate::support::bridge_clients::{Call, Socket};
use crate::support::terminal::{Home, ends, signal};

/// The message posted to the clients that stayed.
const CALL: &str = "are you there?";
const PATIENCE: Duration = Duration::from_secs(120);

/// The number of sockets a process has open. Other descriptors do not count, because the readers of the database open and close files.
fn sockets_of(process: u32) -> usize {
    let all = std::fs::read_dir(format!("/proc/{process}/fd"));
    let targets = all.into_iter().flatten().flatten();
    let targets = targets.filter_map(|it| std::fs::read_link(it.path()).ok());
    targets
        .filter(|it| it.to_string_lossy().starts_with("socket:"))
        .count()
}

/// The number of people in `general`, from the room list.
async fn present(lobby: &Channel) -> i32 {
    super::chat::rooms(lobby).await[0].1
}

/// Opens `each` WebSocket and as many gRPC connections, then drops half of both.
async fn crowd(each: usize) {
    let home = Home::new();
    let config = "[server]\nburst = 0\n[bridges]\non = true\ngochat = { listen = [] }\nservice = { listen = [] }\nwebsocket = { listen = [] }\ntrigger = { listen = [] }\n";
    std::fs::write(home.file("config.toml"), config).unwrap();
    let mut server = home.serves(&["--config", &home.file("config.toml")]);
    let port = home.port;
    let endpoint = move || Endpoint::from_shared(format!("http://127.0.0.1:{port}")).unwrap();
    let lobby = endpoint().connect().await.unwrap();
    let before = present(&lobby).await;
    let idle = sockets_of(server.id());

    // Every client reads, as a real one does. An aborted client disappears together with its connection.
    let heard = Arc::new(AtomicUsize::new(0));
    let mut readers = Vec::new();
    for n in 0..each {
        let io = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let header = format!("username: w{n}\r\n");
        let io = boxed_stream(io);
        let mut socket = Socket::handshake(io, header.as_bytes()).await.unwrap();
        let count = Arc::clone(&heard);
        let reads_socket = tokio::spawn(async move {
            while let Some((_, payload)) = socket.frame().await {
                if String::from_utf8_lossy(&payload).contains(CALL) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let channel = endpoint().connect().await.unwrap();
        let call: gochat::Client = Call::on(channel, gochat::PATH, None).await;
        call.send(gochat::message(&format!("g{n}"), "", "")).await;
        let count = Arc::clone(&heard);
        let reads_call = tokio::spawn(async move {
            // Move the whole call: otherwise its request half would be dropped here.
            let mut call = call;
            while let Ok(Some(message)) = call.stream.message().await {
                if message.content.contains(CALL) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        readers.push((reads_socket, reads_call));
    }
    let reaches = async |count: usize| {
        let count = i32::try_from(count).unwrap() + before;
        let began = std::time::Instant::now();
        loop {
            let now = present(&lobby).await;
            if now == count {
                return began.elapsed();
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{now} present instead of {count}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let here = reaches(2 * each).await;
    let vanish = |readers: Vec<(JoinHandle<()>, JoinHandle<()>)>| {
        for (socket, call) in readers {
            socket.abort();
            call.abort();
        }
    };
    let stay = readers.split_off(each - each / 2);
    vanish(readers);
    let gone = reaches(2 * stay.len()).await;
    println!("{each} of each kind: here after {here:?}; half dropped, removed after {gone:?}");
    let mut caller: gochat::Client =
        Call::on(endpoint().connect().await.unwrap(), gochat::PATH, None).await;
    caller.send(gochat::message("caller", "", CALL)).await;
    let began = std::time::Instant::now();
    while heard.load(Ordering::Relaxed) < 2 * stay.len() {
        assert!(began.elapsed() < PATIENCE, "not all received it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let all = began.elapsed();
    println!(
        "all {} that stayed received the next message within {all:?}",
        2 * stay.len()
    );
    caller.half_closes();
    vanish(stay);
    reaches(0).await;
    drop(caller);
    let began = std::time::Instant::now();
    while sockets_of(server.id()) > idle {
        let now = sockets_of(server.id());
        assert!(began.elapsed() < PATIENCE, "{now} open instead of {idle}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    signal(server.id(), "TERM");
    let ended = tokio::task::spawn_blocking(move || ends(&mut server, Duration::from_secs(50)));
    assert!(ended.await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn when_half_of_a_crowd_drops_no_ghost_and_no_descriptor_is_left() {
    crowd(50).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: 1,000 connections of each kind"]
async fn long_crowd_of_two_thousand() {
    crowd(1000).await;
}

/// The log lines that contain a word.
fn logged(home: &Home, word: &str) -> Vec<String> {
    let files = std::fs::read_dir(home.logs()).unwrap().flatten();
    let texts = files.map(|file| std::fs::read_to_string(file.path()).unwrap());
    let all: String = texts.collect();
    let lines = all.lines().filter(|line| line.contains(word));
    lines.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_who_left_which_room_and_names_only_public_rooms() {
    let home = Home::new();
    let config = "[bridges]\non = true\ngochat = { listen = [] }\nservice = { listen = [] }\nwebsocket = { listen = [] }\ntrigger = { listen = [] }\n";
    std::fs::write(home.file("config.toml"), config).unwrap();
    let mut server = home.serves(&["--config", &home.file("config.toml")]);
    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{}", home.port)).unwrap();
    let comes = async |name: &str| {
        let channel = endpoint.connect().await.unwrap();
        let call: gochat::Client = Call::on(channel, gochat::PATH, None).await;
        call.send(gochat::message(name, "", "")).await;
        call
    };
    let one = comes("one").await;
    let mut two = comes("two").await;
    let lobby = endpoint.connect().await.unwrap();
    while present(&lobby).await < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    one.send(gochat::message("one", "two", "psst")).await;
    two.receives().await;
    drop(one);
    while two.receives().await.content != "has left the chat" {}
    two.send(gochat::message("two", "", "still here")).await;
    let began = std::time::Instant::now();
    while logged(&home, " left ").len() < 2 {
        assert!(began.elapsed() < PATIENCE, "{:?}", logged(&home, "left"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    two.half_closes();
    two.ends().await;
    signal(server.id(), "TERM");
    let ended = tokio::task::spawn_blocking(move || ends(&mut server, Duration::from_secs(50)));
    assert!(ended.await.unwrap().success());
    let left = logged(&home, " left ");
    let of = |name: &str, room: &str| {
        let (name, room) = (format!("name={name} "), format!("room={room}"));
        let is_it = |line: &&String| line.contains(&name) && line.contains(&room);
        left.iter().filter(is_it).count()
    };
    // `one` has left both rooms. `two` stayed to the end and left only the public room, once.
    assert_eq!(
        (of("one", "general"), of("one", "conversation:")),
        (1, 1),
        "{left:?}"
    );
    assert_eq!(
        (of("two", "general"), of("two", "conversation:")),
        (1, 0),
        "{left:?}"
    );
    assert!(!left.iter().any(|line| line.ends_with("room=")), "{left:?}");
}
