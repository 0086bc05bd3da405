//! Opens a link with the desktop's default program. Uses no shell: the address is a single argument.

use std::io::ErrorKind;
use std::process::{Command, Stdio};

/// The program that opens a link, and the arguments before the address.
const OPENER: (&str, &[&str]) = if cfg!(target_os = "macos") {
    ("open", &[])
} else if cfg!(windows) {
    ("rundll32.exe", &["url.dll,FileProtocolHandler"])
} else {
    ("xdg-open", &[])
};

/// Opens a link and waits until the program that opens it has ended.
///
/// # Errors
/// The address is not for a browser or a mail program, or the opener is missing or fails.
pub fn open(address: &str) -> Result<(), String> {
    let (program, words) = OPENER;
    run(program, words, &checked_address(address)?)
}

/// Returns the part of an address that may be opened. Addresses come from other people, so any that could start another program is refused.
fn checked_address(address: &str) -> Result<String, String> {
    let lower = address.to_ascii_lowercase();
    let is_visible = address.bytes().all(|byte| byte.is_ascii_graphic());
    let is_web = ["http://", "https://"]
        .iter()
        .any(|it| lower.starts_with(it));
    if is_web && is_visible {
        return Ok(address.to_owned());
    }
    if lower.starts_with("mailto:") && is_visible {
        // Some mail programs attach files whose names follow the question mark.
        let recipient = address.split('?').next().unwrap_or_default();
        return Ok(recipient.to_owned());
    }
    Err("cannot open the link: only http, https and mailto links can be opened".into())
}

fn run(program: &str, words: &[&str], address: &str) -> Result<(), String> {
    let mut command = Command::new(program);
    command
        .args(words)
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Its own process group, so that the browser continues after the terminal is closed.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!("cannot open the link: '{program}' failed")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(format!("cannot open the link: install '{program}' first"))
        }
        Err(error) => Err(format!("cannot open the link: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_for_a_browser_or_a_mail_program_are_opened() {
        for address in [
            "https://example.org/a?b=c&d#e",
            "HTTP://example.org",
            "mailto:ann@example.org",
        ] {
            assert_eq!(checked_address(address).as_deref(), Ok(address));
        }
        let mail = checked_address("mailto:ann@example.org?attach=/etc/passwd");
        assert_eq!(mail.as_deref(), Ok("mailto:ann@example.org"));
        for address in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "ssh://example.org",
            "-h",
            "https://example.org/a b",
            "https://example.org/\u{1b}]0;x",
            "",
        ] {
            assert!(checked_address(address).is_err(), "{address:?}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn errors_name_the_program() {
        assert_eq!(run("true", &[], "https://example.org"), Ok(()));
        let failed = run("false", &[], "https://example.org").unwrap_err();
        assert!(failed.contains("'false' failed"), "{failed}");
        let missing = run("no-such-opener-here", &[], "https://example.org").unwrap_err();
        assert!(
            missing.contains("install 'no-such-opener-here'"),
            "{missing}"
        );
    }
}
