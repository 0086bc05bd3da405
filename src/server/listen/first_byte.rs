//! Decides by its first byte whether a connection is TLS or clear text, so that one port serves both.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// The first byte of a TLS connection: a handshake record (RFC 8446, section 5.1). No HTTP request begins with it.
const HANDSHAKE: u8 = 0x16;

/// A connection whose first byte was already read. Reading from this type returns that byte again.
#[derive(Debug)]
pub struct FirstByte<S> {
    byte: Option<u8>,
    inner: S,
}

impl<S: AsyncRead + Unpin> FirstByte<S> {
    /// Waits for the first byte. Returns `None` if the connection was closed before it arrived.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn read(mut inner: S) -> io::Result<Option<Self>> {
        let mut byte = [0];
        let count = inner.read(&mut byte).await?;
        Ok((count > 0).then_some(Self {
            byte: Some(byte[0]),
            inner,
        }))
    }

    pub fn is_tls(&self) -> bool {
        self.byte == Some(HANDSHAKE)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FirstByte<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() > 0
            && let Some(byte) = self.byte.take()
        {
            buffer.put_slice(&[byte]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FirstByte<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }
}
