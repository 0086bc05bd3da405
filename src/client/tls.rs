//! The client's side of TLS: a server is recognised by its pin, or by a certificate that this machine trusts.
//!
//! Nothing is sent to a server that is not recognised. This module uses no files: the caller passes in what to expect
//! and stores what was seen.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::chat::Pin;
use crate::tls;

/// The server name to send if TLS does not allow the host as one, such as an IPv6 address with a zone.
const NAMELESS: &str = "tchat";

/// How a server is to be recognised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// By the key that it had before.
    Pin(Pin),
    /// By the key in its link, because it was never joined from here.
    Link(Pin),
    /// By a certificate that this machine trusts, as last time.
    Certificate,
    /// The server was never joined from here and there is no link: only a certificate that this machine trusts is
    /// accepted.
    Nothing,
}

/// How a server was recognised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recognised {
    ByPin(Pin),
    /// By a certificate, which has this key.
    ByCertificate(Pin),
}

impl Recognised {
    /// Returns the pin by which the server was recognised; `None` for a certificate.
    pub fn pin(self) -> Option<Pin> {
        match self {
            Self::ByPin(pin) => Some(pin),
            Self::ByCertificate(_) => None,
        }
    }

    /// Returns the pin of the key that the server has shown.
    pub fn seen(self) -> Pin {
        match self {
            Self::ByPin(pin) | Self::ByCertificate(pin) => pin,
        }
    }
}

/// A server that was not recognised. Nothing was sent to it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("cannot trust {server}: {why}")]
pub struct Untrusted {
    /// Its address as people write it.
    pub server: String,
    pub why: Distrust,
}

/// Why a server was not recognised.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Distrust {
    /// It was never joined from here, and this machine does not trust its certificate.
    #[error("the server is not known here; its key is {0}")]
    Unknown(Pin),
    /// Its key is not the one that it had before. `before` is `None` if it had a certificate that this machine trusts.
    #[error("the server has a different key from before")]
    Changed { before: Option<Pin>, seen: Pin },
    /// Its key is not the one in its link.
    #[error("the server has a different key from the one in its link: {0}")]
    OtherThanLink(Pin),
    /// The link has another key than the one that is known. The user is not asked to confirm it, because a link must
    /// not be able to replace the key of a known server.
    #[error("the link has a different key from the one known here")]
    LinkDiffers,
    /// It was recognised, but the device key is for another server.
    #[error("this is not the server that the profile belongs to")]
    OtherServer,
    /// It claims the id of a server that is known here by another pin.
    #[error("a server with the same id is known here by a different key")]
    KnownByOtherKey,
    /// Its certificate is not valid now.
    #[error("its certificate is not valid now: {0}")]
    Time(String),
    /// It does not encrypt.
    #[error("the server does not use encryption")]
    ClearText,
    /// The handshake failed for another reason, for example because there is no common cipher.
    #[error("the handshake failed: {0}")]
    Handshake(String),
}

impl Distrust {
    /// Whether the server has shown that it is not the expected one. A handshake that only failed may succeed the next time: the server may
    /// have been stopped in the middle of it, or the network may have damaged it.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Unknown(_)
            | Self::Changed { .. }
            | Self::OtherThanLink(_)
            | Self::LinkDiffers
            | Self::OtherServer
            | Self::KnownByOtherKey => true,
            Self::Time(_) | Self::ClearText | Self::Handshake(_) => false,
        }
    }
}

/// Encrypts a connection to a host. `server` is its address for error messages.
///
/// # Errors
/// The connection broke, or the server was not recognised; the error then contains an [`Untrusted`].
pub async fn encrypt<S>(
    stream: S,
    (host, server): (&str, &str),
    expected: Expected,
) -> io::Result<(TlsStream<S>, Recognised)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let provider = tls::provider();
    let name = ServerName::try_from(host.to_owned());
    let public = match expected {
        Expected::Certificate | Expected::Nothing if name.is_ok() => {
            public_verifier(&provider).await
        }
        // A pin does not depend on certificates, and no certificate can match a host without a valid name.
        _ => None,
    };
    let verifier = Arc::new(Verifier {
        expected,
        public,
        provider: Arc::clone(&provider),
        seen: Mutex::new(None),
    });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    config.alpn_protocols = vec![tls::ALPN[0].to_vec()];
    let name = name
        .or_else(|_| ServerName::try_from(NAMELESS))
        .map_err(io::Error::other)?;
    let connected = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await;
    let distrust = |why| {
        io::Error::other(Untrusted {
            server: server.to_owned(),
            why,
        })
    };
    match (connected, verifier.seen()) {
        (Ok(stream), Some(Ok(recognised))) => Ok((stream, recognised)),
        // The verifier runs in every handshake, because no session is ever resumed: each connection has a new configuration.
        (Ok(_), _) => Err(io::Error::other("the server sent no certificate")),
        (Err(_), Some(Err(why))) => Err(distrust(why)),
        (Err(error), _) => Err(handshake_error(error).map_or_else(|broken| broken, distrust)),
    }
}

/// Returns the [`Untrusted`] in a connector's error, if the reason for the error is that the server was not recognised.
pub fn untrusted(error: &io::Error) -> Option<&Untrusted> {
    error.get_ref()?.downcast_ref()
}

/// Returns why a handshake failed, or the error of a connection that broke.
fn handshake_error(error: io::Error) -> Result<Distrust, io::Error> {
    let Some(reason) = error.get_ref().and_then(|it| it.downcast_ref::<Error>()) else {
        // A broken connection tells nothing about the server: anyone on the network path can break it.
        let words = "the connection was closed during the handshake";
        return Err(match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::other(words),
            _ => error,
        });
    };
    Ok(match reason {
        Error::InvalidMessage(_) => Distrust::ClearText,
        other => Distrust::Handshake(other.to_string()),
    })
}

/// Returns a verifier for the certificates that this machine trusts; `None` if it trusts none.
async fn public_verifier(provider: &Arc<CryptoProvider>) -> Option<Arc<WebPkiServerVerifier>> {
    let found = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs)
        .await
        .ok()?;
    let mut roots = RootCertStore::empty();
    let (_added, _unusable) = roots.add_parsable_certificates(found.certs);
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .ok()
}

/// Whether a certificate chain is valid now for a host, by the certificates that this machine trusts.
pub async fn is_public(chain: &[CertificateDer<'_>], host: &str) -> bool {
    let (Some((first, others)), Ok(name)) = (chain.split_first(), ServerName::try_from(host))
    else {
        return false;
    };
    let Some(public) = public_verifier(&tls::provider()).await else {
        return false;
    };
    let verified = public.verify_server_cert(first, others, &name, &[], UnixTime::now());
    verified.is_ok()
}

/// Verifies the server's certificate in one handshake, and records how the server was recognised or why not.
struct Verifier {
    expected: Expected,
    public: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    seen: Mutex<Option<Result<Recognised, Distrust>>>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    fn seen(&self) -> Option<Result<Recognised, Distrust>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.take()
    }

    /// Decides whether a key is acceptable. `verify` checks the certificate against those that this machine trusts.
    fn judge(
        &self,
        pin: Pin,
        verify: impl Fn() -> Result<(), CertificateError>,
    ) -> Result<Recognised, Distrust> {
        match self.expected {
            Expected::Pin(expected) | Expected::Link(expected) if expected == pin => {
                Ok(Recognised::ByPin(pin))
            }
            Expected::Pin(before) => Err(Distrust::Changed {
                before: Some(before),
                seen: pin,
            }),
            Expected::Link(_) => Err(Distrust::OtherThanLink(pin)),
            Expected::Certificate => match verify() {
                Ok(()) => Ok(Recognised::ByCertificate(pin)),
                // The clock of this machine may be wrong as well, so this says nothing about the key.
                Err(error) if is_about_time(&error) => Err(Distrust::Time(error.to_string())),
                Err(_) => Err(Distrust::Changed {
                    before: None,
                    seen: pin,
                }),
            },
            Expected::Nothing => match verify() {
                Ok(()) => Ok(Recognised::ByCertificate(pin)),
                Err(_) => Err(Distrust::Unknown(pin)),
            },
        }
    }
}

/// Whether a certificate was refused only because of the current time.
fn is_about_time(error: &CertificateError) -> bool {
    matches!(
        error,
        CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
    )
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let pin = tls::pin_of(end_entity)?;
        let recognised = self.judge(pin, || {
            let Some(public) = &self.public else {
                return Err(CertificateError::UnknownIssuer);
            };
            let verified = public.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            );
            match verified {
                Ok(_) => Ok(()),
                Err(Error::InvalidCertificate(error)) => Err(error),
                Err(_) => Err(CertificateError::BadEncoding),
            }
        });
        let is_recognised = recognised.is_ok();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(recognised);
        if is_recognised {
            Ok(ServerCertVerified::assertion())
        } else {
            let why = CertificateError::ApplicationVerificationFailure;
            Err(Error::InvalidCertificate(why))
        }
    }

    // Without these two checks, anyone could present the certificate of another server, because certificates are
    // public.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
