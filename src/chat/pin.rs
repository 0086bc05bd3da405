//! The pin of a server: the hash of its public key. A client that has the pin cannot be redirected to another server.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a server's `SubjectPublicKeyInfo` (RFC 7469). A renewed certificate for the same key has the same pin. Pins are public.
///
/// Written as 56 lower-case letters and digits: base32 (RFC 4648) of the hash and a checksum, so that a mistyped pin is noticed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin([u8; 32]);

/// The number of bytes of the checksum.
const CHECKSUM: usize = 3;
/// The number of letters in a group of [`Pin::groups`].
const GROUP: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PinError {
    #[error("a pin is 56 characters long: letters a to z and digits 2 to 7")]
    Form,
    #[error("it has a typo; copy it again")]
    Checksum,
}

impl Pin {
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// Returns the pin of a public key, given as a DER-encoded `SubjectPublicKeyInfo`.
    pub fn of_key(subject_public_key_info: &[u8]) -> Self {
        Self(Sha256::digest(subject_public_key_info).into())
    }

    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the pin in seven groups of eight letters, for people who compare it or read it out.
    pub fn groups(&self) -> String {
        let text = self.to_string();
        let mut groups = String::with_capacity(text.len() + text.len() / GROUP);
        for (at, letter) in text.chars().enumerate() {
            if at > 0 && at % GROUP == 0 {
                groups.push(' ');
            }
            groups.push(letter);
        }
        groups
    }

    /// Whether a person typed at least the first group. Ignores case and spaces.
    pub fn begins_with(&self, typed: &str) -> bool {
        let typed: String = typed.split_whitespace().collect();
        typed.len() >= GROUP && self.to_string().starts_with(&typed.to_lowercase())
    }

    fn checksum(&self) -> [u8; CHECKSUM] {
        let mut hash = Sha256::new();
        hash.update(b"tchat pin");
        hash.update(self.0);
        let mut checksum = [0; CHECKSUM];
        checksum.copy_from_slice(&hash.finalize()[..CHECKSUM]);
        checksum
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.0[..], &self.checksum()].concat();
        f.write_str(&BASE32_NOPAD.encode(&bytes).to_lowercase())
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let bytes = BASE32_NOPAD
            .decode(text.to_uppercase().as_bytes())
            .map_err(|_| PinError::Form)?;
        let (hash, checksum) = bytes.split_at_checked(32).ok_or(PinError::Form)?;
        let pin = Self(hash.try_into().map_err(|_| PinError::Form)?);
        if checksum.len() != CHECKSUM {
            return Err(PinError::Form);
        }
        if checksum != pin.checksum() {
            return Err(PinError::Checksum);
        }
        Ok(pin)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_pin_survives_a_round_trip_and_a_mistyped_letter_is_detected(hash in any::<[u8; 32]>(), at in 0_usize..56, letter in "[a-z2-7]") {
            let pin = Pin::new(hash);
            let text = pin.to_string();
            prop_assert_eq!(text.len(), 56);
            prop_assert_eq!(text.parse::<Pin>(), Ok(pin));
            prop_assert_eq!(text.to_uppercase().parse::<Pin>(), Ok(pin));
            let mut wrong = text.clone();
            wrong.replace_range(at..=at, &letter);
            if wrong != text {
                prop_assert_eq!(wrong.parse::<Pin>(), Err(PinError::Checksum));
            }
        }
    }

    #[test]
    fn what_is_not_a_pin_is_refused() {
        let text = Pin::new([7; 32]).to_string();
        for wrong in [
            "",
            "abc",
            &text[1..],
            &format!("{text}a"),
            &text.replace(&text[..1], "1"),
            "é",
        ] {
            assert_eq!(wrong.parse::<Pin>(), Err(PinError::Form), "{wrong}");
        }
    }

    #[test]
    fn a_person_types_at_least_the_first_group() {
        let pin = Pin::new([7; 32]);
        let groups = pin.groups();
        assert_eq!(groups.split(' ').count(), 7);
        assert!(pin.begins_with(&groups[..8]) && pin.begins_with(&groups.to_uppercase()));
        assert!(
            !pin.begins_with(&groups[..7]) && !pin.begins_with("aaaaaaaa") && !pin.begins_with("")
        );
    }
}
