//! Writes text into cells, with our own column widths. Ratatui counts some clusters differently, which would leave gaps between letters.

use std::num::NonZeroU16;

use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::style::Style;

use crate::text;

/// Writes at most `columns` columns of a text into a row and returns how many it used. What does not fit is left out.
pub fn put(buffer: &mut Buffer, x: u16, y: u16, columns: u16, text: &str, style: Style) -> u16 {
    let end = x.saturating_add(columns).min(buffer.area.right());
    let mut at = x;
    for (_, cluster, width) in text::clusters(text) {
        let width = u16::try_from(width).unwrap_or(2);
        if width == 0 {
            // A cluster without a width has no cell.
            continue;
        }
        if at.saturating_add(width) > end {
            break;
        }
        let cell = &mut buffer[(at, y)];
        cell.set_symbol(cluster).set_style(style);
        let is_plain = cluster.len() == 1;
        cell.set_diff_option(match NonZeroU16::new(width) {
            Some(width) if !is_plain => CellDiffOption::ForcedWidth(width),
            _ => CellDiffOption::None,
        });
        for covered in at + 1..at + width {
            buffer[(covered, y)].reset();
        }
        at += width;
    }
    at - x.min(at)
}
