//! Search: in the local cache while the user types, on the server a moment later, then from hit to hit.

use std::time::Duration;

use tchat::chat::{Amendment, Body, Entry, RoomId, Search, SearchResults, Seq};
use tchat::client::{Command, Event as ClientEvent, SearchScope};
use tchat::tui::event::Effect;
use tchat::tui::state::Overlay;

use crate::support::screen::{ANN, GENERAL, LI, Screen, TECH, ZHANG, entry, message_entry};
use crate::support::server::Server;
use crate::support::viewer::Viewer;

const PAUSE: Duration = Duration::from_millis(150);

/// The searches among these effects.
fn searches(effects: &[Effect]) -> Vec<(u64, Search, SearchScope)> {
    let search = |effect: &Effect| match effect {
        Effect::Client(Command::Search {
            id,
            search,
            scope: among,
        }) => Some((*id, search.clone(), *among)),
        _ => None,
    };
    effects.iter().filter_map(search).collect()
}

fn found(entries: Vec<Entry>, has_more: bool) -> SearchResults {
    SearchResults {
        entries,
        has_more,
        is_partial: false,
    }
}

/// Types into an open search; returns the id of the last search.
fn types(screen: &mut Screen, keys: &str) -> u64 {
    let effects = screen.keys(keys);
    let id = searches(&effects).last().map(|it| it.0);
    id.expect("a search was sent")
}

fn answers(
    screen: &mut Screen,
    id: u64,
    among: SearchScope,
    found: impl Into<Option<SearchResults>>,
) {
    let found = found.into();
    screen.receives(ClientEvent::SearchResults {
        id,
        scope: among,
        results: found,
    });
}

/// The hits in the order they are listed.
fn listed(screen: &Screen) -> Vec<(RoomId, u64)> {
    let Some(Overlay::Pick(picker)) = &screen.state.overlays.top else {
        panic!("no list: {}", screen.text())
    };
    let rows = tchat::tui::lists::picker::rows(&screen.state, picker);
    let place = |row: tchat::tui::lists::picker::PickerRow| match row.action {
        tchat::tui::state::RowAction::Visit(room, seq) => (room, seq.0),
        other => panic!("{other:?}"),
    };
    rows.into_iter().map(place).collect()
}

fn erases(room: RoomId, seq: u64, target: u64) -> Entry {
    let what = Amendment::Erase;
    let target = Seq(target);
    entry(room, seq, LI, 30, Body::Amendment { target, what })
}

#[test]
fn the_cache_is_searched_at_once_and_the_server_after_a_pause() {
    let mut screen = Screen::online(100, 30);
    assert_eq!(searches(&screen.keys("<c-f>")), []);
    let effects = screen.keys("dep");
    let asked = searches(&effects);
    assert!(
        asked
            .iter()
            .all(|(_, _, among)| *among == SearchScope::Cache)
    );
    assert_eq!(asked.len(), 3, "with every letter");
    assert_eq!(asked[2].1.phrases, ["dep"]);
    screen.effects.clear();
    screen.advances(PAUSE / 2);
    assert_eq!(searches(&screen.effects), []);
    screen.keys("l");
    screen.effects.clear();
    screen.advances(PAUSE / 2);
    assert_eq!(searches(&screen.effects).len(), 0, "still typing");
    screen.advances(PAUSE / 2);
    let asked = searches(&screen.effects);
    assert_eq!(
        (asked[0].2, &asked[0].1.phrases[0][..]),
        (SearchScope::Server, "depl")
    );
    screen.advances(PAUSE * 10);
    assert_eq!(searches(&screen.effects).len(), 1, "and no more");
}

#[test]
fn results_of_the_server_replace_cached_ones_in_the_range_it_searched() {
    let mut screen = Screen::online(100, 30);
    screen.keys("<c-f>");
    let id = types(&mut screen, "deploy");
    let hit =
        |seq: u64, minutes: u64| message_entry(GENERAL, seq, LI, minutes, "the deploy is done");
    // An answer to another search is ignored.
    answers(
        &mut screen,
        id - 1,
        SearchScope::Cache,
        found(vec![hit(9, 9)], false),
    );
    assert_eq!(listed(&screen), []);
    let kept = vec![hit(8, 8), hit(6, 6), hit(4, 4), hit(2, 2)];
    answers(&mut screen, id, SearchScope::Cache, found(kept, false));
    let all: Vec<u64> = listed(&screen).iter().map(|it| it.1).collect();
    assert_eq!(all, [8, 6, 4, 2]);
    // 8 was deleted meanwhile; the server has not searched before 5.
    let newest = vec![
        message_entry(TECH, 3, ANN, 7, "deploy it"),
        hit(6, 6),
        hit(5, 5),
    ];
    answers(&mut screen, id, SearchScope::Server, found(newest, true));
    let all: Vec<u64> = listed(&screen).iter().map(|it| it.1).collect();
    assert_eq!(all, [3, 6, 5, 4, 2]);
    assert!(screen.shows("use before: to find older ones"));
    answers(
        &mut screen,
        id,
        SearchScope::Server,
        found(vec![hit(6, 6)], false),
    );
    assert_eq!(listed(&screen), [(GENERAL, 6)]);
    // Without a server only the cache is searched, and this is shown.
    answers(&mut screen, id, SearchScope::Server, None);
    assert_eq!(listed(&screen).len(), 4);
    assert!(screen.shows("showing stored messages only"));
}

#[test]
fn messages_deleted_or_edited_while_listed_are_no_longer_hits() {
    let mut screen = Screen::online(100, 30);
    screen.follows(GENERAL, 3);
    screen.keys("<c-f>");
    let id = types(&mut screen, "deploy");
    let hits = vec![
        message_entry(GENERAL, 3, LI, 3, "deploy three"),
        message_entry(GENERAL, 2, LI, 2, "deploy two"),
        message_entry(GENERAL, 1, LI, 1, "deploy one"),
    ];
    answers(&mut screen, id, SearchScope::Server, found(hits, false));
    assert_eq!(listed(&screen).len(), 3);
    screen.receives(ClientEvent::Entries(vec![erases(GENERAL, 4, 3)]));
    assert_eq!(listed(&screen), [(GENERAL, 2), (GENERAL, 1)]);
    let what = Amendment::Edit("something else".into());
    let edit = entry(
        GENERAL,
        5,
        LI,
        31,
        Body::Amendment {
            target: Seq(1),
            what,
        },
    );
    screen.receives(ClientEvent::Entries(vec![edit]));
    assert_eq!(listed(&screen), [(GENERAL, 2)]);
    // Messages of ignored people are not hits either.
    screen.state.me.settings.ignored.push(tchat::chat::Author {
        id: LI,
        name: "李四".into(),
    });
    assert_eq!(listed(&screen), []);
}

#[test]
fn a_hit_in_a_long_text_is_shown_with_the_words_around_it() {
    let mut screen = Screen::online(100, 30);
    screen.keys("<c-f>");
    let id = types(&mut screen, "关键");
    let long = format!("{} here comes the 关键 word\nof it", "before ".repeat(40));
    let hits = vec![message_entry(GENERAL, 3, ZHANG, 3, &long)];
    answers(&mut screen, id, SearchScope::Server, found(hits, false));
    assert!(
        screen.shows("…here comes the 关键 word of it"),
        "{}",
        screen.text()
    );
    assert!(screen.shows("张三 #general"));
    // On a narrow screen the hit comes first.
    screen.handles(tchat::tui::event::Event::Resize(40, 12));
    assert!(screen.shows("…关键"), "{}", screen.text());
}

#[tokio::test(start_paused = true)]
async fn keys_step_from_hit_to_hit_and_esc_returns_to_the_line_before() {
    let server = Server::start();
    let mut ann = Viewer::opens(server.connector(), "ann", None).await;
    for n in 1..=300 {
        let word = if n % 100 == 0 { "needle" } else { "hay" };
        ann.keys(&format!("{word} {n}<ret>"));
        // As fast as the rate limit allows.
        ann.shows(&format!("{word} {n}")).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ann.waits_until_idle().await;
    ann.keys("<pgup><pgup>");
    ann.waits_until_idle().await;
    let before = ann.screen.text();
    ann.keys("<c-f>needle");
    ann.advances(PAUSE);
    ann.shows("needle 100").await;
    ann.keys("<down><ret>");
    ann.shows("2 of 3").await;
    assert!(ann.screen.shows("needle 200") && ann.screen.shows("hay 190"));
    assert!(ann.screen.shows("hay 210"), "in its context, both ways");
    ann.keys("n");
    ann.shows("3 of 3").await;
    ann.shows("hay 90").await;
    ann.keys("n");
    assert!(ann.screen.shows("This is the oldest result"));
    ann.keys("NN");
    ann.shows("1 of 3").await;
    ann.shows("needle 300").await;
    ann.keys("<esc>");
    ann.waits_until_idle().await;
    assert_eq!(ann.screen.text(), before, "the exact line");
    // A letter without a meaning there is typed, and Esc still returns.
    ann.keys("<c-f>");
    ann.keys("needle 100");
    ann.advances(PAUSE);
    ann.shows("ann #general").await;
    ann.keys("<ret>");
    ann.shows("1 of 1").await;
    ann.keys("xyz");
    assert!(ann.screen.shows("#general › xyz"));
    ann.keys("<c-u><esc>");
    ann.waits_until_idle().await;
    assert_eq!(ann.screen.text(), before);
}

#[tokio::test(start_paused = true)]
async fn nobody_finds_messages_they_may_not_read() {
    let server = Server::start();
    let mut ann = Viewer::opens(server.connector(), "ann", None).await;
    let mut ben = Viewer::opens(server.connector(), "ben", None).await;
    ann.keys("/create vault --secret<ret>");
    ann.shows("#vault ›").await;
    ann.keys("the passphrase is tangerine<ret>");
    ann.shows("tangerine").await;
    ann.keys("@ben the passphrase for you<ret>");
    ann.shows("privately to ben").await;
    ann.keys("/join general<ret>");
    ann.shows("#general ›").await;
    ann.keys("@cay hello<ret>");
    ann.waits_until_idle().await;
    ann.keys("<c-u>");
    ben.keys("<c-f>passphrase");
    ben.advances(PAUSE);
    ben.until("an answer", |it| !listed(it).is_empty()).await;
    ben.waits_until_idle().await;
    assert_eq!(listed(&ben.screen).len(), 1, "only the message to ben");
    ann.keys("<c-f>passphrase");
    ann.advances(PAUSE);
    ann.until("an answer", |it| listed(it).len() == 2).await;
}

#[test]
fn an_unrelated_page_does_not_end_the_loading_of_a_message() {
    let mut screen = Screen::online(100, 24);
    screen.follows(GENERAL, 2000);
    let newest = (1990..=2000).map(|seq| message_entry(GENERAL, seq, LI, 1, "new"));
    screen.receives(ClientEvent::Entries(newest.collect()));
    screen.keys("<c-t>");
    screen.receives(ClientEvent::Mentions(vec![message_entry(
        GENERAL,
        500,
        LI,
        1,
        "look, @ann",
    )]));
    let effects = screen.keys("<ret>");
    let asked = effects.iter().find_map(|effect| match effect {
        Effect::Client(Command::LoadOlder { before, .. }) => Some(before.0),
        _ => None,
    });
    // Another page was requested before: it arrives first, and the next one fails.
    let others = (1800..1990).map(|seq| message_entry(GENERAL, seq, LI, 1, "other"));
    screen.page(GENERAL, 1990, others.collect());
    screen.receives(ClientEvent::PageFailed {
        room: GENERAL,
        before: tchat::chat::Seq(1800),
    });
    assert!(!screen.shows("Message unavailable"));
    let before = asked.unwrap();
    let page = (before - 190..before)
        .map(|seq| message_entry(GENERAL, seq, LI, 1, &format!("entry {seq}.")));
    screen.page(GENERAL, before, page.collect());
    assert!(screen.shows("entry 500."), "{}", screen.text());
}
