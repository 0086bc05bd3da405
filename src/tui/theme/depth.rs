//! Reduces colours to those that a terminal can show: the nearest one by distance in RGB.

use ratatui::style::{Color, Style};

/// How many colours a terminal shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Depth {
    /// `NO_COLOR`, or a terminal without colours: only bold, dim, reverse and underline.
    None,
    Ansi16,
    Ansi256,
    True,
}

pub fn reduced(style: Style, depth: Depth) -> Style {
    let fg = style.fg.and_then(|colour| reduced_colour(colour, depth));
    let bg = style.bg.and_then(|colour| reduced_colour(colour, depth));
    Style { fg, bg, ..style }
}

pub fn reduced_colour(colour: Color, depth: Depth) -> Option<Color> {
    match (depth, colour) {
        (Depth::None, _) => None,
        (Depth::Ansi256, Color::Rgb(r, g, b)) => Some(Color::Indexed(nearest_256(r, g, b))),
        (Depth::Ansi16, Color::Rgb(r, g, b)) => Some(nearest_16(r, g, b)),
        (_, other) => Some(other),
    }
}

/// The index of the nearest colour in the 6×6×6 cube or the grey ramp of xterm's 256 colours.
fn nearest_256(r: u8, g: u8, b: u8) -> u8 {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let step = |value: u8| {
        (0_u8..6)
            .min_by_key(|n| STEPS[usize::from(*n)].abs_diff(value))
            .unwrap_or(0)
    };
    let (cr, cg, cb) = (step(r), step(g), step(b));
    let cube = [
        STEPS[usize::from(cr)],
        STEPS[usize::from(cg)],
        STEPS[usize::from(cb)],
    ];
    let mean = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let grey = u8::try_from((mean.saturating_sub(3) / 10).min(23)).unwrap_or(23);
    let level = 8 + 10 * grey;
    if distance([r, g, b], [level; 3]) < distance([r, g, b], cube) {
        232 + grey
    } else {
        16 + 36 * cr + 6 * cg + cb
    }
}

fn nearest_16(r: u8, g: u8, b: u8) -> Color {
    const COLOURS: [(Color, [u8; 3]); 16] = [
        (Color::Black, [0, 0, 0]),
        (Color::Red, [170, 0, 0]),
        (Color::Green, [0, 170, 0]),
        (Color::Yellow, [170, 85, 0]),
        (Color::Blue, [0, 0, 170]),
        (Color::Magenta, [170, 0, 170]),
        (Color::Cyan, [0, 170, 170]),
        (Color::Gray, [170, 170, 170]),
        (Color::DarkGray, [85, 85, 85]),
        (Color::LightRed, [255, 85, 85]),
        (Color::LightGreen, [85, 255, 85]),
        (Color::LightYellow, [255, 255, 85]),
        (Color::LightBlue, [85, 85, 255]),
        (Color::LightMagenta, [255, 85, 255]),
        (Color::LightCyan, [85, 255, 255]),
        (Color::White, [255, 255, 255]),
    ];
    COLOURS
        .iter()
        .min_by_key(|(_, known)| distance([r, g, b], *known))
        .map_or(Color::White, |(colour, _)| *colour)
}

fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    one.iter()
        .zip(other)
        .map(|(a, b)| u32::from(a.abs_diff(b)).pow(2))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_reduced_to_the_nearest_available_one() {
        assert_eq!(nearest_256(255, 0, 0), 196);
        assert_eq!(nearest_256(128, 128, 128), 244);
        assert_eq!(nearest_16(250, 250, 250), Color::White);
        assert_eq!(reduced_colour(Color::Rgb(1, 2, 3), Depth::None), None);
        assert_eq!(
            reduced_colour(Color::Cyan, Depth::Ansi256),
            Some(Color::Cyan)
        );
    }
}
