//! What opens a connection to the server for the link, and how that connection is protected.

use std::io;
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, Join};

use super::known_servers::IdCheck;
use crate::chat::{Pin, ServerId, Transport};

/// Both directions of a connection, whatever it goes over.
pub type BoxedStream = Join<Box<dyn AsyncRead + Send + Unpin>, Box<dyn AsyncWrite + Send + Unpin>>;

/// Wraps a stream as a [`BoxedStream`].
pub fn boxed_stream(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> BoxedStream {
    let (read, write) = tokio::io::split(stream);
    tokio::io::join(Box::new(read), Box::new(write))
}

/// How a connection is protected from others on the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Protection {
    /// It does not leave this machine: it goes through memory, or through a socket that only its user can open.
    #[default]
    Local,
    /// Encrypted. The server was recognised by its pin.
    Pinned(Pin),
    /// Encrypted. The server was recognised by a certificate that this machine trusts.
    Certified,
    /// Anybody on the way can read it.
    ClearText,
}

/// A connection to a server that was just opened.
pub struct Dialled {
    pub pipe: BoxedStream,
    pub protection: Protection,
    /// How it reaches the server; the device signs it.
    pub transport: Transport,
    /// How the id that the server gives itself is checked. `None`: any id is fine.
    pub id_check: Option<IdCheck>,
}

impl Dialled {
    /// A connection through memory.
    pub fn local(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        Self {
            pipe: boxed_stream(stream),
            protection: Protection::Local,
            transport: Transport::Memory,
            id_check: None,
        }
    }

    /// A connection through a socket that only this user can open.
    pub fn socket(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        Self {
            transport: Transport::Socket,
            ..Self::local(stream)
        }
    }

    /// A connection that anybody on the way can read.
    pub fn clear_text(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        Self {
            pipe: boxed_stream(stream),
            protection: Protection::ClearText,
            transport: Transport::ClearText,
            id_check: None,
        }
    }
}

/// Opens a connection to the server, over TCP or in memory. It gets the id of the server that was there before, if there was one.
/// An unknown host name is an error of the kind `NotFound`.
pub type Connector =
    Arc<dyn Fn(Option<ServerId>) -> BoxFuture<'static, io::Result<Dialled>> + Send + Sync>;
