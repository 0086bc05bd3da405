//! How a member reaches the server: without encryption, encrypted, or through a socket of the machine.

use std::path::Path;

use hyper_util::rt::TokioIo;
use tchat::chat::{Pin, Transport};
use tchat::client::tls::{Expected, encrypt};
use tchat::client::{BoxedStream, boxed_stream};
use tokio::net::{TcpStream, UnixStream};
use tonic::transport::{Channel, Endpoint};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Medium {
    ClearText,
    Tls,
    Socket,
}

impl Medium {
    pub const ALL: [Self; 3] = [Self::ClearText, Self::Tls, Self::Socket];
}

/// Where a server of the benchmark listens.
#[derive(Clone, Debug)]
pub struct Place {
    pub port: u16,
    pub directory: std::path::PathBuf,
}

/// The socket and the pin of the server in a directory.
pub fn socket(directory: &Path) -> std::path::PathBuf {
    directory.join("bench.sock")
}

pub fn pin(directory: &Path) -> std::path::PathBuf {
    directory.join("bench.pin")
}

/// Connects. Returns the transport that the member signs.
pub async fn connect(endpoint: Endpoint, place: &Place, medium: Medium) -> (Channel, Transport) {
    let (pipe, transport) = open(place, medium).await;
    let channel = channel_over(endpoint, pipe).await;
    (channel.expect("a connection"), transport)
}

/// Starts HTTP/2 on a connection. Returns `None` if the server ends it.
pub async fn channel_over(endpoint: Endpoint, pipe: BoxedStream) -> Option<Channel> {
    let pipe = std::sync::Mutex::new(Some(pipe));
    let connector = tower::service_fn(move |_: http::Uri| {
        let pipe = pipe.lock().expect("nothing panics").take();
        async move {
            pipe.map(TokioIo::new).ok_or_else(|| {
                std::io::Error::other("the pipe has already been used for a connection")
            })
        }
    });
    endpoint.connect_with_connector(connector).await.ok()
}

async fn open(place: &Place, medium: Medium) -> (BoxedStream, Transport) {
    if medium == Medium::Socket {
        let stream = UnixStream::connect(socket(&place.directory)).await;
        return (boxed_stream(stream.expect("a socket")), Transport::Socket);
    }
    let stream = TcpStream::connect(("127.0.0.1", place.port)).await;
    let stream = stream.expect("a connection");
    stream.set_nodelay(true).expect("an option of the socket");
    if medium == Medium::ClearText {
        return (boxed_stream(stream), Transport::ClearText);
    }
    let pin = std::fs::read_to_string(pin(&place.directory)).expect("the server's pin");
    let pin: Pin = pin.parse().expect("a pin");
    let encrypted = encrypt(stream, ("localhost", "the server"), Expected::Pin(pin)).await;
    let (stream, _) = encrypted.expect("a handshake");
    (boxed_stream(stream), Transport::Tls(pin))
}
