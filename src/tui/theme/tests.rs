use ratatui::style::{Color, Modifier};

use super::*;
use crate::tui::terminal::theme_files;

#[test]
fn every_theme_loads_in_every_depth_and_names_no_unknown_scope() {
    for name in built_in_names() {
        for depth in [Depth::None, Depth::Ansi16, Depth::Ansi256, Depth::True] {
            let (_, warnings) = Theme::built_in(&name, depth).unwrap();
            assert_eq!(warnings, Vec::<String>::new(), "{name}");
        }
    }
    assert_eq!(built_in_names().len(), 12);
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

/// What xterm shows for a colour.
fn shown(colour: Color) -> Color {
    let Color::Indexed(n) = colour else {
        return colour;
    };
    let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
    match n {
        16..=231 => {
            let n = n - 16;
            Color::Rgb(step(n / 36), step(n / 6 % 6), step(n % 6))
        }
        232.. => Color::Rgb(8 + 10 * (n - 232), 8 + 10 * (n - 232), 8 + 10 * (n - 232)),
        _ => colour,
    }
}

/// The backgrounds that a scope's text is drawn on.
fn grounds(scope: Scope) -> &'static [Scope] {
    let name = scope.name();
    if name.starts_with("message.code") {
        &[Scope::MessageCode]
    } else if name.starts_with("people") || name.starts_with("ui.badge") {
        &[Scope::Panel]
    } else if name.starts_with("popup") {
        &[Scope::Popup, Scope::PopupSelected]
    } else if matches!(scope, Scope::Text | Scope::Dim | Scope::Accent) {
        &[Scope::Background, Scope::Panel, Scope::Popup]
    } else {
        &[Scope::Background]
    }
}

#[test]
fn an_overlay_has_a_different_background_from_everything_around_it() {
    for depth in [Depth::True, Depth::Ansi256] {
        for name in built_in_names() {
            let (theme, _) = Theme::built_in(&name, depth).unwrap();
            let background = |scope| theme.style(scope).bg;
            for other in [Scope::Background, Scope::MessageCode, Scope::PopupSelected] {
                let (overlay, other) = (background(Scope::Popup), background(other));
                assert_ne!(overlay, other, "{name} at {depth:?}");
            }
        }
    }
}

#[test]
fn all_text_of_every_theme_has_enough_contrast_with_its_background() {
    for (depth, least) in [(Depth::True, 4.5), (Depth::Ansi256, 3.5)] {
        for name in built_in_names() {
            let (theme, _) = Theme::built_in(&name, depth).unwrap();
            let ratio = |ink: Color, ground: Color| {
                let (ink, ground) = (luminance(shown(ink))?, luminance(shown(ground))?);
                Some((ink.max(ground) + 0.05) / (ink.min(ground) + 0.05))
            };
            let texts = Scope::ALL.iter().filter(|it| **it != Scope::Rule);
            let mut pairs: Vec<(String, Color, Color)> = Vec::new();
            for scope in texts {
                let style = theme.style(*scope);
                for ground in grounds(*scope) {
                    // A scope with its own background is drawn on that.
                    let ground = style.bg.or(theme.style(*ground).bg);
                    let pair = style.fg.zip(ground);
                    pairs.extend(pair.map(|(ink, ground)| (scope.name().into(), ink, ground)));
                }
            }
            for ink in theme.names() {
                for ground in [Scope::Background, Scope::Panel] {
                    let ground = theme.style(ground).bg;
                    pairs.extend(ground.map(|ground| ("names".into(), *ink, ground)));
                }
            }
            for (scope, ink, ground) in pairs {
                if let Some(ratio) = ratio(ink, ground) {
                    let why = format!("{name}: {scope} {ink:?} on {ground:?} at {depth:?}");
                    assert!(ratio >= least, "{why} has a contrast of {ratio:.2}");
                }
            }
        }
    }
}

#[test]
fn with_sixteen_colours_every_theme_becomes_the_ansi_theme() {
    let (plain, _) = Theme::built_in("ansi", Depth::Ansi16).unwrap();
    for name in built_in_names() {
        let (theme, _) = Theme::built_in(&name, Depth::Ansi16).unwrap();
        for scope in Scope::ALL {
            assert_eq!(theme.style(*scope), plain.style(*scope), "{name}");
        }
    }
}

#[test]
fn a_user_theme_inherits_and_unknown_scopes_and_colours_are_reported() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write(
        "mine.toml",
        "inherits = \"dusk\"\n[palette]\nblood = \"#aa0000\"\n[scopes]\n\"message\" = \"blood\"\n\"message.text\" = { bold = true }\n\"mesage\" = \"red\"\n",
    );
    let (mine, warnings) = theme_files::load("mine", Some(directory.path()), Depth::True).unwrap();
    assert!(
        mine.style(Scope::MessageText)
            .add_modifier
            .contains(Modifier::BOLD)
    );
    assert_eq!(warnings, ["theme 'mine': unknown scope 'mesage'"]);
    write("a.toml", "inherits = \"b\"");
    write("b.toml", "inherits = \"a\"");
    write("c.toml", "inherits = \"a\"");
    write("alone.toml", "inherits = \"alone\"");
    for (name, error) in [
        ("a", "the themes 'a' and 'b' inherit from each other"),
        ("c", "the themes 'a' and 'b' inherit from each other"),
        ("alone", "the theme 'alone' inherits from itself"),
    ] {
        let circle = theme_files::load(name, Some(directory.path()), Depth::True);
        assert_eq!(circle.unwrap_err().to_string(), error);
    }
    write("bad.toml", "[scopes]\n\"ui.text\" = \"no-colour\"\n");
    let error = theme_files::load("bad", Some(directory.path()), Depth::True).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the theme 'bad' uses an unknown colour 'no-colour' (in 'ui.text')"
    );
    assert!(matches!(
        theme_files::load("../mine", Some(directory.path()), Depth::True),
        Err(ThemeError::Unknown(_))
    ));
}

#[test]
fn depth_none_has_no_colours() {
    let (theme, _) = Theme::built_in(DEFAULT, Depth::None).unwrap();
    assert!(
        Scope::ALL
            .iter()
            .all(|scope| theme.style(*scope).fg.is_none() && theme.style(*scope).bg.is_none())
    );
}

#[test]
fn every_scope_has_its_own_place() {
    for (place, scope) in Scope::ALL.iter().enumerate() {
        assert_eq!(*scope as usize, place, "{}", scope.name());
    }
}
