//! `/set`: lists settings with their values and sources, changes them at once, and saves them with `--save`.

use super::personal;
use crate::text;
use crate::tui::event::Effect;
use crate::tui::settings::{Setting, Source};
use crate::tui::state::{Overlay, State, Tone};
use crate::tui::strings::fill;

pub(super) fn run(state: &mut State, argument: &str) -> Vec<Effect> {
    let mut words: Vec<&str> = argument.split_whitespace().collect();
    let before = words.len();
    words.retain(|word| *word != "--save");
    let is_saved = words.len() < before;
    let Some((name, rest)) = words.split_first() else {
        list(state);
        return Vec::new();
    };
    let Some(setting) = Setting::of(name) else {
        let all = Setting::ALL.iter().map(|(known, _)| *known);
        let near = all.min_by_key(|known| strsim::damerau_levenshtein(known, name));
        let words = fill(
            state.preferences.strings.setting_unknown,
            &[name, &near.unwrap_or_default()],
        );
        return refuse(state, argument, &words);
    };
    let value = match rest {
        // Saves the current value.
        [] if is_saved => setting.value(state),
        [] => {
            show_value(state, setting);
            return Vec::new();
        }
        [value] => (*value).to_owned(),
        words if setting.is_text() => words.join(" "),
        _ => {
            let usage = state
                .preferences
                .strings
                .command(crate::tui::input::command::CommandName::Set)
                .usage;
            let words = fill(state.preferences.strings.usage, &[&usage]);
            return refuse(state, argument, &words);
        }
    };
    let Some(value) = setting.resolve_value(&value, state) else {
        let all = match setting {
            Setting::NotifyCommand => state.preferences.strings.setting_quote.to_owned(),
            Setting::TimeFormat => {
                let all = setting.values(state).join(", ");
                fill(state.preferences.strings.setting_pattern, &[&all])
            }
            _ => setting.values(state).join(", "),
        };
        let words = fill(
            state.preferences.strings.setting_values,
            &[name, &value, &all],
        );
        return refuse(state, argument, &words);
    };
    let mut effects = set(state, setting, &value);
    if is_saved {
        effects.push(Effect::Save(setting, value));
    }
    effects
}

/// Reports a problem with the command, which stays in the composer to be corrected.
fn refuse(state: &mut State, argument: &str, words: &str) -> Vec<Effect> {
    state.show_notice(Tone::Problem, text::line(words).to_string());
    state.composer_mut().set(&format!("/set {argument}"));
    Vec::new()
}

/// Shows the value of a setting.
pub(super) fn show_value(state: &mut State, setting: Setting) {
    let value = setting.value(state);
    report_value(state, setting.name(), &value);
}

fn report_value(state: &mut State, name: &str, value: &str) {
    let words = fill(state.preferences.strings.setting_is, &[&name, &value]);
    state.show_notice(Tone::Info, words);
}

fn set(state: &mut State, setting: Setting, value: &str) -> Vec<Effect> {
    let is_changed = setting.value(state) != value;
    setting.apply(state, value);
    report_value(state, setting.name(), value);
    if !is_changed {
        return Vec::new();
    }
    match setting {
        Setting::Theme => vec![Effect::Theme(value.to_owned())],
        Setting::Lang => {
            personal::rebuild_items(state);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn list(state: &mut State) {
    let s = state.preferences.strings;
    let lines = |(name, setting): &(&str, Setting)| {
        let source = match setting.source(state) {
            Source::Default => s.from_default,
            Source::File => s.from_file,
            Source::Flag => s.from_flag,
            Source::Now => s.from_now,
        };
        // Two short lines, so that they fit on a narrow screen.
        [
            format!("{name} = {} · {source}", setting.value(state)),
            format!("    {}", (s.settings)(*setting)),
        ]
    };
    state.overlays.top = Some(Overlay::List {
        title: s.settings_title.to_owned(),
        lines: Setting::ALL.iter().flat_map(lines).collect(),
        scroll: 0,
    });
}

/// Reports whether the config file was written.
pub(super) fn saved(
    state: &mut State,
    setting: Setting,
    value: String,
    saved: Result<String, String>,
) {
    match saved {
        Ok(path) => {
            state
                .preferences
                .saved_settings
                .insert(setting, (Source::File, value));
            let words = fill(
                state.preferences.strings.setting_saved,
                &[&text::line(&path)],
            );
            state.show_notice(Tone::Info, words);
        }
        Err(why) => state.show_notice(Tone::Problem, text::line(&why).to_string()),
    }
}
