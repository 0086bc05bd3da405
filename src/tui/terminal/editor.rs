//! A text in the person's own editor: the terminal is given away for as long as that runs.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// Which editor, and where its file lies meanwhile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Editor {
    /// As a shell understands it: a program, and words that belong to it.
    pub command: String,
    pub directory: PathBuf,
}

/// Gives a text to the editor and waits until it has ended; what the file holds then is the text.
///
/// # Errors
/// The editor cannot be run or says that it failed; the words say which, and where the text is if it is not lost with it.
pub fn edit(editor: &Editor, text: &str) -> Result<String, String> {
    let file = Written::new(&editor.directory, text)
        .map_err(|error| format!("cannot write a file for the editor: {error}"))?;
    super::input::pause();
    let ended = run(&editor.command, &file.path);
    let resumed = super::input::resume();
    let status = ended.map_err(|error| format!("cannot run '{}': {error}", editor.command))?;
    let edited = taken(editor, &file.path, text, status);
    let edited = edited.and_then(|edited| {
        resumed.map_err(|error| format!("cannot take the terminal back: {error}"))?;
        Ok(edited)
    });
    let edited = edited.map_err(|why| match file.kept(text) {
        Some(path) => format!("{why}; what you wrote lies in '{}'", path.display()),
        None => why,
    })?;
    // An editor ends the last line; a message does not.
    let edited = edited.strip_suffix('\n').unwrap_or(&edited);
    Ok(edited.strip_suffix('\r').unwrap_or(edited).to_owned())
}

/// What the editor left, if it is a text that may be one.
fn taken(editor: &Editor, path: &Path, before: &str, status: ExitStatus) -> Result<String, String> {
    // The shell's own answer for a program it does not find.
    if status.code() == Some(127) {
        return Err(format!("cannot run '{}': it is not there", editor.command));
    }
    if !status.success() {
        return Err(format!("'{}' said that it failed", editor.command));
    }
    let size = fs::metadata(path).map_or(0, |file| file.len());
    if size > BYTES.max(before.len() as u64) {
        return Err(format!(
            "that is {size} bytes, more than can be written here"
        ));
    }
    fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => "that is no text in UTF-8".to_owned(),
        ErrorKind::NotFound => format!("'{}' left no file", editor.command),
        _ => format!("cannot read what was edited: {error}"),
    })
}

#[cfg(unix)]
fn run(command: &str, file: &Path) -> std::io::Result<ExitStatus> {
    // As git and others do: the variable holds a command line, and the file is one word behind it.
    Command::new("sh")
        .arg("-c")
        .arg(format!("{command} \"$1\""))
        .arg("sh")
        .arg(file)
        .status()
}

#[cfg(not(unix))]
fn run(command: &str, file: &Path) -> std::io::Result<std::process::ExitStatus> {
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or("notepad");
    Command::new(program).args(words).arg(file).status()
}

/// Bytes that are taken from an editor; a message is far smaller.
const BYTES: u64 = 256 * 1024;

/// A file nobody else can read, gone when it is dropped unless it holds what is nowhere else.
struct Written {
    path: PathBuf,
    is_kept: std::cell::Cell<bool>,
}

impl Written {
    fn new(directory: &Path, text: &str) -> std::io::Result<Self> {
        fs::create_dir_all(directory)?;
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(std::io::Error::other)?;
        let path = directory.join(format!("message-{}.md", hex::encode(random)));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        let written = Self {
            path,
            is_kept: std::cell::Cell::new(false),
        };
        file.write_all(text.as_bytes())?;
        // Editors end their last line themselves, and ask about one that has no end.
        file.write_all(b"\n")?;
        Ok(written)
    }

    /// Keeps the file, if something else is in it than was put there.
    fn kept(&self, before: &str) -> Option<&Path> {
        let now = fs::read(&self.path).ok()?;
        let is_changed = now != format!("{before}\n").into_bytes();
        self.is_kept.set(is_changed);
        is_changed.then_some(self.path.as_path())
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if !self.is_kept.get() {
            // What cannot be removed can be read by its owner alone.
            let _left = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// What came of it, and how many files are left.
    fn edited(command: &str, text: &str) -> (Result<String, String>, usize) {
        let directory = tempfile::tempdir().unwrap();
        let editor = Editor {
            command: command.into(),
            directory: directory.path().join("drafts"),
        };
        let result = edit(&editor, text);
        let left = fs::read_dir(&editor.directory).unwrap().count();
        (result, left)
    }

    #[test]
    fn what_the_editor_leaves_is_the_text() {
        assert_eq!(edited("true", "one\n关键"), (Ok("one\n关键".into()), 0));
        let add = "sh -c 'printf \"three\\n\\n\" >> \"$0\"'";
        assert_eq!(edited(add, "one"), (Ok("one\nthree\n".into()), 0));
        assert_eq!(edited("truncate -s 0", "one"), (Ok(String::new()), 0));
    }

    #[test]
    fn what_was_written_is_not_lost_when_something_fails() {
        for (command, why, left) in [
            ("false", "said that it failed", 0),
            ("no-such-editor-here", "it is not there", 0),
            ("rm", "left no file", 0),
            (
                "sh -c 'echo more >> \"$0\"; exit 1'",
                "what you wrote lies in",
                1,
            ),
            (
                "sh -c 'printf \"\\377\\376\" > \"$0\"'",
                "no text in UTF-8; what you wrote lies in",
                1,
            ),
            (
                "truncate -s 300000",
                "300000 bytes, more than can be written here",
                1,
            ),
        ] {
            let (result, files) = edited(command, "one");
            let said = result.unwrap_err();
            assert!(said.contains(why), "{said}");
            assert_eq!(files, left, "{command}");
        }
    }
}
