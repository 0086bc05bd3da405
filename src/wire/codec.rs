//! The encode-once codec: a frame is encoded once, and the same bytes are sent to everyone who receives it.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::Message;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic_prost::ProstDecoder;

use super::{Event, entry_to, event_to, proto};
use crate::chat::Entry;

/// An encoded `ChatResponse`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame(pub Bytes);

/// Sends [`Frame`]s as they are; reads `ChatRequest`s.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameCodec;

impl Codec for FrameCodec {
    type Encode = Frame;
    type Decode = proto::ChatRequest;
    type Encoder = FrameEncoder;
    type Decoder = ProstDecoder<proto::ChatRequest>;

    fn encoder(&mut self) -> FrameEncoder {
        FrameEncoder
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::default()
    }
}

/// See [`FrameCodec`].
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameEncoder;

impl Encoder for FrameEncoder {
    type Item = Frame;
    type Error = Status;

    fn encode(&mut self, frame: Frame, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(frame.0);
        Ok(())
    }
}

/// Passes the messages of a foreign protocol on unchanged, in both directions.
#[derive(Clone, Copy, Debug, Default)]
pub struct RawCodec;

impl Codec for RawCodec {
    type Encode = Frame;
    type Decode = Frame;
    type Encoder = FrameEncoder;
    type Decoder = RawDecoder;

    fn encoder(&mut self) -> FrameEncoder {
        FrameEncoder
    }

    fn decoder(&mut self) -> RawDecoder {
        RawDecoder
    }
}

/// See [`RawCodec`].
#[derive(Clone, Copy, Debug, Default)]
pub struct RawDecoder;

impl Decoder for RawDecoder {
    type Item = Frame;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Frame>, Status> {
        Ok(Some(Frame(buffer.copy_to_bytes(buffer.remaining()))))
    }
}

/// Encodes one event as a whole frame.
pub fn encode_event(event: &Event) -> Bytes {
    proto::ChatResponse {
        events: vec![event_to(event)],
    }
    .encode_to_vec()
    .into()
}

/// Encodes entries as one frame. Also returns the offset at which each entry ends: the bytes after any of these offsets are a frame as
/// well.
pub fn encode_entries(entries: &[Entry]) -> (Bytes, Vec<usize>) {
    let mut buffer = BytesMut::with_capacity(
        entries
            .iter()
            .map(|entry| 192 + entry.body.text().len())
            .sum(),
    );
    let ends = entries
        .iter()
        .map(|entry| {
            let event = proto::Event {
                kind: Some(proto::event::Kind::Entry(entry_to(entry))),
            };
            // Field 1, a repeated message, like `ChatResponse.events`.
            prost::encoding::message::encode(1, &event, &mut buffer);
            buffer.len()
        })
        .collect();
    (buffer.freeze(), ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Author, Body, Digest, Epoch, IdentityId, RoomId, Seq};
    use crate::wire::event_from;

    fn entry(seq: u64) -> Entry {
        Entry {
            room: RoomId::new([1; 16]),
            epoch: Epoch::new([2; 16]),
            seq: Seq(seq),
            digest: Digest([seq.to_le_bytes()[0]; 8]),
            at_ms: 1,
            author: Author {
                id: IdentityId::new([3; 16]),
                name: "张三".into(),
            },
            client_id: None,
            body: Body::Text(format!("entry {seq}")),
            mentions: Vec::new(),
            amended: None,
        }
    }

    fn decoded(bytes: &[u8]) -> Vec<Event> {
        let frame = proto::ChatResponse::decode(bytes).unwrap();
        frame
            .events
            .into_iter()
            .map(|event| event_from(event).unwrap())
            .collect()
    }

    #[test]
    fn a_batch_without_its_first_entries_is_still_a_frame() {
        let entries: Vec<Entry> = (1..=4).map(entry).collect();
        let (bytes, ends) = encode_entries(&entries);
        assert_eq!(ends.last(), Some(&bytes.len()));
        assert_eq!(
            decoded(&bytes),
            entries
                .iter()
                .cloned()
                .map(Event::Entry)
                .collect::<Vec<_>>()
        );
        assert_eq!(
            decoded(&bytes[ends[1]..]),
            entries[2..]
                .iter()
                .cloned()
                .map(Event::Entry)
                .collect::<Vec<_>>()
        );
    }
}
