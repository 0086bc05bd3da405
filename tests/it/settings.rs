//! `/set` and the palette: every setting applies at once and is saved only on request.

use tchat::client::Event as ClientEvent;
use tchat::tui::event::{Effect, Event};
use tchat::tui::input::keymap::Preset;
use tchat::tui::settings::typing::TypingMode;
use tchat::tui::settings::{Setting, Source};

use crate::support::screen::{GENERAL, LI, Screen, TECH, entry, message_entry};
use crate::support::terminal::Home;
use tchat::chat::{Body, Seq, Unread};

#[test]
fn set_lists_every_setting_with_value_source_and_description() {
    let mut screen = Screen::online(100, 30);
    let sources = [
        (Setting::Theme, Source::File),
        (Setting::Lang, Source::Flag),
    ];
    Setting::record_all(&mut screen.state, &sources.into());
    screen.keys("/set typing off<ret>");
    assert!(screen.shows("typing is off"));
    assert_eq!(screen.state.preferences.typing, TypingMode::Off);
    screen.keys("/set<ret>");
    for line in [
        "theme = dusk · config file",
        "Colour theme",
        "lang = en · flag or variable",
        "Interface language",
        "keys = default · by default",
        "Key preset",
        "typing = off · this session",
        "See who is typing",
        "notifications",
        "links",
        "panes = on",
        "title = on",
        "notify_command = none",
        "time_format = 24h",
    ] {
        assert!(screen.shows(line), "{line}\n{}", screen.text());
    }
    // Also when it is changed by a key, and changed back.
    screen.keys("<esc><f4>/set<ret>");
    assert!(screen.shows("panes = off · this session"));
    screen.keys("<esc><f4>/typing show<ret>/set<ret>");
    assert!(screen.shows("panes = on · by default"));
    assert!(
        screen.shows("typing = show · by default"),
        "{}",
        screen.text()
    );
}

#[test]
fn a_changed_setting_applies_at_once() {
    let mut screen = Screen::online(100, 30);
    screen.follows(GENERAL, 1);
    screen.receives(ClientEvent::Entries(vec![entry(
        GENERAL,
        1,
        LI,
        1,
        Body::Created,
    )]));
    screen.keys("/set keys emacs<ret>");
    assert_eq!(screen.state.input.keymap.preset, Preset::Emacs);
    screen.keys("/set panes off<ret>");
    assert!(!screen.shows("PEOPLE"));
    screen.keys("/set links on<ret>");
    assert!(screen.state.preferences.links);
    screen.keys("/set notifications bell<ret>");
    assert_eq!(
        screen.state.preferences.notifier.method(),
        tchat::tui::terminal::caps::NotifyMethod::Bell
    );
    assert_eq!(
        screen.keys("/set theme paper<ret>").last(),
        Some(&Effect::Theme("paper".into()))
    );
    assert!(screen.shows("created this room"));
    screen.keys("/set lang zh-CN<ret>");
    assert!(
        !screen.shows("created this room"),
        "old lines are translated"
    );
    assert!(screen.shows("lang 现在是 zh-CN"), "{}", screen.text());
    screen.keys("/set lang en<ret>");
    assert!(screen.shows("created this room"));
    screen.keys("/set typing<ret>");
    assert!(screen.shows("typing is show"));
}

#[test]
fn a_value_may_be_written_in_several_ways() {
    let mut screen = Screen::online(100, 30);
    for (typed, setting, value) in [
        ("panes false", Setting::Panes, "off"),
        ("panes true", Setting::Panes, "on"),
        ("panes OFF", Setting::Panes, "off"),
        ("links yes", Setting::Links, "on"),
        ("links 0", Setting::Links, "off"),
        ("typing false", Setting::Typing, "off"),
        ("typing Show", Setting::Typing, "show"),
        ("typing true", Setting::Typing, "on"),
        ("notifications false", Setting::Notifications, "off"),
        ("notifications true", Setting::Notifications, "auto"),
        ("notifications BELL", Setting::Notifications, "bell"),
        ("keys Emacs", Setting::Keys, "emacs"),
        ("lang zh", Setting::Lang, "zh-CN"),
        ("lang EN_US.UTF-8", Setting::Lang, "en"),
    ] {
        screen.keys(&format!("<c-u>/set {typed}<ret>"));
        assert_eq!(setting.value(&screen.state), value, "{typed}");
    }
    // The saved value is the canonical one.
    let effects = screen.keys("/set panes true --save<ret>");
    assert_eq!(effects, [Effect::Save(Setting::Panes, "on".into())]);
    screen.keys("/typing false<ret>");
    assert_eq!(screen.state.preferences.typing, TypingMode::Off);
    assert!(screen.shows("Typing indicators: off"), "{}", screen.text());
}

#[test]
fn message_times_use_the_configured_format() {
    let mut screen = Screen::online(100, 30);
    screen.follows(GENERAL, 1);
    screen.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL, 1, LI, 725, "evening",
    )]));
    for (format, shown) in [
        ("12h", " 09:05 PM 李四"),
        ("seconds", " 21:05:00 李四"),
        ("%H.%M", " 21.05 李四"),
        ("%a %H:%M", " Thu 21:05 李四"),
        ("24h", " 21:05 李四"),
    ] {
        screen.keys(&format!("/set time_format {format}<ret>"));
        assert!(screen.shows(shown), "{format}\n{}", screen.text());
        assert!(screen.shows(&format!("time_format is {format}")));
    }
    let effects = screen.keys("/set time_format %a %H:%M --save<ret>");
    let saved = Effect::Save(Setting::TimeFormat, "%a %H:%M".into());
    assert_eq!(effects, [saved]);
    for wrong in ["noon", "%!", "%A %d %B %Y %H:%M:%S"] {
        screen.keys(&format!("<c-u>/set time_format {wrong}<ret>"));
        assert!(screen.shows("24h, 12h, seconds, or a pattern"), "{wrong}");
        assert_eq!(screen.state.preferences.time_format.name(), "%a %H:%M");
    }
    // On a narrow screen the text is more important than a wide time.
    screen.keys("<c-u>");
    screen.handles(Event::Resize(36, 12));
    assert!(
        !screen.shows("Thu 21:05") && screen.shows("evening"),
        "{}",
        screen.text()
    );
}

#[test]
fn the_title_shows_unread_counts_if_enabled() {
    let mut screen = Screen::online(100, 30);
    let title = |screen: &Screen| tchat::tui::content::title::title(&screen.state);
    assert_eq!(title(&screen), "tchat - chat.example.org");
    let unread = |messages, mentions| Unread {
        read: Seq(0),
        messages,
        mentions,
    };
    for (messages, mentions, counts) in [
        (3, 0, "(3) "),
        (3, 1, "(@1 3) "),
        (12, 12, "(@12 12) "),
        (0, 0, ""),
    ] {
        screen.follows_unread(TECH, 20, unread(messages, mentions));
        assert_eq!(title(&screen), format!("{counts}tchat - chat.example.org"));
    }
    screen.state.connection.is_hosting = true;
    assert_eq!(title(&screen), "tchat");
    for (typed, is_on) in [
        ("off", false),
        ("true", true),
        ("false", false),
        ("on", true),
    ] {
        screen.keys(&format!("/set title {typed}<ret>"));
        assert_eq!(screen.state.preferences.shows_title, is_on, "{typed}");
    }
}

#[test]
fn the_notify_command_is_set_with_its_arguments() {
    let mut screen = Screen::online(100, 30);
    let words = |screen: &Screen| screen.state.preferences.notify_command.words("李四", "hi");
    assert_eq!(words(&screen), None);
    for (typed, expected) in [
        (
            "notify-send {title} {text}",
            &["notify-send", "李四", "hi"][..],
        ),
        ("say", &["say", "李四", "hi"]),
        ("p '{title}: {text}'", &["p", "李四: hi"]),
    ] {
        let effects = screen.keys(&format!("/set notify_command {typed} --save<ret>"));
        assert_eq!(
            effects,
            [Effect::Save(Setting::NotifyCommand, typed.into())]
        );
        assert_eq!(words(&screen).unwrap(), expected, "{typed}");
    }
    screen.keys("/set notify_command p 'open<ret>");
    assert!(screen.shows("every quote is closed"), "{}", screen.text());
    screen.handles(Event::NotifyFailed("cannot run 'p': no such file".into()));
    assert!(screen.shows("cannot run 'p'"));
    screen.keys("<c-u>/set notify_command none<ret>");
    assert_eq!(words(&screen), None);
    assert!(screen.shows("notify_command is none"));
}

#[test]
fn the_terminal_title_is_set_and_the_notify_command_is_run() {
    let home = Home::new();
    let told = home.file("told");
    let program = home.file("tell");
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >> '{told}'\n");
    std::fs::write(&program, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&program, mode).unwrap();
    let path = home.file("config.toml");
    let config = format!("notify_command = \"{program} {{title}} {{text}}\"\n");
    std::fs::write(&path, config).unwrap();
    let mut ann = home.opens((100, 24), &["--config", &path]);
    ann.shows("#general ›");
    ann.until_written("\x1b[22;2t\x1b]0;tchat");
    let mut ben = home.opens((100, 24), &["--name", "ben", "--room", "tech"]);
    ben.shows("#tech ›");
    ann.sends_line("/join tech");
    ann.shows("#tech ›");
    ann.sends_line("/join general");
    ann.shows("#general ›");
    // Nobody looks: the title shows it, and the command gets every character as it was written.
    ann.types("\x1b[O");
    ben.sends_line("look, @ann: $(id) `id` ; \"x\"");
    ann.until_written("\x1b]0;(@1 1) tchat\x07");
    let expected = "ben in #tech\nlook, @ann: $(id) `id` ; \"x\"\n";
    ann.until("the program to be run", |_| {
        std::fs::read_to_string(&told).is_ok_and(|text| text == expected)
    });
    assert!(!ann.written().contains("]777;") && !ann.written().contains("]9;"));
    ann.types("\x1b[I");
    ann.sends_line("/join tech");
    ann.until_raw("the title without it", |written| {
        written.rfind("]0;tchat\x07") > written.rfind("]0;(@1 1) tchat\x07")
    });
    ann.sends_line("/quit");
    assert!(ann.ends());
    ann.is_restored();
    ann.until_written("\x1b[23;2t");
    // With the title disabled nothing is written.
    std::fs::write(&path, "title = false\n").unwrap();
    let mut ann = home.opens((100, 24), &["--config", &path]);
    ann.shows("#tech ›");
    ann.sends_line("/quit");
    assert!(ann.ends());
    assert!(!ann.written().contains("]0;") && !ann.written().contains("[22;2t"));
}

#[test]
fn an_invalid_setting_is_explained_and_stays_in_the_composer() {
    let mut screen = Screen::online(100, 30);
    screen.keys("/set thme paper<ret>");
    assert!(screen.shows("There is no setting 'thme'; did you mean 'theme'?"));
    assert!(screen.shows("› /set thme paper"));
    screen.keys("<c-u>/set panes maybe<ret>");
    assert!(screen.shows("panes cannot be 'maybe'; allowed: on, off"));
    assert!(screen.state.preferences.shows_panes);
    screen.keys("<c-u>/set panes on off<ret>");
    assert!(screen.shows("Usage: /set"));
    screen.keys("<c-u>/set pan<tab>off<ret>");
    assert!(screen.shows("panes is off"), "{}", screen.text());
}

#[test]
fn saving_a_setting_is_requested_and_confirmed() {
    let mut screen = Screen::online(100, 30);
    let effects = screen.keys("/set keys emacs --save<ret>");
    assert_eq!(effects, [Effect::Save(Setting::Keys, "emacs".into())]);
    screen.handles(Event::Saved {
        setting: Setting::Keys,
        value: "emacs".into(),
        saved: Ok("/home/ann/.config/tchat/config.toml".into()),
    });
    assert!(screen.shows("Saved to /home/ann"));
    assert_eq!(Setting::Keys.source(&screen.state), Source::File);
    // Without a value the current one is saved.
    let effects = screen.keys("/set panes --save<ret>");
    assert_eq!(effects, [Effect::Save(Setting::Panes, "on".into())]);
    screen.handles(Event::Saved {
        setting: Setting::Panes,
        value: "on".into(),
        saved: Err("cannot save to 'x': it is not yours".into()),
    });
    assert!(screen.shows("cannot save to 'x'"));
}

#[test]
fn the_palette_lists_every_action_with_its_key_and_every_setting() {
    let mut screen = Screen::online(100, 60);
    screen.keys("<c-k>");
    let Some(tchat::tui::state::Overlay::Pick(picker)) = screen.state.overlays.top.clone() else {
        panic!("the palette")
    };
    let rows = tchat::tui::lists::picker::rows(&screen.state, &picker);
    let keys: Vec<&str> = rows.iter().map(|row| row.detail.as_str()).collect();
    for action in screen.state.input.keymap.actions() {
        if screen.state.preferences.strings.action(action).is_some() {
            let key = screen.state.input.keymap.first(action);
            let is_listed = keys.contains(&key.as_str());
            // Actions that edit the composer are used while typing and are not listed.
            assert_eq!(is_listed, action.is_offered(), "{action:?} with {key}");
        }
    }
    for (name, _) in Setting::ALL {
        let label = format!("Set {name}");
        let row = rows.iter().find(|row| row.label == label).unwrap();
        let key = match name {
            "theme" => "Alt+T",
            "panes" => "F4",
            _ => "",
        };
        assert_eq!(row.detail, key, "{label}");
    }
    screen.keys("select a mess<ret>");
    assert!(screen.state.overlays.top.is_none());
    screen.keys("<esc><c-k>set panes<ret>");
    assert!(screen.shows("› /set panes"), "{}", screen.text());
}

#[test]
fn a_saved_setting_is_used_at_the_next_start() {
    let home = Home::new();
    let path = home.file("config.toml");
    std::fs::write(&path, "# mine\ntheme = \"night\" # by night\n").unwrap();
    let mut ann = home.opens((100, 24), &["--config", &path]);
    ann.shows("#general ›");
    ann.sends_line("/set");
    ann.shows("theme = night · config file");
    ann.types("\x1b");
    ann.until("the list to close", |text| !text.contains("config file"));
    ann.sends_line("/set theme paper --save");
    ann.shows("Saved to");
    ann.sends_line("/set keys emacs --save");
    ann.until("both to be saved", |_| {
        std::fs::read_to_string(&path).unwrap().contains("emacs")
    });
    ann.sends_line("/quit");
    assert!(ann.ends());
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("# mine\ntheme = \"paper\" # by night\n"),
        "{text}"
    );
    let mut ann = home.opens((100, 24), &["--config", &path]);
    ann.shows("#general ›");
    ann.sends_line("/set");
    ann.shows("theme = paper · config file");
    ann.shows("keys = emacs · config file");
}

#[test]
fn the_colours_follow_the_background_of_the_terminal() {
    for (ground, is_light) in [("1d1d/2020/2828", false), ("ffff/fefe/f0f0", true)] {
        let mut home = Home::new();
        home.ground = ground;
        let mut ann = home.opens((100, 24), &[]);
        ann.shows("#general ›");
        // The background of `paper` or of `dusk`.
        let colour = if is_light {
            "48;2;247;243;234"
        } else {
            "48;2;29;32;40"
        };
        ann.sends_line("/set theme");
        ann.shows("theme is auto");
        let written = ann.written();
        assert!(written.contains(colour), "{ground}");
        assert!(
            !written.contains("]11;rgb"),
            "the terminal's answer is not shown"
        );
        ann.types("\x03");
        assert!(ann.ends());
    }
}
