//! Draws what is on top of everything else: completions and overlays.

use ratatui::layout::Rect;

use super::{Canvas, clear_overlay, columns, place};
use crate::text;
use crate::tui::content::{help, link_details, reactions};
use crate::tui::input::completion::{self, Offer};
use crate::tui::input::composer::Composer;
use crate::tui::screen::hit_map::Target;
use crate::tui::screen::regions::{OVERLAY_COLUMNS, Regions};
use crate::tui::state::{Overlay, State};
use crate::tui::strings::{Strings, fill};
use crate::tui::theme::Scope;

/// Draws the completions above the composer.
pub(super) fn popup(canvas: &mut Canvas<'_>, state: &State, regions: &Regions) {
    let popup = state.input.popup.as_ref();
    let Some(popup) = popup.filter(|_| state.overlays.top.is_none()) else {
        return;
    };
    let above = regions.rule.y;
    let rows = u16::try_from(popup.offers.len())
        .unwrap_or(u16::MAX)
        .min(above);
    if rows == 0 || regions.composer.is_empty() {
        return;
    }
    let widest = |part: fn(&Offer) -> &str| {
        let parts = popup.offers.iter().map(|offer| columns(part(offer)));
        parts.max().unwrap_or(0)
    };
    let text_columns = widest(|offer| &offer.text);
    let width = (text_columns + widest(|offer| &offer.about) + 5)
        .min(OVERLAY_COLUMNS)
        .min(regions.composer.width);
    let x = regions.prompt.saturating_sub(1);
    let x = x.min(regions.composer.width - width);
    let area = Rect::new(x, above - rows, width, rows);
    canvas.clear(area, Scope::Popup);
    for ((n, offer), y) in popup.offers.iter().enumerate().zip(area.y..area.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        draw_offer(canvas, row, offer, text_columns, popup.chosen == Some(n));
        canvas.target(row, Target::Offer(n));
    }
}

/// Draws a completion: its text, then its description in a second column.
fn draw_offer(
    canvas: &mut Canvas<'_>,
    row: Rect,
    offer: &Offer,
    text_columns: u16,
    is_chosen: bool,
) {
    let scope = if is_chosen {
        Scope::PopupSelected
    } else {
        Scope::Popup
    };
    canvas.fill(row, scope);
    let style = canvas.style(scope);
    let width = row.width.saturating_sub(2);
    canvas.put(row.x + 1, row.y, width, &text::line(&offer.text), style);
    let x = row.x + 1 + text_columns + 2;
    let style = style.patch(canvas.style(Scope::Dim));
    let width = (row.right().saturating_sub(1)).saturating_sub(x);
    canvas.put(x, row.y, width, &text::line(&offer.about), style);
}

/// Draws the overlay, if one is open. Returns the cursor position if it has a text field.
pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    state: &State,
    regions: &Regions,
) -> Option<(u16, u16)> {
    let overlay = state.overlays.top.as_ref()?;
    let columns = regions.overlay().width;
    let s = state.preferences.strings;
    match overlay {
        Overlay::Help { filter, scroll } => {
            let lines = help::help(s, &state.input.keymap, columns, &filter.text());
            let (title, filter) = (s.help_title, Some(&**filter));
            list(canvas, state, regions, title, &lines, *scroll, filter)
        }
        Overlay::List {
            title,
            lines,
            scroll,
        } => list(canvas, state, regions, title, lines, *scroll, None),
        Overlay::Link { report, scroll } => {
            let lines = link_details::lines(state, report, columns);
            list(canvas, state, regions, s.link_title, &lines, *scroll, None)
        }
        Overlay::Name {
            why,
            proposed_name: proposal,
            composer,
        } => Some(ask_name(canvas, state, regions, why, proposal, composer)),
        Overlay::Trust {
            server,
            pin,
            composer,
        } => {
            let words = (s.trust.title, s.trust.prompt);
            let about = fill(s.trust.about, &[server]);
            let why = format!("{about}\n{}\n{}", pin.groups(), s.trust.compare);
            Some(ask(canvas, regions, place, words, &why, composer))
        }
        Overlay::Pick(picker) => Some(super::picker::draw(canvas, state, regions, picker)),
        Overlay::Snippet { text, composer } => {
            let why = snippet_words(state, text);
            let words = (s.snippet_title, s.snippet_prompt);
            // The question is about text for the composer, so it is drawn next to the composer.
            Some(ask(canvas, regions, place_below, words, &why, composer))
        }
        Overlay::React { composer, .. } => {
            let why = reaction_words(s, composer);
            let words = (s.react_title, "›");
            Some(ask(canvas, regions, place, words, &why, composer))
        }
    }
}

/// Draws the prompt that asks for a name. As long as nothing is typed, the field shows the proposed name.
fn ask_name(
    canvas: &mut Canvas<'_>,
    state: &State,
    regions: &Regions,
    why: &str,
    proposal: &str,
    composer: &Composer,
) -> (u16, u16) {
    let s = state.preferences.strings;
    let title = if proposal.is_empty() {
        s.name_title
    } else {
        s.name_first_title
    };
    let words = (title, s.name_prompt);
    let (x, y) = ask(canvas, regions, place, words, why, composer);
    if composer.is_empty() {
        let popup = canvas.style(Scope::Popup);
        let dim = popup.patch(canvas.style(Scope::Dim));
        let width = regions.overlay().right().saturating_sub(x);
        canvas.put(x, y, width, &text::line(proposal), dim);
    }
    (x, y)
}

/// The question about a pasted text: what each key does with it, and whether it is too long for a code block.
fn snippet_words(state: &State, text: &str) -> String {
    let s = state.preferences.strings;
    let lines = text.lines().count();
    let why = fill(s.snippet_hint, &[&lines]);
    // A code block adds a fence before and after it.
    let (lines, limits) = (lines + 2, &state.connection.limits);
    if lines <= limits.body_lines && text.len() <= limits.body_bytes {
        return why;
    }
    let sizes: [&dyn std::fmt::Display; 4] =
        [&lines, &limits.body_lines, &text.len(), &limits.body_bytes];
    format!("{why}\n{}", fill(s.snippet_too_long, &sizes))
}

/// The emoji to react with: a few with numbers, and those that match the typed text, each followed by its short name.
fn reaction_words(s: &Strings, composer: &Composer) -> String {
    let offers = reactions::OFFERED.iter().zip(1..);
    // The no-break space keeps a number and its emoji on one line.
    let offers: Vec<String> = offers.map(|(it, n)| format!("{n}\u{a0}{it}")).collect();
    let why = format!("{}\n{}", offers.join("   "), s.react_hint);
    // Each emoji is followed by its short name, which is the first word of `about`.
    let like = completion::emoji_like(composer.text().trim()).into_iter();
    let like = like.map(|it| {
        let name = it.about.split(' ').next().unwrap_or_default();
        format!("{}\u{a0}{name}", it.text)
    });
    let like: Vec<String> = like.collect();
    if like.is_empty() {
        return why;
    }
    format!("{why}\n{}", like.join("   "))
}

/// Like [`place`], but directly above the composer.
fn place_below(regions: &Regions, rows: u16) -> Rect {
    let body = regions.overlay();
    let height = rows.min(body.height);
    Rect {
        y: body.bottom() - height,
        height,
        ..body
    }
}

/// Draws a list of lines to read. If it has a filter, draws that too and returns the cursor position.
fn list(
    canvas: &mut Canvas<'_>,
    state: &State,
    regions: &Regions,
    title: &str,
    lines: &[String],
    scroll: usize,
    filter: Option<&Composer>,
) -> Option<(u16, u16)> {
    let s = state.preferences.strings;
    let area = place(regions, u16::try_from(lines.len() + 2).unwrap_or(u16::MAX));
    // The title must not overlap the filter or the hint at the end of its row.
    let room = match filter {
        Some(_) => (area.width / 2).saturating_sub(2),
        None => area.width.saturating_sub(columns(s.close_hint) + 4),
    };
    let title = text::line(&text::cut(title, usize::from(room)));
    let accent = clear_overlay(canvas, regions, area, &title);
    let label = (true, s.lobby_filter);
    let cursor = filter.map(|it| super::picker::filter(canvas, area, it, label, accent));
    // If there is a filter, the hint moves to the last row.
    let row = filter.map_or(0, |_| area.height.saturating_sub(1));
    if filter.is_none() || area.height > 2 {
        let dim = canvas.style(Scope::Popup).patch(canvas.style(Scope::Dim));
        let row_area = Rect {
            width: area.width.saturating_sub(1),
            ..area
        };
        canvas.put_right(row_area, row, &s.close_hint.into(), dim);
    }
    list_lines(canvas, area, lines, scroll);
    cursor
}

/// Draws the lines of a list from `scroll` on, and in the last row how many more there are.
fn list_lines(canvas: &mut Canvas<'_>, area: Rect, lines: &[String], scroll: usize) {
    let style = canvas.style(Scope::Popup);
    let (x, width) = (area.x + 2, area.width.saturating_sub(4));
    let shown = usize::from(area.height.saturating_sub(2));
    let first = scroll.min(lines.len().saturating_sub(shown));
    for (y, line) in (area.y + 1..).zip(lines.iter().skip(first).take(shown)) {
        canvas.put(x, y, width, &text::line(line), style);
    }
    let below = lines.len().saturating_sub(first + shown);
    if below > 0 && area.height > 2 {
        let more = text::line(&format!("{} {below}", canvas.look.glyphs.below));
        let dim = style.patch(canvas.style(Scope::Dim));
        canvas.put(x, area.bottom() - 1, width, &more, dim);
    }
}

/// Draws a question with a text field: its title, an explanation, and the prompt before the field. Returns the cursor position.
fn ask(
    canvas: &mut Canvas<'_>,
    regions: &Regions,
    place: fn(&Regions, u16) -> Rect,
    (title, prompt): (&str, &str),
    why: &str,
    composer: &Composer,
) -> (u16, u16) {
    let inner = usize::from(regions.overlay().width.saturating_sub(4).max(1));
    let reasons = text::wrap(why, inner);
    let area = place(
        regions,
        u16::try_from(reasons.len() + 4).unwrap_or(u16::MAX),
    );
    let accent = clear_overlay(canvas, regions, area, &text::line(title));
    let style = canvas.style(Scope::Popup);
    let mut y = area.y + 1;
    // On a short screen the text field matters more than the end of the explanation.
    for range in reasons
        .into_iter()
        .take(usize::from(area.height.saturating_sub(2)))
    {
        let line = text::line(why.get(range).unwrap_or_default());
        canvas.put(area.x + 2, y, area.width.saturating_sub(4), &line, style);
        y += 1;
    }
    let y = (y + 1).min(area.bottom().saturating_sub(1));
    let used = canvas.put(
        area.x + 2,
        y,
        area.width.saturating_sub(4),
        &text::line(prompt),
        accent,
    );
    let x = area.x + 2 + used + 1;
    let width = area.right().saturating_sub(x + 1).max(1);
    let (line, cursor) = composer.layout_line(usize::from(width));
    canvas.put(x, y, width, &text::line(&line), style);
    (x + u16::try_from(cursor).unwrap_or(0), y)
}
