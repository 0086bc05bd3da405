//! The credential of a program that chats: its name, its server, and the key that it signs in with. It is one small file, for
//! machines without a persistent home directory.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{ServerLink, read};
use crate::chat::DeviceSecret;

#[derive(Clone, Debug)]
pub struct Credential {
    pub name: String,
    pub server: ServerLink,
    pub key: DeviceSecret,
}

/// The contents of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialFile {
    name: String,
    server: String,
    key: String,
}

/// Reads a credential.
///
/// # Errors
/// The file cannot be read, or is not a credential. The error does not show its key.
pub fn credential(path: &Path) -> Result<Credential> {
    let shown = path.display();
    let cannot = || format!("cannot use the credential file '{shown}'");
    let text = read::text(path).with_context(cannot)?;
    // The parser's own error would quote the line, and with it the key.
    let Ok(file) = toml::from_str::<CredentialFile>(&text) else {
        bail!(
            "cannot use the credential file '{shown}': it does not have the lines name, server and key\n\
             create a new one with `tchat admin bot`"
        );
    };
    let server: ServerLink = file.server.parse().with_context(cannot)?;
    let key = DeviceSecret::from_file(file.key.as_bytes());
    let Some(key) = key else {
        bail!("cannot use the credential file '{shown}': its key is not 64 hexadecimal digits");
    };
    Ok(Credential {
        name: file.name,
        server,
        key,
    })
}

/// Returns the text of a credential file.
pub fn credential_text(name: &str, link: &str, key: &DeviceSecret) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    format!(
        "name = {}\nserver = {}\nkey = {}",
        quoted(name),
        quoted(link),
        quoted(&key.to_digits())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_survives_a_round_trip_and_no_error_shows_its_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ci.credential");
        let key = DeviceSecret::new([0xab; 32]);
        let text = credential_text("构建\"bot", "tchat://chat.example:1/#", &key);
        std::fs::write(&path, &text).unwrap();
        let read = credential(&path).unwrap();
        assert_eq!((read.name.as_str(), read.key), ("构建\"bot", key));
        assert_eq!(read.server.server.host, "chat.example");
        for wrong in [
            text.replace("name", "title"),
            text.replace("abab", "xyz"),
            text.replace("chat.example", "chat example"),
            text.replace('"', ""),
            String::new(),
        ] {
            std::fs::write(&path, &wrong).unwrap();
            let error = format!("{:#}", credential(&path).unwrap_err());
            assert!(error.contains("ci.credential"), "{error}");
            assert!(!error.contains("abab") && !error.contains("xyz"), "{error}");
        }
        assert!(credential(&directory.path().join("none")).is_err());
    }
}
