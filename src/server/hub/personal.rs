//! People's status, settings and profiles, and who was last in a room.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{AdmitError, Hub, People};
use crate::chat::{
    IdentityId, Person, Presence, Profile, Refusal, RefusalCode, Role, RoomId, RoomKind, Status,
};
use crate::server::room::mailbox::RoomMsg;
use crate::server::store::{PersonalChange, StoreError};
use crate::wire::Event;

/// How long the list of a room's recent members is cached, and its maximum length.
const RECENT_CACHE_TIME: Duration = Duration::from_secs(2);
const RECENT_LIMIT: usize = 1000;

impl Hub {
    /// Returns the members of a room who were here most recently. After a restart many sessions ask at once, so one look-up serves them
    /// all.
    ///
    /// # Errors
    /// The store failed.
    pub async fn recently_present(&self, room: RoomId) -> Result<People, StoreError> {
        let known = {
            let now = Instant::now();
            let mut known = self
                .recently_present
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            known.retain(|_, (at, _)| now.saturating_duration_since(*at) < RECENT_CACHE_TIME);
            let (_, people) = known.entry(room).or_insert_with(|| (now, Arc::default()));
            Arc::clone(people)
        };
        let look_up = || async {
            self.store
                .recently_present(room, RECENT_LIMIT)
                .await
                .map(Arc::new)
        };
        known.get_or_try_init(look_up).await.cloned()
    }

    /// Returns a person's status.
    pub fn status(&self, identity: IdentityId) -> Status {
        let state = self.lock();
        let attending = state.people.get(&identity);
        attending.map_or_else(Status::default, |it| it.status.clone())
    }

    /// Whether a typing signal may be sent for a person: at most one per `every`. If so, records the time.
    pub fn may_send_typing(&self, identity: IdentityId, every: Duration) -> bool {
        let now = Instant::now();
        let mut state = self.lock();
        let Some(attending) = state.people.get_mut(&identity) else {
            return false;
        };
        let is_early = |at| now.saturating_duration_since(at) < every;
        if attending.typed_at.is_some_and(is_early) {
            return false;
        }
        attending.typed_at = Some(now);
        true
    }

    /// Sets a person's status and sends it to their rooms and sessions.
    ///
    /// # Errors
    /// The store failed.
    pub async fn set_status(
        &self,
        identity: IdentityId,
        status: &Status,
    ) -> Result<(), AdmitError> {
        let change = PersonalChange::Status(status.clone());
        self.store.change_personal(identity, change).await?;
        if let Some(attending) = self.lock().people.get_mut(&identity) {
            attending.status = status.clone();
        }
        for room in self.store.memberships(identity).await? {
            let status = status.clone();
            self.notify(room.id, RoomMsg::Status { identity, status })
                .await;
        }
        let event = Event::StatusChanged {
            request: 0,
            status: status.clone(),
        };
        self.notify_person(identity, &event);
        Ok(())
    }

    /// Changes a person's settings and sends them to all their sessions.
    ///
    /// # Errors
    /// The store failed.
    pub async fn change_settings(
        &self,
        identity: IdentityId,
        change: PersonalChange,
    ) -> Result<(), AdmitError> {
        self.store.change_personal(identity, change).await?;
        let settings = self.store.personal(identity).await?.settings;
        let event = Event::SettingsChanged {
            request: 0,
            settings,
        };
        self.notify_person(identity, &event);
        Ok(())
    }

    /// Returns a person's profile as `asker` may see it: the rooms they share, and when the person was last here.
    ///
    /// # Errors
    /// The person does not exist, or the store failed.
    pub async fn profile(&self, asker: IdentityId, of: IdentityId) -> Result<Profile, AdmitError> {
        let record = self.store.identity(of).await?;
        let record = record.ok_or_else(|| Refusal::new(RefusalCode::PersonUnknown).with(of))?;
        let personal = self.store.personal(of).await?;
        let is_here = self.author(of).is_some();
        let mut rooms = Vec::new();
        for room in self.store.memberships(asker).await? {
            if room.kind == RoomKind::Conversation {
                continue;
            }
            let role = self.role_in(room.id, of).await;
            if role.is_some() {
                let info = self.describe(&room, asker).await?;
                rooms.push(crate::chat::RoomInfo { role, ..info });
            }
        }
        let person = Person {
            id: of,
            name: self.author_of(of).await?.name,
            presence: if is_here {
                personal.status.presence()
            } else {
                Presence::Offline
            },
            role: Role::Member,
            via: record.via,
            status: personal.status.text,
        };
        Ok(Profile {
            person,
            seen_ms: (!is_here && personal.seen_ms > 0).then_some(personal.seen_ms),
            rooms,
        })
    }
}
