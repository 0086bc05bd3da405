//! What the moderators of a room see: what was done there, and who is banned or muted.

use super::{AdmitError, Hub};
use crate::chat::{
    Body, Entry, IdentityId, Refusal, RefusalCode, Role, RoomId, Ruling, Sanction, SanctionKind,
    Seq, Standing, Until,
};
use crate::server::room::mailbox::RoomQuery;

/// How many of the newest entries about moderation are looked at to find out who made a ban or a mute.
const LOOKED_AT: usize = 2000;

impl Hub {
    /// Returns what moderators did in a room before a seq, the newest first.
    ///
    /// # Errors
    /// The caller is no moderator of the room, or the store failed.
    pub async fn moderation(
        &self,
        caller: IdentityId,
        room: RoomId,
        before: Seq,
        most: usize,
    ) -> Result<Vec<Entry>, AdmitError> {
        self.check_moderator(caller, room).await?;
        Ok(self.store.moderation(room, before, most).await?)
    }

    /// Returns the bans and mutes in a room that are in force, by name.
    ///
    /// # Errors
    /// The caller is no moderator of the room, or the store failed.
    pub async fn sanctions(
        &self,
        caller: IdentityId,
        room: RoomId,
    ) -> Result<Vec<Sanction>, AdmitError> {
        self.check_moderator(caller, room).await?;
        let newest = Seq(u64::MAX);
        let history = self.store.moderation(room, newest, LOOKED_AT).await?;
        let mut sanctions = Vec::new();
        for (person, standing) in self
            .ask(room, RoomQuery::Sanctioned)
            .await
            .unwrap_or_default()
        {
            for (kind, until) in self.in_force(&standing) {
                let person = self.author_of(person).await?;
                let made = history.iter().find(|entry| makes(entry, person.id, kind));
                sanctions.push(Sanction {
                    kind,
                    until,
                    by: made.map_or_else(String::new, |entry| entry.author.name.clone()),
                    at_ms: made.map_or(0, |entry| entry.at_ms),
                    reason: made.map_or_else(String::new, reason),
                    person,
                });
            }
        }
        sanctions.sort_by_cached_key(|it| (it.person.name.to_lowercase(), it.person.id));
        Ok(sanctions)
    }

    /// Returns the ban and the mute of a person that have not expired, with their ends by the wall clock.
    fn in_force(&self, standing: &Standing) -> Vec<(SanctionKind, Until)> {
        let now = self.rooms.clock.stamp();
        let both = [
            (SanctionKind::Ban, standing.banned),
            (SanctionKind::Mute, standing.muted),
        ];
        both.into_iter()
            .filter_map(|(kind, until)| Some((kind, until?)))
            .filter(|(_, until)| until.is_active(now.log_ms))
            .map(|(kind, until)| (kind, until.by_wall_clock(now)))
            .collect()
    }

    /// Checks that somebody may moderate a room. A room that they are not in looks like one that does not exist.
    async fn check_moderator(&self, caller: IdentityId, room: RoomId) -> Result<(), Refusal> {
        match self.role_in(room, caller).await {
            Some(Role::Moderator | Role::Owner) => Ok(()),
            Some(Role::Member) => Err(Refusal::new(RefusalCode::NotAllowed)
                .with("log")
                .with(Role::Moderator.word())),
            None => Err(Refusal::new(RefusalCode::NotAMember).with(room)),
        }
    }
}

/// Whether an entry bans or mutes a person.
fn makes(entry: &Entry, person: IdentityId, kind: SanctionKind) -> bool {
    let Body::Ruling(of, ruling) = &entry.body else {
        return false;
    };
    let made = match ruling {
        Ruling::Banned { .. } => SanctionKind::Ban,
        Ruling::Muted { .. } => SanctionKind::Mute,
        _ => return false,
    };
    of.id == person && made == kind
}

fn reason(entry: &Entry) -> String {
    match &entry.body {
        Body::Ruling(_, Ruling::Banned { reason, .. }) => reason.clone(),
        _ => String::new(),
    }
}
