//! Entries: number, author and body, as amended so far.

use super::body;
use super::parts::{
    Malformed, author_from, author_to, client_id_from, client_id_to, epoch, identity, room_id,
};
use super::proto;
use crate::chat::{Digest, Entry, Seq};

/// Converts a message to an entry.
///
/// # Errors
/// A field is missing or malformed; the error names it.
pub fn entry_from(entry: proto::Entry) -> Result<Entry, Malformed> {
    if entry.seq == 0 {
        return Err(Malformed("seq"));
    }
    Ok(Entry {
        room: room_id(&entry.room)?,
        epoch: epoch(&entry.epoch)?,
        seq: Seq(entry.seq),
        digest: Digest::from_slice(&entry.digest).ok_or(Malformed("digest"))?,
        at_ms: entry.at_ms,
        author: author_from(entry.author)?,
        client_id: entry.client_id.as_ref().map(client_id_from).transpose()?,
        body: body::body_from(entry.body),
        mentions: entry
            .mentions
            .iter()
            .map(|id| identity(id))
            .collect::<Result<_, _>>()?,
        amended: entry
            .amended
            .map(|it| body::amended_from(it).map(Box::new))
            .transpose()?,
    })
}

pub fn entry_to(entry: &Entry) -> proto::Entry {
    proto::Entry {
        room: entry.room.bytes().to_vec(),
        epoch: entry.epoch.bytes().to_vec(),
        seq: entry.seq.0,
        digest: entry.digest.0.to_vec(),
        at_ms: entry.at_ms,
        author: Some(author_to(&entry.author)),
        client_id: entry.client_id.map(client_id_to),
        body: Some(body::body_to(&entry.body)),
        amended: entry.amended.as_deref().map(body::amended_to),
        mentions: entry
            .mentions
            .iter()
            .map(|id| id.bytes().to_vec())
            .collect(),
    }
}
