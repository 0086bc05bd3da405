//! Converts the bans and mutes of a room.

use super::parts::{Malformed, author_from, author_to};
use super::proto;
use crate::chat::{Sanction, SanctionKind, Until};

pub fn sanction_to(sanction: &Sanction) -> proto::Sanction {
    proto::Sanction {
        person: Some(author_to(&sanction.person)),
        mute: sanction.kind == SanctionKind::Mute,
        until_ms: sanction.until.millis(),
        by: sanction.by.clone(),
        at_ms: sanction.at_ms,
        reason: sanction.reason.clone(),
    }
}

/// Converts a ban or a mute.
///
/// # Errors
/// A field is missing or malformed; the error names it.
pub fn sanction_from(sanction: proto::Sanction) -> Result<Sanction, Malformed> {
    Ok(Sanction {
        person: author_from(sanction.person)?,
        kind: if sanction.mute {
            SanctionKind::Mute
        } else {
            SanctionKind::Ban
        },
        until: Until::from_millis(sanction.until_ms),
        by: sanction.by,
        at_ms: sanction.at_ms,
        reason: sanction.reason,
    })
}
