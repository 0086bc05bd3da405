//! The function with which the link opens connections to the server, and how these are protected.

use std::io;
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, Join};

use super::known_servers::IdCheck;
use crate::chat::{Pin, ServerId, Transport};

/// Both directions of a connection, over any transport.
pub type BoxedStream = Join<Box<dyn AsyncRead + Send + Unpin>, Box<dyn AsyncWrite + Send + Unpin>>;

/// Wraps a stream as a [`BoxedStream`].
pub fn boxed_stream(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> BoxedStream {
    let (read, write) = tokio::io::split(stream);
    tokio::io::join(Box::new(read), Box::new(write))
}

/// How a connection is protected in transit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Protection {
    /// It does not leave this machine: it goes through memory, or through a socket that only its user can open.
    #[default]
    Local,
    /// Encrypted. The server was recognised by its pin.
    Pinned(Pin),
    /// Encrypted. The server was recognised by a certificate that this machine trusts.
    Certified,
    /// Not encrypted. Anyone on the network path can read it.
    ClearText,
}

/// A connection to a server that was just opened.
pub struct Dialled {
    pub pipe: BoxedStream,
    pub protection: Protection,
    /// How the connection reaches the server. It is part of what the device signs.
    pub transport: Transport,
    /// The check of the id that the server claims. `None`: any id is accepted.
    pub id_check: Option<IdCheck>,
}

impl Dialled {
    /// Wraps an in-memory connection.
    pub fn local(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        Self {
            pipe: boxed_stream(stream),
            protection: Protection::Local,
            transport: Transport::Memory,
            id_check: None,
        }
    }

    /// Wraps a connection through a socket that only this user can open.
    pub fn socket(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        Self {
            transport: Transport::Socket,
            ..Self::local(stream)
        }
    }

    /// Wraps a connection without encryption.
    pub fn clear_text(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        Self {
            pipe: boxed_stream(stream),
            protection: Protection::ClearText,
            transport: Transport::ClearText,
            id_check: None,
        }
    }
}

/// Opens a connection to the server. The argument is the id of the server that this client was connected to before, if
/// any. An unknown host name is an error of the kind `NotFound`.
pub type Connector =
    Arc<dyn Fn(Option<ServerId>) -> BoxFuture<'static, io::Result<Dialled>> + Send + Sync>;
