//! The user's own notification program: parses its command line and fills in the texts. No shell is used. Pure.

/// The program and its arguments. `{title}` and `{text}` are replaced; if neither occurs, both are added at the end.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NotifyCommand {
    /// The setting as it was written.
    written: String,
    words: Vec<String>,
}

/// The value that means no program.
const NONE: &str = "none";
const TITLE: &str = "{title}";
const TEXT: &str = "{text}";

impl NotifyCommand {
    /// Splits a line into words as a shell would: at whitespace, except inside quotes and after a backslash. Nothing is
    /// expanded. Returns `None` if a quote is not closed or nothing follows a backslash.
    pub fn of(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.eq_ignore_ascii_case(NONE) {
            return Some(Self::default());
        }
        let mut words = Vec::new();
        let mut word: Option<String> = None;
        let mut quote = None;
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (Some('\''), c) => word.get_or_insert_default().push(c),
                (_, '\\') => word.get_or_insert_default().push(chars.next()?),
                (None, '\'' | '"') => {
                    word.get_or_insert_default();
                    quote = Some(c);
                }
                (None, c) if c.is_whitespace() => words.extend(word.take()),
                (_, c) => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        (quote.is_none() && !words.is_empty()).then(|| Self {
            written: line.to_owned(),
            words,
        })
    }

    /// The setting as it was written.
    pub fn written(&self) -> &str {
        if self.words.is_empty() {
            NONE
        } else {
            &self.written
        }
    }

    /// The program and its arguments for one notification; `None` if no program is set.
    pub fn words(&self, title: &str, text: &str) -> Option<Vec<String>> {
        let (program, arguments) = self.words.split_first()?;
        let mut all = vec![program.clone()];
        let has_place = arguments
            .iter()
            .any(|word| word.contains(TITLE) || word.contains(TEXT));
        let last = [TITLE.to_owned(), TEXT.to_owned()];
        let last = last.iter().filter(|_| !has_place);
        all.extend(arguments.iter().chain(last).map(|word| {
            let filled = filled(word, title, text);
            // Text from other people must never be taken for an option of the program.
            let is_theirs = word.starts_with(TITLE) || word.starts_with(TEXT);
            if is_theirs && filled.starts_with('-') {
                format!(" {filled}")
            } else {
                filled
            }
        }));
        Some(all)
    }
}

/// Replaces `{title}` and `{text}` in an argument. The inserted texts are not searched again.
fn filled(word: &str, title: &str, text: &str) -> String {
    let titled = |part: &str| part.replace(TITLE, title);
    word.split(TEXT).map(titled).collect::<Vec<_>>().join(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<Vec<String>> {
        NotifyCommand::of(line)?.words("ann in #tech", "look {title}")
    }

    #[test]
    fn title_and_text_are_inserted_in_any_argument() {
        for (line, expected) in [
            (
                "notify-send {title} {text}",
                &["notify-send", "ann in #tech", "look {title}"][..],
            ),
            (
                "notify-send",
                &["notify-send", "ann in #tech", "look {title}"],
            ),
            (
                "say -v Anna '{title}: {text}'",
                &["say", "-v", "Anna", "ann in #tech: look {title}"],
            ),
            (
                "\"/opt/my tool\" --body={text}",
                &["/opt/my tool", "--body=look {title}"],
            ),
            (
                r"beep a\ b '' {title}",
                &["beep", "a b", "", "ann in #tech"],
            ),
            (
                "x '$HOME' `id` ; {text}",
                &["x", "$HOME", "`id`", ";", "look {title}"],
            ),
        ] {
            assert_eq!(words(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn a_message_is_never_taken_for_an_option_or_a_command() {
        let told = |line: &str, text: &str| NotifyCommand::of(line).unwrap().words("t", text);
        assert_eq!(told("p {text}", "--exec=rm").unwrap(), ["p", " --exec=rm"]);
        assert_eq!(told("p", "-h").unwrap(), ["p", "t", " -h"]);
        assert_eq!(told("p --body={text}", "-h").unwrap(), ["p", "--body=-h"]);
        for text in ["$(id)", "a; b", "\"", "'", "a\tb", "*"] {
            assert_eq!(told("p {text}", text).unwrap(), ["p", text]);
        }
    }

    #[test]
    fn empty_and_none_mean_no_program_and_an_open_quote_is_invalid() {
        for line in ["", "  ", "none", "None"] {
            let none = NotifyCommand::of(line).unwrap();
            assert_eq!(none.words("a", "b"), None);
            assert_eq!(none.written(), "none");
        }
        for line in ["say 'hello", "say \"hello", "say \\", "say 'it''s"] {
            assert_eq!(NotifyCommand::of(line), None, "{line}");
        }
        assert_eq!(NotifyCommand::of(" say  hi ").unwrap().written(), "say  hi");
    }
}
