use ratatui::style::{Color, Modifier};

use super::*;

#[test]
fn every_theme_loads_in_every_depth_and_names_no_unknown_scope() {
    for name in list(None) {
        for depth in [Depth::None, Depth::Ansi16, Depth::Ansi256, Depth::True] {
            let (_, warnings) = Theme::load(&name, None, depth).unwrap();
            assert_eq!(warnings, Vec::<String>::new(), "{name}");
        }
    }
    assert!(list(None).len() >= 6);
}

/// Relative luminance (WCAG 2).
fn luminance(colour: Color) -> Option<f64> {
    let Color::Rgb(r, g, b) = colour else {
        return None;
    };
    let linear = |value: u8| {
        let v = f64::from(value) / 255.0;
        if v <= 0.03928 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        }
    };
    Some(0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b))
}

#[test]
fn names_and_text_can_be_read_on_their_ground() {
    let on_background = [
        Scope::MessageText,
        Scope::MessagePrivate,
        Scope::MessageMention,
        Scope::MessageUnread,
        Scope::MessageFailed,
        Scope::StatusOnline,
        Scope::MessageSystem,
    ];
    let on_panel = [
        Scope::PeoplePresent,
        Scope::PeopleAway,
        Scope::PeopleRole,
        Scope::BadgeUnread,
        Scope::BadgeMention,
    ];
    let on_code = [
        Scope::MessageCode,
        Scope::CodeComment,
        Scope::CodeString,
        Scope::CodeConstant,
        Scope::CodeKeyword,
        Scope::CodeFunction,
        Scope::CodeType,
    ];
    for name in list(None) {
        let (theme, _) = Theme::load(&name, None, Depth::True).unwrap();
        for (ground, scopes) in [
            (Scope::Background, &on_background[..]),
            // The list of people has faces and names on it, the list of rooms badges.
            (Scope::Panel, &on_panel[..]),
            (Scope::MessageCode, &on_code[..]),
        ] {
            let Some(ground) = theme.style(ground).bg.and_then(luminance) else {
                continue;
            };
            let texts = scopes.iter().filter_map(|scope| theme.style(*scope).fg);
            for colour in texts.chain(theme.names().iter().copied()) {
                let Some(ink) = luminance(colour) else {
                    continue;
                };
                let ratio = (ink.max(ground) + 0.05) / (ink.min(ground) + 0.05);
                assert!(
                    ratio >= 4.5,
                    "{name}: {colour:?} has a contrast of {ratio:.2}"
                );
            }
        }
    }
}

#[test]
fn a_users_theme_inherits_and_falls_back() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write(
        "mine.toml",
        "inherits = \"dusk\"\n[palette]\nblood = \"#aa0000\"\n[scopes]\n\"message\" = \"blood\"\n\"message.text\" = { bold = true }\n\"mesage\" = \"red\"\n",
    );
    let (mine, warnings) = Theme::load("mine", Some(directory.path()), Depth::True).unwrap();
    assert!(
        mine.style(Scope::MessageText)
            .add_modifier
            .contains(Modifier::BOLD)
    );
    assert_eq!(warnings, ["theme 'mine': nothing is called 'mesage'"]);
    write("a.toml", "inherits = \"b\"");
    write("b.toml", "inherits = \"a\"");
    assert!(matches!(
        Theme::load("a", Some(directory.path()), Depth::True),
        Err(ThemeError::Circle(..))
    ));
    write("bad.toml", "[scopes]\n\"ui.text\" = \"no-colour\"\n");
    let error = Theme::load("bad", Some(directory.path()), Depth::True).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the theme 'bad' has no colour 'no-colour' (in 'ui.text')"
    );
    assert!(matches!(
        Theme::load("../mine", Some(directory.path()), Depth::True),
        Err(ThemeError::Unknown(_))
    ));
}

#[test]
fn without_colours_there_are_none() {
    let (theme, _) = Theme::load(DEFAULT, None, Depth::None).unwrap();
    assert!(
        Scope::ALL
            .iter()
            .all(|scope| theme.style(*scope).fg.is_none() && theme.style(*scope).bg.is_none())
    );
}
