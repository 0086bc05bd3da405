//! Host clocks that jump back or ahead, while the server runs and while it is stopped.

use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tchat::chat::Retention;
use tchat::chat::{Body, Entry, Recipient, RefusalCode, Ruling, Seq, Until};
use tchat::server::ServerConfig;
use tchat::server::clock::WallClock;
#[cfg(target_os = "linux")]
use tchat::server::clock::uptime::UptimeFile;
use tchat::server::store::{PageLimit, Span};
use tchat::wire::{Event, JoinTarget, Request};
use tokio::time::{Instant, sleep, sleep_until};

use crate::support::person::Person;
use crate::support::raw_client::Raw;
use crate::support::server::{Server, config, memory};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// The time at which these tests begin, by a correct clock.
const NOON: i64 = 1_800_000_000_000;

/// The host's clock. It advances with the time of the test and can be stepped.
#[derive(Clone)]
struct TestClock {
    began: Instant,
    ahead_ms: Arc<AtomicI64>,
}

impl TestClock {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            ahead_ms: Arc::default(),
        }
    }

    /// Sets the clock ahead of the correct time by this much, or behind it if negative.
    fn set_ahead(&self, by_ms: i64) {
        self.ahead_ms.store(by_ms, Ordering::Relaxed);
    }

    /// The correct time.
    fn now_ms(&self) -> i64 {
        NOON + i64::try_from(self.began.elapsed().as_millis()).unwrap()
    }

    /// A server whose first room keeps messages for this long.
    fn serves(&self, keep_for: Option<Duration>) -> Server {
        Server::with(self.config(keep_for), memory())
    }

    fn config(&self, keep_for: Option<Duration>) -> ServerConfig {
        let host = self.clone();
        let mut config = config();
        config.hub.wall = WallClock::new(move || {
            let shown = host.now_ms() + host.ahead_ms.load(Ordering::Relaxed);
            u64::try_from(shown).unwrap_or(0)
        });
        config.hub.presets[0].retention = Some(Retention {
            entries: None,
            age: keep_for,
        });
        config
    }
}

/// The duration of this many milliseconds.
fn lasting(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap())
}

/// Restarts the server on the same store.
async fn restarts(server: &mut Server) {
    server.stops().await.unwrap();
    server.restarts();
}

async fn says(person: &mut Person, text: &str) -> Option<RefusalCode> {
    let id = person.sends("general", text);
    person.is_answered().await;
    let refused = person.refused.iter().find(|(of, _)| *of == id);
    refused.map(|(_, refusal)| refusal.code)
}

async fn post_many(person: &mut Person, what: &str, times: usize) {
    for n in 0..times {
        assert_eq!(says(person, &format!("{what} {n}")).await, None);
    }
}

async fn rules(by: &mut Person, over: &Person, ruling: Ruling) {
    let room = by.room("general").unwrap();
    let body = Body::Ruling(over.me.clone().unwrap(), ruling);
    let id = by.posts_body(Recipient::Room(room), body);
    by.is_answered().await;
    assert!(
        by.refused.iter().all(|(of, _)| *of != id),
        "{:?}",
        by.refused
    );
}

/// The messages in `general`, from the store.
async fn said(server: &Server) -> Vec<Entry> {
    let rooms = server.store.named_rooms().await.unwrap();
    let room = rooms.iter().find(|room| room.name == "general").unwrap();
    let all = PageLimit {
        entries: usize::MAX,
        bytes: usize::MAX,
    };
    let page = server.store.page(room.id, Span::After(Seq::ZERO), all);
    let mut page = page.await.unwrap();
    page.retain(|entry| entry.body.is_message());
    page
}

/// Posts thirty messages, then one or two under a wrong clock, then enough for a retention check with the clock correct again.
async fn one_message_under_a_wrong_clock(keep_for: i64, ahead: i64, restarted: bool) {
    let host = TestClock::new();
    let mut server = host.serves(Some(lasting(keep_for)));
    let mut ann = server.joins("ann").await;
    post_many(&mut ann, "before", 30).await;
    host.set_ahead(ahead);
    if restarted {
        restarts(&mut server).await;
    }
    post_many(&mut ann, "under", 1).await;
    if restarted {
        // With a second restart while the clock is wrong.
        restarts(&mut server).await;
        post_many(&mut ann, "still", 1).await;
    }
    host.set_ahead(0);
    if restarted {
        restarts(&mut server).await;
    }
    let since = host.now_ms();
    post_many(&mut ann, "after", 130).await;
    sleep(Duration::from_secs(1)).await;
    let said = said(&server).await;
    let wrong = if restarted { 2 } else { 1 };
    assert_eq!(
        said.len(),
        30 + wrong + 130,
        "{keep_for} {ahead} {restarted}"
    );
    let right = since..=host.now_ms();
    for entry in &said[30 + wrong..] {
        let at_ms = i64::try_from(entry.at_ms).unwrap();
        assert!(right.contains(&at_ms), "{at_ms} is not in {right:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_jump_deletes_nothing_and_later_messages_have_the_right_time() {
    for (keep_for, ahead) in [
        (365 * DAY, 400 * DAY),
        (DAY, 3 * DAY),
        (HOUR, 2 * HOUR),
        (365 * DAY, -400 * DAY),
        (HOUR, -NOON),
    ] {
        for restarted in [false, true] {
            one_message_under_a_wrong_clock(keep_for, ahead, restarted).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn expired_messages_are_deleted_even_while_the_clock_is_wrong() {
    for ahead in [0, 2 * DAY, -2 * DAY] {
        let host = TestClock::new();
        let server = host.serves(Some(lasting(HOUR)));
        let mut ann = server.joins("ann").await;
        post_many(&mut ann, "old", 60).await;
        sleep(lasting(50 * MINUTE)).await;
        post_many(&mut ann, "young", 60).await;
        host.set_ahead(ahead);
        sleep(lasting(15 * MINUTE)).await;
        post_many(&mut ann, "new", 130).await;
        sleep(Duration::from_secs(1)).await;
        let said = said(&server).await;
        assert_eq!(said[0].body.text(), "young 0", "{ahead}");
        assert_eq!(said.len(), 190, "{ahead}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_downtime_old_messages_are_deleted_once_the_server_has_run_for_a_while() {
    let host = TestClock::new();
    let mut server = host.serves(Some(lasting(DAY)));
    let mut ann = server.joins("ann").await;
    post_many(&mut ann, "old", 10).await;
    ann.quits().await;
    server.stops().await.unwrap();
    sleep(lasting(2 * DAY)).await;
    server.restarts();
    let mut ann = server.joins("ann").await;
    post_many(&mut ann, "back", 110).await;
    assert_eq!(said(&server).await.len(), 120, "clock in doubt");
    sleep(lasting(8 * HOUR)).await;
    post_many(&mut ann, "later", 110).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(said(&server).await[0].body.text(), "back 0");
}

#[tokio::test(start_paused = true)]
async fn messages_of_a_wrong_clock_are_not_deleted_once_it_is_right() {
    let host = TestClock::new();
    let mut server = host.serves(Some(lasting(30 * DAY)));
    let mut ann = server.joins("ann").await;
    post_many(&mut ann, "before", 30).await;
    host.set_ahead(60 * DAY);
    restarts(&mut server).await;
    post_many(&mut ann, "under", 1).await;
    ann.quits().await;
    // Long enough for all doubt to be gone: by log time the first thirty are 69 days old.
    sleep(lasting(9 * DAY)).await;
    host.set_ahead(0);
    let mut ann = server.joins("ann").await;
    post_many(&mut ann, "after", 130).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(said(&server).await.len(), 161);
}

#[tokio::test(start_paused = true)]
async fn a_mute_of_ten_minutes_lasts_ten_minutes_whatever_the_clock_does() {
    let ten = Until::For(600_000);
    // The clock before the mute, when the mute is set, and while it lasts.
    for [before, then, during] in [
        [2 * HOUR, 0, 0],
        [0, 0, 2 * HOUR],
        [0, 0, -2 * HOUR],
        [0, 2 * HOUR, 0],
        [-400 * DAY, 400 * DAY, -NOON],
    ] {
        let host = TestClock::new();
        let server = host.serves(None);
        let mut boss = server.joins("boss").await;
        let mut ann = server.joins("ann").await;
        host.set_ahead(before);
        assert_eq!(says(&mut boss, "hello").await, None);
        host.set_ahead(then);
        rules(&mut boss, &ann, Ruling::Muted { until: ten }).await;
        host.set_ahead(during);
        let muted = Some(RefusalCode::Muted);
        assert_eq!(says(&mut ann, "?").await, muted);
        sleep(Duration::from_secs(590)).await;
        assert_eq!(
            says(&mut ann, "now?").await,
            muted,
            "{before} {then} {during}"
        );
        sleep(Duration::from_secs(15)).await;
        assert_eq!(
            says(&mut ann, "now!").await,
            None,
            "{before} {then} {during}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_gives_the_end_of_the_mute_by_the_current_clock() {
    let host = TestClock::new();
    let server = host.serves(None);
    let mut boss = server.joins("boss").await;
    let mut ann = server.joins("ann").await;
    let until = Until::For(600_000);
    rules(&mut boss, &ann, Ruling::Muted { until }).await;
    for ahead in [0, 2 * HOUR, -2 * HOUR] {
        host.set_ahead(ahead);
        let left = 10 * MINUTE - (host.now_ms() - NOON);
        assert_eq!(says(&mut ann, "?").await, Some(RefusalCode::Muted));
        let (_, refusal) = ann.refused.last().unwrap();
        let told: i64 = refusal.arguments[0].parse().unwrap();
        let expected = host.now_ms() + ahead + left;
        assert!((told - expected).abs() < MINUTE, "{told} for {expected}");
    }
}

// Only Linux says since when the machine has been running.
#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn a_mute_lasts_as_long_if_the_clock_was_set_ahead_while_the_server_was_stopped() {
    for ahead in [11 * MINUTE, 2 * HOUR, 30 * DAY, 89 * DAY] {
        let directory = tempfile::tempdir().unwrap();
        let host = TestClock::new();
        let mut config = host.config(None);
        config.hub.uptime = Some(UptimeFile::new(&directory.path().join("uptime")));
        let mut server = Server::with(config, memory());
        let mut boss = server.joins("boss").await;
        let mut ann = server.joins("ann").await;
        let until = Until::For(600_000);
        rules(&mut boss, &ann, Ruling::Muted { until }).await;
        host.set_ahead(ahead);
        restarts(&mut server).await;
        let muted = Some(RefusalCode::Muted);
        assert_eq!(says(&mut ann, "?").await, muted, "{ahead}");
        sleep(lasting(11 * MINUTE)).await;
        assert_eq!(says(&mut ann, "?").await, None, "{ahead}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mute_survives_a_restart_and_ends_even_if_the_clock_was_set_back() {
    for back in [0, 3 * HOUR, NOON] {
        let host = TestClock::new();
        let mut server = host.serves(None);
        let mut boss = server.joins("boss").await;
        let mut ann = server.joins("ann").await;
        let until = Until::For(600_000);
        rules(&mut boss, &ann, Ruling::Muted { until }).await;
        let mut counts_from = Instant::now();
        server.stops().await.unwrap();
        sleep(Duration::from_secs(120)).await;
        host.set_ahead(-back);
        server.restarts();
        if back > 0 {
            // The server cannot know how long it was stopped, so the mute starts again.
            counts_from = Instant::now();
        }
        for (after, refused) in [(120, true), (590, true), (605, false)] {
            sleep_until(counts_from + Duration::from_secs(after)).await;
            let muted = refused.then_some(RefusalCode::Muted);
            assert_eq!(says(&mut ann, "?").await, muted, "{back} {after}");
        }
    }
}

/// Joins `general`; returns the refusal, if any.
async fn joins(server: &Server, name: &str) -> Option<RefusalCode> {
    let (mut raw, _) = Raw::enter(server, name).await;
    let general = JoinTarget::Name("general".into());
    raw.ask(1, Request::Join(general)).await;
    loop {
        match raw.answer().await {
            Event::Refused {
                request: 1,
                refusal,
                ..
            } => return Some(refusal.code),
            Event::RoomChanged { request: 1, .. } => return None,
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_ban_of_ten_minutes_lasts_ten_minutes_after_the_clock_was_ahead() {
    let host = TestClock::new();
    let server = host.serves(None);
    let mut boss = server.joins("boss").await;
    let ann = server.joins("ann").await;
    host.set_ahead(2 * HOUR);
    assert_eq!(says(&mut boss, "hello").await, None);
    host.set_ahead(0);
    let ban = Ruling::Banned {
        until: Until::For(600_000),
        reason: String::new(),
    };
    rules(&mut boss, &ann, ban).await;
    let banned = Instant::now();
    for (after, refused) in [(0, true), (590, true), (605, false)] {
        sleep_until(banned + Duration::from_secs(after)).await;
        let expected = refused.then_some(RefusalCode::Banned);
        assert_eq!(joins(&server, "ann").await, expected, "{after}");
    }
}

/// Collects the log of a test.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn deleting_old_messages_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _until_the_end = tracing::subscriber::set_default(lines);
    // With only one dispatcher, tracing asks the subscriber of whichever thread reaches a line first, and the other threads have none.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let host = TestClock::new();
    let server = host.serves(Some(lasting(HOUR)));
    let mut ann = server.joins("ann").await;
    post_many(&mut ann, "old", 20).await;
    sleep(lasting(2 * HOUR)).await;
    post_many(&mut ann, "new", 110).await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let mut trims = text
        .lines()
        .filter(|line| line.contains("deleting old messages"));
    let line = trims.next().expect("a line for what is deleted");
    for part in ["name=general", "from=1", "rule=\"keep_for\""] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert_eq!(trims.next(), None);
}
