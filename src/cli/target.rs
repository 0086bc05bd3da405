//! The server to join: where it is, how it is recognised, and which profile is used there.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::machine;
use crate::chat::{DeviceSecret, Invite, Pin, Transport};
use crate::client::known_servers::{self, IdCheck, KnownServer, KnownServers};
use crate::client::profile::{self, ProfileError};
use crate::client::tls::{self, Expected, Recognised, encrypt};
use crate::client::{Credentials, Dialled, Distrust, Protection, Untrusted, boxed_stream};
use crate::config::{Address, Config, ServerLink};
use crate::server::data_dir::{self, ServerNote};

/// How many earlier addresses of a server that has moved are remembered.
const OTHER_ADDRESSES: usize = 2;
/// The time limit for one of several addresses.
const ADDRESS_WITHIN: Duration = Duration::from_secs(3);

/// A server to join.
#[derive(Clone, Debug)]
pub struct Target {
    pub link: ServerLink,
    /// The directory of the known servers, and of our own server.
    data: PathBuf,
    /// The socket of our own server.
    socket: Option<PathBuf>,
    /// Whether the user named no server. The target is then the server of this data directory, whatever its port.
    is_here: bool,
    /// Whether to connect without encryption, as the user chose.
    is_clear: bool,
    /// The device key of a program, which is for this server only. With it, the list of known servers is neither used
    /// nor changed.
    key: Option<DeviceSecret>,
    /// The profile whose device key signs in. It must not be used with any other server.
    expected_profile: Option<String>,
}

impl Target {
    pub fn new(config: &Config, link: ServerLink) -> Self {
        let is_configured = link == config.join.link();
        Self {
            is_here: config.join.may_start_server && is_configured,
            key: config.join.key.clone().filter(|_| is_configured),
            link,
            data: config.paths.data.clone(),
            socket: machine::socket(&config.paths),
            is_clear: config.join.is_insecure,
            expected_profile: None,
        }
    }

    /// Whether to sign in with the key of a program. Its name and its server are not remembered on this machine.
    pub fn has_credential(&self) -> bool {
        self.key.is_some()
    }

    /// Chooses the profile for this server. From then on, only a server with this profile is accepted.
    ///
    /// # Errors
    /// The list of known servers cannot be read.
    pub fn choose_profile(&mut self) -> io::Result<String> {
        if self.key.is_some() {
            let pin = self.link.pin.map(|pin| pin.to_string());
            return Ok(pin.unwrap_or_else(|| self.link.server.profile_key()));
        }
        let profile = self.profile()?;
        self.expected_profile = Some(profile.clone());
        Ok(profile)
    }

    /// Returns the key of the profile for this server.
    fn profile(&self) -> io::Result<String> {
        let known = KnownServers::read(&self.data).map_err(io::Error::other)?;
        let server = &self.link.server;
        if self.is_here
            && let Some(own) = data_dir::own_profile(&self.data)
        {
            return Ok(own);
        }
        let here = known.at(&server.profile_key());
        let pin = self.link.pin.or_else(|| self.own_pin(server));
        let pin = pin.or_else(|| here.and_then(|it| it.pin));
        Ok(self.profile_at(&known, server, pin))
    }

    /// Returns the key of the profile for a server that is recognised at an address, by a pin or by its certificate. A
    /// server with a known pin has the same profile at every address.
    fn profile_at(&self, known: &KnownServers, address: &Address, pin: Option<Pin>) -> String {
        let address = address.profile_key();
        let here = known.at(&address);
        let Some(pin) = pin else {
            let profile = here.map(|it| it.profile.clone());
            return profile.unwrap_or(address);
        };
        let own = ServerNote::read(&self.data).filter(|note| note.pin == Some(pin));
        if let Some(own) = own.and_then(|note| port_of(&note)) {
            let recorded = data_dir::own_profile(&self.data);
            return recorded.unwrap_or_else(|| localhost(own).profile_key());
        }
        if let Some(profile) = known.profile_of(pin) {
            return profile.to_owned();
        }
        // The profile stored under this address may belong to another server. Only a person who has compared the key
        // can confirm that it belongs to this server.
        let is_other = here.is_some_and(|it| it.pin != Some(pin));
        if self.link.pin == Some(pin) || is_other {
            pin.to_string()
        } else {
            address
        }
    }

    /// Fails if the recognised server is not the one that the device key is for.
    fn check_profile(&self, address: &Address, recognised: Recognised) -> io::Result<()> {
        let Some(expected) = &self.expected_profile else {
            return Ok(());
        };
        let known = KnownServers::read(&self.data).map_err(io::Error::other)?;
        if self.profile_at(&known, address, recognised.pin()) == *expected {
            return Ok(());
        }
        Err(io::Error::other(Untrusted {
            server: address.short_form(),
            why: Distrust::OtherServer,
        }))
    }

    /// Whether the server is known by a certificate that this machine trusts, so that its address is enough to find it again.
    pub fn is_certified(&self) -> bool {
        let known = KnownServers::read(&self.data).unwrap_or_default();
        let here = known.at(&self.link.server.profile_key());
        here.is_some_and(|it| it.pin.is_none())
    }

    /// Connects to the first address at which the server answers, and encrypts the connection.
    ///
    /// # Errors
    /// No address can be reached, or the server is not recognised; the error then contains an [`Untrusted`].
    pub async fn dial(&self) -> io::Result<Dialled> {
        if self.link.others.is_empty() {
            return self.dial_at(&self.link.server).await;
        }
        let mut failure = None;
        for address in self.link.addresses() {
            // An address that does not answer must not use up the time for the others.
            let dialled = timeout(ADDRESS_WITHIN, self.dial_at(address)).await;
            let error = match dialled.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok(dialled) => return Ok(dialled),
                Err(error) => error,
            };
            match tls::untrusted(&error).map(|it| &it.why) {
                // On this network, the address may belong to another machine: private addresses are reused in many
                // networks.
                None
                | Some(Distrust::OtherThanLink(_) | Distrust::ClearText | Distrust::Handshake(_)) =>
                {
                    failure.get_or_insert(error);
                }
                Some(_) => return Err(error),
            }
        }
        Err(failure.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
    }

    async fn dial_at(&self, address: &Address) -> io::Result<Dialled> {
        if let Some(dialled) = self.dial_socket(address).await? {
            return Ok(dialled);
        }
        let stream = connect(address).await?;
        // Our own server may have started just now. It opens its socket before its port.
        if let Some(dialled) = self.dial_socket(address).await? {
            return Ok(dialled);
        }
        if self.is_clear {
            return Ok(Dialled::clear_text(stream));
        }
        match self.secure(address, stream).await {
            // Perhaps a server that has moved here with its key. Only a handshake that expects the key shows that it has it.
            Err(error) if self.moved(&error).is_some() => {
                let moved = self.moved(&error);
                self.secure_as(address, connect(address).await?, moved)
                    .await
            }
            // Our own server had just started and wrote its pin while we connected.
            Err(error) if self.is_own(address, &error) => match self.dial_socket(address).await? {
                Some(dialled) => Ok(dialled),
                None => self.secure(address, connect(address).await?).await,
            },
            secured => secured,
        }
    }

    /// Connects to our own server through its socket, if the address belongs to it. Returns `None` if that is not
    /// possible.
    ///
    /// # Errors
    /// The link, or the profile that was chosen, is for another server.
    async fn dial_socket(&self, address: &Address) -> io::Result<Option<Dialled>> {
        #[cfg(unix)]
        if let Some(path) = &self.socket
            && !self.is_clear
            && self.key.is_none()
            && let Some(own) = self.own_pin(address)
            && let Ok(stream) = crate::local_socket::connect(path).await
        {
            // The same checks as for TLS: the link must be for this server, and so must the profile.
            self.expected(address)?;
            self.check_profile(address, Recognised::ByPin(own))?;
            return Ok(Some(Dialled::socket(stream)));
        }
        Ok(None)
    }

    /// Whether the unknown server at an address is this user's own.
    fn is_own(&self, address: &Address, error: &io::Error) -> bool {
        let why = tls::untrusted(error).map(|it| &it.why);
        matches!(why, Some(Distrust::Unknown(pin)) if self.own_pin(address) == Some(*pin))
    }

    /// Returns the pin of the unknown server at an address, if it is known at another one.
    ///
    /// A link without a pin may be for another server, which must not get its invitation: then a person decides.
    fn moved(&self, error: &io::Error) -> Option<Pin> {
        if self.link.invite.is_some() {
            return None;
        }
        let Some(Distrust::Unknown(pin)) = tls::untrusted(error).map(|it| &it.why) else {
            return None;
        };
        let known = KnownServers::read(&self.data).ok()?;
        known.profile_of(*pin).is_some().then_some(*pin)
    }

    /// Lets `tchat` return to the new address of a server that has moved, if it returned to that server before.
    fn return_to(&self, address: &Address, pin: Pin) {
        let last = known_servers::last_joined(&self.data);
        let last = last.and_then(|link| link.parse::<ServerLink>().ok());
        let Some(last) = last.filter(|last| last.pin == Some(pin)) else {
            return;
        };
        let others = last.addresses().filter(|it| *it != address).cloned();
        let moved = ServerLink {
            server: address.clone(),
            others: others.take(OTHER_ADDRESSES).collect(),
            ..last.clone()
        };
        known_servers::remember_last(&self.data, &moved.to_string());
    }

    async fn secure(&self, address: &Address, stream: TcpStream) -> io::Result<Dialled> {
        self.secure_as(address, stream, None).await
    }

    /// Encrypts a connection. `moved` is the key of a server that may have moved to this address.
    async fn secure_as(
        &self,
        address: &Address,
        stream: TcpStream,
        moved: Option<Pin>,
    ) -> io::Result<Dialled> {
        let shown = address.short_form();
        let (expected, is_new) = match moved {
            Some(pin) => (Expected::Pin(pin), true),
            None => self.expected(address)?,
        };
        let (stream, recognised) = encrypt(stream, (&address.host, &shown), expected).await?;
        self.check_profile(address, recognised)?;
        if is_new {
            self.trust(address, recognised.pin())?;
        }
        if let Some(pin) = moved {
            self.return_to(address, pin);
        }
        Ok(Dialled {
            pipe: boxed_stream(stream),
            protection: match recognised {
                Recognised::ByPin(pin) => Protection::Pinned(pin),
                Recognised::ByCertificate(_) => Protection::Certified,
            },
            transport: Transport::Tls(recognised.seen()),
            id_check: self.id_check(shown, recognised),
        })
    }

    /// Returns the check of the id that the recognised server claims. There is none with a certificate, which proves
    /// the server's name, for our own server, whose key is in our data directory, and for a program, which has only one
    /// server.
    fn id_check(&self, shown: String, recognised: Recognised) -> Option<IdCheck> {
        let pin = recognised.pin().filter(|_| self.key.is_none())?;
        let is_own = ServerNote::read(&self.data).is_some_and(|note| note.pin == Some(pin));
        (!is_own).then(|| IdCheck::new(&self.data, shown, pin))
    }

    /// Returns how the server at an address must be recognised, and whether to remember it afterwards.
    fn expected(&self, address: &Address) -> io::Result<(Expected, bool)> {
        if self.key.is_some() {
            let expected = self.link.pin.map_or(Expected::Certificate, Expected::Pin);
            return Ok((expected, false));
        }
        let known = KnownServers::read(&self.data).map_err(io::Error::other)?;
        let here = known.at(&address.profile_key());
        let own = self.own_pin(address);
        let known_pin = own.map_or_else(|| here.map(|it| it.pin), |own| Some(Some(own)));
        match (known_pin, self.link.pin) {
            // A link must not be able to replace the key of a known server.
            (Some(known), Some(pin)) if known != Some(pin) => Err(io::Error::other(Untrusted {
                server: address.short_form(),
                why: Distrust::LinkDiffers,
            })),
            (None, Some(pin)) => Ok((Expected::Link(pin), true)),
            (Some(Some(pin)), _) => Ok((Expected::Pin(pin), false)),
            (Some(None), _) => Ok((Expected::Certificate, false)),
            (None, None) => Ok((Expected::Nothing, true)),
        }
    }

    /// Returns the pin of this user's own server, if the address belongs to it.
    fn own_pin(&self, address: &Address) -> Option<Pin> {
        let note = ServerNote::read(&self.data).filter(|_| address.is_loopback())?;
        (port_of(&note)? == address.port).then_some(note.pin?)
    }

    /// Remembers the new key of a server, which a person has compared. It is still the same server, so its profile stays.
    ///
    /// # Errors
    /// The list of known servers cannot be written.
    pub fn replace_key(&self, address: &Address, pin: Pin) -> io::Result<()> {
        self.confirm(pin)?;
        let known = KnownServers::read(&self.data).map_err(io::Error::other)?;
        let here = known.at(&address.profile_key());
        let profile = here.map_or_else(|| address.profile_key(), |it| it.profile.clone());
        let server = KnownServer {
            address: address.profile_key(),
            pin: Some(pin),
            profile,
        };
        KnownServers::remember(&self.data, server).map_err(io::Error::other)
    }

    /// Remembers that a person has compared a key. The server with this key may then have the id of a server that is
    /// known by another key.
    ///
    /// # Errors
    /// The list of known ids cannot be written.
    pub fn confirm(&self, pin: Pin) -> io::Result<()> {
        known_servers::confirm(&self.data, pin).map_err(io::Error::other)
    }

    /// Remembers a server by its pin, or by its certificate.
    ///
    /// # Errors
    /// The list of known servers cannot be written.
    pub fn trust(&self, address: &Address, pin: Option<Pin>) -> io::Result<()> {
        let known = KnownServers::read(&self.data).map_err(io::Error::other)?;
        let server = KnownServer {
            address: address.profile_key(),
            pin,
            profile: self.profile_at(&known, address, pin),
        };
        if KnownServers::add(&self.data, server).map_err(io::Error::other)? {
            return Ok(());
        }
        // Another program has stored another key meanwhile. Only a person who compares the key may replace it.
        Err(io::Error::other(Untrusted {
            server: address.short_form(),
            why: Distrust::LinkDiffers,
        }))
    }
}

/// Looks whether the server at an address that was never joined is one that has moved there with its key. Then its profile is known before a
/// client starts. Best effort: otherwise the connection itself says what is wrong.
pub async fn find_moved(config: &Config) {
    let target = Target::new(config, config.join.link());
    let address = target.link.server.profile_key();
    let is_known = KnownServers::read(&target.data).is_ok_and(|known| known.at(&address).is_some());
    let is_named = target.link.pin.is_some() || target.is_here;
    if is_known || is_named || target.is_clear || target.has_credential() {
        return;
    }
    // Only what it remembers is needed.
    let _remembered = timeout(ADDRESS_WITHIN, target.dial()).await;
}

/// Returns the credentials to sign in with: those of a program, or of a profile on this machine with the invitation that the link has.
///
/// # Errors
/// The profile cannot be used.
pub fn credentials(
    target: &Target,
    profiles: &Path,
    (key, name): (&str, &str),
    invite: Option<Invite>,
) -> Result<Credentials, ProfileError> {
    if let Some(key) = &target.key {
        return Ok(Credentials::new(key.clone()));
    }
    Ok(Credentials {
        invite,
        device_name: machine::name().unwrap_or_default(),
        ..profile::credentials(profiles, key, name)?
    })
}

/// If no server was given, returns the configuration for the server last joined by link.
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

#[cfg(test)]
mod tests;
