//! Resolves a name to a person.

use tokio::time::Instant;

use super::names::parse_name;
use super::{AdmitError, Hub};
use crate::chat::{IdentityId, Refusal, RefusalCode, RoomId, Via};
use crate::server::room::mailbox::RoomQuery;

impl Hub {
    /// Whether somebody has exactly this name now.
    pub fn is_taken(&self, name: &str) -> bool {
        let Ok(name) = parse_name(name) else {
            return false;
        };
        self.lock()
            .names
            .exact_holder(&name, Instant::now())
            .is_some()
    }

    /// Resolves a name to a person: the one who has it now, otherwise the one who had it last and is a member of one of the asker's rooms
    /// or conversations.
    ///
    /// # Errors
    /// No person or more than one person matches, or the store failed.
    pub async fn resolve(&self, name: &str, asker: IdentityId) -> Result<IdentityId, AdmitError> {
        let unknown = || Refusal::new(RefusalCode::PersonUnknown).with(name);
        let name = parse_name(name).map_err(|_| unknown())?;
        {
            let state = self.lock();
            if let Some(holder) = state.names.exact_holder(&name, Instant::now()) {
                // A name may be reserved for a guest who is not present yet.
                let is_here = state.people.contains_key(&holder);
                let guest = state.guests.get(&holder);
                // The guest that many connections share cannot receive private messages.
                let reads = guest != Some(&Via::Service);
                return if guest.is_none() || (is_here && reads) {
                    Ok(holder)
                } else {
                    Err(unknown().into())
                };
            }
        }
        let called = self.store.identities_named(name.key()).await?;
        let mut near = Vec::new();
        if !called.is_empty() {
            for room in self.store.memberships(asker).await? {
                let members = self.store.members(room.id).await?;
                near.extend(
                    called
                        .iter()
                        .map(|record| record.id)
                        .filter(|id| members.contains(id)),
                );
            }
        }
        near.sort_unstable();
        near.dedup();
        match near.as_slice() {
            [one] => Ok(*one),
            [] => Err(unknown().into()),
            _ => Err(Refusal::new(RefusalCode::PersonAmbiguous).with(name).into()),
        }
    }

    /// Resolves a name in a room: as [`Hub::resolve`] does, otherwise to a person who is not a member but has a standing there, like a ban
    /// or a mute.
    ///
    /// # Errors
    /// No person or more than one person matches, or the store failed.
    pub async fn resolve_in(
        &self,
        name: &str,
        asker: IdentityId,
        room: RoomId,
    ) -> Result<IdentityId, AdmitError> {
        let refusal = match self.resolve(name, asker).await {
            Err(AdmitError::Refused(refusal)) if refusal.code == RefusalCode::PersonUnknown => {
                refusal
            }
            answer => return answer,
        };
        let Ok(name) = parse_name(name) else {
            return Err(refusal.into());
        };
        let called = self.store.identities_named(name.key()).await?;
        let remembered = self
            .ask(room, RoomQuery::PeopleWithStanding)
            .await
            .unwrap_or_default();
        let mut near = called
            .iter()
            .filter(|record| remembered.contains(&record.id));
        match (near.next(), near.next()) {
            (Some(one), None) => Ok(one.id),
            (None, _) => Err(refusal.into()),
            (Some(_), Some(_)) => Err(Refusal::new(RefusalCode::PersonAmbiguous).with(name).into()),
        }
    }
}
