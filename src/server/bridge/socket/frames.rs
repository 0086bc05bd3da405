//! WebSocket frames (RFC 6455) over a byte stream, payloads as they are: fragments are put together, and nothing is taken for text.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use soketto::Parsing;
use soketto::base::{self, Codec, Header, OpCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};

/// The largest message, in one frame or several.
pub const MESSAGE: usize = 64 * 1024;
/// What is read at once.
const READ: usize = 16 * 1024;

pub const NORMAL: u16 = 1000;
pub const AWAY: u16 = 1001;
pub const PROTOCOL: u16 = 1002;
pub const NOT_READABLE: u16 = 1007;
pub const POLICY: u16 = 1008;
pub const TOO_BIG: u16 = 1009;

/// A frame that means something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    Message { is_binary: bool, payload: Bytes },
    Ping(Bytes),
    Pong,
    Close,
}

/// Why nothing more can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameError {
    /// The stream has ended or failed.
    Lost,
    TooBig,
    /// What came is no WebSocket.
    Protocol,
}

impl FrameError {
    /// The code to close with; a stream that is lost is closed as well as it can be.
    pub fn close_code(self) -> u16 {
        match self {
            Self::Lost => NORMAL,
            Self::TooBig => TOO_BIG,
            Self::Protocol => PROTOCOL,
        }
    }
}

/// The two directions of a socket.
pub fn split<S: AsyncRead + AsyncWrite>(io: S) -> (Incoming<S>, Outgoing<S>) {
    let (read, write) = tokio::io::split(io);
    let mut codec = Codec::new();
    codec.set_max_data_size(MESSAGE);
    let incoming = Incoming {
        read,
        codec: codec.clone(),
        buffer: BytesMut::new(),
        begun: None,
    };
    (incoming, Outgoing { write, codec })
}

/// Frames from a client.
#[derive(Debug)]
pub struct Incoming<S> {
    read: ReadHalf<S>,
    codec: Codec,
    buffer: BytesMut,
    /// A message whose end has not come yet.
    begun: Option<(bool, BytesMut)>,
}

impl<S: AsyncRead> Incoming<S> {
    /// The next frame. May be dropped and asked again: what was read is kept.
    pub async fn next(&mut self) -> Result<Frame, FrameError> {
        loop {
            while let Some((header, payload)) = self.parse()? {
                if let Some(frame) = self.take(&header, payload)? {
                    return Ok(frame);
                }
            }
            self.buffer.reserve(READ);
            match self.read.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return Err(FrameError::Lost),
                Ok(_) => {}
            }
        }
    }

    /// Reads to the end without looking.
    pub async fn discard(&mut self) {
        loop {
            self.buffer.clear();
            self.buffer.reserve(READ);
            match self.read.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }

    /// A whole frame of what was read; nothing if more has to come.
    fn parse(&mut self) -> Result<Option<(Header, BytesMut)>, FrameError> {
        let parsed = self.codec.decode_header(&self.buffer);
        let (header, offset) = match parsed {
            Ok(Parsing::Done { value, offset }) => (value, offset),
            Ok(Parsing::NeedMore(_)) => return Ok(None),
            Err(base::Error::PayloadTooLarge { .. }) => return Err(FrameError::TooBig),
            Err(_) => return Err(FrameError::Protocol),
        };
        // A client that does not mask is none.
        if !header.is_masked() {
            return Err(FrameError::Protocol);
        }
        if self.buffer.len() < offset + header.payload_len() {
            return Ok(None);
        }
        self.buffer.advance(offset);
        let mut payload = self.buffer.split_to(header.payload_len());
        Codec::apply_mask(&header, &mut payload);
        Ok(Some((header, payload)))
    }

    /// What a frame means; nothing if it is a part of something.
    fn take(&mut self, header: &Header, payload: BytesMut) -> Result<Option<Frame>, FrameError> {
        let message = match (header.opcode(), self.begun.take()) {
            (OpCode::Ping, begun) => {
                self.begun = begun;
                return Ok(Some(Frame::Ping(payload.freeze())));
            }
            (OpCode::Pong, begun) => {
                self.begun = begun;
                return Ok(Some(Frame::Pong));
            }
            (OpCode::Close, _) => return Ok(Some(Frame::Close)),
            (OpCode::Text | OpCode::Binary, None) => (header.opcode() == OpCode::Binary, payload),
            (OpCode::Continue, Some((is_binary, mut so_far))) => {
                if so_far.len() + payload.len() > MESSAGE {
                    return Err(FrameError::TooBig);
                }
                so_far.extend_from_slice(&payload);
                (is_binary, so_far)
            }
            _ => return Err(FrameError::Protocol),
        };
        if !header.is_fin() {
            self.begun = Some(message);
            return Ok(None);
        }
        let (is_binary, payload) = message;
        let payload = payload.freeze();
        Ok(Some(Frame::Message { is_binary, payload }))
    }
}

/// Frames to a client.
#[derive(Debug)]
pub struct Outgoing<S> {
    write: WriteHalf<S>,
    codec: Codec,
}

impl<S: AsyncWrite> Outgoing<S> {
    /// # Errors
    /// The client is gone.
    pub async fn send(&mut self, code: OpCode, payload: &[u8]) -> io::Result<()> {
        let mut header = Header::new(code);
        header.set_payload_len(payload.len());
        let mut frame = BytesMut::from(self.codec.encode_header(&header));
        frame.extend_from_slice(payload);
        self.write.write_all(&frame).await?;
        self.write.flush().await
    }

    pub async fn shutdown(&mut self) {
        // Whoever is gone needs no telling.
        drop(self.write.shutdown().await);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut frame = vec![first];
        match payload.len() {
            short @ 0..126 => frame.push(0x80 | u8::try_from(short).unwrap()),
            long => {
                frame.push(0x80 | 127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        frame.extend(mask);
        frame.extend(
            payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, key)| byte ^ key),
        );
        frame
    }

    async fn read(bytes: &[u8]) -> Vec<Result<Frame, FrameError>> {
        let (mut client, server): (DuplexStream, _) = duplex(1 << 20);
        client.write_all(bytes).await.unwrap();
        drop(client);
        let (mut incoming, _outgoing) = split(server);
        let mut all = Vec::new();
        loop {
            let frame = incoming.next().await;
            let is_last = frame.is_err();
            all.push(frame);
            if is_last {
                return all;
            }
        }
    }

    fn message(is_binary: bool, payload: &[u8]) -> Frame {
        let payload = Bytes::copy_from_slice(payload);
        Frame::Message { is_binary, payload }
    }

    #[tokio::test]
    async fn text_that_is_no_text_is_read_as_it_is() {
        let bytes = [0x0a, 0x80, 0x01, 0xff];
        let frames = read(&masked(0x81, &bytes)).await;
        assert_eq!(frames[0], Ok(message(false, &bytes)));
    }

    #[tokio::test]
    async fn fragments_are_put_together_around_a_ping() {
        let mut bytes = masked(0x02, b"one ");
        bytes.extend(masked(0x89, b"?"));
        bytes.extend(masked(0x80, b"two"));
        let frames = read(&bytes).await;
        assert_eq!(frames[0], Ok(Frame::Ping(Bytes::from_static(b"?"))));
        assert_eq!(frames[1], Ok(message(true, b"one two")));
    }

    #[tokio::test]
    async fn a_message_of_64_kib_is_read_and_one_more_byte_is_not() {
        let most = vec![b'x'; MESSAGE];
        assert_eq!(
            read(&masked(0x82, &most)).await[0],
            Ok(message(true, &most))
        );
        let more = vec![b'x'; MESSAGE + 1];
        assert_eq!(read(&masked(0x82, &more)).await[0], Err(FrameError::TooBig));
        let mut parts = masked(0x02, &most);
        parts.extend(masked(0x80, b"x"));
        assert_eq!(read(&parts).await[0], Err(FrameError::TooBig));
    }

    #[tokio::test]
    async fn what_is_no_websocket_is_told_apart() {
        for wrong in [
            // Not masked.
            vec![0x81, 1, b'x'],
            // A reserved bit, a reserved code, a torn ping, an end without a beginning, a beginning inside another.
            masked(0xc1, b"x"),
            masked(0x83, b"x"),
            masked(0x09, b"x"),
            masked(0x80, b"x"),
            [masked(0x01, b"x"), masked(0x81, b"x")].concat(),
        ] {
            assert_eq!(
                read(&wrong).await[0],
                Err(FrameError::Protocol),
                "{wrong:x?}"
            );
        }
    }
}
