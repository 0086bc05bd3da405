//! WebSocket frames (RFC 6455) over a byte stream. Joins fragments, and leaves payloads as they are: text frames are not checked for
//! UTF-8.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use soketto::Parsing;
use soketto::base::{self, Codec, Header, OpCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};

/// Maximum size of a message in bytes, in one frame or several.
pub const MESSAGE: usize = 64 * 1024;
/// Size of one read, in bytes.
const READ: usize = 16 * 1024;

pub const NORMAL: u16 = 1000;
pub const AWAY: u16 = 1001;
pub const PROTOCOL: u16 = 1002;
pub const NOT_READABLE: u16 = 1007;
pub const POLICY: u16 = 1008;
pub const TOO_BIG: u16 = 1009;

/// A complete message or a control frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    Message { is_binary: bool, payload: Bytes },
    Ping(Bytes),
    Pong,
    Close,
}

/// Why no more frames can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameError {
    /// The stream has ended or failed.
    Lost,
    TooBig,
    /// The data violates the WebSocket protocol.
    Protocol,
}

impl FrameError {
    /// Returns the close code. For a lost stream the code does not matter, because the close frame is unlikely to
    /// arrive.
    pub fn close_code(self) -> u16 {
        match self {
            Self::Lost => NORMAL,
            Self::TooBig => TOO_BIG,
            Self::Protocol => PROTOCOL,
        }
    }
}

/// Splits a socket into its two directions.
pub fn split<S: AsyncRead + AsyncWrite>(io: S) -> (Incoming<S>, Outgoing<S>) {
    let (read, write) = tokio::io::split(io);
    let mut codec = Codec::new();
    codec.set_max_data_size(MESSAGE);
    let incoming = Incoming {
        read,
        codec: codec.clone(),
        buffer: BytesMut::new(),
        fragments: None,
    };
    (incoming, Outgoing { write, codec })
}

/// Frames from a client.
#[derive(Debug)]
pub struct Incoming<S> {
    read: ReadHalf<S>,
    codec: Codec,
    buffer: BytesMut,
    /// A message that is not complete yet: whether it is binary, and its fragments so far.
    fragments: Option<(bool, BytesMut)>,
}

impl<S: AsyncRead> Incoming<S> {
    /// Returns the next frame. Cancel-safe: data that was already read stays in the buffer.
    ///
    /// # Errors
    /// The stream has ended, or the client violated the protocol.
    pub async fn next(&mut self) -> Result<Frame, FrameError> {
        loop {
            while let Some((header, payload)) = self.parse()? {
                if let Some(frame) = self.on_frame(&header, payload)? {
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

    /// Reads and discards everything until the stream ends.
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

    /// Takes one whole frame from the buffer; nothing if more data is needed.
    fn parse(&mut self) -> Result<Option<(Header, BytesMut)>, FrameError> {
        let parsed = self.codec.decode_header(&self.buffer);
        let (header, offset) = match parsed {
            Ok(Parsing::Done { value, offset }) => (value, offset),
            Ok(Parsing::NeedMore(_)) => return Ok(None),
            Err(base::Error::PayloadTooLarge { .. }) => return Err(FrameError::TooBig),
            Err(_) => return Err(FrameError::Protocol),
        };
        // Clients must mask their frames (RFC 6455, 5.1).
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

    /// Handles one frame. Returns nothing for a fragment that does not complete a message.
    fn on_frame(
        &mut self,
        header: &Header,
        payload: BytesMut,
    ) -> Result<Option<Frame>, FrameError> {
        let message = match (header.opcode(), self.fragments.take()) {
            (OpCode::Ping, begun) => {
                self.fragments = begun;
                return Ok(Some(Frame::Ping(payload.freeze())));
            }
            (OpCode::Pong, begun) => {
                self.fragments = begun;
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
            self.fragments = Some(message);
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
    /// Sends one frame.
    ///
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
        // An error only means that the client is gone already.
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
    async fn a_text_frame_with_invalid_utf8_is_read_unchanged() {
        let bytes = [0x0a, 0x80, 0x01, 0xff];
        let frames = read(&masked(0x81, &bytes)).await;
        assert_eq!(frames[0], Ok(message(false, &bytes)));
    }

    #[tokio::test]
    async fn fragments_are_joined_around_a_ping() {
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
    async fn invalid_frames_are_protocol_errors() {
        for wrong in [
            // Not masked.
            vec![0x81, 1, b'x'],
            // A reserved bit, a reserved opcode, a fragmented ping, a continuation without a start, a start inside another message.
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
