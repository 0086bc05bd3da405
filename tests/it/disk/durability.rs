//! What has to survive on the disk: backups, lost and damaged files, modes and secrets.

use super::*;

#[test]
fn a_backup_works_while_the_server_runs_and_a_restore_only_while_it_is_stopped() {
    let home = Home::new();
    let mut server = home.serves(&[]);
    says(&home, "kept");
    let copy = home.file("copy.db");
    let (code, said) = runs(&home, &["backup", &copy]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("and verified them"), "{said}");
    let (code, said) = runs(&home, &["backup", &copy]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("already exists; nothing was overwritten"),
        "{said}"
    );
    says(&home, "said after the copy");
    let (code, said) = runs(&home, &["restore", &copy]);
    assert_eq!(code, Some(1), "the server runs: {said}");
    assert!(said.contains("another tchat"), "{said}");
    signal(server.id(), "TERM");
    assert!(ends(&mut server, Duration::from_secs(50)).success());
    // A file that is not a backup changes nothing.
    let junk = home.file("junk.db");
    std::fs::write(&junk, "junk").unwrap();
    let torn = home.file("torn.db");
    std::fs::copy(&copy, &torn).unwrap();
    damage(Path::new(&torn));
    for wrong in [&junk, &torn, &home.file("nothing.db")] {
        let (code, said) = runs(&home, &["restore", wrong]);
        assert_eq!(code, Some(1), "{wrong}: {said}");
    }
    let (code, said) = runs(&home, &["restore", &copy]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("before-restore-1"), "{said}");
    let mut server = home.serves(&[]);
    let (_, said) = runs(&home, &["tail", "--port", &home.port.to_string()]);
    assert!(
        said.contains("kept") && !said.contains("said after the copy"),
        "{said}"
    );
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn a_missing_database_is_an_error_that_explains_how_to_restore_it() {
    let home = Home::new();
    let mut server = home.serves(&[]);
    signal(server.id(), "TERM");
    assert!(ends(&mut server, Duration::from_secs(50)).success());
    let database = home.data().join("tchat.db");
    let kept = std::fs::read(&database).unwrap();
    let port = home.port.to_string();
    let starts = || {
        home.command(&["--serve", "--port", &port])
            .output()
            .unwrap()
    };
    for is_empty in [false, true] {
        std::fs::remove_file(&database).unwrap();
        if is_empty {
            std::fs::write(&database, "").unwrap();
        }
        let output = starts();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{said}");
        assert!(
            said.contains("missing or empty") && said.contains("tchat restore"),
            "{said}"
        );
        std::fs::write(&database, &kept).unwrap();
    }
    // With the database back the server continues; without the id file a new history begins.
    let mut server = home.serves(&[]);
    signal(server.id(), "TERM");
    assert!(ends(&mut server, Duration::from_secs(50)).success());
    std::fs::remove_file(&database).unwrap();
    std::fs::remove_file(home.data().join("tchat.id")).unwrap();
    let mut server = home.serves(&[]);
    signal(server.id(), "TERM");
    assert!(ends(&mut server, Duration::from_secs(50)).success());
}

#[test]
fn the_wal_of_a_missing_database_is_not_deleted_and_not_applied_to_a_backup() {
    let home = Home::new();
    let mut server = home.serves(&[]);
    let port = home.port.to_string();
    let sends = |text: &str| {
        let sent = home.command(&["send", "--port", &port, text]).output();
        let sent = sent.unwrap();
        assert!(sent.status.success(), "{sent:?}");
    };
    sends("in the backup");
    let copy = home.file("copy.db");
    let data = home.data().display().to_string();
    let backup = home
        .command(&["backup", &copy, "--data", &data])
        .output()
        .unwrap();
    assert!(backup.status.success(), "{backup:?}");
    sends("after the backup");
    signal(server.id(), "KILL");
    ends(&mut server, Duration::from_secs(50));
    let (database, log) = (
        home.data().join("tchat.db"),
        home.data().join("tchat.db-wal"),
    );
    let kept = std::fs::read(&log).unwrap();
    assert!(!kept.is_empty());
    for is_empty in [false, true] {
        std::fs::remove_file(&database).unwrap();
        if is_empty {
            std::fs::write(&database, "").unwrap();
        }
        let output = home
            .command(&["--serve", "--port", &port])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains("tchat restore"),
            "{said}"
        );
        assert_eq!(std::fs::read(&log).unwrap(), kept);
        std::fs::write(&database, "").unwrap();
    }
    // Only the backup is restored, and the WAL is kept under another name.
    let restored = home
        .command(&["restore", &copy, "--data", &data])
        .output()
        .unwrap();
    assert!(restored.status.success(), "{restored:?}");
    let aside = home.data().join("tchat.db.before-restore-1-wal");
    assert_eq!(std::fs::read(aside).unwrap(), kept);
    let mut server = home.serves(&[]);
    let (_, said) = runs(&home, &["tail", "--port", &port, "--last", "50"]);
    assert!(
        said.contains("in the backup") && !said.contains("after the backup"),
        "{said}"
    );
    signal(server.id(), "TERM");
    assert!(ends(&mut server, Duration::from_secs(50)).success());
}

#[cfg(unix)]
#[test]
fn an_existing_directory_keeps_its_mode_and_the_database_in_it_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let home = Home::new();
    for directory in [home.data(), home.logs()] {
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut server = home.serves(&[]);
    assert_eq!((mode(&home.data()), mode(&home.logs())), (0o755, 0o755));
    assert_eq!(mode(&home.data().join("tchat.db")), 0o600);
    signal(server.id(), "TERM");
    assert!(ends(&mut server, Duration::from_secs(50)).success());
    // A directory that tchat creates is private.
    let home = Home::new();
    let mut server = home.serves(&[]);
    assert_eq!((mode(&home.data()), mode(&home.logs())), (0o700, 0o700));
    signal(server.id(), "TERM");
    assert!(ends(&mut server, Duration::from_secs(50)).success());
}

/// The permission bits of a file or directory.
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_damaged_message_is_reported_by_log_and_doctor_and_the_rest_is_served() {
    let home = Home::new();
    let port = home.port.to_string();
    let mut server = home.serves(&[]);
    for n in 1..=6 {
        says(&home, &format!("line {n}"));
    }
    is_stopped(&mut server);
    let torn = "CAST(x'6cff' AS TEXT)";
    let damages = [
        (
            format!("text = {torn} WHERE text = 'line 2'"),
            "its text cannot be read",
        ),
        (
            "text = 'lime 4' WHERE text = 'line 4'".into(),
            "its text does not match its hash",
        ),
        (
            format!("author_name = {torn} WHERE text = 'line 5'"),
            "the name of its author cannot be read",
        ),
        (
            "digest = x'0001020304050607' WHERE text = 'line 6'".into(),
            "its digest does not match the entry before it",
        ),
    ];
    for (n, (set, what)) in damages.iter().enumerate() {
        let db = rusqlite::Connection::open(home.data().join("tchat.db")).unwrap();
        assert_eq!(
            db.execute(&format!("UPDATE entries SET {set}"), [])
                .unwrap(),
            1
        );
        drop(db);
        let mut server = home.serves(&[]);
        let counted = || runs(&home, &["tail", "--port", &port, "--last", "100"]).1;
        let text = counted();
        for line in ["line 1", "line 3", "line 5", "line 6"] {
            assert!(text.contains(line), "{set}: {text}");
        }
        assert!(!text.contains("lime 4"), "{text}");
        assert_eq!(
            text.matches("is damaged on the server").count(),
            (n + 1).min(2),
            "{text}"
        );
        says(&home, &format!("after {n}"));
        assert!(counted().contains(&format!("after {n}")));
        waits_for("line in the log", || log(&home).contains(what));
        assert!(log(&home).contains("room=\"general\""), "{}", log(&home));
        let (code, said) = runs(&home, &["doctor", "--port", &port]);
        assert_eq!(code, Some(1), "{said}");
        for words in [
            format!("{} damaged, the rest intact", n + 1),
            format!("-> tchat restore FILE --data '{}'", home.data().display()),
            format!("of #general: {what}"),
        ] {
            assert!(said.contains(&words), "{words}: {said}");
        }
        let copy = home.file(&format!("copy{n}.db"));
        let (code, said) = runs(&home, &["backup", &copy]);
        assert_eq!(code, Some(0), "{said}");
        assert!(
            said.contains(&format!(
                "{} damaged values (everything else is intact)",
                n + 1
            )),
            "{said}"
        );
        is_stopped(&mut server);
        assert!(!home.data().join("tchat.failed").exists());
        // A damaged copy can still be restored: the rest of it is fine.
        let (code, said) = runs(&home, &["restore", &copy]);
        assert_eq!(code, Some(0), "{said}");
    }
}

/// A way to damage a database file.
type Damage = fn(&Path);

#[test]
fn a_lost_history_is_never_replaced_silently_by_an_empty_one() {
    let home = Home::new();
    let port = home.port.to_string();
    let database = home.data().join("tchat.db");
    let mut server = home.serves(&[]);
    says(&home, "kept");
    let copy = home.file("copy.db");
    assert_eq!(runs(&home, &["backup", &copy]).0, Some(0));
    // Killed, so that most of the data is still in the WAL beside the database.
    server.kill().unwrap();
    server.wait().unwrap();
    let wal = home.data().join("tchat.db-wal");
    let bytes = std::fs::read(&wal).unwrap();
    assert!(!bytes.is_empty());
    let gone: [(&str, Damage); 4] = [
        ("deleted", |path| std::fs::remove_file(path).unwrap()),
        ("empty", |path| std::fs::write(path, "").unwrap()),
        ("deleted, with its log", |path| {
            let _gone = std::fs::remove_file(path);
            let _gone = std::fs::remove_file(path.with_extension("db-wal"));
        }),
        ("a database of nothing", |path| {
            let _gone = std::fs::remove_file(path);
            let db = rusqlite::Connection::open(path).unwrap();
            db.execute_batch("CREATE TABLE t (x); DROP TABLE t; VACUUM")
                .unwrap();
        }),
    ];
    for (what, damage) in gone {
        damage(&database);
        let before = std::fs::read(&wal).ok();
        let (code, said) = runs(&home, &["--serve", "--port", &port]);
        assert_eq!(code, Some(1), "{what}: {said}");
        for words in [
            "is missing or empty",
            "restore a backup with `tchat restore FILE --data",
            "tchat.id' to start with an empty history",
        ] {
            assert!(said.contains(words), "{what}: {said}");
        }
        assert_eq!(std::fs::read(&wal).ok(), before, "{what}: the WAL is kept");
        let (_, said) = runs(&home, &["doctor", "--port", &port]);
        assert!(said.contains("ERROR rooms"), "{what}: {said}");
        let (code, said) = runs(&home, &["restore", &copy]);
        assert_eq!(code, Some(0), "{what}: {said}");
        let mut server = home.serves(&[]);
        let (_, said) = runs(&home, &["tail", "--port", &port]);
        assert!(said.contains("kept"), "{what}: {said}");
        // Killed again, so that there is a WAL the next time, too.
        says(&home, "and more");
        server.kill().unwrap();
        server.wait().unwrap();
    }
    // The first time the WAL was all that was left; it is kept under another name.
    let aside = home.data().join("tchat.db.before-restore-1-wal");
    assert_eq!(std::fs::read(aside).unwrap(), bytes);
    // A file that is not a database at all is reported as damaged.
    std::fs::write(&database, vec![0; 50]).unwrap();
    let (code, said) = runs(&home, &["--serve", "--port", &port]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("is damaged") && said.contains("tchat restore FILE"),
        "{said}"
    );
    // A user who wants a new history can start one.
    std::fs::remove_file(&database).unwrap();
    std::fs::remove_file(home.data().join("tchat.id")).unwrap();
    let mut server = home.serves(&[]);
    let (_, said) = runs(&home, &["tail", "--port", &port]);
    assert!(!said.contains("kept"), "{said}");
    is_stopped(&mut server);
}

#[test]
fn existing_directories_keep_their_mode_and_new_files_in_them_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let set = |path: &Path, mode| {
        std::fs::create_dir_all(path).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for kept in [0o755, 0o1777, 0o2750] {
        set(&home.data(), kept);
        set(&home.logs(), kept);
        let mut server = home.serves(&[]);
        says(&home, "hello");
        assert_eq!((mode(&home.data()), mode(&home.logs())), (kept, kept));
        for directory in [home.data(), home.logs()] {
            for file in std::fs::read_dir(directory).unwrap() {
                let path = file.unwrap().path();
                assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
            }
        }
        is_stopped(&mut server);
    }
    let deep = home.directory.path().join("a/b");
    let (data, logs) = (deep.join("data"), deep.join("logs"));
    let named = [&data, &logs].map(|path| path.display().to_string());
    let mut server = home
        .command(&["--serve", "--port", &home.port.to_string()])
        .args(["--data", &named[0], "--log-dir", &named[1]])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    waits_for("server", || data.join("tchat.id").exists());
    for made in [&deep, &data, &logs] {
        assert_eq!(mode(made), 0o700, "{}", made.display());
    }
    is_stopped(&mut server);
}

#[test]
fn a_secret_copied_by_hand_still_works() {
    let home = Home::new();
    let mut server = home.serves(&[]);
    let port = home.port.to_string();
    says(&home, "first");
    let profiles = || {
        let files = std::fs::read_dir(home.data().join("profiles")).unwrap();
        let files = files.map(|file| file.unwrap().path());
        files
            .filter(|path| path.extension().is_some_and(|it| it == "secret"))
            .collect::<Vec<_>>()
    };
    let whole: Vec<(std::path::PathBuf, String)> = profiles()
        .into_iter()
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect();
    let changes: [fn(&str) -> String; 4] = [
        |it| it.replace('\n', "\r\n"),
        |it| format!("\u{feff}{}", it.replace('\n', "\r\n")),
        |it| format!("{}  \n\n", it.trim()),
        |it| it.trim().to_owned(),
    ];
    for (n, change) in changes.into_iter().enumerate() {
        for (path, text) in &whole {
            std::fs::write(path, change(text)).unwrap();
        }
        says(&home, &format!("again {n}"));
    }
    let (_, said) = runs(&home, &["tail", "--json", "--port", &port, "--last", "100"]);
    let said: Vec<serde_json::Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|it: &serde_json::Value| it["body"]["kind"] == "text")
        .collect();
    assert_eq!(said.len(), 5);
    assert!(
        said.iter()
            .all(|it| it["author"]["id"] == said[0]["author"]["id"])
    );
    is_stopped(&mut server);
}
