//! A program of the person's own that tells of what comes while nobody looks. No shell ever sees a word of it. Pure.

/// The program with its words. `{title}` and `{text}` stand for what is told; without them both come last.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NotifyCommand {
    /// As it is set.
    written: String,
    words: Vec<String>,
}

/// What stands for no program.
const NONE: &str = "none";
const TITLE: &str = "{title}";
const TEXT: &str = "{text}";

impl NotifyCommand {
    /// Takes a line apart as a shell would: words between blanks, quotes around what belongs together, a backslash before a single letter.
    /// Nothing of it is expanded. Nothing if a quote is not closed.
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

    /// As it is set.
    pub fn written(&self) -> &str {
        if self.words.is_empty() {
            NONE
        } else {
            &self.written
        }
    }

    /// The program and its arguments for one notification; nothing if there is no program.
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
            // What somebody writes is no option of the program, whatever it begins with.
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

/// Puts title and text into a word. What is put in is not looked through again.
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
    fn title_and_text_are_arguments_wherever_they_stand() {
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
    fn a_message_is_no_option_and_no_command() {
        let told = |line: &str, text: &str| NotifyCommand::of(line).unwrap().words("t", text);
        assert_eq!(told("p {text}", "--exec=rm").unwrap(), ["p", " --exec=rm"]);
        assert_eq!(told("p", "-h").unwrap(), ["p", "t", " -h"]);
        assert_eq!(told("p --body={text}", "-h").unwrap(), ["p", "--body=-h"]);
        for text in ["$(id)", "a; b", "\"", "'", "a\tb", "*"] {
            assert_eq!(told("p {text}", text).unwrap(), ["p", text]);
        }
    }

    #[test]
    fn nothing_and_none_are_no_program_and_an_open_quote_is_wrong() {
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
