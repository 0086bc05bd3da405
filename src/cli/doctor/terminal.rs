//! Checks what the terminal can do.

use std::io::{self, IsTerminal};
use std::process::Command;

use super::{Finding, WITHIN, with_timeout};
use crate::config::is_dumb;
use crate::tui::strings::{Doctor, Strings, fill};
use crate::tui::terminal::caps::{Caps, NotifyMethod};
use crate::tui::terminal::{self, Input, Misdrawn, Probed, Questions, SampleKind};
use crate::tui::theme::{Background, Depth};

/// How long tmux may wait after Esc for the rest of a key sequence. Users notice a longer delay.
const ESCAPE_MS: u64 = 50;

/// Runs the checks. `caps` are the capabilities in use; `of_terminal` are those detected without the config file.
pub fn check(caps: Caps, of_terminal: Caps, s: &'static Strings) -> Vec<Finding> {
    let d = s.doctor;
    let has_terminal = io::stdout().is_terminal() && io::stdin().is_terminal();
    // A dumb terminal would display the test sequences.
    let is_terminal = has_terminal && !is_dumb();
    let ground = is_terminal.then(query_background).flatten();
    let probed = is_terminal.then(terminal::probe).and_then(Result::ok);
    let mut findings = vec![
        if is_terminal {
            Finding::ok(d.screen, d.screen_ok)
        } else if has_terminal {
            Finding::note(d.screen, d.screen_dumb)
        } else {
            Finding::note(d.screen, d.screen_none).with_hint(d.screen_none_next)
        },
        colours(caps.depth, is_dumb(), d),
        background(ground, is_terminal, d),
        characters(caps.unicode, of_terminal.unicode, d),
    ];
    if let Some(probed) = &probed {
        findings.extend(widths(probed, caps.unicode, d));
        findings.push(if probed.distinguishes_keys {
            Finding::ok(d.keys, d.keys_distinct)
        } else {
            Finding::note(d.keys, d.keys_same)
        });
    }
    if !caps.notifier.in_tmux {
        // No terminal reports whether it accepts copied text.
        findings.push(Finding::note(d.clipboard, d.clipboard_is));
    }
    findings.push(notifications(caps, d));
    if caps.notifier.in_tmux {
        let way = caps.notifier.method();
        findings.extend(with_timeout("tmux", WITHIN, d, move || tmux(way, d)));
    }
    findings
}

/// Queries the terminal for its background colour.
fn query_background() -> Option<Background> {
    let questions = Questions {
        ground: true,
        ambiguous: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    crossterm::terminal::enable_raw_mode().ok()?;
    let answers = runtime.block_on(async {
        let mut input = Input::new().ok()?;
        let answers = terminal::ask(&mut input, questions).await;
        input.drain().await;
        Some(answers)
    });
    let _restored = crossterm::terminal::disable_raw_mode();
    answers?.ground
}

fn colours(depth: Depth, is_dumb: bool, d: &Doctor) -> Finding {
    match depth {
        Depth::None if is_dumb => Finding::note(d.colours, d.colours_dumb),
        Depth::None => Finding::note(d.colours, d.colours_off).with_hint("unset NO_COLOR"),
        Depth::True => Finding::ok(d.colours, d.colours_true),
        Depth::Ansi256 => Finding::ok(d.colours, "256"),
        Depth::Ansi16 => {
            Finding::note(d.colours, d.colours_few).with_hint("export TERM=xterm-256color")
        }
    }
}

fn background(ground: Option<Background>, is_terminal: bool, d: &Doctor) -> Finding {
    match ground {
        Some(Background::Dark) => Finding::ok(d.background, d.dark),
        Some(Background::Light) => Finding::ok(d.background, d.light),
        None if !is_terminal => Finding::note(d.background, d.background_unasked),
        None => Finding::note(d.background, d.background_unknown).with_hint(d.background_next),
    }
}

fn characters(is_unicode: bool, can: bool, d: &Doctor) -> Finding {
    if is_unicode {
        Finding::ok(d.characters, "UTF-8")
    } else if can {
        Finding::note(d.characters, d.characters_ascii_signs)
    } else {
        Finding::problem(d.characters, d.characters_ascii, "export LC_ALL=C.UTF-8")
    }
}

fn widths(probed: &Probed, has_symbols: bool, d: &Doctor) -> Vec<Finding> {
    let Some(misdrawn) = &probed.misdrawn else {
        return vec![Finding::note(d.widths, d.widths_untested)];
    };
    let matters = |it: &Misdrawn| it.kind != SampleKind::Signs || has_symbols;
    if !misdrawn.iter().any(matters) {
        return vec![Finding::ok(d.widths, d.widths_ok)];
    }
    let of = |of: SampleKind| {
        let all = misdrawn.iter().filter(move |it| it.kind == of);
        let all = all.map(|it| fill(d.width_is, &[&it.sample, &it.actual, &it.expected]));
        all.collect::<Vec<_>>().join(", ")
    };
    let words = |what: String| fill(d.widths_differ, &[&what]);
    let (signs, text, emoji) = (
        of(SampleKind::Signs),
        of(SampleKind::Text),
        of(SampleKind::Emoji),
    );
    let mut findings = Vec::new();
    // ASCII symbols have the same width everywhere.
    if !signs.is_empty() && has_symbols {
        findings.push(Finding::problem(d.signs, words(signs), d.signs_next));
    }
    if !text.is_empty() {
        findings.push(Finding::problem(d.widths, words(text), d.widths_next));
    }
    if !emoji.is_empty() {
        findings.push(Finding::note(d.emoji, words(emoji)).with_hint(d.emoji_next));
    }
    findings
}

fn notifications(caps: Caps, d: &Doctor) -> Finding {
    let number = match caps.notifier.method() {
        NotifyMethod::Off => {
            return Finding::note(d.notifications, d.notifications_off)
                .with_hint("/set notifications auto --save");
        }
        NotifyMethod::Bell => return Finding::ok(d.notifications, d.notifications_bell),
        NotifyMethod::Osc9 => 9,
        NotifyMethod::Osc99 => 99,
        NotifyMethod::Osc777 => 777,
    };
    Finding::ok(d.notifications, fill(d.notifications_by, &[&number]))
}

/// Checks the options of tmux that tchat needs.
fn tmux(way: NotifyMethod, d: &'static Doctor) -> Vec<Finding> {
    // The bell needs no option.
    let notifies = matches!(
        way,
        NotifyMethod::Osc9 | NotifyMethod::Osc99 | NotifyMethod::Osc777
    );
    let mut findings = Vec::new();
    let needs = [
        (
            d.clipboard,
            "set-clipboard",
            ["on", "external"],
            d.tmux_clipboard,
            "set -s set-clipboard on",
        ),
        (
            d.notifications,
            "allow-passthrough",
            ["on", "all"],
            d.tmux_notifications,
            "set -g allow-passthrough on",
        ),
        (
            d.focus,
            "focus-events",
            ["on", "on"],
            d.tmux_focus,
            "set -g focus-events on",
        ),
    ];
    for (what, option, wanted, words, line) in needs {
        let is_needed = what != d.notifications || notifies;
        let Some(value) = tmux_option(option).filter(|_| is_needed) else {
            continue;
        };
        findings.push(if wanted.contains(&value.as_str()) {
            Finding::ok(what, fill(d.tmux_is, &[&option, &value]))
        } else {
            let words = fill(words, &[&option, &value]);
            Finding::problem(what, words, fill(d.tmux_next, &[&line]))
        });
    }
    let escape = tmux_option("escape-time").and_then(|value| value.parse::<u64>().ok());
    if let Some(escape) = escape {
        findings.push(if escape > ESCAPE_MS {
            let next = fill(d.tmux_next, &[&"set -s escape-time 10"]);
            Finding::problem(d.keys, fill(d.tmux_escape, &[&escape]), next)
        } else {
            Finding::ok(d.keys, fill(d.tmux_is, &[&"escape-time", &escape]))
        });
    }
    findings
}

fn tmux_option(name: &str) -> Option<String> {
    let said = |scope: &str| {
        let said = Command::new("tmux")
            .args(["show", scope, name])
            .output()
            .ok()?;
        let value = String::from_utf8(said.stdout).ok()?.trim().to_owned();
        (said.status.success() && !value.is_empty()).then_some(value)
    };
    said("-gv").or_else(|| said("-sv"))
}
