//! A text in the person's own editor: the terminal is given away for as long as that runs.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

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
    super::pause();
    let ended = run(&editor.command, &file.0);
    let resumed = super::resume();
    let status = ended.map_err(|error| format!("cannot run '{}': {error}", editor.command))?;
    resumed.map_err(|error| format!("cannot take the terminal back: {error}"))?;
    let edited = fs::read_to_string(&file.0)
        .map_err(|error| format!("cannot read what was edited: {error}"))?;
    if !status.success() {
        return Err(format!(
            "'{}' said that it failed; nothing was changed",
            editor.command
        ));
    }
    // An editor ends the last line; a message does not.
    let edited = edited.strip_suffix('\n').unwrap_or(&edited);
    Ok(edited.strip_suffix('\r').unwrap_or(edited).to_owned())
}

#[cfg(unix)]
fn run(command: &str, file: &Path) -> std::io::Result<std::process::ExitStatus> {
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

/// A file nobody else can read, gone when it is dropped.
struct Written(PathBuf);

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
        let written = Self(path);
        file.write_all(text.as_bytes())?;
        // Editors end their last line themselves, and ask about one that has no end.
        file.write_all(b"\n")?;
        Ok(written)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // What cannot be removed can be read by its owner alone.
        let _left = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn edited(command: &str, text: &str) -> Result<String, String> {
        let directory = tempfile::tempdir().unwrap();
        let editor = Editor {
            command: command.into(),
            directory: directory.path().join("drafts"),
        };
        let result = edit(&editor, text);
        let left = fs::read_dir(&editor.directory).unwrap().count();
        assert_eq!(left, 0, "nothing is left of it");
        result
    }

    #[test]
    fn what_the_editor_leaves_is_the_text() {
        assert_eq!(edited("true", "one\n关键"), Ok("one\n关键".into()));
        let add = "sh -c 'printf \"three\\n\\n\" >> \"$0\"'";
        assert_eq!(edited(add, "one").unwrap(), "one\nthree\n");
        assert_eq!(edited("truncate -s 0", "one").unwrap(), "");
        assert!(edited("false", "one").unwrap_err().contains("failed"));
        assert!(edited("no-such-editor-here", "one").is_err());
        assert!(edited("rm", "one").unwrap_err().contains("cannot read"));
    }
}
