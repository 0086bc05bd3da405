//! The scenes that the pictures show.

use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tchat::chat::{Amended, Author, Body, Entry, Reaction, RoomId, SearchResults, Seq, Unread};
use tchat::client::{Event as ClientEvent, SearchScope};
use tchat::tui::event::{Effect, Event};
use tchat::tui::theme::{Depth, Theme};
use tchat::tui::timeline::highlight::highlight;
use tchat::tui::view::{Glyphs, Look, draw};

use super::svg;
use crate::support::screen::{
    ANN, GENERAL, LI, Screen, TECH, WITH_LI, ZHANG, author, entry, message_entry,
};

/// Returns all scenes as SVG, each with its file name.
pub fn all() -> Vec<(&'static str, String)> {
    vec![
        ("chat", picture(&chat(), "dusk")),
        ("search", picture(&search(), "dusk")),
        ("themes", picture(&themes(), "paper")),
    ]
}

fn picture(screen: &Screen, theme: &str) -> String {
    let (width, height) = screen.state.screen.size;
    let (theme, _) = Theme::built_in(theme, Depth::True).expect("a theme that comes with it");
    let look = Look {
        theme,
        glyphs: Glyphs::UNICODE,
    };
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a buffer");
    let drawn = terminal.draw(|frame| drop(draw(frame, &screen.state, &look)));
    drawn.expect("a buffer takes everything");
    svg::of(terminal.backend().buffer())
}

/// Highlights code, as the main loop does.
fn colour(screen: &mut Screen) {
    for effect in std::mem::take(&mut screen.effects) {
        if let Effect::Highlight(code) = effect {
            let tokens = highlight(&code);
            screen.handles(Event::Highlighted(code, tokens));
        }
    }
}

fn react(mut entry: Entry, emoji: &str, people: &[Author]) -> Entry {
    entry.amended = Some(Box::new(Amended {
        seq: entry.seq,
        hash: [0; 32],
        is_edited: false,
        reactions: vec![Reaction {
            emoji: emoji.into(),
            people: people.to_vec(),
        }],
    }));
    entry
}

/// A morning in a room.
fn chat() -> Screen {
    let mut screen = Screen::online(110, 26);
    let unread = |read, messages, mentions| Unread {
        read: Seq(read),
        messages,
        mentions,
    };
    screen.follows_unread(TECH, 12, unread(9, 3, 0));
    screen.follows_unread(WITH_LI, 2, unread(1, 1, 1));
    let people = [author(ZHANG), author(ANN)];
    let code = "on it, deploy is **green**:\n```rust\nfn main() {\n    // 今天\n    println!(\"{} messages\", 关键.len());\n}\n```";
    let mut mention = message_entry(
        GENERAL,
        7,
        LI,
        31,
        "can you look at `#tech`, @ann? notes: https://example.org/notes",
    );
    mention.mentions = vec![ANN];
    screen.receives(ClientEvent::Entries(vec![
        message_entry(GENERAL, 1, ZHANG, 12, "大家好！"),
        react(
            message_entry(GENERAL, 2, LI, 12, "早 👋 今天谁值班?"),
            "👍",
            &people,
        ),
        message_entry(GENERAL, 3, ANN, 14, code),
        message_entry(
            GENERAL,
            4,
            ZHANG,
            20,
            "> what about the *old* build\nkept for a week, then ~~deleted~~ archived",
        ),
        entry(
            GENERAL,
            5,
            ZHANG,
            21,
            Body::Action("fetches coffee ☕".into()),
        ),
        entry(
            GENERAL,
            6,
            ANN,
            25,
            Body::Reply {
                to: Seq(2),
                text: "me, until noon".into(),
            },
        ),
        mention,
    ]));
    colour(&mut screen);
    // The messages are marked as read before another room is opened.
    screen.advances(Duration::from_secs(2));
    screen.keys("/msg 李四<ret>");
    screen.keys("<a-up><a-up>");
    screen.receives(ClientEvent::Entries(vec![message_entry(
        WITH_LI,
        3,
        LI,
        33,
        "the token is in the safe",
    )]));
    screen.receives(ClientEvent::Typing {
        room: GENERAL,
        person: LI,
    });
    screen.keys("write here, `Markdown` and all");
    screen
}

/// A message search for a single Chinese character.
fn search() -> Screen {
    let mut screen = chat();
    screen.keys("<c-u><c-f>键");
    let hit =
        |room: RoomId, seq, by, minutes, text: &str| message_entry(room, seq, by, minutes, text);
    let entries = vec![
        hit(
            GENERAL,
            3,
            ANN,
            14,
            "on it, deploy is green: 关键.len() says how many",
        ),
        hit(TECH, 9, ZHANG, 8, "关键路径上只有一个构建，十分钟"),
        hit(WITH_LI, 2, LI, 3, "键盘到了，在前台"),
        hit(TECH, 4, LI, 0, "the key (钥匙, not 关键) is with ben"),
    ];
    let found = SearchResults {
        entries,
        ..SearchResults::default()
    };
    let id = screen.state.timers.searches;
    screen.receives(ClientEvent::SearchResults {
        id,
        scope: SearchScope::Server,
        results: Some(found),
    });
    screen
}

/// The list of themes, which previews the selected one.
fn themes() -> Screen {
    let mut screen = chat();
    screen.keys("<c-u>");
    "paper".clone_into(&mut screen.state.preferences.theme);
    screen.keys("<a-t>");
    screen
}
