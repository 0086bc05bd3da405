//! What lies over the rest: completions, and the overlays.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Canvas, columns};
use crate::text::{self, SafeText};
use crate::tui::composer::Composer;
use crate::tui::regions::Regions;
use crate::tui::state::{Overlay, State};
use crate::tui::strings::fill;
use crate::tui::targets::Target;
use crate::tui::theme::Scope;
use crate::tui::update::{REACTIONS, help, link};

/// The widest an overlay grows.
const WIDEST: u16 = 72;

/// Completions, above the composer.
pub(super) fn popup(canvas: &mut Canvas<'_>, state: &State, regions: &Regions) {
    let Some(popup) = state.popup.as_ref().filter(|_| state.overlay.is_none()) else {
        return;
    };
    let above = regions.rule.y;
    let rows = u16::try_from(popup.offers.len())
        .unwrap_or(u16::MAX)
        .min(above);
    if rows == 0 || regions.composer.is_empty() {
        return;
    }
    let widest = popup
        .offers
        .iter()
        .map(|offer| columns(&offer.text))
        .max()
        .unwrap_or(0);
    let about = popup
        .offers
        .iter()
        .map(|offer| columns(&offer.about))
        .max()
        .unwrap_or(0);
    let width = (widest + about + 5).min(WIDEST).min(regions.composer.width);
    let area = Rect::new(
        regions
            .prompt
            .saturating_sub(1)
            .min(regions.composer.width - width),
        above - rows,
        width,
        rows,
    );
    canvas.clear(area, Scope::Popup);
    for (n, offer) in popup.offers.iter().take(usize::from(rows)).enumerate() {
        let y = area.y + u16::try_from(n).unwrap_or(0);
        let scope = if popup.chosen == Some(n) {
            Scope::PopupSelected
        } else {
            Scope::Popup
        };
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        canvas.fill(row, scope);
        canvas.target(row, Target::Offer(n));
        let style = canvas.style(scope);
        canvas.put(
            area.x + 1,
            y,
            area.width.saturating_sub(2),
            &text::line(&offer.text),
            style,
        );
        let x = area.x + 1 + widest + 2;
        let style = style.patch(canvas.style(Scope::Dim));
        canvas.put(
            x,
            y,
            (area.right().saturating_sub(1)).saturating_sub(x),
            &text::line(&offer.about),
            style,
        );
    }
}

/// The overlay, if one is open; says where the cursor stands if it is typed into.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State) -> Option<(u16, u16)> {
    let overlay = state.overlay.as_ref()?;
    let screen = Rect::new(0, 0, state.size.0, state.size.1);
    let s = state.strings;
    match overlay {
        Overlay::Help { scroll } => {
            list(
                canvas,
                state,
                screen,
                state.strings.help_title,
                &help(state.strings, &state.keymap, state.size.0),
                *scroll,
            );
            None
        }
        Overlay::List {
            title,
            lines,
            scroll,
        } => {
            list(canvas, state, screen, title, lines, *scroll);
            None
        }
        Overlay::Link { report, scroll } => {
            let (title, lines) = (state.strings.link_title, link(state, report));
            list(canvas, state, screen, title, &lines, *scroll);
            None
        }
        Overlay::Name { why, composer } => {
            let words = (s.name_title, s.name_prompt);
            Some(ask(canvas, screen, words, why, composer))
        }
        Overlay::Pick(picker) => Some(super::pick::draw(canvas, state, screen, picker)),
        Overlay::Snippet { text, composer } => {
            let lines = text.lines().count();
            let mut why = fill(s.snippet_hint, &[&lines]);
            // As code it has a fence before and behind it.
            let (lines, limits) = (lines + 2, &state.limits);
            if lines > limits.body_lines || text.len() > limits.body_bytes {
                let sizes: [&dyn std::fmt::Display; 4] =
                    [&lines, &limits.body_lines, &text.len(), &limits.body_bytes];
                why = format!("{why}\n{}", fill(s.snippet_too_long, &sizes));
            }
            let words = (s.snippet_title, s.snippet_prompt);
            Some(ask(canvas, screen, words, &why, composer))
        }
        Overlay::React { composer, .. } => {
            let offers = REACTIONS.iter().zip(1..);
            // A number and what it stands for are one word.
            let offers: Vec<String> = offers.map(|(it, n)| format!("{n}\u{a0}{it}")).collect();
            let why = format!("{}\n{}", offers.join("   "), s.react_hint);
            Some(ask(canvas, screen, (s.react_title, "›"), &why, composer))
        }
    }
}

/// Near the top, never over the composer.
pub(super) fn place(screen: Rect, rows: u16) -> Rect {
    let width = WIDEST.min(screen.width);
    let most = screen.height.saturating_sub(4).max(1).min(screen.height);
    let height = rows.min(most);
    let y = u16::from(screen.height > height + 4);
    Rect::new((screen.width - width) / 2, y, width, height)
}

/// Empties an overlay's area and puts its title there; gives back the style of titles.
pub(super) fn ground(canvas: &mut Canvas<'_>, area: Rect, title: &SafeText) -> Style {
    canvas.clear(area, Scope::Popup);
    canvas.target(area, Target::Overlay);
    let accent = canvas
        .style(Scope::Popup)
        .patch(canvas.style(Scope::Accent));
    canvas.put(
        area.x + 1,
        area.y,
        area.width.saturating_sub(2),
        title,
        accent,
    );
    accent
}

fn list(
    canvas: &mut Canvas<'_>,
    state: &State,
    screen: Rect,
    title: &str,
    lines: &[String],
    scroll: usize,
) {
    let area = place(screen, u16::try_from(lines.len() + 2).unwrap_or(u16::MAX));
    // The hint at the end of the row is not run into.
    let room = area
        .width
        .saturating_sub(columns(state.strings.close_hint) + 4);
    ground(
        canvas,
        area,
        &text::line(&text::cut(title, usize::from(room))),
    );
    let dim = canvas.style(Scope::Popup).patch(canvas.style(Scope::Dim));
    canvas.put_right(
        Rect {
            width: area.width.saturating_sub(1),
            ..area
        },
        0,
        &state.strings.close_hint.into(),
        dim,
    );
    let shown = usize::from(area.height.saturating_sub(2));
    let first = scroll.min(lines.len().saturating_sub(shown));
    let style = canvas.style(Scope::Popup);
    for (y, line) in (area.y + 1..).zip(lines.iter().skip(first).take(shown)) {
        canvas.put(
            area.x + 2,
            y,
            area.width.saturating_sub(4),
            &text::line(line),
            style,
        );
    }
    if first + shown < lines.len() && area.height > 2 {
        let more = format!(
            "{} {}",
            canvas.look.glyphs.below,
            lines.len() - first - shown
        );
        canvas.put(
            area.x + 2,
            area.bottom() - 1,
            area.width.saturating_sub(4),
            &text::line(&more),
            dim,
        );
    }
}

/// Asks for a line: its title, the prompt before it, and what it is about.
fn ask(
    canvas: &mut Canvas<'_>,
    screen: Rect,
    (title, prompt): (&str, &str),
    why: &str,
    composer: &Composer,
) -> (u16, u16) {
    let inner = usize::from(WIDEST.min(screen.width).saturating_sub(4).max(1));
    let reasons = text::wrap(why, inner);
    let area = place(screen, u16::try_from(reasons.len() + 4).unwrap_or(u16::MAX));
    let accent = ground(canvas, area, &text::line(title));
    let style = canvas.style(Scope::Popup);
    let mut y = area.y + 1;
    for range in reasons {
        let line = text::line(why.get(range).unwrap_or_default());
        canvas.put(area.x + 2, y, area.width.saturating_sub(4), &line, style);
        y += 1;
    }
    // On a screen with few rows the line that is typed into goes before the reasons.
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
    let (line, cursor) = composer.lay_line(usize::from(width));
    canvas.put(x, y, width, &text::line(&line), style);
    (x + u16::try_from(cursor).unwrap_or(0), y)
}
