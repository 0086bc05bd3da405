//! How people are and what they want to be told, and what one may know of another.

use tokio::time::Instant;

use super::{AdmitError, Hub};
use crate::chat::{
    IdentityId, Person, Presence, Profile, Refusal, RefusalCode, Role, RoomId, RoomKind, Status,
    UserName,
};
use crate::server::room::mailbox::{Question, RoomMsg};
use crate::server::store::{PersonalChange, StoreError};
use crate::text;
use crate::wire::Event;

impl Hub {
    /// How somebody says they are.
    pub fn status(&self, identity: IdentityId) -> Status {
        let state = self.lock();
        let attending = state.people.get(&identity);
        attending.map_or_else(Status::default, |it| it.status.clone())
    }

    /// Takes over how somebody says they are, and tells the rooms they are in.
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
        self.tell(identity, &event);
        Ok(())
    }

    /// Changes what somebody wants to have shown and told, and tells all their sessions.
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
        self.tell(identity, &event);
        Ok(())
    }

    /// What somebody may know of another: where they both are, and when the other was last here.
    ///
    /// # Errors
    /// There is no such person; the store failed.
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
            name: self.named(of).await?.name,
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

    /// Whom a text calls: members of its room by their present name, or the last one they bore.
    ///
    /// # Errors
    /// The store failed.
    pub async fn called_in(&self, room: RoomId, text: &str) -> Result<Vec<IdentityId>, StoreError> {
        let mut called = Vec::new();
        let mut calls = text::calls(text);
        let is_everybody = |name: &&str| text::EVERYBODY.contains(&name.to_lowercase().as_str());
        calls.retain(|names| {
            let all = names.iter().any(is_everybody);
            if all && !called.contains(&IdentityId::EVERYBODY) {
                called.push(IdentityId::EVERYBODY);
            }
            !all
        });
        if calls.is_empty() {
            return Ok(called);
        }
        let names = |names: Vec<&str>| {
            let names = names.into_iter().map(UserName::new);
            names.filter_map(Result::ok).collect()
        };
        let calls: Vec<Vec<UserName>> = calls.into_iter().map(names).collect();
        let keys = calls.iter().flatten().map(UserName::key).collect();
        let known = self.store.called(keys).await?;
        let meant: Vec<Vec<(UserName, Vec<IdentityId>)>> = {
            let state = self.lock();
            let now = Instant::now();
            let of = |name: UserName| {
                let bearer = state.names.bearer(&name, now);
                let bore = known.iter().filter(|it| it.name.key() == name.key());
                // Whoever bears a name now is meant by it, and nobody who bore it before.
                let meant = match bearer {
                    Some(bearer) => vec![bearer],
                    None => bore.map(|it| it.id).collect(),
                };
                (name, meant)
            };
            let calls = calls.into_iter();
            calls
                .map(|names| names.into_iter().map(of).collect())
                .collect()
        };
        let all = meant
            .iter()
            .flatten()
            .flat_map(|(_, ids)| ids.iter().copied());
        let among = all.collect();
        let members = self
            .ask(room, |reply| Question::MembersAmong { among, reply })
            .await
            .unwrap_or_default();
        for names in meant {
            let one = names.iter().find_map(|(_, ids)| {
                let mut here = ids.iter().filter(|id| members.contains(id));
                // A name that two members bore is nobody's.
                match (here.next(), here.next()) {
                    (Some(one), None) => Some(*one),
                    _ => None,
                }
            });
            if let Some(one) = one.filter(|one| !called.contains(one)) {
                called.push(one);
            }
        }
        Ok(called)
    }
}
