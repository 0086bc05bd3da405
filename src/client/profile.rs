//! Profiles: the secret that proves who we are to one server under the name we first asked for.
//!
//! A profile is a file of mode 0600, one per server address and start name; later renames stay inside it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::chat::Secret;

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error("cannot use the profile '{path}': {cause}")]
    Io { path: PathBuf, cause: io::Error },
    #[error("cannot use the profile '{0}': it holds no secret")]
    Damaged(PathBuf),
}

/// The secret of a profile, made on first use.
///
/// # Errors
/// The file cannot be read, written or understood. A damaged one is left as it is.
pub fn secret(directory: &Path, server: &str, name: &str) -> Result<Secret, ProfileError> {
    let path = directory.join(file_name(server, name, "secret"));
    let cause = |cause| ProfileError::Io {
        path: path.clone(),
        cause,
    };
    if let Some(secret) = read(&path)? {
        return Ok(secret);
    }
    fs::create_dir_all(directory).map_err(cause)?;
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| cause(io::Error::other(error.to_string())))?;
    // Written aside and linked into place: of two that start at once, one makes the profile and the other finds it whole.
    let aside = directory.join(format!(
        "new-{}-{:02x}{:02x}",
        std::process::id(),
        bytes[0],
        bytes[1]
    ));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let digits = hex::encode(bytes);
    let written = options.open(&aside).and_then(|mut file| {
        writeln!(file, "{digits}")?;
        file.sync_all()?;
        fs::hard_link(&aside, &path)
    });
    // The name aside has done its work either way.
    let _gone = fs::remove_file(&aside);
    match written {
        Ok(()) => Ok(Secret::new(bytes)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read(&path)?.ok_or_else(|| ProfileError::Damaged(path.clone()))
        }
        Err(error) => Err(cause(error)),
    }
}

/// Where a profile keeps messages, drafts and its outbox.
pub fn cache(directory: &Path, server: &str, name: &str) -> PathBuf {
    directory.join(file_name(server, name, "db"))
}

/// The public room that was read last under a profile.
pub fn last_room(directory: &Path, server: &str, name: &str) -> Option<String> {
    let room = fs::read_to_string(directory.join(file_name(server, name, "room"))).ok()?;
    let room = room.trim();
    (!room.is_empty()).then(|| room.to_owned())
}

/// Remembers the room that is read. Best effort: without it one begins where everybody does.
pub fn remember_room(directory: &Path, server: &str, name: &str, room: &str) {
    let _forgotten = fs::write(
        directory.join(file_name(server, name, "room")),
        format!("{room}\n"),
    );
}

fn read(path: &Path) -> Result<Option<Secret>, ProfileError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => {
            return Err(ProfileError::Io {
                path: path.to_owned(),
                cause,
            });
        }
    };
    let secret = hex::decode(text.trim())
        .ok()
        .and_then(|bytes| Secret::from_slice(&bytes));
    secret
        .map(Some)
        .ok_or_else(|| ProfileError::Damaged(path.to_owned()))
}

/// Names and addresses may hold what a file name may not, so a profile is found by a hash of both.
fn file_name(server: &str, name: &str, kind: &str) -> String {
    let hash = Sha256::digest(format!("{server}\n{}", name.to_lowercase()));
    let short = hex::encode(&hash[..12]);
    format!("{short}.{kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_keeps_its_secret_and_each_server_and_name_has_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let ann = secret(directory.path(), "localhost:50051", "ann").unwrap();
        assert_eq!(
            secret(directory.path(), "localhost:50051", "Ann").unwrap(),
            ann
        );
        assert_ne!(
            secret(directory.path(), "localhost:50052", "ann").unwrap(),
            ann
        );
        assert_ne!(
            secret(directory.path(), "localhost:50051", "ben").unwrap(),
            ann
        );
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_a_secret() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        secret(directory.path(), "localhost:50051", "张三/../x").unwrap();
        let file = fs::read_dir(directory.path())
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_profile_is_named_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(file_name("h:1", "ann", "secret"));
        fs::write(&path, "not a secret").unwrap();
        assert!(matches!(
            secret(directory.path(), "h:1", "ann"),
            Err(ProfileError::Damaged(_))
        ));
        assert_eq!(fs::read_to_string(&path).unwrap(), "not a secret");
    }
}
