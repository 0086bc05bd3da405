//! Draws the separator line above the composer, with its notice, and the composer itself.

use std::fmt::Display;

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::messages::new_above;
use super::{Canvas, columns};
use crate::text;
use crate::tui::content::composer_hint::composer_hint;
use crate::tui::content::prompt::Prompt;
use crate::tui::input::keymap::{Action, Context};
use crate::tui::screen::hit_map::Target;
use crate::tui::screen::regions::Regions;
use crate::tui::state::{State, Tone};
use crate::tui::strings::fill;
use crate::tui::theme::Scope;

/// The size of the draft is shown once it reaches this fraction of the limit (numerator, denominator).
const NEAR_LIMIT: (usize, usize) = (9, 10);

pub(super) fn rule(canvas: &mut Canvas<'_>, state: &State, regions: &Regions) {
    let area = regions.rule;
    if area.is_empty() {
        return;
    }
    let inner = Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    };
    let style = canvas.style(Scope::Rule);
    let line = text::line(&canvas.look.glyphs.rule.repeat(usize::from(inner.width)));
    canvas.put(inner.x, inner.y, inner.width, &line, style);
    // The tour is shown here only if it cannot be shown in the composer: there is a draft, or it does not fit.
    let tour_step =
        tour_step(state).filter(|words| !state.composer().is_empty() || !fits(regions, words));
    let of_room = || composer_hint(state).map(|[long, short]| fitting(inner, long, short));
    let hint = selection_hint(state, inner).or_else(of_room).or(tour_step);
    let hint = hint.as_deref().map(|hint| (hint, Tone::Info));
    let notice = state.screen.notice.as_ref();
    let notice = notice.map(|it| (it.text.as_str(), it.tone));
    let words = notice.or(hint);
    if let Some((words, tone)) = words {
        let scope = match tone {
            Tone::Info => Scope::Accent,
            Tone::Problem => Scope::MessageFailed,
        };
        let style = canvas.style(scope);
        draw_notice(canvas, inner, words, style);
    }
    let has_size = draw_size(canvas, state, regions, inner);
    if !has_size && words.is_none() && regions.header.is_empty() {
        // If there is a header, it shows the number of unread messages above.
        new_above(canvas, state, inner);
    }
}

/// The keys for the selected message, if there is one: while a message is selected, letters are commands.
fn selection_hint(state: &State, rule: Rect) -> Option<String> {
    state.current()?.selected?;
    let s = state.preferences.strings;
    let key = |action| state.input.keymap.first_in(Context::Selection, action);
    if let Some((at, count)) = state
        .result_cursor()
        .map(|cursor| cursor.place(&state.hits(&cursor.hits)))
    {
        let (older, newer) = (key(Action::NextHit), key(Action::HitBefore));
        let of = |words| fill(words, &[&at, &count, &older, &newer]);
        return Some(fitting(rule, of(s.hits_hint), of(s.hits_hint_short)));
    }
    let keys = [
        Action::Reply,
        Action::EditSelected,
        Action::DeleteSelected,
        Action::ReactSelected,
        Action::WhoReacted,
        Action::CopySelected,
        Action::OpenSelected,
        Action::TurnFold,
    ]
    .map(key);
    let keys: Vec<&dyn Display> = keys.iter().map(|key| key as &dyn Display).collect();
    let of = |words| fill(words, &keys);
    Some(fitting(
        rule,
        of(s.selection_hint),
        of(s.selection_hint_short),
    ))
}

/// Draws the size of the draft at the right end of the separator line, if [`size`] returns any text. Returns whether
/// it did.
fn draw_size(canvas: &mut Canvas<'_>, state: &State, regions: &Regions, rule: Rect) -> bool {
    let (is_over, words) = size(canvas, state, regions);
    if words.is_empty() {
        return false;
    }
    let scope = if is_over {
        Scope::MessageFailed
    } else {
        Scope::ComposerLimit
    };
    let style = canvas.style(scope);
    let words = text::line(&format!(" {} ", words.join(" · ")));
    canvas.put_right(rule, 0, &words, style);
    true
}

/// The size of the draft: rows above the visible ones, and lines and bytes if they are near their limits. The flag is true if a limit
/// is exceeded.
fn size(canvas: &Canvas<'_>, state: &State, regions: &Regions) -> (bool, Vec<String>) {
    let (composer, limits) = (state.composer(), &state.connection.limits);
    let mut words = Vec::new();
    if regions.above > 0 {
        words.push(format!("{} {}", canvas.look.glyphs.above, regions.above));
    }
    let is_near = |size: usize, limit: usize| size * NEAR_LIMIT.1 >= limit * NEAR_LIMIT.0;
    let (bytes, lines) = (composer.bytes(), composer.lines());
    if is_near(lines, limits.body_lines) {
        let (lines, limit) = (grouped(lines), grouped(limits.body_lines));
        words.push(fill(state.preferences.strings.lines_of, &[&lines, &limit]));
    }
    if is_near(bytes, limits.body_bytes) {
        words.push(format!(
            "{} / {}",
            grouped(bytes),
            grouped(limits.body_bytes)
        ));
    }
    (
        bytes > limits.body_bytes || lines > limits.body_lines,
        words,
    )
}

/// The text of the current step of the tour.
fn tour_step(state: &State) -> Option<String> {
    let guide = state.screen.guide.as_ref()?;
    Some(guide.words(
        state.preferences.strings,
        &state.input.keymap,
        state.screen.is_plain,
    ))
}

/// Whether a text fits after the prompt.
fn fits(regions: &Regions, words: &str) -> bool {
    columns(words) < regions.composer.width.saturating_sub(regions.prompt + 1)
}

/// The longer text if it fits one row, else the shorter one. A second row would cover the selected message.
fn fitting(rule: Rect, long: String, short: String) -> String {
    if columns(&long) + 4 <= rule.width {
        long
    } else {
        short
    }
}

/// The maximum number of rows for a notice above the composer.
const ROWS: usize = 4;

/// Draws a text in the separator line. If it is too long for one row, it starts above that line.
fn draw_notice(canvas: &mut Canvas<'_>, rule: Rect, words: &str, style: Style) {
    let words = text::line(words);
    let columns = usize::from(rule.width.saturating_sub(3).max(1));
    let rows = text::wrap(words.as_str(), columns);
    let rows = &rows[..rows.len().min(ROWS).min(usize::from(rule.y) + 1)];
    let first = rule.y - u16::try_from(rows.len().saturating_sub(1)).unwrap_or(0);
    for (y, range) in (first..).zip(rows) {
        let line = text::line(&format!(" {} ", words.slice(range.clone())));
        if y < rule.y {
            canvas.clear(Rect { y, ..rule }, Scope::Background);
        }
        let width = rule.width.saturating_sub(1);
        canvas.put(rule.x + 1, y, width, &line, style);
    }
}

/// Formats a number with commas between groups of three digits: `8,192`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Draws the prompt and the draft, and returns the cursor position.
pub(super) fn composer(
    canvas: &mut Canvas<'_>,
    state: &State,
    prompt: &Prompt,
    regions: &Regions,
) -> Option<(u16, u16)> {
    let area = regions.composer;
    if area.is_empty() {
        return None;
    }
    let scope = if prompt.is_private {
        Scope::ComposerPrivate
    } else {
        Scope::ComposerPrompt
    };
    let style = canvas.style(scope);
    let shown = text::line(&prompt.text);
    if columns(shown.as_str()) <= regions.prompt {
        canvas.put(area.x, area.y, regions.prompt, &shown, style);
    } else if regions.prompt > 2 {
        // A name that is too long is cut, but the `›` after it stays.
        let name = text::cut(
            prompt.text.trim_end_matches([' ', '›']),
            usize::from(regions.prompt - 2),
        );
        canvas.put(
            area.x,
            area.y,
            regions.prompt,
            &text::line(&format!("{name}› ")),
            style,
        );
    }
    let left = area.x + regions.prompt;
    let width = area.width.saturating_sub(regions.prompt + 1).max(1);
    let laid = state.composer().layout(usize::from(width));
    let (row, column) = laid.cursor;
    let (height, first) = (usize::from(area.height), regions.above);
    canvas.target(
        Rect {
            x: left,
            width: width + 1,
            ..area
        },
        Target::Composer { first },
    );
    let style = canvas.style(Scope::Composer);
    for (y, line) in (area.y..).zip(laid.rows.iter().skip(first).take(height)) {
        canvas.put(left, y, width + 1, &text::line(line), style);
    }
    let tour_step =
        tour_step(state).filter(|words| state.composer().is_empty() && fits(regions, words));
    if let Some(words) = tour_step {
        let style = canvas.style(Scope::Accent);
        canvas.put(left + 1, area.y, width, &text::line(&words), style);
    }
    let x = left + u16::try_from(column).unwrap_or(u16::MAX).min(width);
    Some((x, area.y + u16::try_from(row - first).unwrap_or(0)))
}
