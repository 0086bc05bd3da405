//! Fault injection: after each fault the history checker must find one consistent history. `FAULTS.md` beside this file lists them.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tchat::client::{Event as ClientEvent, LinkState};

use crate::support::chaos_proxy::NetworkFaults;
use crate::support::chat::{Chat, Rate, Talker};
use crate::support::history::{History, Sent, tail};
use crate::support::person::Person;
use crate::support::server::Server;
use crate::support::terminal::{Home, ends, signal};

const NO_FAULTS: NetworkFaults = NetworkFaults {
    latency: Duration::ZERO,
    jitter: Duration::ZERO,
    bandwidth: 0,
    slice: 0,
    stall: (0, Duration::ZERO),
    truncate: 0,
    flip: 0,
    duplicate: 0,
};

fn assert_consistent(history: &History) {
    let wrong = history.check();
    assert!(wrong.is_empty(), "{:#?}", &wrong[..wrong.len().min(20)]);
}

/// Each person posts a line in turn; `kills` of the server and `cuts` of every link are spread evenly over the lines. Each fault happens
/// while lines are in flight, and everybody is connected again before the next one.
fn run_with_faults(names: &[&'static str], lines: usize, kills: usize, cuts: usize, rate: Rate) {
    let mut chat = Chat::begins(names, NO_FAULTS, rate);
    let times = kills + cuts;
    for n in 0..times {
        for line in 0..lines.div_ceil(times) {
            chat.talkers[(n + line) % names.len()].posts_line();
        }
        // The fault happens at some moment after the first of these lines is read and before the last is answered.
        std::thread::sleep(Duration::from_millis(n as u64 * 7 % 23));
        // Spread the kills among the cuts.
        if (n + 1) * kills / times > n * kills / times {
            chat.server_is_killed();
        } else {
            for talker in &chat.talkers {
                talker.network.cuts();
            }
        }
        chat.talkers.iter_mut().for_each(Talker::is_back);
    }
    let story = chat.history();
    assert_consistent(&story);
    let entries = story.tails[0].1.len();
    assert!(entries >= chat.typed(), "{entries} entries");
    let reconnects: Vec<usize> = chat.talkers.iter_mut().map(Talker::reconnects).collect();
    println!("{entries} entries, {kills} kills, {cuts} cuts, reconnects {reconnects:?}: valid");
    assert!(
        reconnects.iter().all(|seen| *seen >= times),
        "every fault causes a reconnect: {reconnects:?}"
    );
}

#[test]
fn a_killed_server_and_cut_links_lose_duplicate_and_reorder_nothing() {
    run_with_faults(&["ann", "ben"], 240, 3, 8, Rate::Off);
}

#[test]
fn with_the_rate_limit_on_the_history_is_the_same() {
    run_with_faults(&["ann"], 70, 1, 2, Rate::On);
}

#[test]
#[ignore = "long: 10,000 lines, 20 kills, every link cut 100 times"]
fn long_three_clients_ten_thousand_lines() {
    run_with_faults(&["ann", "ben", "carl"], 10_000, 20, 100, Rate::Off);
}

#[test]
#[ignore = "long: 200 cuts during 5,000 messages"]
fn long_two_hundred_cuts() {
    run_with_faults(&["ann", "ben"], 5_000, 0, 200, Rate::Off);
}

#[test]
fn a_client_killed_while_sending_sends_everything_once() {
    let mut chat = Chat::begins(&["ann", "ben"], NO_FAULTS, Rate::Off);
    for round in 0..4 {
        for _ in 0..25 {
            chat.talkers[0].posts_line();
            chat.talkers[1].posts_line();
        }
        // Wait until the program has read the keys: text in the composer is stored as a draft, and a sent line is in the outbox.
        let last = format!("=ann{}=", (round + 1) * 25);
        chat.talkers[0].screen.shows(&last);
        std::thread::sleep(Duration::from_secs(1)); // A draft is on the disk within a second.
        let Chat { talkers, home, .. } = &mut chat;
        talkers[0].is_killed(home);
    }
    assert_consistent(&chat.history());
}

#[test]
fn a_suspended_server_and_a_suspended_client_continue_where_they_were() {
    let mut chat = Chat::begins(&["ann", "ben"], NO_FAULTS, Rate::Off);
    for n in 0..60 {
        chat.talkers[n % 2].posts_line();
        let stopped = match n {
            20 => chat.server.id(),
            40 => chat.talkers[1].screen.process(),
            _ => continue,
        };
        signal(stopped, "STOP");
        for _ in 0..10 {
            chat.talkers[0].posts_line();
        }
        std::thread::sleep(Duration::from_secs(2)); // How long it stays suspended.
        signal(stopped, "CONT");
    }
    assert_consistent(&chat.history());
}

/// Some readers print the room while others post long lines. One reader is suspended until far more was posted than its windows and its
/// live lane can hold, and then continues.
fn one_reader_stalls(readers: usize, lines: usize) {
    const SENDERS: usize = 3;
    let home = Home::new();
    std::fs::write(home.file("config.toml"), "[server]\nburst = 0\n").unwrap();
    let mut server = home.serves(&["--config", &home.file("config.toml")]);
    let address = format!("localhost:{}", home.port);
    let sends = |name: &str, text: &str| {
        let arguments = ["send", "--server", &address, "--name", name, "--", text];
        let mut command = home.command(&arguments);
        let status = command.stdin(Stdio::null()).status().unwrap();
        u8::try_from(status.code().unwrap()).unwrap()
    };
    let printed = |n: usize| std::fs::read_to_string(home.file(&format!("{n}.json"))).unwrap();
    let all_print = |what: &str| {
        let began = std::time::Instant::now();
        while !(0..readers).all(|n| printed(n).contains(what)) {
            assert!(began.elapsed() < Duration::from_secs(120), "no '{what}'");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let mut tails: Vec<Child> = (0..readers)
        .map(|n| {
            let name = format!("reader{n}");
            let arguments = ["tail", "--json", "--last", "1000000", "--follow"];
            let mut command = home.command(&arguments);
            let out = std::fs::File::create(home.file(&format!("{n}.json"))).unwrap();
            command.args(["--server", &address, "--name", &name]);
            command.stdin(Stdio::null()).stdout(out).spawn().unwrap()
        })
        .collect();
    assert_eq!(sends("first", "=first1="), 0);
    all_print("=first1=");
    signal(tails[0].id(), "STOP");
    let sends = &sends;
    let talked: Vec<(String, Vec<Sent>)> = std::thread::scope(|scope| {
        let talking: Vec<_> = (0..SENDERS)
            .map(|who| {
                scope.spawn(move || {
                    let name = format!("sender{who}");
                    let long = "x".repeat(8000);
                    let lines = (0..lines / SENDERS).map(|n| {
                        let text = format!("={name}x{n}= {long}");
                        let code = sends(&name, &text);
                        Sent { code, text }
                    });
                    let said = lines.collect();
                    (name, said)
                })
            })
            .collect();
        talking.into_iter().map(|it| it.join().unwrap()).collect()
    });
    signal(tails[0].id(), "CONT");
    assert_eq!(sends("last", "=last1="), 0);
    all_print("=last1=");
    let mut history = History::default();
    for (n, reader) in tails.iter_mut().enumerate() {
        signal(reader.id(), "TERM");
        ends(reader, Duration::from_secs(30));
        let read = tail(&printed(n)).unwrap();
        history.tails.push((format!("reader{n}"), read));
    }
    assert!(talked.iter().flat_map(|(_, it)| it).all(|it| it.code == 0));
    history.sends = talked;
    assert_consistent(&history);
    let entries = history.tails[0].1.len();
    println!("{readers} readers, one stopped for {lines} long lines: {entries} entries each");
    signal(server.id(), "TERM");
    ends(&mut server, Duration::from_secs(50));
}

#[test]
fn a_reader_that_stalls_until_its_outbox_overflows_misses_nothing() {
    one_reader_stalls(4, 450);
}

#[test]
#[ignore = "long: 100 readers"]
fn long_one_stalled_reader_among_a_hundred() {
    one_reader_stalls(100, 900);
}

#[test]
fn slow_and_stalling_networks_only_take_longer() {
    let weather = NetworkFaults {
        latency: Duration::from_millis(20),
        jitter: Duration::from_millis(30),
        bandwidth: 64 * 1024 / 8 * 4,
        slice: 7,
        stall: (20, Duration::from_millis(300)),
        ..NO_FAULTS
    };
    let mut chat = Chat::begins(&["ann", "ben"], weather, Rate::Off);
    for n in 0..60 {
        chat.talkers[n % 2].posts_line();
    }
    assert_consistent(&chat.history());
}

#[test]
fn torn_connections_and_duplicate_bytes_lose_nothing() {
    let mut chat = Chat::begins(&["ann", "ben"], NO_FAULTS, Rate::Off);
    let bad = NetworkFaults {
        truncate: 30,
        duplicate: 10,
        slice: 1,
        ..NO_FAULTS
    };
    for talker in &chat.talkers {
        talker.network.faults(bad);
    }
    for n in 0..80 {
        chat.talkers[n % 2].posts_line();
    }
    // Lines written during the faults may be waiting for a retry.
    for talker in &chat.talkers {
        talker.network.faults(NO_FAULTS);
        talker.network.cuts();
    }
    assert_consistent(&chat.history());
}

#[test]
fn flipped_bits_end_connections_and_lose_nothing() {
    let mut chat = Chat::begins(&["ann", "ben"], NO_FAULTS, Rate::Off);
    for talker in &chat.talkers {
        talker.network.faults(NetworkFaults {
            flip: 200,
            ..NO_FAULTS
        });
    }
    // TLS detects every flipped bit, so the connection ends and the line is sent again.
    for n in 0..20 {
        chat.talkers[n % 2].posts_line();
        std::thread::sleep(Duration::from_millis(20)); // Time for the bits to flip.
    }
    for talker in &chat.talkers {
        talker.network.faults(NO_FAULTS);
        talker.network.cuts();
    }
    assert_consistent(&chat.history());
}

#[test]
fn a_silent_link_is_detected_and_replaced() {
    let mut chat = Chat::begins(&["ann"], NO_FAULTS, Rate::Off);
    chat.talkers[0].posts_line();
    chat.waits_until_stored();
    chat.talkers[0].network.half_opens();
    chat.talkers[0].posts_line();
    // Dead peers are detected within 33 seconds: a keepalive every 25, and 8 for the answer.
    assert_consistent(&chat.history());
}

/// Starts the server that kills itself at a named point.
fn crash_server(home: &Home, point: &str, n: usize) -> Child {
    let program = std::env::current_exe().unwrap();
    let program = program
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/crash_server");
    let (port, data) = (home.port.to_string(), home.data());
    let child = Command::new(program)
        .args([&port, &data.display().to_string(), point, &n.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let began = std::time::Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", home.port)).is_err() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "the server does not listen"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

/// Kills a server at named points, one after the other, while a client keeps sending. Nothing that was accepted may be lost.
fn killed_at_points(times: usize) {
    let home = Home::new();
    let address = format!("localhost:{}", home.port);
    let points = ["before-commit", "after-commit", "mid-checkpoint"];
    let mut sends = Vec::new();
    for kill in 0..times {
        let point = points[kill % points.len()];
        let mut host = crash_server(&home, point, 2 + kill % 5);
        while host.try_wait().unwrap().is_none() {
            let text = format!("={}=", sends.len() + 1);
            let id = text.clone();
            let sent = home
                .command(&[
                    "send",
                    "--server",
                    &address,
                    "--timeout",
                    "1s",
                    "--id",
                    &id,
                    &text,
                ])
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap();
            let code = u8::try_from(sent.code().unwrap()).unwrap();
            assert!(code == 0 || code == 75, "{point}: {code}");
            sends.push(Sent { code, text });
        }
    }
    let accepted = sends.iter().filter(|sent| sent.code == 0).count();
    let mut server = home.serves(&[]);
    let port = home.port.to_string();
    let output = home
        .command(&["tail", "--json", "--last", "1000000", "--port", &port])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    signal(server.id(), "KILL");
    ends(&mut server, Duration::from_secs(30));
    let text = String::from_utf8(output.stdout).unwrap();
    let history = History {
        tails: vec![("log".into(), tail(&text).unwrap())],
        sends: vec![("ann".into(), sends)],
        screens: Vec::new(),
    };
    assert_consistent(&history);
    assert!(accepted >= times, "{accepted} accepted over {times} kills");
    println!("{times} kills at named points, {accepted} accepted, none lost");
}

#[test]
fn a_server_killed_around_a_commit_or_in_a_checkpoint_loses_nothing() {
    killed_at_points(9);
}

#[test]
#[ignore = "long: 200 kills"]
fn long_two_hundred_kills_at_named_points() {
    killed_at_points(200);
}

/// Connects many clients and restarts the server. Returns how long until half of them, and all, are online again, by the clients' clock.
async fn storm(clients: usize) -> (Duration, Duration) {
    let mut server = Server::start();
    let mut people = Vec::new();
    for n in 0..clients {
        let mut person = Person::start(server.connector(), &format!("p{n}"));
        person.is_in("general").await;
        people.push(person);
    }
    server.stops().await.unwrap();
    server.restarts();
    let began = tokio::time::Instant::now();
    let mut back = tokio::task::JoinSet::new();
    for mut person in people {
        back.spawn(async move {
            let is_back = |_: &Person, event: &ClientEvent| {
                matches!(event, ClientEvent::Link(LinkState::Online)).then_some(())
            };
            // Skip the first `Online` event, which came before the restart.
            person.catch_up();
            person.until("coming back", is_back).await;
            let took = began.elapsed();
            person.sees("general", "after the storm").await;
            took
        });
    }
    let mut last = server.joins("last").await;
    last.sends("general", "after the storm");
    last.is_answered().await;
    let mut took = Vec::new();
    while let Some(one) = back.join_next().await {
        took.push(one.unwrap());
    }
    took.sort_unstable();
    assert_eq!(took.len(), clients);
    (took[clients / 2], took[clients - 1])
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_150_clients_are_back_within_seconds() {
    let (median, last) = storm(150).await;
    assert!(median <= Duration::from_secs(5), "{median:?}");
    println!("150 clients: half back after {median:?}, all after {last:?}");
}

#[tokio::test(start_paused = true)]
#[ignore = "long: 1,000 clients"]
async fn long_restart_storm() {
    let (median, last) = storm(1000).await;
    println!("1,000 clients: half back after {median:?}, all after {last:?}");
    assert!(median <= Duration::from_secs(5), "{median:?}");
}

#[test]
fn when_descriptors_run_out_silent_sockets_are_closed_and_people_get_in() {
    let home = Home::new();
    let program = crate::support::terminal::binary();
    let line = format!(
        "ulimit -n 80; exec '{}' --serve --port {}",
        program.display(),
        home.port
    );
    let mut server = home
        .shell(&line)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    home.is_served();
    let at = std::net::SocketAddr::from(([127, 0, 0, 1], home.port));
    let connect = |_| std::net::TcpStream::connect_timeout(&at, Duration::from_millis(300)).ok();
    let mut silent: Vec<_> = (0..200).map_while(connect).collect();
    assert!(silent.len() > 100, "more than its descriptors");
    // Close most of them. The others stay silent, so the server closes them after ten seconds each, a few at a time.
    silent.truncate(20);
    let address = format!("localhost:{}", home.port);
    let sent = home
        .command(&["send", "--server", &address, "--timeout", "100s", "hello"])
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(sent.code(), Some(0));
    signal(server.id(), "TERM");
    assert!(ends(&mut server, Duration::from_secs(50)).success());
}
