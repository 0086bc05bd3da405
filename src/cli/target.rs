//! The server to join: where it is, how it is recognised, and which profile is used there.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use tokio::net::{TcpStream, lookup_host};

use crate::chat::Pin;
use crate::client::known_servers::{self, KnownServer, KnownServers};
use crate::client::tls::{self, Expected, Recognised, encrypt};
use crate::client::{Dialled, Distrust, Protection, Untrusted, boxed_stream};
use crate::config::{Address, Config, ServerLink};
use crate::server::data_dir::ServerNote;

/// A server to join.
#[derive(Clone, Debug)]
pub struct Target {
    pub link: ServerLink,
    /// The directory of the known servers, and of our own server.
    data: PathBuf,
    /// Connect without encryption, because the user said so.
    is_clear: bool,
}

impl Target {
    pub fn new(config: &Config, link: ServerLink) -> Self {
        Self {
            link,
            data: config.paths.data.clone(),
            is_clear: config.join.is_insecure,
        }
    }

    /// Returns the key of the profile for this server. A server with a known pin has the same profile at every address.
    ///
    /// # Errors
    /// The list of known servers cannot be read.
    pub fn profile(&self) -> io::Result<String> {
        let known = KnownServers::read(&self.data).map_err(io::Error::other)?;
        let address = self.link.server.profile_key();
        let here = known.at(&address);
        let pin = self.link.pin.or_else(|| here.and_then(|it| it.pin));
        let Some(pin) = pin else {
            return Ok(address);
        };
        let own = ServerNote::read(&self.data).filter(|note| note.pin == Some(pin));
        if let Some(own) = own.and_then(|note| port_of(&note)) {
            return Ok(localhost(own).profile_key());
        }
        let profile = known.profile_of(pin).map(str::to_owned);
        // The profile of the server that was at this address before is none of a new one's.
        let is_other = here.is_some_and(|it| it.pin != Some(pin));
        Ok(profile.unwrap_or_else(|| if is_other { pin.to_string() } else { address }))
    }

    /// Connects to the first address that can be reached, and encrypts the connection.
    ///
    /// # Errors
    /// No address can be reached, or the server is not recognised; the error then contains an [`Untrusted`].
    pub async fn dial(&self) -> io::Result<Dialled> {
        let mut failure = None;
        for address in self.link.addresses() {
            match connect(address).await {
                Ok(stream) if self.is_clear => {
                    return Ok(Dialled {
                        pipe: boxed_stream(stream),
                        protection: Protection::ClearText,
                    });
                }
                Ok(stream) => {
                    return match self.secure(address, stream).await {
                        // Our own server had just started and wrote its pin while we connected.
                        Err(error) if self.is_own(address, &error) => {
                            self.secure(address, connect(address).await?).await
                        }
                        secured => secured,
                    };
                }
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        Err(failure.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
    }

    /// Whether the unknown server at an address is this user's own.
    fn is_own(&self, address: &Address, error: &io::Error) -> bool {
        let why = tls::untrusted(error).map(|it| &it.why);
        matches!(why, Some(Distrust::Unknown(pin)) if self.own_pin(address) == Some(*pin))
    }

    async fn secure(&self, address: &Address, stream: TcpStream) -> io::Result<Dialled> {
        let shown = address.short_form();
        let (expected, is_new) = self.expected(address)?;
        let (stream, recognised) = encrypt(stream, (&address.host, &shown), expected).await?;
        if is_new {
            self.remember(address, recognised)?;
        }
        Ok(Dialled {
            pipe: boxed_stream(stream),
            protection: match recognised {
                Recognised::ByPin(pin) => Protection::Pinned(pin),
                Recognised::ByCertificate => Protection::Certified,
            },
        })
    }

    /// Returns how the server at an address is recognised, and whether that has to be remembered after it was.
    fn expected(&self, address: &Address) -> io::Result<(Expected, bool)> {
        let known = KnownServers::read(&self.data).map_err(io::Error::other)?;
        match (known.at(&address.profile_key()), self.link.pin) {
            // Whoever sends a link must not be able to replace a server that is known.
            (Some(known), Some(pin)) if known.pin != Some(pin) => {
                Err(io::Error::other(Untrusted {
                    server: address.short_form(),
                    why: Distrust::LinkDiffers,
                }))
            }
            (None, Some(pin)) => Ok((Expected::Link(pin), true)),
            (known, _) => Ok(match (self.own_pin(address), known) {
                (Some(own), _) => (Expected::Pin(own), false),
                (None, Some(known)) => (known.expected(), false),
                (None, None) => (Expected::Nothing, true),
            }),
        }
    }

    /// Returns the pin of this user's own server, if the address is its.
    fn own_pin(&self, address: &Address) -> Option<Pin> {
        let note = ServerNote::read(&self.data).filter(|_| address.is_loopback())?;
        (port_of(&note)? == address.port).then_some(note.pin?)
    }

    fn remember(&self, address: &Address, recognised: Recognised) -> io::Result<()> {
        self.trust(
            address,
            match recognised {
                Recognised::ByPin(pin) => Some(pin),
                Recognised::ByCertificate => None,
            },
        )
    }

    /// Remembers a server by its pin, or by its certificate.
    ///
    /// # Errors
    /// The list of known servers cannot be written.
    pub fn trust(&self, address: &Address, pin: Option<Pin>) -> io::Result<()> {
        let of_pin = Self {
            link: ServerLink {
                pin,
                ..ServerLink::from(address.clone())
            },
            ..self.clone()
        };
        let server = KnownServer {
            address: address.profile_key(),
            pin,
            profile: of_pin.profile()?,
        };
        KnownServers::remember(&self.data, server).map_err(io::Error::other)
    }
}

/// Without a named server, returns the configuration to join the server that was joined last by its link.
///
/// # Errors
/// The stored link cannot be used.
pub fn last_joined(mut config: Config) -> Result<Config> {
    if !config.join.may_start_server || config.join.is_here {
        return Ok(config);
    }
    if let Some(link) = known_servers::last_joined(&config.paths.data) {
        let parsed = link.parse();
        config
            .join
            .set_link(parsed.with_context(|| format!("cannot use the stored link '{link}'"))?);
    }
    Ok(config)
}

fn port_of(note: &ServerNote) -> Option<u16> {
    note.address
        .parse()
        .ok()
        .map(|address: Address| address.port)
}

fn localhost(port: u16) -> Address {
    Address {
        host: "localhost".into(),
        port,
    }
}

async fn connect(server: &Address) -> io::Result<TcpStream> {
    let unknown = |error| io::Error::new(io::ErrorKind::NotFound, error);
    let addresses = lookup_host((server.host.as_str(), server.port)).await;
    let addresses: Vec<SocketAddr> = addresses.map_err(unknown)?.collect();
    let stream = TcpStream::connect(&addresses[..]).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
