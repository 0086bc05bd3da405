//! Converts invitations between the messages of `tchat.admin.v1` and the types of `chat`.

use std::time::Duration;

use super::admin_proto as proto;
use super::parts::Malformed;
use crate::chat::{InviteTerms, OpenInvite};

pub fn invite_terms_to(terms: InviteTerms) -> proto::CreateInviteRequest {
    proto::CreateInviteRequest {
        uses: terms.uses,
        valid_ms: millis(terms.valid),
    }
}

/// Returns the terms of an invitation, with the usual ones for what is 0.
///
/// # Errors
/// A term is out of range; the error names it.
pub fn invite_terms_from(asked: proto::CreateInviteRequest) -> Result<InviteTerms, Malformed> {
    let mut terms = InviteTerms::default();
    if asked.uses > 0 {
        terms.uses = asked.uses;
    }
    if asked.valid_ms > 0 {
        terms.valid = Duration::from_millis(asked.valid_ms);
    }
    if terms.uses > InviteTerms::MOST_USES {
        return Err(Malformed("uses"));
    }
    if terms.valid > InviteTerms::LONGEST {
        return Err(Malformed("valid_ms"));
    }
    Ok(terms)
}

pub fn invite_to(invite: &OpenInvite) -> proto::Invite {
    proto::Invite {
        id: invite.id.clone(),
        uses_left: invite.uses_left,
        valid_ms: millis(invite.valid),
        maker: invite.maker.clone(),
    }
}

pub fn invite_from(invite: proto::Invite) -> OpenInvite {
    OpenInvite {
        id: invite.id,
        uses_left: invite.uses_left,
        valid: Duration::from_millis(invite.valid_ms),
        maker: invite.maker,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
