//! Writes a setting to the config file, and leaves everything else in it unchanged.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, Value};

use super::read;
use crate::files::{PRIVATE, PUBLIC, write_atomically};
use crate::tui::settings::Setting;

/// Sets a value in the file, which is created if it does not exist. Comments and order are preserved.
///
/// # Errors
/// The file cannot be read, parsed or written; it is then unchanged.
pub fn save(path: &Path, setting: Setting, value: &str) -> Result<(), String> {
    let fails =
        |error: &dyn std::fmt::Display| format!("cannot save to '{}': {error}", path.display());
    // A device or a pipe would be replaced by a file.
    if fs::metadata(path).is_ok_and(|it| !it.is_file()) {
        return Err(fails(&"it is not a regular file"));
    }
    let text = match read::text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(fails(&error)),
    };
    let mut document: DocumentMut = text.parse().map_err(|error| fails(&error))?;
    put(document.as_table_mut(), setting.path(), value).ok_or_else(|| {
        fails(&format!(
            "the parent of '{}' is not a table",
            setting.path().join(".")
        ))
    })?;
    write(path, &document.to_string()).map_err(|error| fails(&error))
}

fn put(table: &mut Table, path: &[&str], value: &str) -> Option<()> {
    let (key, rest) = path.split_first()?;
    if !rest.is_empty() {
        let inner = table
            .entry(key)
            .or_insert_with(|| Item::Table(Table::new()));
        return match inner {
            Item::Table(inner) => put(inner, rest, value),
            Item::Value(Value::InlineTable(inner)) if rest.len() == 1 => {
                inner.insert(rest[0], Value::from(value));
                Some(())
            }
            _ => None,
        };
    }
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(known) => {
            let decor = known.decor().clone();
            *known = Value::from(value);
            *known.decor_mut() = decor;
        }
        None => {
            table.insert(key, Item::Value(Value::from(value)));
        }
    }
    Some(())
}

/// Writes a file completely or not at all; a link stays a link.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let before = fs::metadata(&path).ok();
    if before.as_ref().is_some_and(|it| !it.is_file()) {
        // Replacing a device like /dev/null with a file would break it for the whole machine.
        let words = "it is not a regular file";
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, words));
    }
    let Some(before) = before else {
        return write_atomically(&path, text, PUBLIC);
    };
    write_atomically(&path, text, PRIVATE)?;
    fs::set_permissions(&path, before.permissions())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn writing_never_replaces_a_pipe() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("config.toml");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo failed");
        assert!(write(&pipe, "theme = \"paper\"\n").is_err());
        assert!(!fs::metadata(&pipe).unwrap().is_file());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn saving_leaves_the_rest_of_the_file_unchanged() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/config.toml");
        let read = || fs::read_to_string(&path).unwrap();
        save(&path, Setting::Theme, "paper").unwrap();
        assert_eq!(read(), "theme = \"paper\"\n");
        let text = "# mine\nname = '张三' # me\ntheme   = \"paper\"  # by day\n\n[keys.composer]\n\"f5\" = \"search\" # handy\n\n[server]\nport = 1\n";
        fs::write(&path, text).unwrap();
        save(&path, Setting::Theme, "night").unwrap();
        assert_eq!(read(), text.replace("\"paper\"", "\"night\""));
        save(&path, Setting::Keys, "emacs").unwrap();
        let both: toml::Table = read().parse().unwrap();
        assert_eq!(both["keys"]["preset"].as_str(), Some("emacs"));
        assert_eq!(both["keys"]["composer"]["f5"].as_str(), Some("search"));
        assert!(read().contains("\"f5\" = \"search\" # handy") && read().starts_with("# mine\n"));
        save(&path, Setting::Panes, "off").unwrap();
        assert!(read().contains("panes = \"off\"") && read().contains("[server]\nport = 1\n"));
        // A broken file is left unchanged.
        fs::write(&path, "theme = \n").unwrap();
        let error = save(&path, Setting::Theme, "night").unwrap_err();
        assert!(error.contains("cannot save to"), "{error}");
        assert_eq!(read(), "theme = \n");
        fs::write(&path, "keys = 1\n").unwrap();
        assert!(
            save(&path, Setting::Keys, "emacs")
                .unwrap_err()
                .contains("not a table")
        );
    }

    #[cfg(unix)]
    #[test]
    fn saving_never_replaces_a_pipe_a_link_to_one_or_a_directory() {
        use std::os::unix::fs::FileTypeExt;
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        let link = directory.path().join("config.toml");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo failed");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        for path in [pipe.as_path(), link.as_path(), directory.path()] {
            let error = save(path, Setting::Theme, "night").unwrap_err();
            assert!(error.contains("it is not a regular file"), "{error}");
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_the_file_stays_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (real, link) = (
            directory.path().join("real"),
            directory.path().join("config.toml"),
        );
        fs::write(&real, "theme = \"dusk\"\n").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        save(&link, Setting::Theme, "night").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "theme = \"night\"\n");
    }
}
