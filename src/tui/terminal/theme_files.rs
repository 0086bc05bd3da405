//! The user's own themes: TOML files in a directory, beside the built-in ones.

use std::fs;
use std::path::Path;

use crate::tui::theme::{Depth, Theme, ThemeError, built_in_names};

/// Names of all themes: the built-in ones, then the user's own.
pub fn list(directory: Option<&Path>) -> Vec<String> {
    let mut names = built_in_names();
    let files = directory.and_then(|directory| fs::read_dir(directory).ok());
    let files = files.into_iter().flatten().flatten();
    let mut own: Vec<String> = files
        .map(|file| file.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .filter(|name| !names.contains(name))
        .collect();
    own.sort();
    names.append(&mut own);
    names
}

/// Loads a theme. The user's own theme takes precedence over a built-in one with the same name. The returned warnings name unknown scopes.
///
/// # Errors
/// There is no such theme, or it cannot be read or parsed.
pub fn load(
    name: &str,
    directory: Option<&Path>,
    depth: Depth,
) -> Result<(Theme, Vec<String>), ThemeError> {
    Theme::parse(name, |name| own(name, directory), depth)
}

fn own(name: &str, directory: Option<&Path>) -> Result<Option<String>, ThemeError> {
    // The name must not be a path.
    let is_name = !name.is_empty() && !name.contains(['/', '\\', '.']);
    let path = directory.map(|directory| directory.join(format!("{name}.toml")));
    let Some(path) = path.filter(|path| is_name && path.exists()) else {
        return Ok(None);
    };
    let unreadable = |cause: String| ThemeError::Unreadable {
        name: name.to_owned(),
        cause,
    };
    // Reading a pipe that nobody writes to would never end.
    if !path.is_file() {
        return Err(unreadable("it is not a regular file".into()));
    }
    let text = fs::read_to_string(&path).map_err(|cause| unreadable(cause.to_string()))?;
    Ok(Some(text))
}
