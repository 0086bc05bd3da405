//! Parses the command line into [`Args`], with help and errors in the user's language.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, Command, CommandFactory, Error, FromArgMatches};

use super::Args;
use super::pipe::USAGE;
use crate::config;
use crate::text;
use crate::tui::strings::{ENGLISH, Strings, fill};

/// The display order of global options in the help of a command: after its own options.
const GLOBAL_OPTION_ORDER: usize = 100;

/// Parses the command line. Help and errors are printed in the user's language, and end the process.
pub fn parse() -> Args {
    let words: Vec<OsString> = std::env::args_os().collect();
    let error = match read(&words, &ENGLISH) {
        Ok(args) => return args,
        Err(error) => error,
    };
    let s = config::language_of(&words);
    // Only help and errors need the language, so it is looked up here, and the words are parsed again to produce
    // them in that language.
    end(&read(&words, s).err().unwrap_or(error), s)
}

fn read(words: &[OsString], s: &'static Strings) -> Result<Args, Error> {
    let mut command = command(s);
    let matches = command
        .try_get_matches_from_mut(words.iter())
        .map_err(|error| as_command(error, &command))?;
    let args = Args::from_arg_matches(&matches)?;
    // A flag without `--serve` is an error. An environment variable is not: it may be meant for another tchat process.
    let is_typed = matches.value_source("bridges") == Some(ValueSource::CommandLine);
    if is_typed && !args.serve {
        let words = s.command_line.errors.bridges_need_serve;
        return Err(command.error(ErrorKind::MissingRequiredArgument, words));
    }
    Ok(args)
}

/// Turns the error for an invalid link into one for an unknown command, because the word was probably meant as one.
fn as_command(error: Error, command: &Command) -> Error {
    let is_link = matches!(error.get(ContextKind::InvalidArg),
        Some(ContextValue::String(arg)) if arg == "[LINK]");
    let Some(ContextValue::String(word)) = error
        .get(ContextKind::InvalidValue)
        .filter(|_| is_link && error.kind() == ErrorKind::ValueValidation)
    else {
        return error;
    };
    let mut unknown = Error::new(ErrorKind::InvalidSubcommand).with_cmd(command);
    // After a `#` there may be an invitation, which no error shows.
    let shown = word.split_once('#').map(|(start, _)| format!("{start}#…"));
    unknown.insert(
        ContextKind::InvalidSubcommand,
        ContextValue::String(shown.unwrap_or_else(|| word.clone())),
    );
    let near = command
        .get_subcommands()
        .map(|it| (strsim::damerau_levenshtein(it.get_name(), word), it))
        .filter(|(distance, it)| *distance <= it.get_name().len() / 2)
        .min_by_key(|(distance, _)| *distance);
    if let Some((_, near)) = near {
        unknown.insert(
            ContextKind::SuggestedSubcommand,
            ContextValue::Strings(vec![near.get_name().to_owned()]),
        );
    }
    unknown
}

#[allow(clippy::print_stderr)] // The error for an invalid command line.
fn end(error: &Error, s: &Strings) -> ! {
    if !error.use_stderr() || s.language == ENGLISH.language {
        error.exit();
    }
    eprintln!("tchat: {}", error_message(error, s));
    std::process::exit(i32::from(USAGE));
}

/// Returns what is wrong, and on a second line what was probably meant or where to find help.
fn error_message(error: &Error, s: &Strings) -> String {
    let words = s.command_line.errors;
    let of = |kind| match error.get(kind) {
        Some(ContextValue::String(word)) => text::line(word).to_string(),
        Some(ContextValue::Strings(all)) => text::line(&all.join(" ")).to_string(),
        _ => String::new(),
    };
    let (option, value) = (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue));
    let first = match error.kind() {
        ErrorKind::UnknownArgument => fill(words.unknown_option, &[&option]),
        ErrorKind::InvalidSubcommand => {
            let command = of(ContextKind::InvalidSubcommand);
            fill(words.unknown_command, &[&command])
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation if value.is_empty() => {
            fill(words.value_missing, &[&option])
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            fill(words.value_wrong, &[&option, &value])
        }
        ErrorKind::NoEquals => fill(words.value_missing, &[&option]),
        ErrorKind::TooManyValues => fill(words.too_many, &[&option]),
        ErrorKind::MissingRequiredArgument if option.is_empty() => {
            words.bridges_need_serve.to_owned()
        }
        ErrorKind::MissingRequiredArgument => fill(words.option_missing, &[&option]),
        ErrorKind::ArgumentConflict => fill(words.conflict, &[&option, &of(ContextKind::PriorArg)]),
        _ => words.wrong.to_owned(),
    };
    let near = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ]
    .map(of);
    let near = near.iter().find(|near| !near.is_empty());
    let next = match near {
        Some(near) => fill(words.did_you_mean, &[near]),
        None => words.see_help.to_owned(),
    };
    format!("{first}\n{next}")
}

/// Returns the command line definition, with help in a language.
fn command(s: &'static Strings) -> Command {
    let mut command = Args::command();
    // This adds the global options to the subcommands.
    command.build();
    localize("", command, s)
}

/// Gives a command and its subcommands their own help texts.
fn localize(name: &str, mut command: Command, s: &'static Strings) -> Command {
    let words = s.command_line;
    if name != "help" {
        for below in command.get_subcommands_mut() {
            let name = below.get_name().to_owned();
            *below = localize(&name, std::mem::take(below), s);
        }
    }
    command = command.mut_args(|arg| {
        let id = arg.get_id().as_str().to_owned();
        let arg = match (words.help)(name, &id) {
            Some(help) => arg.help(help),
            None => arg,
        };
        localize_headings(place_global_option(name, arg), s)
    });
    if let Some(about) = (words.about)(name) {
        command = command.about(about);
    }
    if let Some(usage) = (words.usage)(name) {
        command = command.override_usage(usage);
    }
    if let Some(after) = (words.after)(name) {
        command = command.after_help(after);
    }
    if let (Some(template), Some([commands, ..])) = (words.template, words.headings) {
        command = command
            .help_template(template)
            .subcommand_help_heading(commands);
    }
    command
}

/// Shows a global option after a command's own options, or hides it if it has no effect on the command.
fn place_global_option(command: &str, arg: Arg) -> Arg {
    if command.is_empty() || !arg.is_global_set() {
        return arg;
    }
    let is_hidden = !applies_to(command, arg.get_id().as_str());
    arg.display_order(GLOBAL_OPTION_ORDER).hide(is_hidden)
}

/// Whether a global option has an effect on a command.
fn applies_to(command: &str, option: &str) -> bool {
    match option {
        "config" | "data" | "lang" => true,
        "name" | "server" | "port" => matches!(command, "send" | "tail" | "doctor"),
        "credential" => matches!(command, "send" | "tail"),
        "insecure" | "here" => matches!(command, "send" | "tail"),
        "room" => matches!(command, "send" | "tail"),
        _ => false,
    }
}

/// Replaces the headings of clap and hides its list of defaults, because both are English.
fn localize_headings(arg: Arg, s: &Strings) -> Arg {
    match s.command_line.headings {
        Some([_, _, arguments]) if arg.is_positional() => arg.help_heading(arguments),
        Some([_, options, _]) => arg.help_heading(options).hide_default_value(true),
        None => arg,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::strings::CHINESE;

    fn said(words: &[&str], s: &'static Strings) -> String {
        let words: Vec<OsString> = words.iter().map(Into::into).collect();
        let error = read(&words, s).unwrap_err();
        if error.use_stderr() {
            error_message(&error, s)
        } else {
            error.to_string()
        }
    }

    fn is_chinese(text: &str) -> bool {
        text.chars().any(|c| !c.is_ascii() && c.is_alphabetic())
    }

    #[test]
    fn the_command_line_is_not_ambiguous() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_option_and_command_has_help_in_both_languages() {
        for s in [&ENGLISH, &CHINESE] {
            let mut waiting = vec![command(s)];
            while let Some(command) = waiting.pop() {
                let below = command.get_subcommands().cloned();
                waiting.extend(below.filter(|it| it.get_name() != "help"));
                let about = command.get_about().unwrap().to_string();
                assert_eq!(is_chinese(&about), s.language != "en", "{about}");
                for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
                    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                    let place = format!("{} {}", command.get_name(), arg.get_id());
                    assert!(!help.is_empty(), "{place}");
                    assert_eq!(is_chinese(&help), s.language != "en", "{place}: {help}");
                }
            }
        }
    }

    #[test]
    fn the_help_of_a_command_lists_only_its_own_options() {
        for (command, shown, hidden) in [
            (
                "send",
                &["--user", "--id", "--timeout", "--room", "--server"][..],
                &["--serve ", "--host", "--theme", "--log-dir", "open first"][..],
            ),
            (
                "tail",
                &[
                    "--last",
                    "--follow",
                    "--json",
                    "--room",
                    "The room to print",
                ],
                &["--timeout", "--host", "--theme", "--plain", "server's data"],
            ),
            (
                "doctor",
                &["--server", "--name", "--config", "--data"],
                &["--room", "--host", "--timeout"],
            ),
            (
                "backup",
                &["<FILE>", "--data", "--config", "--lang"],
                &["--name", "--server", "--room", "--port"],
            ),
        ] {
            let text = said(&["tchat", command, "--help"], &ENGLISH);
            for word in shown {
                assert!(text.contains(word), "{command} {word}:\n{text}");
            }
            for word in hidden {
                assert!(!text.contains(word), "{command} {word}:\n{text}");
            }
            // `tchat help COMMAND` prints the same.
            assert_eq!(said(&["tchat", "help", command], &ENGLISH), text);
            let own = said(&["tchat", command, "--help"], &CHINESE);
            assert!(
                own.contains("用法：tchat") && own.contains("选项:"),
                "{own}"
            );
            for english in ["Usage:", "Options:", "Arguments:", "[default", "Print help"] {
                assert!(!own.contains(english), "{english}:\n{own}");
            }
        }
    }

    #[test]
    fn options_hidden_in_help_are_still_accepted() {
        let words = ["tchat", "send", "--host", "h", "--port", "7", "hi"].map(OsString::from);
        let args = read(&words, &CHINESE).unwrap();
        assert_eq!((args.host.as_deref(), args.port), (Some("h"), Some(7)));
        let words = ["tchat", "--name", "ann", "tail", "--last", "3"].map(OsString::from);
        assert_eq!(read(&words, &ENGLISH).unwrap().name.as_deref(), Some("ann"));
    }

    #[test]
    fn errors_in_the_command_line_are_reported_in_chinese() {
        for (words, answer) in [
            (&["tchat", "--tmeout", "1"][..], "这里没有选项“--tmeout”"),
            (&["tchat", "send", "--tiemout", "1"], "是不是“--timeout”？"),
            (&["tchat", "sned"], "没有命令“sned”\n是不是“send”？"),
            (&["tchat", "--port", "many"], "--port <PORT> 不能是“many”"),
            (&["tchat", "--port", "0"], "--port <PORT> 不能是“0”"),
            (&["tchat", "--name"], "--name <NAME> 需要一个值"),
            (
                &["tchat", "tail", "--last", "all"],
                "--last <N> 不能是“all”",
            ),
            (&["tchat", "backup"], "缺少 <FILE>"),
            (&["tchat", "--demo", "--serve"], "不能和"),
            (&["tchat", "--bridges"], "请和 --serve 一起使用"),
            (&["tchat", "--plain=maybe"], "不能是“maybe”"),
        ] {
            let text = said(words, &CHINESE);
            assert!(text.contains(answer), "{words:?}: {text}");
        }
    }
}
