//! What the terminal can do.

use std::io::{self, IsTerminal};
use std::process::Command;

use super::Finding;
use crate::config::is_dumb;
use crate::tui::caps::{Caps, Way};
use crate::tui::terminal::{self, Input, Misdrawn, Of, Probed, Questions};
use crate::tui::theme::{Depth, Ground};

/// tmux waits this long for what may follow Esc; more is felt.
const ESCAPE_MS: u64 = 50;

/// Looks at it. `of_terminal` is what it can do whatever a config file says.
pub fn look(caps: Caps, of_terminal: Caps) -> Vec<Finding> {
    let has_terminal = io::stdout().is_terminal() && io::stdin().is_terminal();
    // One that knows no places would show what is tried.
    let is_terminal = has_terminal && !is_dumb();
    let ground = is_terminal.then(asked_ground).flatten();
    let probed = is_terminal.then(terminal::probe).and_then(Result::ok);
    let mut findings = vec![
        if is_terminal {
            Finding::well("screen", "a terminal that can be drawn on")
        } else if has_terminal {
            Finding::note(
                "screen",
                "it knows no places, as TERM says; tchat goes line by line here",
            )
        } else {
            Finding::note(
                "screen",
                "this is no terminal, and was not asked what it can do",
            )
            .or("run it where you chat, or chat line by line with `tchat --plain`")
        },
        colours(caps.depth, is_dumb()),
        self::ground(ground, is_terminal),
        characters(caps.unicode, of_terminal.unicode),
    ];
    if let Some(probed) = &probed {
        findings.extend(widths(probed, caps.unicode));
        findings.push(keys(probed));
    }
    if !caps.notifier.in_tmux {
        findings.push(clipboard());
    }
    findings.push(notifications(caps));
    if caps.notifier.in_tmux {
        findings.extend(tmux(caps.notifier.way()));
    }
    findings
}

/// The background by the terminal's own word.
fn asked_ground() -> Option<Ground> {
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

fn colours(depth: Depth, is_dumb: bool) -> Finding {
    match depth {
        Depth::None if is_dumb => Finding::note("colours", "none, as TERM says"),
        Depth::True => Finding::well("colours", "16 million"),
        Depth::Ansi256 => Finding::well("colours", "256"),
        Depth::Ansi16 => {
            Finding::note("colours", "16, as far as TERM says").or("export TERM=xterm-256color")
        }
        Depth::None => Finding::note("colours", "none, as NO_COLOR says").or("unset NO_COLOR"),
    }
}

fn ground(ground: Option<Ground>, is_terminal: bool) -> Finding {
    match ground {
        Some(Ground::Dark) => Finding::well("ground", "dark, by the terminal's own word"),
        Some(Ground::Light) => Finding::well("ground", "light, by the terminal's own word"),
        None if !is_terminal => Finding::note("ground", "not asked; taken for dark"),
        None => Finding::note("ground", "the terminal does not say; taken for dark")
            .or("on a light one: theme = \"paper\" in the config file"),
    }
}

fn characters(is_unicode: bool, can: bool) -> Finding {
    if is_unicode {
        Finding::well("characters", "UTF-8")
    } else if can {
        Finding::note(
            "characters",
            "UTF-8; signs in ASCII, as glyphs in the config file says",
        )
    } else {
        let words = "only ASCII, as the locale says: people's words may not show";
        Finding::wrong("characters", words, "export LC_ALL=C.UTF-8")
    }
}

fn widths(probed: &Probed, has_signs: bool) -> Vec<Finding> {
    let Some(misdrawn) = &probed.misdrawn else {
        let words = "the terminal does not say where its cursor is; widths were not tried";
        return vec![Finding::note("widths", words)];
    };
    let matters = |it: &Misdrawn| it.of != Of::Signs || has_signs;
    if !misdrawn.iter().any(matters) {
        return vec![Finding::well(
            "widths",
            "Chinese, emoji and signs as they are reckoned with",
        )];
    }
    let of = |of: Of| {
        let all = misdrawn.iter().filter(move |it| it.of == of);
        let all = all.map(|it| format!("{} {} for {}", it.sample, it.shown, it.reckoned));
        all.collect::<Vec<_>>().join(", ")
    };
    let words = |what: String| format!("columns drawn for those reckoned with: {what}");
    let (signs, text, emoji) = (of(Of::Signs), of(Of::Text), of(Of::Emoji));
    let mut findings = Vec::new();
    // Signs in ASCII are as wide as they are everywhere.
    if !signs.is_empty() && has_signs {
        let mend = "ambiguous characters narrow in the terminal's settings, or glyphs = \"ascii\" in the config file";
        findings.push(Finding::wrong("signs", words(signs), mend));
    }
    if !text.is_empty() {
        let mend = "another terminal: lines with such text will shift in this one";
        findings.push(Finding::wrong("widths", words(text), mend));
    }
    if !emoji.is_empty() {
        let other = "a newer terminal (or tmux) draws them as one; until then such lines may shift";
        findings.push(Finding::note("emoji", words(emoji)).or(other));
    }
    findings
}

fn keys(probed: &Probed) -> Finding {
    if probed.tells_keys {
        Finding::well(
            "keys",
            "the terminal can tell Shift+Enter from Enter; Alt+Enter and Ctrl+J make a new line everywhere",
        )
    } else {
        Finding::note(
            "keys",
            "Shift+Enter may be Enter here; Alt+Enter and Ctrl+J make a new line everywhere",
        )
    }
}

fn clipboard() -> Finding {
    // No terminal says whether it takes it.
    Finding::note(
        "clipboard",
        "y copies by OSC 52, which a terminal may take or pass over; Shift and the mouse select in all of them",
    )
}

fn notifications(caps: Caps) -> Finding {
    let words = match caps.notifier.way() {
        Way::Off => {
            return Finding::note("notifications", "off").or("/set notifications auto --save");
        }
        Way::Bell => "by the bell",
        Way::Osc9 => "by OSC 9",
        Way::Osc99 => "by OSC 99",
        Way::Osc777 => "by OSC 777",
    };
    Finding::well("notifications", words)
}

/// What tmux has to let through.
fn tmux(way: Way) -> Vec<Finding> {
    // The bell needs no help.
    let notifies = matches!(way, Way::Osc9 | Way::Osc99 | Way::Osc777);
    let mut findings = Vec::new();
    let needs = [
        (
            "clipboard",
            "set-clipboard",
            ["on", "external"],
            "what is copied stays in tmux",
            "set -s set-clipboard on",
        ),
        (
            "notifications",
            "allow-passthrough",
            ["on", "all"],
            "tmux keeps them to itself, but for the bell",
            "set -g allow-passthrough on",
        ),
        (
            "focus",
            "focus-events",
            ["on", "on"],
            "tmux does not say who has the keyboard",
            "set -g focus-events on",
        ),
    ];
    for (what, option, wanted, words, mend) in needs {
        let is_needed = what != "notifications" || notifies;
        let Some(value) = option_of_tmux(option).filter(|_| is_needed) else {
            continue;
        };
        findings.push(if wanted.contains(&value.as_str()) {
            Finding::well(what, format!("tmux: {option} {value}"))
        } else {
            Finding::wrong(what, format!("{words} ({option} {value})"), in_tmux(mend))
        });
    }
    let escape = option_of_tmux("escape-time").and_then(|value| value.parse::<u64>().ok());
    if let Some(escape) = escape {
        findings.push(if escape > ESCAPE_MS {
            let words = format!("tmux holds Esc back for {escape} ms");
            Finding::wrong("keys", words, in_tmux("set -s escape-time 10"))
        } else {
            Finding::well("keys", format!("tmux: escape-time {escape} ms"))
        });
    }
    findings
}

/// Says it to the tmux that runs, and to every later one.
fn in_tmux(line: &str) -> String {
    format!("tmux {line}; and for later in ~/.tmux.conf: {line}")
}

fn option_of_tmux(name: &str) -> Option<String> {
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
