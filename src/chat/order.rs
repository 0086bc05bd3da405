//! The order of entries in a room: sequence numbers, the digest chain and cursors.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::{Body, Epoch, IdentityId, InstanceId};

/// The number of an entry in its room: 1, 2, 3 … without holes within an [`Epoch`]. Zero means "before the first".
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Seq(pub u64);

impl Seq {
    pub const ZERO: Self = Self(0);

    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    #[must_use]
    pub const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// Returns how many entries there are in `self..=last`.
    pub const fn count_to(self, last: Self) -> u64 {
        (last.0 + 1).saturating_sub(self.0)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Eight bytes that identify an entry and everything before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Digest(pub [u8; 8]);

impl Digest {
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// Identifies a post: the outbox it comes from and a counter that only rises there (from 1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ClientId {
    pub instance: InstanceId,
    pub counter: u64,
}

/// A position in one history of a room: "I have everything up to here".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    pub epoch: Epoch,
    pub seq: Seq,
    /// The digest of the entry at `seq`, if it is known.
    pub digest: Option<Digest>,
}

/// Returns the digest of an entry that follows one with digest `previous` (zeros before the first). The layout is in `frames.proto`.
pub fn digest(
    previous: Digest,
    seq: Seq,
    author: IdentityId,
    client_id: Option<ClientId>,
    body: &Body,
) -> Digest {
    digest_of(previous, seq, author, client_id, body.hash())
}

/// Like [`digest`], for an entry whose body is known only by its hash.
pub fn digest_of(
    previous: Digest,
    seq: Seq,
    author: IdentityId,
    client_id: Option<ClientId>,
    body: [u8; 32],
) -> Digest {
    let mut hash = Sha256::new();
    hash.update(previous.0);
    hash.update(seq.0.to_be_bytes());
    hash.update(author.bytes());
    match client_id {
        Some(ClientId { instance, counter }) => {
            hash.update(instance.bytes());
            hash.update(counter.to_be_bytes());
        }
        None => hash.update([0; 24]),
    }
    hash.update(body);
    let whole: [u8; 32] = hash.finalize().into();
    let mut short = [0; 8];
    short.copy_from_slice(&whole[..8]);
    Digest(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: IdentityId = IdentityId::new([1; 16]);

    #[test]
    fn every_part_of_an_entry_changes_its_digest() {
        let id = Some(ClientId {
            instance: InstanceId::new([2; 16]),
            counter: 7,
        });
        let hi = Body::Text("hi".into());
        let plain = digest(Digest::default(), Seq(1), ANN, id, &hi);
        let others = [
            digest(Digest([1; 8]), Seq(1), ANN, id, &hi),
            digest(Digest::default(), Seq(2), ANN, id, &hi),
            digest(Digest::default(), Seq(1), IdentityId::new([9; 16]), id, &hi),
            digest(Digest::default(), Seq(1), ANN, None, &hi),
            digest(Digest::default(), Seq(1), ANN, id, &Body::Text("ho".into())),
            digest(
                Digest::default(),
                Seq(1),
                ANN,
                id,
                &Body::Action("hi".into()),
            ),
        ];
        assert!(others.iter().all(|other| *other != plain));
    }

    #[test]
    fn the_digest_of_a_known_entry_never_changes() {
        // Computed independently of this program, from the layout in `frames.proto`.
        let made = digest(Digest::default(), Seq(1), ANN, None, &Body::Created);
        assert_eq!(
            made,
            Digest([109, 200, 129, 105, 39, 193, 14, 156]),
            "the layout of the chain is part of the protocol"
        );
    }

    #[test]
    fn counting_includes_both_ends() {
        assert_eq!(Seq(3).count_to(Seq(5)), 3);
        assert_eq!(Seq(6).count_to(Seq(5)), 0);
    }
}
