//! Ids of 16 random bytes, and the secret by which earlier versions recognised an account.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Implements the methods that all types with a fixed number of bytes share.
macro_rules! fixed_bytes {
    ($name:ident, $count:literal) => {
        impl $name {
            /// Creates a value from these bytes.
            pub const fn new(bytes: [u8; $count]) -> Self {
                Self(bytes)
            }

            /// Creates a value from a slice. Returns `None` if it has another length.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            pub const fn bytes(&self) -> &[u8; $count] {
                &self.0
            }
        }
    };
}

pub(super) use fixed_bytes;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        fixed_bytes!($name, 16);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

id!(
    /// A room. The id never changes; the name is an attribute.
    RoomId
);
id!(
    /// A person as the server knows them. The id never changes; the name is an attribute.
    IdentityId
);
id!(
    /// A session: one attached client.
    SessionId
);
id!(
    /// An outbox that posts come from.
    InstanceId
);
id!(
    /// The data of one server.
    ServerId
);
id!(
    /// One history of a room. A room restored from an older copy gets a new epoch.
    Epoch
);

impl IdentityId {
    /// No person: used while only a name is known.
    pub const NOBODY: Self = Self([0; 16]);
    /// Everyone in a room, as the target of a mention.
    pub const EVERYBODY: Self = Self([0; 16]);
}

/// Reads 32 bytes from a file of hexadecimal digits. Editors, mail programs and other systems change such a file: they add a byte order
/// mark, CRLF line endings, spaces, line breaks, a NUL or Ctrl+Z at the end, or convert it to UTF-16. All of these changes are ignored.
pub(super) fn read_32_bytes(file: &[u8]) -> Option<[u8; 32]> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units = file[2..].as_chunks().0.iter().map(|it| unit(*it));
        char::decode_utf16(units).collect::<Result<String, _>>()
    };
    let text = match file {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes).ok()?,
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes).ok()?,
        _ => str::from_utf8(file).ok()?.to_owned(),
    };
    let is_added = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\0' | '\u{1a}');
    let digits: String = text.chars().filter(|c| !is_added(*c)).collect();
    hex::decode(digits).ok()?.try_into().ok()
}

/// The 32 random bytes by which earlier versions recognised an account; today a device key does. They are never sent or shown: the type has
/// no `Display`, and `Debug` hides them.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads a secret from a file of 64 hexadecimal digits. Ignores spaces, line endings and byte order marks.
    pub fn from_file(file: &[u8]) -> Option<Self> {
        read_32_bytes(file).map(Self)
    }

    /// Returns the hash that earlier versions stored on the server. A secret is 256 random bits and cannot be guessed, so a plain hash is enough.
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 of a [`Secret`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 32]);

fixed_bytes!(SecretHash, 32);

impl SecretHash {
    /// Like [`Secret::from_file`].
    pub fn from_file(file: &[u8]) -> Option<Self> {
        read_32_bytes(file).map(Self)
    }

    /// Returns the first bytes, by which an account can be found. See [`FormerProof`](super::FormerProof).
    pub fn hint(&self) -> [u8; 8] {
        let mut hint = [0; 8];
        hint.copy_from_slice(&self.0[..8]);
        hint
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_from_a_file_that_editors_changed() {
        let digits = "0f".repeat(32);
        let (first, rest) = digits.split_at(30);
        let utf16 = |unit: fn(u16) -> [u8; 2]| {
            let text = format!("\u{feff}{digits}\r\n");
            text.encode_utf16().flat_map(unit).collect::<Vec<u8>>()
        };
        let files: [Vec<u8>; 12] = [
            digits.clone().into(),
            format!("{digits}\n").into(),
            format!("{digits}\r\n").into(),
            format!("{digits}\r\n\r\n\n").into(),
            format!("\u{feff}{digits}\r\n").into(),
            format!("  {digits} \t\n").into(),
            format!("{digits}\u{a0}\u{3000}").into(),
            format!("{digits}\0\u{1a}").into(),
            format!("{first}\r\n{rest}\r\n").into(),
            digits.to_uppercase().into(),
            utf16(u16::to_le_bytes),
            utf16(u16::to_be_bytes),
        ];
        for file in files {
            let shown = String::from_utf8_lossy(&file).into_owned();
            assert_eq!(
                Secret::from_file(&file),
                Some(Secret::new([15; 32])),
                "{shown:?}"
            );
        }
    }

    #[test]
    fn text_that_is_not_64_hexadecimal_digits_is_not_a_secret() {
        let digits = "0f".repeat(32);
        for file in [
            "",
            "\u{feff}",
            "not a secret",
            &digits[1..],
            &format!("{digits}0f"),
            &format!("'{digits}'"),
        ] {
            assert_eq!(Secret::from_file(file.as_bytes()), None, "{file:?}");
        }
        for file in [&[0xff][..], &[0xff, 0xfe], &[0xff, 0xfe, 0x00, 0xd8]] {
            assert_eq!(Secret::from_file(file), None, "{file:?}");
        }
    }
}
