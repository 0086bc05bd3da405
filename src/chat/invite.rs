//! Invitations, with which new people can create accounts on a server that is not open to everyone.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};

use super::ServerRole;
use super::id::fixed_bytes;

/// The secret part of an invitation, 16 random bytes. Anyone who has it can create an account, so neither `Debug` nor `Display` shows it.
///
/// Written as 31 lower-case letters and digits: base32 (RFC 4648) of the bytes and a checksum, so that a damaged link is noticed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Invite([u8; 16]);

/// The number of bytes of the checksum.
const CHECKSUM: usize = 3;

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the invitation after '.' is incomplete or has a typo")]
pub struct InviteError;

fixed_bytes!(Invite, 16);

impl Invite {
    /// Returns whether a text contains a link with an invitation. Such a text must not be stored.
    pub fn is_in(text: &str) -> bool {
        let mut words =
            text.split(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '<' | '>'));
        words.any(|word| {
            let after_pin = word.split_once('#').and_then(|(_, it)| it.split_once('.'));
            after_pin.is_some_and(|(_, invite)| invite.parse::<Self>().is_ok())
        })
    }

    /// Returns the text for a link.
    pub fn secret_text(&self) -> String {
        let bytes = [&self.0[..], &self.checksum()].concat();
        BASE32_NOPAD.encode(&bytes).to_lowercase()
    }

    /// Returns the link with this invitation added. The link must not have one yet.
    pub fn added_to(&self, link: &str) -> String {
        let mark = if link.contains('#') { "" } else { "#" };
        format!("{link}{mark}.{}", self.secret_text())
    }

    /// Returns the hash that the server stores. An invitation is 128 random bits and cannot be guessed, so a plain hash is enough.
    pub fn hash(&self) -> InviteHash {
        InviteHash(Sha256::digest(self.0).into())
    }

    fn checksum(&self) -> [u8; CHECKSUM] {
        let mut hash = Sha256::new();
        hash.update(b"tchat invite");
        hash.update(self.0);
        let mut checksum = [0; CHECKSUM];
        checksum.copy_from_slice(&hash.finalize()[..CHECKSUM]);
        checksum
    }
}

impl FromStr for Invite {
    type Err = InviteError;

    fn from_str(text: &str) -> Result<Self, InviteError> {
        let bytes = BASE32_NOPAD
            .decode(text.to_uppercase().as_bytes())
            .map_err(|_| InviteError)?;
        let (secret, checksum) = bytes.split_at_checked(16).ok_or(InviteError)?;
        let invite = Self::from_slice(secret).ok_or(InviteError)?;
        if checksum == invite.checksum() {
            Ok(invite)
        } else {
            Err(InviteError)
        }
    }
}

impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Invite(…)")
    }
}

/// SHA-256 of an [`Invite`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct InviteHash([u8; 32]);

fixed_bytes!(InviteHash, 32);

impl InviteHash {
    /// Returns the eight hexadecimal digits by which people refer to an invitation.
    pub fn id(&self) -> String {
        hex::encode(&self.0[..4])
    }
}

/// An invitation that can still be used, as administrators see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenInvite {
    /// See [`InviteHash::id`].
    pub id: String,
    pub uses_left: u32,
    /// How long it can still be used.
    pub valid: Duration,
    /// The name of the person who made it; empty for the user who runs the server.
    pub maker: String,
    /// The role that its accounts get.
    pub role: ServerRole,
    /// The rooms that its accounts are members of from the start.
    pub rooms: Vec<String>,
}

/// The terms of a new invitation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InviteTerms {
    /// How many accounts can be made with it.
    pub uses: u32,
    pub valid: Duration,
    /// The role that its accounts get.
    pub role: ServerRole,
    /// The names of rooms that its accounts are members of from the start.
    pub rooms: Vec<String>,
}

impl InviteTerms {
    /// The maximum number of accounts of one invitation, and the maximum time that it can be used.
    pub const MOST_USES: u32 = 1000;
    pub const LONGEST: Duration = Duration::from_hours(365 * 24);
    /// The maximum number of rooms of one invitation.
    pub const MOST_ROOMS: usize = 16;
    /// How long the link for another device can be used.
    pub const DEVICE_LINK: Duration = Duration::from_mins(10);
    /// The terms of the link that a new server prints for its team.
    pub const TEAM: Self = Self {
        uses: 20,
        valid: Duration::from_hours(7 * 24),
        role: ServerRole::Member,
        rooms: Vec::new(),
    };
}

impl Default for InviteTerms {
    fn default() -> Self {
        Self {
            uses: 1,
            valid: Duration::from_hours(7 * 24),
            role: ServerRole::Member,
            rooms: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_survives_a_round_trip_and_a_damaged_one_is_noticed() {
        let invite = Invite::new([0x5a; 16]);
        let text = invite.secret_text();
        assert_eq!(text.len(), 31);
        assert_eq!(text.parse(), Ok(invite));
        assert_eq!(text.to_uppercase().parse(), Ok(invite));
        for at in 0..text.len() {
            let mut damaged = text.clone();
            let other = if &text[at..=at] == "a" { "b" } else { "a" };
            damaged.replace_range(at..=at, other);
            assert_eq!(damaged.parse::<Invite>(), Err(InviteError), "{damaged}");
            assert_eq!(text[..at].parse::<Invite>(), Err(InviteError));
        }
        assert!(!format!("{invite:?}").contains("5a"));
        let link = invite.added_to("tchat://h/#");
        for (text, is_in) in [
            (link.clone(), true),
            (format!("/connect '{link}' please"), true),
            (format!("/connect {}", link.to_uppercase()), true),
            (invite.added_to("tchat://h:1,i/"), true),
            ("tchat://h/#pin".into(), false),
            (format!("tchat://h/#pin.{}", &text[1..]), false),
            ("see https://h/#a.b and example.org".into(), false),
        ] {
            assert_eq!(Invite::is_in(&text), is_in, "{text}");
        }
    }
}
