//! The link to a server that people send to each other: where it is, and the pin by which it is recognised.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::{Address, AddressError};
use crate::chat::{Invite, InviteError, Pin, PinError};

/// A server as it is named in a link, a flag or the config file: `tchat://HOST[:PORT][,HOST…]/#[PIN][.INVITE]`, or an address without a pin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerLink {
    /// The address to connect to.
    pub server: Address,
    /// More addresses of the same server, in case the first cannot be reached.
    pub others: Vec<Address>,
    pub pin: Option<Pin>,
    /// An invitation to the server. It is a secret, so it is not part of what is displayed.
    pub invite: Option<Invite>,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LinkError {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("the pin after '#' is not valid: {0}; copy the whole link again")]
    Pin(PinError),
    #[error(
        "a link with several hosts needs the pin of the server after '#'; copy the whole link again"
    )]
    NoPin,
    #[error("a link has at most {ADDRESSES} hosts")]
    Addresses,
    #[error("{0}; copy the whole link again")]
    Invite(InviteError),
}

/// The maximum number of addresses in a link.
const ADDRESSES: usize = 8;
const SCHEME: &str = "tchat://";

impl FromStr for ServerLink {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let text = &*bare(text);
        if !Self::is_meant(text) {
            return Ok(Self::from(text.parse::<Address>()?));
        }
        let (place, secret) = text.split_once('#').unwrap_or((text, ""));
        let mut servers = place[SCHEME.len()..]
            .trim_end_matches('/')
            .split(',')
            .map(str::parse);
        let server = servers.next().ok_or(AddressError::Host)??;
        let others = servers.collect::<Result<Vec<_>, _>>()?;
        let (pin, invite) = match secret.split_once('.') {
            Some((pin, invite)) => (pin, Some(invite.parse().map_err(LinkError::Invite)?)),
            None => (secret, None),
        };
        if others.len() >= ADDRESSES {
            return Err(LinkError::Addresses);
        }
        // Without a pin, nothing would show that all hosts are the same server.
        if pin.is_empty() && !others.is_empty() {
            return Err(LinkError::NoPin);
        }
        Ok(Self {
            server,
            others,
            pin: match pin {
                "" => None,
                pin => Some(pin.parse().map_err(LinkError::Pin)?),
            },
            invite,
        })
    }
}

/// Returns the part of a link that an error message may show: everything before `#`, because an invitation after it is a secret.
pub fn without_secret(text: &str) -> &str {
    let text = unquoted(text);
    match text.split_once('#') {
        Some((place, secret)) if !secret.is_empty() => place,
        _ => text,
    }
}

/// Removes the quotes around a link, which shells need and people copy along with it.
fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(QUOTES)
}

const QUOTES: [char; 4] = ['\'', '"', '<', '>'];

/// Returns a link as it was meant: without the words before it, and without the line ends and spaces that a narrow window or a mail program
/// put into it. Any other text only loses its quotes.
fn bare(text: &str) -> Cow<'_, str> {
    let start = text.char_indices().find_map(|(at, _)| {
        let scheme = text.get(at..at + SCHEME.len())?;
        scheme.eq_ignore_ascii_case(SCHEME).then_some(at)
    });
    match start {
        Some(at) => {
            let lines = text[at..].lines().map(str::trim);
            let kept = |c: &char| !QUOTES.contains(c);
            Cow::Owned(lines.flat_map(str::chars).filter(kept).collect())
        }
        None => Cow::Borrowed(unquoted(text)),
    }
}

impl From<Address> for ServerLink {
    fn from(server: Address) -> Self {
        Self {
            server,
            others: Vec::new(),
            pin: None,
            invite: None,
        }
    }
}

impl ServerLink {
    /// Whether a text is meant as a link, even if something in it is wrong.
    pub fn is_meant(text: &str) -> bool {
        let scheme = unquoted(text).get(..SCHEME.len());
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
    }

    /// All addresses, in the order in which to try them.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        [&self.server].into_iter().chain(&self.others)
    }
}

impl fmt::Display for ServerLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.server.short_for_link())?;
        for other in &self.others {
            write!(f, ",{}", other.short_for_link())?;
        }
        f.write_str("/")?;
        match self.pin {
            Some(pin) => write!(f, "#{pin}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin() -> Pin {
        Pin::new([9; 32])
    }

    #[test]
    fn a_link_survives_a_round_trip() {
        for places in [
            "chat.example.org",
            "10.0.0.1:7000,chat.example.org",
            "[::1]:7,[fe80::2]",
        ] {
            let text = format!("tchat://{places}/#{}", pin());
            let link: ServerLink = text.parse().unwrap();
            assert_eq!(link.pin, Some(pin()));
            assert_eq!(link.addresses().count(), places.split(',').count());
            assert_eq!(link.to_string(), text);
            // As people paste it.
            for pasted in [
                format!(" '{text}'\n"),
                format!("<{text}>"),
                text.to_uppercase(),
                format!("join us: {text}"),
                format!("加入：'{text}'"),
                // As a narrow window shows it.
                format!("{}\n{}\r\n  {}", &text[..20], &text[20..40], &text[40..]),
            ] {
                let again: ServerLink = pasted.parse().unwrap();
                assert_eq!(again.pin, link.pin, "{pasted}");
            }
        }
    }

    #[test]
    fn an_address_is_a_link_without_a_pin() {
        for text in [
            "chat.example.org:1",
            "tchat://chat.example.org:1/",
            "tchat://chat.example.org:1/#",
        ] {
            let link: ServerLink = text.parse().unwrap();
            assert_eq!((link.server.port, link.pin), (1, None), "{text}");
        }
    }

    #[test]
    fn an_invitation_is_read_from_a_link_and_never_displayed() {
        let invite = Invite::new([7; 16]);
        let secret = invite.secret_text();
        for (text, has_pin) in [
            (format!("tchat://h/#{}.{secret}", pin()), true),
            (format!("TCHAT://h:9/#.{}", secret.to_uppercase()), false),
            (format!("'tchat://h,i/#{}.{secret}'", pin()), true),
        ] {
            let link: ServerLink = text.parse().unwrap();
            assert_eq!((link.invite, link.pin.is_some()), (Some(invite), has_pin));
            let shown = format!("{link} {link:?}");
            assert!(!shown.to_lowercase().contains(&secret), "{shown}");
        }
    }

    #[test]
    fn a_damaged_link_says_what_is_wrong() {
        let text = format!("tchat://h/#{}", pin());
        for (wrong, words) in [
            (&text[..text.len() - 1], "copy the whole link again"),
            (
                &text.replace("tchat://h", "tchat://"),
                "the host is missing",
            ),
            (&text.replace("tchat://h", "tchat://h:x"), "the port 'x'"),
            (&text.replace("tchat://h", "https://h"), "not supported"),
            (&format!("{text}.abc"), "invitation after '.'"),
            ("tchat://h,other/", "needs the pin"),
            (&text.replace("//h/", "//a,b,c,d,e,f,g,h,i/"), "at most 8"),
        ] {
            let error = wrong.parse::<ServerLink>().unwrap_err().to_string();
            assert!(error.contains(words), "{wrong}: {error}");
        }
    }
}
