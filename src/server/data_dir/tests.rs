use super::*;
use crate::chat::Secret;

#[test]
fn a_directory_has_one_server_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let open = || DataDir::open(directory.path(), Purpose::Serve);
    let first = open().unwrap();
    let error = open().unwrap_err();
    assert!(matches!(error, DataError::InUse { .. }), "{error}");
    assert!(error.to_string().contains(&std::process::id().to_string()));
    drop(first);
    assert!(open().is_ok());
}

#[test]
fn the_lock_file_names_the_process_and_its_purpose() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    assert_eq!(holder(&path.join("none")).unwrap(), None);
    assert_eq!(holder(path).unwrap(), None);
    for purpose in [Purpose::Serve, Purpose::Restore] {
        let open = DataDir::open(path, purpose).unwrap();
        let process = Some(std::process::id());
        assert_eq!(holder(path).unwrap(), Some(LockHolder { process, purpose }));
        drop(open);
        assert_eq!(
            holder(path).unwrap(),
            None,
            "the process id was not removed"
        );
    }
    // Earlier versions wrote only the process id.
    let open = DataDir::open(path, Purpose::Serve).unwrap();
    fs::write(path.join(LOCK), "4711\n").unwrap();
    let known = holder(path).unwrap().unwrap();
    assert_eq!((known.process, known.purpose), (Some(4711), Purpose::Serve));
    drop(open);
}

#[test]
fn a_stopped_server_may_be_started_again_by_hand() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    assert!(!is_stopped(path));
    set_stopped(path, true).unwrap();
    assert!(is_stopped(path));
    drop(DataDir::open(path, Purpose::Restore).unwrap());
    assert!(is_stopped(path), "a restored database is not served yet");
    drop(DataDir::open(path, Purpose::Serve).unwrap());
    assert!(!is_stopped(path));
}

#[cfg(unix)]
#[test]
fn a_created_directory_is_private_and_an_existing_one_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let deep = directory.path().join("a/b/c");
    drop(DataDir::open(&deep, Purpose::Serve).unwrap());
    for made in ["a", "a/b", "a/b/c"] {
        assert_eq!(mode(&directory.path().join(made)), 0o700, "{made}");
    }
    for kept in [0o755, 0o1777, 0o2750, 0o700] {
        fs::set_permissions(&deep, fs::Permissions::from_mode(kept)).unwrap();
        drop(DataDir::open(&deep, Purpose::Serve).unwrap());
        make_directory(&deep).unwrap();
        assert_eq!(mode(&deep), kept, "{kept:o}");
    }
}

#[test]
fn the_owner_is_read_even_if_an_editor_reformatted_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let opened = DataDir::open(directory.path(), Purpose::Serve).unwrap();
    let owner = DeviceKey::new([7; 32]);
    assert_eq!(opened.owner(Some((owner, None))).unwrap(), Some(owner));
    let path = directory.path().join(OWNER);
    let written = fs::read_to_string(&path).unwrap();
    for changed in [
        written.replace('\n', "\r\n"),
        format!("\u{feff}{written}"),
        format!(" {} \n\n", written.trim()),
        written.to_uppercase(),
    ] {
        fs::write(&path, &changed).unwrap();
        let other = Some((DeviceKey::new([8; 32]), None));
        assert_eq!(opened.owner(other).unwrap(), Some(owner), "{changed:?}");
    }
}

#[test]
fn a_damaged_owner_is_an_error_and_not_a_server_without_one() {
    let directory = tempfile::tempdir().unwrap();
    let opened = DataDir::open(directory.path(), Purpose::Serve).unwrap();
    let host = Some((DeviceKey::new([8; 32]), None));
    for damaged in ["", "07", "not a key", &"07".repeat(33)] {
        fs::write(directory.path().join(OWNER), damaged).unwrap();
        for host in [host, None] {
            let error = opened.owner(host).unwrap_err().to_string();
            assert!(error.contains("does not contain a key"), "{error}");
        }
    }
}

#[test]
fn an_owner_whom_an_earlier_version_recorded_stays_the_owner() {
    let directory = tempfile::tempdir().unwrap();
    let opened = DataDir::open(directory.path(), Purpose::Serve).unwrap();
    let (secret, other) = (Secret::new([1; 32]).hash(), Secret::new([2; 32]).hash());
    let recorded = hex::encode(secret.bytes());
    fs::write(directory.path().join(FORMER_OWNER), recorded).unwrap();
    let device = DeviceKey::new([7; 32]);
    for another in [None, Some((device, None)), Some((device, Some(other)))] {
        assert_eq!(opened.owner(another).unwrap(), None);
    }
    let host = Some((device, Some(secret)));
    assert_eq!(opened.owner(host).unwrap(), Some(device));
    assert_eq!(opened.owner(None).unwrap(), Some(device));
}
