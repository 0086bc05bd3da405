//! `/set` and the palette: everything that can be changed, changed at once, and kept if that is asked for.

use tchat::client::Event as Told;
use tchat::tui::event::{Effect, Event};
use tchat::tui::keymap::Preset;
use tchat::tui::settings::{Setting, Source};
use tchat::tui::state::TypingMode;

use crate::support::screen::{GENERAL, LI, Screen, entry};
use crate::support::terminal::Home;
use tchat::chat::Body;

#[test]
fn every_setting_says_what_it_is_where_that_came_from_and_what_it_does() {
    let mut screen = Screen::online(100, 30);
    let sources = [
        (Setting::Theme, Source::File),
        (Setting::Lang, Source::Flag),
    ];
    Setting::keep_all(&mut screen.state, &sources.into());
    screen.keys("/set typing off<ret>");
    assert!(screen.shows("typing is off"));
    assert_eq!(screen.state.typing, TypingMode::Off);
    screen.keys("/set<ret>");
    for line in [
        "theme = dusk · config file",
        "the colours",
        "lang = en · flag or variable",
        "the language of the screen",
        "keys = default · by default",
        "the preset of the keys",
        "typing = off · set now",
        "see who is typing",
        "notifications",
        "links",
        "panes = on",
    ] {
        assert!(screen.shows(line), "{line}\n{}", screen.text());
    }
    // However it was changed, and changed back.
    screen.keys("<esc><f4>/set<ret>");
    assert!(screen.shows("panes = off · set now"));
    screen.keys("<esc><f4>/typing show<ret>/set<ret>");
    assert!(screen.shows("panes = on · by default"));
    assert!(
        screen.shows("typing = show · by default"),
        "{}",
        screen.text()
    );
}

#[test]
fn what_is_set_holds_at_once() {
    let mut screen = Screen::online(100, 30);
    screen.follows(GENERAL, 1);
    screen.hears(Told::Entries(vec![entry(GENERAL, 1, LI, 1, Body::Created)]));
    screen.keys("/set keys emacs<ret>");
    assert_eq!(screen.state.keymap.preset, Preset::Emacs);
    screen.keys("/set panes off<ret>");
    assert!(!screen.shows("PEOPLE"));
    screen.keys("/set links on<ret>");
    assert!(screen.state.links);
    screen.keys("/set notifications bell<ret>");
    assert_eq!(screen.state.notifier.way(), tchat::tui::caps::Way::Bell);
    assert_eq!(
        screen.keys("/set theme paper<ret>").last(),
        Some(&Effect::Theme("paper".into()))
    );
    assert!(screen.shows("opened this room"));
    screen.keys("/set lang zh-CN<ret>");
    assert!(
        !screen.shows("opened this room"),
        "what was said is said anew"
    );
    assert!(screen.shows("lang 现在是 zh-CN"), "{}", screen.text());
    screen.keys("/set lang en<ret>");
    assert!(screen.shows("opened this room"));
    screen.keys("/set typing<ret>");
    assert!(screen.shows("typing is show"));
}

#[test]
fn what_cannot_be_set_is_said_and_stays_to_be_mended() {
    let mut screen = Screen::online(100, 30);
    screen.keys("/set thme paper<ret>");
    assert!(screen.shows("there is no setting 'thme'; did you mean 'theme'?"));
    assert!(screen.shows("› /set thme paper"));
    screen.keys("<c-u>/set panes maybe<ret>");
    assert!(screen.shows("panes cannot be 'maybe': on, off"));
    assert!(screen.state.shows_panes);
    screen.keys("<c-u>/set panes on off<ret>");
    assert!(screen.shows("usage: /set"));
    screen.keys("<c-u>/set pan<tab>off<ret>");
    assert!(screen.shows("panes is off"), "{}", screen.text());
}

#[test]
fn what_is_kept_is_asked_for_and_answered() {
    let mut screen = Screen::online(100, 30);
    let effects = screen.keys("/set keys emacs --save<ret>");
    assert_eq!(effects, [Effect::Save(Setting::Keys, "emacs".into())]);
    screen.does(Event::Saved {
        setting: Setting::Keys,
        value: "emacs".into(),
        saved: Ok("/home/ann/.config/tchat/config.toml".into()),
    });
    assert!(screen.shows("saved in /home/ann"));
    assert_eq!(Setting::Keys.source(&screen.state), Source::File);
    // As it is now.
    let effects = screen.keys("/set panes --save<ret>");
    assert_eq!(effects, [Effect::Save(Setting::Panes, "on".into())]);
    screen.does(Event::Saved {
        setting: Setting::Panes,
        value: "on".into(),
        saved: Err("cannot save in 'x': it is not yours".into()),
    });
    assert!(screen.shows("cannot save in 'x'"));
}

#[test]
fn the_palette_has_every_action_with_its_key_and_every_setting() {
    let mut screen = Screen::online(100, 60);
    screen.keys("<c-k>");
    let Some(tchat::tui::state::Overlay::Pick(picker)) = screen.state.overlay.clone() else {
        panic!("the palette")
    };
    let rows = tchat::tui::pick::rows(&screen.state, &picker);
    let keys: Vec<&str> = rows.iter().map(|row| row.aside.as_str()).collect();
    for action in screen.state.keymap.actions() {
        if screen.state.strings.action(action).is_some() {
            let key = screen.state.keymap.first(action);
            let is_listed = keys.contains(&key.as_str());
            // What edits the composer is pressed while typing, and not looked for.
            assert_eq!(is_listed, action.is_offered(), "{action:?} with {key}");
        }
    }
    for (name, _) in Setting::ALL {
        let label = format!("set {name}");
        let row = rows.iter().find(|row| row.label == label).unwrap();
        let key = match name {
            "theme" => "Alt+T",
            "panes" => "F4",
            _ => "",
        };
        assert_eq!(row.aside, key, "{label}");
    }
    screen.keys("select a mess<ret>");
    assert!(screen.state.overlay.is_none());
    screen.keys("<esc><c-k>set panes<ret>");
    assert!(screen.shows("› /set panes"), "{}", screen.text());
}

#[test]
fn the_file_is_written_and_the_next_start_reads_it() {
    let home = Home::new();
    let path = home.file("config.toml");
    std::fs::write(&path, "# mine\ntheme = \"night\" # by night\n").unwrap();
    let mut ann = home.opens((100, 24), &["--config", &path]);
    ann.shows("#general ›");
    ann.says("/set");
    ann.shows("theme = night · config file");
    ann.types("\x1b");
    ann.until("the list to close", |text| !text.contains("config file"));
    ann.says("/set theme paper --save");
    ann.shows("saved in");
    ann.says("/set keys emacs --save");
    ann.until("both to be saved", |_| {
        std::fs::read_to_string(&path).unwrap().contains("emacs")
    });
    ann.says("/quit");
    assert!(ann.ends());
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("# mine\ntheme = \"paper\" # by night\n"),
        "{text}"
    );
    let mut ann = home.opens((100, 24), &["--config", &path]);
    ann.shows("#general ›");
    ann.says("/set");
    ann.shows("theme = paper · config file");
    ann.shows("keys = emacs · config file");
}

#[test]
fn the_colours_follow_the_ground_of_the_terminal() {
    for (ground, is_light) in [("1d1d/2020/2828", false), ("ffff/fefe/f0f0", true)] {
        let mut home = Home::new();
        home.ground = ground;
        let mut ann = home.opens((100, 24), &[]);
        ann.shows("#general ›");
        // paper's ground, or dusk's.
        let colour = if is_light {
            "48;2;247;243;234"
        } else {
            "48;2;29;32;40"
        };
        ann.says("/set theme");
        ann.shows("theme is auto");
        let written = ann.written();
        assert!(written.contains(colour), "{ground}");
        assert!(
            !written.contains("]11;rgb"),
            "its answer is nothing that was typed"
        );
        ann.types("\x03");
        assert!(ann.ends());
    }
}
