//! A delivery: one committed batch of a room with its encoded form, made once and shared by every session that gets it.
//!
//! It knows nothing of the sessions.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::chat::{Digest, Entry, RoomId, Seq, Via};
use crate::wire::encode_entries;

/// Consecutive entries of one room, at least one, and the frame that carries them.
#[derive(Debug)]
pub struct Delivery {
    entries: Arc<Vec<Entry>>,
    frame: Bytes,
    /// Where in `frame` each entry ends.
    ends: Vec<usize>,
    /// The entries as encoded for each bridge, made when first needed.
    foreign: [OnceLock<ForeignEntries>; Via::COUNT],
}

/// Each entry as encoded for a foreign protocol, and the number of people present that the encoding contains.
#[derive(Debug)]
struct ForeignEntries {
    count: u32,
    encoded: Arc<[Bytes]>,
}

impl Delivery {
    /// Encodes entries. Returns `None` if there are none.
    pub fn new(entries: Arc<Vec<Entry>>) -> Option<Self> {
        if entries.is_empty() {
            return None;
        }
        let (frame, ends) = encode_entries(&entries);
        Some(Self {
            entries,
            frame,
            ends,
            foreign: Default::default(),
        })
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn room(&self) -> RoomId {
        self.entries[0].room
    }

    pub fn first(&self) -> Seq {
        self.entries[0].seq
    }

    pub fn last(&self) -> Seq {
        self.entries[self.entries.len() - 1].seq
    }

    /// Returns the size of the whole frame in bytes.
    pub fn size(&self) -> usize {
        self.frame.len()
    }

    pub fn digest_at(&self, seq: Seq) -> Option<Digest> {
        self.index(seq).map(|index| self.entries[index].digest)
    }

    /// Returns the frame of the entries after `seq`, a slice of the shared frame. It is empty if there are none.
    pub fn frame_after(&self, seq: Seq) -> Bytes {
        if seq < self.first() {
            return self.frame.clone();
        }
        self.index(seq)
            .map_or_else(Bytes::new, |index| self.frame.slice(self.ends[index]..))
    }

    /// Returns each entry as encoded for a foreign protocol. The first encoding is shared by all callers with the same `count` of people.
    pub fn foreign(&self, via: Via, count: u32, encode: impl Fn(&Entry) -> Bytes) -> Arc<[Bytes]> {
        let make = || ForeignEntries {
            count,
            encoded: self.entries.iter().map(&encode).collect(),
        };
        let cached = self.foreign[via as usize].get_or_init(make);
        if cached.count == count {
            Arc::clone(&cached.encoded)
        } else {
            make().encoded
        }
    }

    fn index(&self, seq: Seq) -> Option<usize> {
        let index = usize::try_from(seq.0.checked_sub(self.first().0)?).ok()?;
        (index < self.entries.len()).then_some(index)
    }
}
