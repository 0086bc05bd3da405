//! Profiles: the device key that proves who we are to one server, found by every name we have had there.
//!
//! A profile is a file of mode 0600, one per server and start name, the name with which the profile was created. An
//! account can be renamed, so each later name points to the profile through a small file of its own, the alias. If two
//! profiles have had the same name, the name means the one that had it last.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::Credentials;
use crate::chat::{DeviceSecret, Secret};
use crate::files::{PUBLIC, read_if_exists, sync_directory, write_atomically};

/// The extension of the file with the device key.
const DEVICE: &str = "device";
/// The extension of the file with the secret that earlier versions signed in with.
const FORMER: &str = "secret";

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error("cannot use the profile '{path}': {cause}")]
    Io { path: PathBuf, cause: io::Error },
    #[error("cannot use the profile '{0}': it does not contain a key")]
    Damaged(PathBuf),
}

/// Returns the credentials of a profile. Its device key is created on first use, and is on disk before this returns.
///
/// # Errors
/// A file cannot be read or written, or is damaged. A damaged file is left as it is.
pub fn credentials(
    directory: &Path,
    server: &str,
    name: &str,
) -> Result<Credentials, ProfileError> {
    let of = |kind| file(directory, server, name, kind);
    let former = read(&of(FORMER), Secret::from_file)?;
    let device = match read(&of(DEVICE), DeviceSecret::from_file)? {
        Some(device) => device,
        None => make_device(directory, &of(DEVICE))?,
    };
    Ok(Credentials {
        former,
        ..Credentials::new(device)
    })
}

/// Creates a device key. If another process creates it at the same time, returns the key of that process.
fn make_device(directory: &Path, path: &Path) -> Result<DeviceSecret, ProfileError> {
    let cause = |cause| ProfileError::Io {
        path: path.to_owned(),
        cause,
    };
    fs::create_dir_all(directory).map_err(cause)?;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| cause(io::Error::other(error.to_string())))?;
    let device = DeviceSecret::new(seed);
    // Written to another file and then linked into place: if two processes start at once, one creates the profile and the other finds it
    // complete.
    let aside = directory.join(format!(
        "new-{}-{}",
        std::process::id(),
        hex::encode(&device.public().bytes()[..4])
    ));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&aside).and_then(|mut file| {
        writeln!(file, "{}", device.to_digits())?;
        file.sync_all()?;
        fs::hard_link(&aside, path)?;
        sync_directory(path)
    });
    // The temporary file is no longer needed in either case.
    let _gone = fs::remove_file(&aside);
    match written {
        Ok(()) => Ok(device),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read(path, DeviceSecret::from_file)?
                .ok_or_else(|| ProfileError::Damaged(path.to_owned()))
        }
        Err(error) => Err(cause(error)),
    }
}

/// Returns the path of a profile's messages, drafts and outbox.
pub fn cache(directory: &Path, server: &str, name: &str) -> PathBuf {
    file(directory, server, name, "db")
}

/// Returns the public room that was read last under a profile.
pub(crate) fn last_room(directory: &Path, server: &str, name: &str) -> Option<String> {
    let room = fs::read_to_string(file(directory, server, name, "room")).ok()?;
    let room = room.trim();
    (!room.is_empty()).then(|| room.to_owned())
}

/// Saves the room that is being read. Best effort: without it the client starts in the room that everyone starts in.
pub(crate) fn remember_room(directory: &Path, server: &str, name: &str, room: &str) {
    let path = file(directory, server, name, "room");
    let _forgotten = write_line(&path, room);
}

/// Records the current name of a profile's identity, so that the profile is found by it from now on. Best effort:
/// without it, the profile is found by its earlier names.
pub(crate) fn record_name(directory: &Path, server: &str, start: &str, now: &str) {
    let profile = stem(directory, server, start);
    let of = |stem: &str, kind: &str| directory.join(format!("{stem}.{kind}"));
    let before = fs::read_to_string(of(&profile, "name")).unwrap_or_default();
    let before = before.trim();
    if before == now {
        return;
    }
    // If another profile started with the name that is given up, the name belongs to that profile again.
    let left = own_stem(server, before);
    let is_of_another = left != profile && exists(directory, &left);
    if is_of_another && alias(directory, &left).as_deref() == Some(profile.as_str()) {
        let _stays = fs::remove_file(of(&left, "alias"));
    }
    let taken = own_stem(server, now);
    let recorded = if taken == profile {
        match fs::remove_file(of(&taken, "alias")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    } else {
        write_line(&of(&taken, "alias"), &profile)
    };
    if recorded.is_ok() {
        let _noted_again_the_next_time = write_line(&of(&profile, "name"), now);
    }
}

fn write_line(path: &Path, line: &str) -> io::Result<()> {
    write_atomically(path, &format!("{line}\n"), PUBLIC)
}

/// Reads a key file. Returns `None` if there is none.
fn read<T>(path: &Path, parse: impl Fn(&[u8]) -> Option<T>) -> Result<Option<T>, ProfileError> {
    let file = read_if_exists(path).map_err(|cause| ProfileError::Io {
        path: path.to_owned(),
        cause,
    })?;
    file.map(|file| parse(&file).ok_or_else(|| ProfileError::Damaged(path.to_owned())))
        .transpose()
}

/// Whether a profile exists, of this version or an earlier one.
fn exists(directory: &Path, stem: &str) -> bool {
    let has = |kind| directory.join(format!("{stem}.{kind}")).exists();
    has(DEVICE) || has(FORMER)
}

/// Returns a file of the profile that a name means.
fn file(directory: &Path, server: &str, name: &str, kind: &str) -> PathBuf {
    directory.join(format!("{}.{kind}", stem(directory, server, name)))
}

/// Returns the file stem of a profile: that of the profile the name points to, otherwise the name's own.
fn stem(directory: &Path, server: &str, name: &str) -> String {
    let own = own_stem(server, name);
    alias(directory, &own).unwrap_or(own)
}

/// Returns the file stem of the profile that starts with a name. It is a hash, because names and addresses may contain
/// characters that a file name may not.
fn own_stem(server: &str, name: &str) -> String {
    let hash = Sha256::digest(format!("{server}\n{}", name.to_lowercase()));
    hex::encode(&hash[..12])
}

/// Returns the profile that a name points to through its alias file, if the profile still exists.
fn alias(directory: &Path, own: &str) -> Option<String> {
    let text = fs::read_to_string(directory.join(format!("{own}.alias"))).ok()?;
    let profile = text.trim();
    // The file may contain anything: never follow a path out of this directory.
    let is_stem = profile.len() == own.len() && profile.bytes().all(|it| it.is_ascii_hexdigit());
    let is_there = is_stem && exists(directory, profile);
    is_there.then(|| profile.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(directory: &Path, server: &str, name: &str) -> DeviceSecret {
        credentials(directory, server, name).unwrap().device
    }

    #[test]
    fn a_profile_keeps_its_key_and_each_server_and_name_has_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let ann = device(directory.path(), "localhost:50051", "ann");
        assert_eq!(device(directory.path(), "localhost:50051", "Ann"), ann);
        assert_ne!(device(directory.path(), "localhost:50052", "ann"), ann);
        assert_ne!(device(directory.path(), "localhost:50051", "ben"), ann);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_key_file() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        device(directory.path(), "localhost:50051", "张三/../x");
        let file = fs::read_dir(directory.path())
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_profile_copied_by_hand_has_the_same_key_and_is_left_unchanged() {
        let directory = tempfile::tempdir().unwrap();
        let ann = device(directory.path(), "h:1", "ann");
        let path = file(directory.path(), "h:1", "ann", DEVICE);
        let digits = fs::read_to_string(&path).unwrap().trim().to_owned();
        for copied in [
            format!("{digits}\r\n"),
            format!("\u{feff}{digits}\r\n"),
            format!("{digits} \t\n\n"),
            digits.clone(),
            format!("{}\r\n{}\r\n", &digits[..32], &digits[32..]),
        ] {
            fs::write(&path, &copied).unwrap();
            let read = device(directory.path(), "h:1", "ann");
            assert_eq!(read, ann, "{copied:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), copied);
        }
    }

    #[test]
    fn a_damaged_profile_is_reported_and_left_unchanged() {
        let directory = tempfile::tempdir().unwrap();
        let path = file(directory.path(), "h:1", "ann", DEVICE);
        fs::write(&path, "not a key").unwrap();
        assert!(matches!(
            credentials(directory.path(), "h:1", "ann"),
            Err(ProfileError::Damaged(_))
        ));
        assert_eq!(fs::read_to_string(&path).unwrap(), "not a key");
    }

    #[test]
    fn a_profile_of_an_earlier_version_gets_a_key_of_its_own_and_keeps_its_secret() {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path();
        let secret = "0f".repeat(32);
        fs::write(file(here, "h:1", "ann", FORMER), &secret).unwrap();
        record_name(here, "h:1", "ann", "anna");
        let ann = credentials(here, "h:1", "anna").unwrap();
        assert_eq!(ann.former, Some(Secret::new([15; 32])));
        assert_ne!(ann.device, DeviceSecret::new([15; 32]));
        assert_eq!(credentials(here, "h:1", "ann").unwrap(), ann);
        // A damaged one is an error: without it the account would be lost.
        fs::write(file(here, "h:1", "ann", FORMER), "0f").unwrap();
        assert!(credentials(here, "h:1", "ann").is_err());
    }

    #[test]
    fn a_profile_is_found_by_every_name_its_identity_has_had() {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path();
        let of = |server: &str, name: &str| device(here, server, name);
        let dan = of("h:1", "dan");
        remember_room(here, "h:1", "dan", "tech");
        record_name(here, "h:1", "dan", "dan");
        for now in ["daniel", "丹尼尔", "Daniel_2"] {
            record_name(here, "h:1", "dan", now);
            assert_eq!(of("h:1", now), dan, "{now}");
            assert_eq!(of("h:1", &now.to_uppercase()), dan, "{now}");
            assert_eq!(cache(here, "h:1", now), cache(here, "h:1", "dan"));
            assert_eq!(last_room(here, "h:1", now).as_deref(), Some("tech"));
        }
        for name in ["dan", "daniel", "丹尼尔", "Daniel_2"] {
            assert_eq!(of("h:1", name), dan, "{name}");
        }
        // A name that already is an alias can be the start name, too.
        record_name(here, "h:1", "daniel", "mia");
        assert_eq!(of("h:1", "mia"), dan);
        // On another server, or under a name it never had, it is another person.
        assert_ne!(of("h:2", "daniel"), dan);
        assert_ne!(of("h:1", "danielle"), dan);
    }

    #[test]
    fn a_shared_name_means_the_profile_that_had_it_last() {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path();
        let of = |name: &str| device(here, "h:1", name);
        let (ben, dan) = (of("ben"), of("dan"));
        record_name(here, "h:1", "ben", "ben");
        record_name(here, "h:1", "ben", "benjamin");
        record_name(here, "h:1", "dan", "ben");
        assert_eq!(
            (of("ben"), of("benjamin"), of("dan")),
            (dan.clone(), ben.clone(), dan.clone())
        );
        // The name is free again, and ben's profile started with it.
        record_name(here, "h:1", "dan", "dan");
        assert_eq!((of("ben"), of("dan")), (ben.clone(), dan.clone()));
        // And taken back by the profile that first used it.
        record_name(here, "h:1", "dan", "ben");
        record_name(here, "h:1", "benjamin", "ben");
        assert_eq!((of("ben"), of("benjamin")), (ben.clone(), ben));
        assert_eq!(of("dan"), dan);
    }

    #[test]
    fn an_alias_to_a_missing_file_or_outside_path_is_ignored() {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path();
        let own = own_stem("h:1", "ann");
        let outside = "../".repeat(8);
        for text in [
            "",
            "\n",
            "nothing",
            &outside,
            &"0".repeat(24),
            "../../../x.secret",
        ] {
            fs::write(here.join(format!("{own}.alias")), text).unwrap();
            assert_eq!(stem(here, "h:1", "ann"), own, "{text:?}");
        }
    }
}
