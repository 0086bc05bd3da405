//! What is being written is never lost for something else.

use std::time::Duration;

use tchat::client::{Command, Event as Told};
use tchat::tui::event::Effect;

use crate::support::screen::{ANN, GENERAL, Screen, says};

fn written(screen: &Screen) -> String {
    screen.state.composer().text()
}

/// What was last put on the disk of what is typed.
fn kept(screen: &mut Screen) -> Option<String> {
    screen.effects.clear();
    screen.passes(Duration::from_secs(1));
    let draft = |effect: &Effect| match effect {
        Effect::Client(Command::Draft { text, .. }) => Some(text.clone()),
        _ => None,
    };
    screen.effects.iter().rev().find_map(draft)
}

fn said() -> Screen {
    let mut screen = Screen::online(80, 24);
    screen.hears(Told::Entries(vec![says(GENERAL, 1, ANN, 0, "teh build")]));
    screen
}

#[test]
fn an_edit_gives_the_line_back_that_was_being_written() {
    let mut screen = said();
    screen.keys("a long draft");
    assert_eq!(kept(&mut screen).as_deref(), Some("a long draft"));
    screen.keys("<a-m>e");
    assert_eq!(written(&screen), "teh build");
    assert_eq!(kept(&mut screen), None, "the draft is what is kept");
    screen.keys("!");
    let both = kept(&mut screen);
    assert_eq!(both.as_deref(), Some("a long draft\nteh build!"));
    screen.keys("<esc>");
    assert_eq!(written(&screen), "a long draft");
    assert_eq!(kept(&mut screen).as_deref(), Some("a long draft"));

    screen.keys("<a-m>e<c-u>the build<ret>");
    assert_eq!(written(&screen), "a long draft");
    assert!(screen.shows("#general ›"));
    // What was killed meanwhile can be yanked, and what was written before be undone.
    screen.keys("<c-y>");
    assert_eq!(written(&screen), "a long draftteh build");
    screen.keys("<c-z><c-z>");
    assert!(written(&screen).len() < "a long draft".len());
}

#[test]
fn what_was_sent_before_gives_way_to_what_was_being_written() {
    let mut screen = said();
    screen.keys("one<ret>two<ret>half a li");
    screen.keys("<a-p><a-p>");
    assert_eq!(written(&screen), "one");
    screen.keys("<a-n><a-n>");
    assert_eq!(written(&screen), "half a li");
    // Said again as it is or otherwise, it leaves the line behind it alone.
    screen.keys("<a-p>, really<ret>");
    assert_eq!(written(&screen), "half a li");
    assert!(screen.shows("two, really"));
}
