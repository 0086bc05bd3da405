//! Choosing a name at the first start.

use tchat::chat::{Refusal, RefusalCode};
use tchat::client::{Command, Event as ClientEvent, LinkState};
use tchat::tui::event::Effect;

use crate::support::screen::Screen;
use crate::support::terminal::{Home, binary};

#[test]
fn an_unusable_default_name_opens_a_question_instead_of_an_error() {
    let set_name = |name: &str| {
        let command = Command::SetName(name.into());
        [Effect::Client(command)]
    };
    let taken = || {
        Refusal::new(RefusalCode::NameTaken)
            .with("root")
            .with("root2")
    };
    for (refusal, proposed) in [
        (taken(), "root2"),
        (
            Refusal::new(RefusalCode::NameReserved).with("admin"),
            "guest",
        ),
        (
            Refusal::new(RefusalCode::NameInvalid)
                .with("")
                .with("empty"),
            "guest",
        ),
        (
            Refusal::new(RefusalCode::NameInvalid)
                .with("a b")
                .with("character"),
            "guest",
        ),
    ] {
        let asked = || {
            let mut screen = Screen::blank(80, 24);
            screen.state.me.proposed_name = Some("guest".into());
            let refused = LinkState::NameRefused(refusal.clone());
            screen.receives(ClientEvent::Link(refused));
            screen
        };
        let mut screen = asked();
        for words in [
            "Your name",
            "Choose the name that others see here.",
            &format!("Press Enter to use {proposed}."),
            &format!("name › {proposed}"),
            "choose a name",
        ] {
            assert!(screen.shows(words), "{words}\n{}", screen.text());
        }
        for error in [
            "is taken",
            "is reserved",
            "at least one",
            "not a valid name",
        ] {
            assert!(!screen.shows(error), "{error}\n{}", screen.text());
        }
        assert_eq!(screen.keys("<ret>"), set_name(proposed));
        // Typing replaces the suggestion.
        let mut screen = asked();
        screen.keys("dan");
        assert!(screen.shows("name › dan") && !screen.shows(&format!("› {proposed}")));
        screen.keys("<bs><bs><bs>");
        assert!(screen.shows(&format!("name › {proposed}")));
        assert_eq!(screen.keys("dan<ret>"), set_name("dan"));
        // After the user has chosen a name, a problem with it is an error.
        screen.receives(ClientEvent::Link(LinkState::NameRefused(taken())));
        assert!(screen.shows("the name root is taken"), "{}", screen.text());
        assert!(screen.shows("Choose another name") && screen.shows("name › root2"));
    }
}

#[test]
fn an_unusable_login_name_opens_a_question_instead_of_an_error() {
    let home = Home::new();
    let with = |login: &str, data: &str, arguments: &str| {
        let line = format!(
            "USER={login} exec {} --port {} --data {} {arguments}",
            binary().display(),
            home.port,
            home.file(data)
        );
        home.runs("sh", (100, 24), &["-c", &line])
    };
    // Another person is root on that server, as everybody in a container is.
    let first = with("root", "data", "");
    first.shows("hosting here · root");
    // The server belongs to somebody else, so they join it with an invitation.
    let link = format!("--server {}", home.invites(&["--uses", "5"]));
    let mut second = with("root", "second", &link);
    second.shows("Your name");
    second.shows("Press Enter to use root2.");
    assert!(!second.text().contains("is taken"), "{}", second.text());
    second.types("daniel\r");
    second.shows("· daniel");
    second.sends_line("/quit");
    assert!(second.ends());
    // At the next start the name is known.
    with("root", "second", "").shows("· daniel");
    let mut nobody = with("", "third", &link);
    nobody.shows("Press Enter to use guest.");
    nobody.types("\r");
    nobody.shows("· guest");
    // A refused name that the user chose is reported as an error.
    let chosen = with("ann", "fourth", &format!("{link} --name root"));
    chosen.shows("the name root is taken; root2 is free");
}
