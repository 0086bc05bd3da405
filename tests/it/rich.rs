//! Markdown, code blocks and links on the screen.

use std::sync::Arc;

use tchat::chat::Body;
use tchat::client::Event as ClientEvent;
use tchat::text::CodeBlock;
use tchat::tui::event::{Effect, Event};
use tchat::tui::theme::{DEFAULT, Depth, Scope, Theme};
use tchat::tui::timeline::highlight::{TokenKind, highlight};

use crate::support::screen::{ANN, GENERAL, LI, Screen, ZHANG, entry, message_entry};
use crate::support::terminal::{self, Home};

const RUST: &str =
    "look:\n```rust\nfn main() {\n    let x = 1; // 注释\n}\n```\nand **that** is all";

fn with(width: u16, height: u16, texts: &[&str]) -> Screen {
    let mut screen = Screen::online(width, height);
    let count = u64::try_from(texts.len()).unwrap();
    screen.follows(GENERAL, count);
    let people = [ANN, ZHANG, LI];
    let said = (1..).zip(texts).map(|(seq, text)| {
        let by = people[usize::try_from(seq).unwrap() % people.len()];
        message_entry(GENERAL, seq, by, seq, text)
    });
    screen.receives(ClientEvent::Entries(said.collect()));
    screen
}

fn long(lines: usize) -> String {
    let lines: Vec<String> = (1..=lines).map(|n| format!("line {n}")).collect();
    format!("```sh\n{}\n```", lines.join("\n"))
}

#[test]
fn rich_text_is_drawn_at_every_width() {
    let texts = [
        "**bold**, *slanted*, `code` and ~~struck~~ words that go on for longer than one row has room for",
        "- first\n- second item that is long enough to be wrapped into another row of the screen\n  1. inner",
        "> a quotation that is also long enough to be wrapped into another row of the screen\nand the answer",
        RUST,
        "[words](https://example.org/there) and https://example.org/here.",
        &long(20),
    ];
    for (name, width, height) in [("wide", 120, 40), ("ordinary", 80, 40), ("strip", 40, 40)] {
        insta::assert_snapshot!(name, with(width, height, &texts).text());
    }
}

#[test]
fn long_code_is_folded_until_it_is_expanded() {
    let mut screen = with(80, 40, &[&long(15), &long(16)]);
    let text = screen.text();
    assert!(
        text.contains("line 15"),
        "fifteen lines are not long:\n{text}"
    );
    assert!(!text.contains("line 16") && text.contains("… 8 more · Alt+M f"));
    screen.keys("<a-m>f");
    assert!(screen.shows("line 16") && !screen.shows("more · Alt+M f"));
    screen.keys("f");
    assert!(!screen.shows("line 16") && screen.shows("more · Alt+M f"));
    screen.keys("<up>f");
    assert!(screen.shows("line 15"), "short code does not fold");
    // A copy contains the whole text as it was written.
    let effects = screen.keys("<down>y");
    assert_eq!(effects, [Effect::Copy(long(16))]);
}

#[test]
fn an_edit_that_removes_code_removes_its_rows() {
    let mut screen = with(80, 30, &[RUST]);
    assert!(screen.shows("fn main() {"));
    let what = tchat::chat::Amendment::Edit("only words".into());
    let target = tchat::chat::Seq(1);
    let edit = entry(GENERAL, 2, ZHANG, 3, Body::Amendment { target, what });
    screen.receives(ClientEvent::Entries(vec![edit]));
    assert!(!screen.shows("fn main") && screen.shows("only words  edited"));
}

/// The colour of the first cell of a text on the screen.
fn colour(screen: &Screen, text: &str) -> ratatui::style::Color {
    let terminal = screen.terminal();
    let buffer = terminal.backend().buffer();
    let rows = screen.rows();
    let y = rows.iter().position(|row| row.contains(text)).unwrap();
    let x = tchat::text::width(rows[y].split(text).next().unwrap());
    buffer[(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())].fg
}

#[test]
fn code_is_highlighted_once_it_becomes_visible() {
    let mut texts = vec![RUST];
    texts.resize(100, "words");
    texts.push("```\nno language\n```");
    let mut screen = with(80, 30, &texts);
    let asks = |effects: &[Effect]| -> Vec<Arc<CodeBlock>> {
        let of = |effect: &Effect| match effect {
            Effect::Highlight(code) => Some(Arc::clone(code)),
            _ => None,
        };
        effects.iter().filter_map(of).collect()
    };
    assert!(
        asks(&screen.effects).is_empty(),
        "invisible code is not highlighted"
    );
    let codes = asks(&screen.keys("<pgup><pgup><pgup><pgup><pgup>"));
    assert_eq!(codes.len(), 1);
    assert_eq!(
        codes[0].text.as_str(),
        "fn main() {\n    let x = 1; // 注释\n}"
    );
    assert!(asks(&screen.keys("<pgdn><pgup>")).is_empty(), "only once");
    let (theme, _) = Theme::built_in(DEFAULT, Depth::True).unwrap();
    let plain = theme.style(Scope::MessageCode).fg.unwrap();
    assert_eq!(colour(&screen, "// 注释"), plain);
    let tokens = highlight(&codes[0]);
    screen.handles(Event::Highlighted(Arc::clone(&codes[0]), tokens));
    let of = |token: TokenKind| theme.style(token.scope()).fg.unwrap();
    assert_eq!(colour(&screen, "// 注释"), of(TokenKind::Comment));
    assert_eq!(colour(&screen, "let x"), of(TokenKind::Keyword));
    assert_eq!(colour(&screen, "1; //"), of(TokenKind::Constant));
}

#[test]
fn wrapped_code_keeps_its_colours() {
    let text = format!(
        "```rust\nlet {} = \"{}\";\n```",
        "x".repeat(20),
        "string ".repeat(8)
    );
    let mut screen = with(50, 30, &[&text]);
    let effects = std::mem::take(&mut screen.effects);
    for effect in effects {
        if let Effect::Highlight(code) = effect {
            let tokens = highlight(&code);
            screen.handles(Event::Highlighted(code, tokens));
        }
    }
    let (theme, _) = Theme::built_in(DEFAULT, Depth::True).unwrap();
    let rows = screen.rows();
    let last = rows.iter().rfind(|row| row.contains("string")).unwrap();
    let last = last.rsplit("string").next().unwrap().trim().to_owned();
    assert_eq!(last, "\";", "it is wrapped:\n{}", screen.text());
    assert_eq!(
        colour(&screen, "\";"),
        theme.style(TokenKind::String.scope()).fg.unwrap()
    );
}

#[test]
fn every_row_of_a_url_is_a_link_in_terminals_that_support_links() {
    let address = format!("https://example.org/{}", "a/path/".repeat(12));
    let screen = with(60, 20, &[&format!("see {address}，谢谢")]);
    let linked = |links: bool| {
        let terminal = screen.terminal_with(links);
        let buffer = terminal.backend().buffer();
        let cells = buffer.content().iter();
        let linked = cells.filter(|cell| cell.symbol().contains("]8;"));
        linked
            .map(|cell| cell.symbol().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(linked(false), Vec::<String>::new());
    let parts = linked(true);
    assert!(parts.len() >= 2, "{parts:?}");
    let mut shown = String::new();
    for part in parts {
        let inner = part.strip_prefix("\x1b]8;id=").unwrap();
        let (_, inner) = inner.split_once(';').unwrap();
        let (to, inner) = inner.split_once("\x1b\\").unwrap();
        assert_eq!(to, address);
        shown.push_str(inner.strip_suffix("\x1b]8;;\x1b\\").unwrap());
    }
    assert_eq!(shown, address, "the Chinese text is not in the link");
}

#[test]
fn an_overlay_drawn_over_a_link_is_not_a_link() {
    let address = format!("https://example.org/{}", "x".repeat(60));
    let mut screen = with(100, 12, &[&address, &address]);
    let linked = |screen: &Screen| {
        let terminal = screen.terminal_with(true);
        let buffer = terminal.backend().buffer().clone();
        let cells = buffer.content().iter();
        cells.filter(|cell| cell.symbol().contains("]8;")).count()
    };
    let all = linked(&screen);
    assert!(all >= 2);
    screen.keys("<f1>");
    assert!(linked(&screen) < all, "the overlay covers some");
    let terminal = screen.terminal_with(true);
    let buffer = terminal.backend().buffer();
    let row = |y: u16| -> String {
        let cells = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol());
        cells.collect()
    };
    assert!((0..buffer.area.height).any(|y| row(y).contains("Send, or run a command")));
    // A screen smaller than the state believes, as before a resize event arrives.
    for (width, height) in [(100, 5), (30, 12), (1, 1)] {
        let backend = ratatui::backend::TestBackend::new(width, height);
        let mut terminal = ratatui::Terminal::new(backend).unwrap();
        let (theme, _) = Theme::built_in(DEFAULT, Depth::True).unwrap();
        let glyphs = tchat::tui::view::Glyphs::UNICODE;
        let look = tchat::tui::view::Look { theme, glyphs };
        let mut state = with(100, 40, &[&address, &address]).state;
        state.preferences.links = true;
        terminal
            .draw(|frame| drop(tchat::tui::view::draw(frame, &state, &look)))
            .unwrap();
    }
}

#[test]
fn code_is_highlighted_again_after_a_restart() {
    let home = Home::new();
    let mut ann = home.opens((100, 24), &[]);
    ann.shows("#general ›");
    ann.types("\x1b[200~```rust\nfn main() {}\n```\x1b[201~");
    ann.types("\r");
    let is_coloured = |screen: &terminal::Screen| {
        let (word, sign) = (screen.colour("fn main"), screen.colour("() {}"));
        word.is_some() && word != sign
    };
    ann.until("an empty composer", |text| !text.contains("```"));
    ann.until("colours", |_| is_coloured(&ann));
    ann.sends_line("/quit");
    assert!(ann.ends());
    let ann = home.opens((100, 24), &[]);
    ann.shows("fn main() {}");
    ann.until("colours", |_| is_coloured(&ann));
}
