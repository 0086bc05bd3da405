//! Turns the terminal output of a program into plain text, without colours, links and titles.

use std::iter::Peekable;
use std::str::Chars;

/// Removes control sequences (ECMA-48) and control characters from a text, except for tabs and newlines. As in a terminal, a carriage
/// return restarts the line, and a backspace removes the character before it.
///
/// An unfinished sequence ends with its line, so that a stray Esc costs one line at most.
pub fn strip_ansi(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut line = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' | '\u{85}' => {
                out.push('\n');
                line = out.len();
            }
            '\t' => out.push(c),
            '\r' if chars.peek().is_none_or(|next| *next == '\n') => {}
            '\r' => out.truncate(line),
            '\u{8}' if out.len() > line => drop(out.pop()),
            '\u{1b}' => escape(&mut chars),
            '\u{9b}' => control_sequence(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => control_string(&mut chars),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Skips a sequence that begins with Esc.
fn escape(chars: &mut Peekable<Chars<'_>>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            control_sequence(chars);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            chars.next();
            control_string(chars);
        }
        // Other sequences have intermediate characters and a final one.
        Some(' '..='~') => {
            while chars.next_if(|c| matches!(c, ' '..='/')).is_some() {}
            chars.next_if(|c| matches!(c, '0'..='~'));
        }
        _ => {}
    }
}

/// Skips parameters, intermediate characters and the final one, as in `31m`.
fn control_sequence(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
    chars.next_if(|c| matches!(c, '@'..='~'));
}

/// Skips a title, a link or the like, up to BEL or the string terminator.
fn control_string(chars: &mut Peekable<Chars<'_>>) {
    while let Some(c) = chars.next_if(|c| *c != '\n') {
        match c {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' if chars.next_if(|c| *c == '\\').is_some() => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_sequences_are_removed() {
        for (text, read) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}[1;38;2;255;0;0mbold\u{1b}[m red", "bold red"),
            ("\u{1b}[38:5:196mcolons\u{1b}[39m", "colons"),
            ("\u{9b}32mgreen\u{9b}0m", "green"),
            ("\u{1b}]0;title\u{7}text", "text"),
            (
                "\u{1b}]8;;https://ex.org\u{1b}\\link\u{1b}]8;;\u{1b}\\",
                "link",
            ),
            ("\u{9d}2;title\u{9c}text", "text"),
            ("\u{1b}Pdcs\u{1b}\\text", "text"),
            ("\u{1b}(Bplain\u{1b}7\u{1b}8\u{1b}=", "plain"),
            ("\u{1b}[2K\u{1b}[?25ldone", "done"),
            ("ok\u{7}\u{0}\u{7f}", "ok"),
            ("中\u{1b}[7m文\u{1b}[27m 👩🏽‍🚀", "中文 👩🏽‍🚀"),
        ] {
            assert_eq!(strip_ansi(text), read, "{text:?}");
        }
    }

    #[test]
    fn a_rewritten_line_is_read_in_its_final_form() {
        for (text, read) in [
            ("10%\r50%\r100%\ndone", "100%\ndone"),
            ("one\r\ntwo\r\n", "one\ntwo\n"),
            ("last\r", "last"),
            ("N\u{8}NA\u{8}AM\u{8}ME\u{8}E", "NAME"),
            ("_\u{8}under", "under"),
            ("\u{8}\u{8}x\n\u{8}y", "x\ny"),
            ("a\tb\n\tc", "a\tb\n\tc"),
        ] {
            assert_eq!(strip_ansi(text), read, "{text:?}");
        }
    }

    #[test]
    fn an_unfinished_sequence_costs_its_own_line_at_most() {
        for (text, read) in [
            ("a\u{1b}]0;no end\nb", "a\nb"),
            ("a\u{1b}[31\nb", "a\nb"),
            ("a\u{1b}\nb", "a\nb"),
            ("a\u{1b}", "a"),
            ("a\u{1b}[", "a"),
        ] {
            assert_eq!(strip_ansi(text), read, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_control_characters_are_left(text in any::<String>()) {
            let once = strip_ansi(&text);
            prop_assert!(!once.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')));
            prop_assert_eq!(&strip_ansi(&once), &once);
        }

        #[test]
        fn ordinary_text_is_unchanged(text in "[^\\p{Cc}]{0,60}(\n[^\\p{Cc}]{0,60})?") {
            prop_assert_eq!(strip_ansi(&text), text);
        }
    }
}
