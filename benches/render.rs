//! Measures drawing at 200×50: a frame of a room with 100,000 entries compared with one of 100, and the steps of drawing a frame.
//!
//! `cargo bench --bench render`. The target is a ratio of at most 1.2.

use std::hint::black_box;

use divan::Bencher;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tchat::chat::{
    Author, Body, Digest, Entry, Epoch, FollowResult, IdentityId, Limits, RoomId, RoomInfo,
    RoomKind, Seq, ServerId,
};
use tchat::client::{Event as Told, LinkState};
use tchat::tui::event::Event;
use tchat::tui::state::{Now, State};
use tchat::tui::theme::{DEFAULT, Depth, Theme};
use tchat::tui::update::update;
use tchat::tui::view::{Glyphs, Look, draw};

const ROOM: RoomId = RoomId::new([1; 16]);
const EPOCH: Epoch = Epoch::new([2; 16]);
const SIZE: (u16, u16) = (200, 50);

fn main() {
    divan::main();
}

fn entry(seq: u64) -> Entry {
    let text = match seq % 4 {
        0 => "a short one".to_owned(),
        1 => "今天谁值班？我们需要一个人看着服务器。👋🏽".to_owned(),
        2 => "a longer message that has to be wrapped on most terminals, as many of them are "
            .repeat(4),
        _ => "fn main() {\n    println!(\"hi\");\n}".to_owned(),
    };
    Entry {
        room: ROOM,
        epoch: EPOCH,
        seq: Seq(seq),
        digest: Digest([0; 8]),
        at_ms: 1_795_078_800_000 + seq * 1000,
        author: Author {
            id: IdentityId::new([u8::try_from(seq % 7).unwrap_or(0); 16]),
            name: format!("user{}", seq % 7),
        },
        client_id: None,
        body: Body::Text(text),
        mentions: Vec::new(),
        amended: None,
    }
}

fn room_of(count: u64) -> State {
    let instant = std::time::Instant::now();
    let now = Now {
        instant,
        wall: Timestamp::UNIX_EPOCH,
    };
    let mut state = State::new(SIZE, now, TimeZone::UTC);
    state.rooms.wanted = Some("general".into());
    let you = Author {
        id: IdentityId::new([0; 16]),
        name: "user0".into(),
    };
    let room = RoomInfo {
        id: ROOM,
        kind: RoomKind::Public,
        name: "general".into(),
        topic: "bench".into(),
        capacity: 0,
        present: 1,
        peer: None,
        role: None,
        rules: tchat::chat::RoomRules::default(),
        request: None,
        last: None,
    };
    let followed = Told::Followed {
        room: ROOM,
        epoch: EPOCH,
        first: Seq(1),
        last: Seq(count),
        result: FollowResult::Contiguous,
        unread: tchat::chat::Unread::default(),
    };
    let welcome = Told::Welcome {
        you,
        server_id: ServerId::new([1; 16]),
        limits: Limits::default(),
        rooms: vec![room],
        ending: Vec::new(),
        settings: tchat::chat::Settings::default(),
        status: tchat::chat::Status::default(),
    };
    for event in [welcome, Told::Link(LinkState::Online), followed] {
        update(&mut state, Event::Client(event));
    }
    for first in (1..=count).step_by(1000) {
        let entries = (first..=count.min(first + 999)).map(entry).collect();
        update(&mut state, Event::Client(Told::Entries(entries)));
    }
    state
}

fn look() -> Look {
    let (theme, _) = Theme::built_in(DEFAULT, Depth::True).expect("the default theme loads");
    Look {
        theme,
        glyphs: Glyphs::UNICODE,
    }
}

#[divan::bench(args = [100, 100_000])]
fn frame(bencher: Bencher<'_, '_>, entries: u64) {
    let (state, look) = (room_of(entries), look());
    let mut terminal =
        Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).expect("a test backend has no errors");
    bencher.bench_local(|| {
        terminal
            .draw(|frame| drop(draw(frame, black_box(&state), &look)))
            .expect("a test backend has no errors");
    });
}

#[divan::bench(args = [100, 100_000])]
fn key_and_frame(bencher: Bencher<'_, '_>, entries: u64) {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    let (mut state, look) = (room_of(entries), look());
    let mut terminal =
        Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).expect("a test backend has no errors");
    let mut up = true;
    bencher.bench_local(|| {
        let code = if up {
            KeyCode::PageUp
        } else {
            KeyCode::PageDown
        };
        up = !up;
        update(
            &mut state,
            Event::Key(KeyEvent::new(code, KeyModifiers::NONE)),
        );
        terminal
            .draw(|frame| drop(draw(frame, &state, &look)))
            .expect("a test backend has no errors");
    });
}

#[divan::bench]
fn sanitise_a_chinese_line() -> tchat::text::SafeText {
    tchat::text::body(black_box(
        "今天谁值班？我们需要一个人看着服务器，不然周末又要出事了。👋🏽",
    ))
}
