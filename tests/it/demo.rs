//! `tchat --demo`: client and server in one process, which leaves nothing behind.

use std::path::Path;

use crate::support::terminal::{Home, Screen, binary};

#[test]
fn the_tour_works_in_a_terminal_without_any_setup() {
    let home = Home::new();
    // No name, no config, no home and no locale.
    let bare = format!(
        "exec env -i TERM=xterm-256color {} --demo",
        binary().display()
    );
    let mut you = home.runs("sh", (110, 30), &["-c", &bare]);
    you.shows("every message is stored before");
    you.shows("tip 1/7: write something and press Enter");
    you.shows("welcome, @you!");
    you.sends_line("hello everybody");
    you.shows("> you: hello everybody");
    you.shows("tip 2/7: start with @ada and a space");
    you.sends_line("@ada psst");
    you.shows("privately to ada");
    you.shows("only you and I can see this, you");
    you.shows("tip 3/7: go to the next room with Alt+Down");
    you.types("\x1b[1;3B");
    you.shows("#tech ›");
    you.shows("tip 4/7: select a message with Alt+M");
    you.types("\x1bm");
    you.shows("r reply");
    leaves(&mut you, "r reply");
    you.shows("tip 5/7: search all your rooms with Ctrl+F");
    you.types("\x06");
    you.shows("SEARCH");
    you.types("stored");
    you.shows("every message is stored");
    leaves(&mut you, "SEARCH");
    you.shows("tip 6/7: preview the themes with Alt+T");
    you.types("\x1bt");
    you.shows("Themes");
    leaves(&mut you, "Themes");
    you.shows("tip 7/7: see all keys with F1");
    you.types("\x1bOP");
    you.shows("Send, or run a command");
    leaves(&mut you, "Send, or run a command");
    you.until("the end of the tour", |text| !text.contains("7/7"));
    // The demo server is like any other, but `/connect` is not available.
    you.sends_line("/connect chat.example.org");
    you.shows("this is the demo");
    you.types("\x03");
    assert!(you.ends());
    you.is_restored();
}

/// Presses Esc and waits until the overlay has closed, so that the next key cannot be taken for the rest of an escape sequence.
fn leaves(you: &mut Screen, shown: &str) {
    you.types("\x1b");
    you.until("the overlay to close", |text| !text.contains(shown));
}

#[test]
fn a_demo_opens_no_port_and_leaves_no_files() {
    let home = Home::new();
    let mut you = home.screen((80, 24), &["--demo", "--lang", "zh-CN", "--name", "小艾"]);
    // A bot of the same name takes another name.
    you.shows("小林");
    you.shows("提示 1/7");
    you.sends_line("大家好");
    you.shows("> 小艾：大家好");
    let process = you.process();
    let sockets = sockets(process);
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let table = std::fs::read_to_string(format!("/proc/{process}/net/{table}"));
        for line in table.unwrap_or_default().lines().skip(1) {
            let inode = line.split_whitespace().nth(9).unwrap_or_default();
            assert!(!sockets.contains(&inode.to_owned()), "a socket: {line}");
        }
    }
    you.types("\x03");
    assert!(you.ends());
    for place in [home.data(), home.logs()] {
        assert!(!place.exists(), "{} was written", place.display());
    }
}

/// The inodes of the sockets a process has open.
fn sockets(process: u32) -> Vec<String> {
    let files = std::fs::read_dir(format!("/proc/{process}/fd"));
    let links = files.into_iter().flatten().flatten();
    let links = links.filter_map(|file| std::fs::read_link(file.path()).ok());
    let inode = |link: &Path| {
        let text = link.display().to_string();
        let inner = text.strip_prefix("socket:[")?.strip_suffix(']')?;
        Some(inner.to_owned())
    };
    links.filter_map(|link| inode(&link)).collect()
}
