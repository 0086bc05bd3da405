//! What both ends of a TLS connection share: the cryptography and the pin of a certificate. It opens no connection and reads no file.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, Error};

use crate::chat::Pin;

/// The application protocols (ALPN) of a tchat port, the preferred one first.
pub const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Returns the cryptography that both ends use. This is the only place that names an implementation.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Returns the pin of a certificate: the hash of its public key.
///
/// # Errors
/// It is not an X.509 certificate of version 3.
pub fn pin_of(certificate: &CertificateDer<'_>) -> Result<Pin, Error> {
    let parsed = webpki::EndEntityCert::try_from(certificate)
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    Ok(Pin::of_key(parsed.subject_public_key_info().as_ref()))
}
