//! The screen in a real tmux, which draws clusters differently from most terminals and keeps old cells until they are overwritten.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::support::terminal::{Home, binary};

const PATIENCE: Duration = Duration::from_secs(30);

/// A tmux server with one window.
struct Tmux<'a> {
    home: &'a Home,
    socket: String,
}

impl<'a> Tmux<'a> {
    /// Runs `tchat` in a window of this size; `None` if tmux is not installed.
    fn opens(home: &'a Home, (width, height): (u16, u16), arguments: &str) -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            println!("skipped: tmux is not installed");
            return None;
        }
        let tmux = Self {
            home,
            socket: home.file("tmux"),
        };
        let program = format!("{} {arguments}", binary().display());
        let (width, height) = (width.to_string(), height.to_string());
        let begun = tmux.runs(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            &width,
            "-y",
            &height,
            &program,
        ]);
        assert!(begun.status.success(), "{begun:?}");
        Some(tmux)
    }

    fn runs(&self, arguments: &[&str]) -> Output {
        let line = "exec tmux -u -S \"$0\" \"$@\"";
        let mut command = self.home.shell(line);
        command.arg(&self.socket).args(arguments);
        command.output().unwrap()
    }

    fn text(&self) -> String {
        let shown = self.runs(&["capture-pane", "-p"]);
        String::from_utf8(shown.stdout).unwrap()
    }

    fn until(&self, what: &str, is: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let text = self.text();
            if is(&text) {
                return text;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "waited for {what} and see:\n{text}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Types a line, sends it, and waits until it is stored.
    fn says(&self, text: &str, last: &str) {
        assert!(self.runs(&["send-keys", "-l", text]).status.success());
        assert!(self.runs(&["send-keys", "Enter"]).status.success());
        self.until(text, |screen| {
            let is_empty = screen.lines().any(|row| row.trim() == "#general ›");
            is_empty && screen.contains(last) && !screen.contains('…')
        });
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        self.runs(&["kill-server"]);
    }
}

#[test]
fn clusters_leave_no_residue_in_tmux() {
    for size in [(120, 24), (80, 24), (40, 12)] {
        let home = Home::new();
        let arguments = format!("--port {}", home.port);
        let Some(tmux) = Tmux::opens(&home, size, &arguments) else {
            return;
        };
        tmux.until("the room", |screen| screen.contains("joined"));
        for (n, text) in [
            "ends with astronaut 🧑🏽‍🚀",
            "short",
            "👍🏽",
            "⚠️ ✔️ ➡️ ℹ️ and words",
            "x",
            "ｶﾞｷﾞｸﾞ half",
            "1️⃣ 🇨🇳 👩‍👩‍👧 ❤️ two",
            "https://ex.org/👍🏽/x and on",
            "y",
        ]
        .into_iter()
        .enumerate()
        {
            tmux.says(&format!("{text} n{n}"), &format!("n{n}"));
        }
        // After scrolling up and back, every row was drawn over another one.
        for key in ["PPage", "C-End"] {
            tmux.runs(&["send-keys", key]);
        }
        let drawn = tmux.until("the newest end", |screen| screen.contains("y n8"));
        // Redrawn on an empty screen it looks the same.
        let asked = tmux.runs(&["send-keys", "M-C-l"]);
        assert!(asked.status.success(), "{asked:?}");
        tmux.runs(&["send-keys", "-l", "marker"]);
        let again = tmux.until("the marker", |screen| screen.contains("› marker"));
        assert_eq!(again.replace("› marker", "›"), drawn, "{size:?}");
    }
}
