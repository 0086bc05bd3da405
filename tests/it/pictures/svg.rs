//! Draws a terminal buffer as SVG: backgrounds as rectangles, and text in runs that are each exactly as wide as their cells.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// The width and height of a cell in SVG units.
const CELL: (usize, usize) = (9, 19);
const MARGIN: usize = 10;
/// The distance from the top of a cell to the baseline of its text.
const BASE: usize = 14;

/// Draws a buffer. The first cell's colours are used wherever a cell has the terminal's default colours.
pub fn of(buffer: &Buffer) -> String {
    let (columns, rows) = (
        usize::from(buffer.area.width),
        usize::from(buffer.area.height),
    );
    let (width, height) = (columns * CELL.0 + 2 * MARGIN, rows * CELL.1 + 2 * MARGIN);
    let ground = colour(buffer[(0, 0)].bg, "#101418");
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{ground}\"/>\n\
         <g font-family=\"'DejaVu Sans Mono', 'Noto Sans Mono CJK SC', Menlo, Consolas, monospace\" font-size=\"15\" xml:space=\"preserve\">\n"
    );
    for y in 0..buffer.area.height {
        row(&mut out, buffer, y, &ground);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// Consecutive cells with the same style.
struct Run {
    from: usize,
    cells: usize,
    text: String,
}

fn row(out: &mut String, buffer: &Buffer, y: u16, ground: &str) {
    let top = MARGIN + usize::from(y) * CELL.1;
    let mut x = 0;
    while x < buffer.area.width {
        let first = &buffer[(x, y)];
        let mut run = Run {
            from: usize::from(x),
            cells: 0,
            text: String::new(),
        };
        while x < buffer.area.width && looks_like(first, &buffer[(x, y)]) {
            let cell = &buffer[(x, y)];
            let wide = tchat::text::width(cell.symbol()).max(1);
            // A symbol that is not ASCII rarely has the same width in a picture as in a terminal, so it gets a run of its own.
            let is_plain = cell.symbol().is_ascii();
            if !is_plain && run.cells > 0 {
                break;
            }
            run.text.push_str(cell.symbol());
            run.cells += wide;
            x += u16::try_from(wide).unwrap_or(1);
            if !is_plain {
                break;
            }
        }
        draw(out, &run, first, top, ground);
    }
}

fn looks_like(one: &Cell, other: &Cell) -> bool {
    one.fg == other.fg && one.bg == other.bg && one.modifier == other.modifier
}

fn draw(out: &mut String, run: &Run, cell: &Cell, top: usize, ground: &str) {
    let (x, width) = (MARGIN + run.from * CELL.0, run.cells * CELL.0);
    let (mut fore, mut back) = (colour(cell.fg, "#d8dee6"), colour(cell.bg, ground));
    if cell.modifier.contains(Modifier::REVERSED) {
        (fore, back) = (back, fore);
    }
    if back != ground {
        let height = CELL.1;
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"{back}\"/>"
        );
    }
    if run.text.trim().is_empty() {
        return;
    }
    let mut style = String::new();
    for (modifier, words) in [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::ITALIC, " font-style=\"italic\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
        (Modifier::CROSSED_OUT, " text-decoration=\"line-through\""),
    ] {
        if cell.modifier.contains(modifier) {
            style.push_str(words);
        }
    }
    let text = run
        .text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let y = top + BASE;
    let _ = writeln!(
        out,
        "<text x=\"{x}\" y=\"{y}\" textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{fore}\"{style}>{text}</text>"
    );
}

fn colour(colour: Color, own: &str) -> String {
    match colour {
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        _ => own.to_owned(),
    }
}
