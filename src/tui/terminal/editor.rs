//! Edits a text in the user's own editor, which uses the terminal while it runs.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// The editor's command and the directory for its temporary file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Editor {
    /// A shell command line: a program and its arguments.
    pub command: String,
    pub directory: PathBuf,
}

/// Opens a text in the editor, waits until the editor has ended, and returns the file's contents.
///
/// # Errors
/// The editor cannot be run or has failed; the message names the file if the text was saved there.
pub fn edit(editor: &Editor, text: &str) -> Result<String, String> {
    let file = TempFile::new(&editor.directory, text)
        .map_err(|error| format!("cannot write a file for the editor: {error}"))?;
    super::input::pause();
    let ended = run(&editor.command, &file.path);
    let resumed = super::input::resume();
    let status = ended.map_err(|error| format!("cannot run '{}': {error}", editor.command))?;
    let edited = read_result(editor, &file.path, text, status);
    let edited = edited.and_then(|edited| {
        resumed.map_err(|error| format!("cannot restore the terminal: {error}"))?;
        Ok(edited)
    });
    let edited = edited.map_err(|why| match file.keep_if_changed(text) {
        Some(path) => format!("{why}; your text was saved in '{}'", path.display()),
        None => why,
    })?;
    // Editors end the last line with a newline; a message does not.
    let edited = edited.strip_suffix('\n').unwrap_or(&edited);
    Ok(edited.strip_suffix('\r').unwrap_or(edited).to_owned())
}

/// Returns the text from the editor, if the editor succeeded and the text is valid.
fn read_result(
    editor: &Editor,
    path: &Path,
    before: &str,
    status: ExitStatus,
) -> Result<String, String> {
    // The shell's exit code for a command it cannot find.
    if status.code() == Some(127) {
        return Err(format!("cannot run '{}': no such command", editor.command));
    }
    if !status.success() {
        return Err(format!("'{}' exited with an error", editor.command));
    }
    let size = fs::metadata(path).map_or(0, |file| file.len());
    if size > BYTES.max(before.len() as u64) {
        return Err(format!(
            "the text has {size} bytes, more than can be edited here"
        ));
    }
    fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => "the text is not valid UTF-8".to_owned(),
        ErrorKind::NotFound => format!("'{}' deleted the file with your text", editor.command),
        _ => format!("cannot read the edited text: {error}"),
    })
}

#[cfg(unix)]
fn run(command: &str, file: &Path) -> std::io::Result<ExitStatus> {
    // As in git and other programs, the variable contains a command line, and the file is one more argument.
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

/// The maximum number of bytes accepted from an editor; a message is far smaller.
const BYTES: u64 = 256 * 1024;

/// A temporary file that only its owner can read. It is deleted when dropped, unless it is the only copy of a text.
struct TempFile {
    path: PathBuf,
    is_kept: std::cell::Cell<bool>,
}

impl TempFile {
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
        // Editors end the last line themselves and complain if it has no newline.
        file.write_all(b"\n")?;
        Ok(written)
    }

    /// Keeps the file if its contents have changed, and in that case returns its path.
    fn keep_if_changed(&self, before: &str) -> Option<&Path> {
        let now = fs::read(&self.path).ok()?;
        let is_changed = now != format!("{before}\n").into_bytes();
        self.is_kept.set(is_changed);
        is_changed.then_some(self.path.as_path())
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if !self.is_kept.get() {
            // A failure is ignored: only the owner can read the file.
            let _left = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// The result, and the number of files left.
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
    fn the_edited_file_becomes_the_text() {
        assert_eq!(edited("true", "one\n关键"), (Ok("one\n关键".into()), 0));
        let add = "sh -c 'printf \"three\\n\\n\" >> \"$0\"'";
        assert_eq!(edited(add, "one"), (Ok("one\nthree\n".into()), 0));
        assert_eq!(edited("truncate -s 0", "one"), (Ok(String::new()), 0));
    }

    #[test]
    fn a_changed_text_is_saved_when_the_editor_fails() {
        for (command, why, left) in [
            ("false", "exited with an error", 0),
            ("no-such-editor-here", "no such command", 0),
            ("rm", "deleted the file", 0),
            (
                "sh -c 'echo more >> \"$0\"; exit 1'",
                "your text was saved in",
                1,
            ),
            (
                "sh -c 'printf \"\\377\\376\" > \"$0\"'",
                "not valid UTF-8; your text was saved in",
                1,
            ),
            (
                "truncate -s 300000",
                "300000 bytes, more than can be edited here",
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
