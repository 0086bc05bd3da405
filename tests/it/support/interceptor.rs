//! Somebody between a client and its server: ends the encryption with a key of their own and passes the contents on.

use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tchat::chat::Pin;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use super::chaos_proxy::socket;

/// It stops when it is dropped.
pub struct Interceptor {
    pub port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
    accepted: Arc<Mutex<usize>>,
    _runtime: Runtime,
}

/// Returns the TLS settings of a server with a fresh key, and the pin of that key.
pub fn any_key() -> (Arc<ServerConfig>, Pin) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".into()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let pin = tchat::tls::pin_of(&certificate).unwrap();
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let mut config = ServerConfig::builder_with_provider(tchat::tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], private)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    (Arc::new(config), pin)
}

impl Interceptor {
    /// Stands in front of a server on this machine.
    pub fn before(target: u16) -> Self {
        Self::start(target, 0)
    }

    /// Takes the port of a server that has ended.
    pub fn instead_of(port: u16) -> Self {
        // Nothing is behind it.
        Self::start(1, port)
    }

    fn start(target: u16, port: u16) -> Self {
        let (runtime, listener) = socket(port);
        let port = listener.local_addr().unwrap().port();
        let heard: Arc<Mutex<Vec<u8>>> = Arc::default();
        let accepted: Arc<Mutex<usize>> = Arc::default();
        let (hearing, accepting) = (Arc::clone(&heard), Arc::clone(&accepted));
        let acceptor = TlsAcceptor::from(any_key().0);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *accepting.lock().unwrap() += 1;
                tokio::spawn(relay(
                    acceptor.clone(),
                    stream,
                    target,
                    Arc::clone(&hearing),
                ));
            }
        });
        Self {
            port,
            heard,
            accepted,
            _runtime: runtime,
        }
    }

    /// Everything that clients have sent, without the encryption.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }

    /// How many connections came.
    pub fn accepted(&self) -> usize {
        *self.accepted.lock().unwrap()
    }
}

async fn relay(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    target: u16,
    heard: Arc<Mutex<Vec<u8>>>,
) -> Option<()> {
    let client = acceptor.accept(stream).await.ok()?;
    // A server accepts clear text from its own machine.
    let server = TcpStream::connect(("127.0.0.1", target)).await.ok()?;
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
    let mut buffer = [0; 4096];
    loop {
        let read = from_client.read(&mut buffer).await.ok()?;
        if read == 0 {
            return None;
        }
        heard.lock().unwrap().extend_from_slice(&buffer[..read]);
        to_server.write_all(&buffer[..read]).await.ok()?;
    }
}
