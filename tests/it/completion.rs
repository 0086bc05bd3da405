//! Completion: names after commands and at the start of any word, command aliases known from other clients, and emoji short names.

use tchat::chat::{Amendment, Body, IdentityId, Person, Presence, Recipient, Role, Via};
use tchat::client::{Command, Event as ClientEvent};
use tchat::tui::event::Effect;

use crate::support::screen::{GENERAL, LI, Screen, TECH, ZHANG, message_entry};

fn person(n: u8, name: &str) -> Person {
    Person {
        id: IdentityId::new([100 + n; 16]),
        name: name.into(),
        presence: Presence::Online,
        role: Role::Member,
        via: Via::Tchat,
        status: String::new(),
    }
}

/// `general` with ben and Bea in it, and `tech` with ben and cay.
fn crowded() -> Screen {
    let mut screen = Screen::online(100, 24);
    let (ben, bea, cay) = (person(1, "ben"), person(2, "Bea"), person(3, "cay"));
    for (room, came) in [(GENERAL, vec![ben.clone(), bea]), (TECH, vec![ben, cay])] {
        let went = Vec::new();
        screen.receives(ClientEvent::RosterDelta {
            room,
            updated: came,
            removed: went,
        });
    }
    screen
}

/// The text of the composer after these keys.
fn typed(keys: &str) -> String {
    let mut screen = crowded();
    screen.keys(keys);
    screen.state.composer().text()
}

#[test]
fn names_are_completed_after_commands_that_take_a_user() {
    for (keys, text) in [
        ("/kick b<tab>", "/kick Bea "),
        ("/kick b<down><down><tab>", "/kick ben "),
        ("/kick 张<tab>", "/kick 张三 "),
        ("/KICK @张<tab>", "/KICK @张三 "),
        ("/mute be<tab>10m", "/mute Bea 10m"),
        ("/ban ca<tab>", "/ban cay "),
        ("/msg c<tab>", "/msg cay "),
        ("/whois @ca<tab>", "/whois @cay "),
        ("/ignore ca<tab>", "/ignore cay "),
        ("/invite c<tab>", "/invite cay "),
        // A person in another room cannot be kicked here, and a person who is here needs no invitation.
        ("/kick c<tab>", "/kick c"),
        ("/invite 张<tab>", "/invite 张"),
        // Our own name is never offered.
        ("/op an<tab>", "/op an"),
    ] {
        assert_eq!(typed(keys), text, "{keys}");
    }
    // The popup opens while typing, and Enter accepts only a selected completion.
    let mut screen = crowded();
    screen.keys("/msg ca");
    assert!(screen.shows("In another room"), "{}", screen.text());
    let effects = screen.keys("<ret>");
    assert_eq!(effects, [Effect::Client(Command::Open("ca".into()))]);
}

#[test]
fn tab_completes_a_name_at_the_start_of_a_word() {
    for (keys, text) in [
        ("hi 张<tab>", "hi 张三 "),
        ("hi BE<tab><tab>", "hi Bea "),
        // At the start of the text it addresses the person, as in IRC clients.
        ("张<tab>hello", "张三: hello"),
        ("one<a-ret>张<tab>", "one\n张三 "),
        ("/me waves at 张<tab>", "/me waves at 张三 "),
        ("/msg cay ask 张<tab>", "/msg cay ask 张三 "),
        // Not in the middle of a word, not a person in another room, not ourselves, and not without a letter.
        ("hi xbe<tab>", "hi xbe"),
        ("hi ca<tab>", "hi ca"),
        ("an<tab>", "an"),
        ("hi <tab>", "hi "),
    ] {
        assert_eq!(typed(keys), text, "{keys}");
    }
    // Only Tab opens it: no popup appears while writing, and Enter sends the text as it is.
    let mut screen = crowded();
    screen.keys("hi be");
    assert!(screen.state.input.popup.is_none());
    screen.keys("<tab>");
    assert_eq!(
        screen.state.input.popup.as_ref().map(|it| it.offers.len()),
        Some(2)
    );
    assert_eq!(screen.keys("<ret>").len(), 1);
    let sent = screen
        .state
        .posting
        .pending
        .back()
        .map(|post| post.body.text());
    assert_eq!(sent, Some("hi be"));
}

#[test]
fn commands_have_the_aliases_known_from_other_clients() {
    for (keys, effect) in [
        ("/part<ret>", Effect::Client(Command::Leave(GENERAL))),
        ("/part #tech<ret>", Effect::Client(Command::Leave(TECH))),
        ("/list<ret>", Effect::Client(Command::ListRooms)),
        (
            "/query cay<ret>",
            Effect::Client(Command::Open("cay".into())),
        ),
        ("/q<ret>", Effect::Quit),
    ] {
        assert_eq!(crowded().keys(keys), [effect], "{keys}");
    }
    let mut screen = crowded();
    screen.keys("/names<ret>");
    assert!(screen.shows("People in #general") && screen.shows("Bea"));
    screen.keys("<esc>/query 张三 psst<ret>");
    let to = screen
        .state
        .posting
        .pending
        .back()
        .map(|post| post.to.clone());
    assert_eq!(to, Some(Recipient::Person(ZHANG)));
    // Aliases are completed, and so are their arguments; a usage hint shows the main name.
    for (keys, text) in [
        ("/par<tab>te<tab>", "/part #tech "),
        ("/quer<tab>c<tab>", "/query cay "),
        ("/qui<tab>", "/quit "),
    ] {
        assert_eq!(typed(keys), text, "{keys}");
    }
    screen.keys("/query<ret>");
    assert!(screen.shows("Usage: /msg NAME [TEXT]"));
    // Help and the palette find aliases too.
    screen.keys("<c-u><f1>part");
    assert!(screen.shows("/leave [ROOM]") && screen.shows("(also /part)"));
    screen.keys("<esc><c-k>query");
    assert!(screen.shows("› /msg"), "{}", screen.text());
}

/// The emoji of the reaction that was sent, if any.
fn reaction(effects: &[Effect]) -> Option<String> {
    effects.iter().find_map(|effect| match effect {
        Effect::Client(Command::Post { post, .. }) => match &post.body {
            Body::Amendment {
                what: Amendment::React { emoji, .. },
                ..
            } => Some(emoji.clone()),
            _ => None,
        },
        _ => None,
    })
}

/// A screen with a message that can be reacted to.
fn said() -> Screen {
    let mut screen = crowded();
    screen.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL, 1, LI, 1, "done!",
    )]));
    screen
}

#[test]
fn a_reaction_may_be_given_as_an_emoji_short_name() {
    for (written, emoji) in [
        (":tada:", "🎉"),
        (":TADA:", "🎉"),
        (":+1:", "👍"),
        (":heart", "❤️"),
        ("🌊", "🌊"),
    ] {
        let effects = said().keys(&format!("/react {written}<ret>"));
        assert_eq!(reaction(&effects).as_deref(), Some(emoji), "{written}");
        let effects = said().keys(&format!("<a-m>+{written}<ret>"));
        assert_eq!(reaction(&effects).as_deref(), Some(emoji), "{written}");
    }
    // The name is completed after the command as well.
    let effects = said().keys("/react :tad<tab><ret>");
    assert_eq!(reaction(&effects).as_deref(), Some("🎉"));
}

#[test]
fn an_unknown_emoji_name_is_reported_and_stays_in_the_composer() {
    let mut screen = said();
    assert_eq!(screen.keys("/react :nosuch:<ret>"), []);
    assert!(screen.shows("There is no emoji named :nosuch:"));
    assert_eq!(screen.state.composer().text(), "/react :nosuch:");
    let mut screen = said();
    assert_eq!(screen.keys("<a-m>+:nosuch:<ret>"), []);
    assert!(screen.shows("There is no emoji named :nosuch:"));
    assert!(screen.shows("› :nosuch:"), "{}", screen.text());
}

#[test]
fn the_reaction_box_offers_and_completes_short_names() {
    let mut screen = said();
    screen.keys("<a-m>+:tad");
    assert!(screen.shows(":tada:"), "{}", screen.text());
    let effects = screen.keys("<tab><ret>");
    assert_eq!(reaction(&effects).as_deref(), Some("🎉"));
    assert!(screen.state.overlays.top.is_none());
    // A digit that is part of a name does not choose from the list.
    let mut screen = said();
    let effects = screen.keys("<a-m>+:100:<ret>");
    assert_eq!(reaction(&effects).as_deref(), Some("💯"));
}
