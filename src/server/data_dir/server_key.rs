//! The key of a server and its certificate. The key is made at the first start; clients that pinned it recognise the
//! server by it.
//!
//! A key is never replaced silently: clients would take the server for another one. This module knows nothing of
//! connections.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::chat::Pin;
use crate::files::{PRIVATE, PUBLIC, write_atomically};
use crate::tls;

const KEY: &str = "tls.key";
const CERTIFICATE: &str = "tls.crt";
/// The name in a certificate that we make. Clients check the pin, not the name.
const NAME: &str = "tchat";

/// Why a server cannot use its key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("cannot use the key '{path}': {cause}")]
    Io { path: PathBuf, cause: io::Error },
    #[error(
        "cannot use the key '{path}': other users can read or change it (its mode is {mode:o})"
    )]
    Exposed { path: PathBuf, mode: u32 },
    /// A server has run here with a key of its own, and the file is gone.
    #[error("the server's key '{0}' is missing")]
    Missing(PathBuf),
    #[error("cannot use '{path}': {why}")]
    Unusable { path: PathBuf, why: String },
    #[error("the certificate '{certificate}' is not for the key '{key}'")]
    Mismatch { certificate: PathBuf, key: PathBuf },
    #[error("cannot make a key: {0}")]
    Generation(String),
}

/// A server's private key with its certificate.
#[derive(Clone, Debug)]
pub struct ServerKey {
    certified: Arc<CertifiedKey>,
    pin: Pin,
}

/// A certificate chain and its private key, as PEM files that other tools keep up to date.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Whether the directory is known to have had a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyHistory {
    /// A server has run here with a key in this directory.
    Made,
    /// No server has run here, or it used certificate files from the configuration.
    New,
}

impl ServerKey {
    /// Reads the key and certificate of a data directory. Makes them if the directory has never had a key.
    ///
    /// # Errors
    /// The key is missing, damaged, not private, or does not match the certificate; or a file cannot be written.
    pub fn of_directory(directory: &Path, history: KeyHistory) -> Result<Self, KeyError> {
        let (key, certificate) = (directory.join(KEY), directory.join(CERTIFICATE));
        if !key.exists() {
            if history == KeyHistory::Made {
                return Err(KeyError::Missing(key));
            }
            make_key(&key)?;
        }
        if !certificate.exists() {
            make_certificate(&key, &certificate)?;
        }
        Self::of_files(&certificate, &key)
    }

    /// Returns the key of a data directory in PEM format, if it has one of its own.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn stored(directory: &Path) -> Result<Option<String>, KeyError> {
        let path = directory.join(KEY);
        match fs::read_to_string(&path) {
            Ok(key) => Ok(Some(key)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(KeyError::Io { path, cause }),
        }
    }

    /// Puts a key from a backup into a data directory. A different key that was there is kept under another name.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn restore(directory: &Path, key: &str) -> Result<(), KeyError> {
        let path = directory.join(KEY);
        if Self::stored(directory)?.as_deref() == Some(key) {
            return Ok(());
        }
        let failed = |cause| KeyError::Io {
            path: path.clone(),
            cause,
        };
        if path.exists() {
            let free = |n: &u32| !directory.join(format!("{KEY}.before-restore-{n}")).exists();
            let n = (1..u32::MAX).find(free).unwrap_or(u32::MAX);
            let aside = directory.join(format!("{KEY}.before-restore-{n}"));
            fs::rename(&path, aside).map_err(failed)?;
        }
        // The certificate belongs to the former key. A new one is made at the next start.
        match fs::remove_file(directory.join(CERTIFICATE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        write(&path, key, PRIVATE)
    }

    /// Reads a certificate chain and its key from PEM files.
    ///
    /// # Errors
    /// A file is missing or damaged, the key is not private, or it does not match the certificate.
    pub fn of_files(certificate: &Path, key: &Path) -> Result<Self, KeyError> {
        check_private(key)?;
        let unusable = |path: &Path, error: &dyn std::fmt::Display| KeyError::Unusable {
            path: path.to_owned(),
            why: error.to_string(),
        };
        let failed = |path: &Path, error: pem::Error| match error {
            pem::Error::Io(cause) => KeyError::Io {
                path: path.to_owned(),
                cause,
            },
            pem::Error::NoItemsFound => unusable(path, &"it contains no private key in PEM format"),
            other => unusable(path, &other),
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| failed(certificate, error))?;
        let Some(first) = chain.first() else {
            return Err(unusable(certificate, &"it contains no certificate"));
        };
        let pin = tls::pin_of(first).map_err(|error| unusable(certificate, &error))?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| failed(key, error))?;
        let certified = CertifiedKey::from_der(chain, private, &tls::provider());
        match certified {
            Ok(certified) => Ok(Self {
                certified: Arc::new(certified),
                pin,
            }),
            Err(rustls::Error::InconsistentKeys(_)) => Err(KeyError::Mismatch {
                certificate: certificate.to_owned(),
                key: key.to_owned(),
            }),
            Err(error) => Err(unusable(key, &error)),
        }
    }

    /// Returns the certificate chain, with the server's own certificate first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }

    pub const fn pin(&self) -> Pin {
        self.pin
    }

    /// Returns the TLS configuration of a server with this key.
    ///
    /// # Errors
    /// The cryptography provider does not support the default TLS versions.
    pub fn config(&self) -> Result<Arc<ServerConfig>, rustls::Error> {
        let provider: Arc<CryptoProvider> = tls::provider();
        let key = SingleCertAndKey::from(Arc::clone(&self.certified));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(key));
        config.alpn_protocols = tls::ALPN.map(<[u8]>::to_vec).to_vec();
        // One ticket is enough for a client that returns, and 0-RTT would let a frame be replayed.
        config.send_tls13_tickets = 1;
        config.max_early_data_size = 0;
        Ok(Arc::new(config))
    }
}

fn make_key(path: &Path) -> Result<(), KeyError> {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
        .map_err(|error| KeyError::Generation(error.to_string()))?;
    write(path, &pair.serialize_pem(), PRIVATE)
}

/// Makes a self-signed certificate for a key. Clients that pinned the key accept it whatever its dates are.
fn make_certificate(key: &Path, path: &Path) -> Result<(), KeyError> {
    let unusable = |error: &dyn std::fmt::Display| KeyError::Unusable {
        path: key.to_owned(),
        why: error.to_string(),
    };
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(&error))?;
    let pair = rcgen::KeyPair::try_from(&private).map_err(|error| unusable(&error))?;
    let made = rcgen::CertificateParams::new(vec![NAME.to_owned()])
        .and_then(|params| params.self_signed(&pair))
        .map_err(|error| KeyError::Generation(error.to_string()))?;
    write(path, &made.pem(), PUBLIC)
}

/// Writes a file whole or not at all.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), KeyError> {
    write_atomically(path, text, mode).map_err(|cause| KeyError::Io {
        path: path.to_owned(),
        cause,
    })
}

/// Refuses a key that others can read or change. A key owned by root may be readable by its group, because certificate
/// tools create such keys.
#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).map_err(|cause| KeyError::Io {
        path: path.to_owned(),
        cause,
    })?;
    let allowed = if metadata.uid() == 0 { 0o640 } else { 0o600 };
    let mode = metadata.mode() & 0o777;
    if mode & !(allowed | 0o100) == 0 {
        Ok(())
    } else {
        Err(KeyError::Exposed {
            path: path.to_owned(),
            mode,
        })
    }
}

#[cfg(not(unix))]
fn check_private(path: &Path) -> Result<(), KeyError> {
    let found = fs::metadata(path).map(drop);
    found.map_err(|cause| KeyError::Io {
        path: path.to_owned(),
        cause,
    })
}
