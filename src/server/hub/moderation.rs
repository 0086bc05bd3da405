//! What administrators do to public rooms, whether they are in them or not. Other rooms are left to their own moderators.

use super::Hub;
use super::administration::{AdminFailure, Administrator};
use crate::chat::{
    Amendment, AuditAct, Body, Role, RoomAct, RoomId, RoomKind, RoomName, Ruling, TOPIC,
};
use crate::text;

impl Hub {
    /// Closes a public room, sets its topic, gives it an owner, or deletes a message in it.
    pub async fn moderate_room(
        &self,
        by: &Administrator,
        name: &str,
        act: RoomAct,
    ) -> Result<(), AdminFailure> {
        let room = self.public_room(name).ok_or(AdminFailure::Unknown)?;
        let name = name.trim_start_matches('#');
        let (kind, detail, body) = match act {
            RoomAct::Close if self.is_home(room) => return Err(AdminFailure::Refused),
            RoomAct::Close => (AuditAct::CloseRoom, String::new(), Body::Closed),
            RoomAct::Topic(topic) => {
                let topic: String = text::line(&topic).as_str().chars().take(TOPIC).collect();
                (AuditAct::RoomTopic, topic.clone(), Body::Topic(topic))
            }
            RoomAct::Owner(name) => {
                let account = self.account_named(&name).await?;
                if self.role_in(room, account.id).await.is_none() {
                    return Err(AdminFailure::Refused);
                }
                let author = self.author_of(account.id).await?;
                let body = Body::Ruling(author, Ruling::Role(Role::Owner));
                (AuditAct::RoomOwner, account.name.to_string(), body)
            }
            RoomAct::Erase(target) => {
                let entries = self.store.entries_at(room, vec![target]).await?;
                if !entries.iter().any(|entry| entry.body.is_message()) {
                    return Err(AdminFailure::Unknown);
                }
                let what = Amendment::Erase;
                let body = Body::Amendment { target, what };
                (AuditAct::Erase, target.to_string(), body)
            }
        };
        // First, so that nothing is done that is not recorded.
        let audit = self.audited(Some(by), kind, name, &detail);
        self.store.add_audit(audit).await?;
        let server = self.rooms.server.clone();
        self.announce_in(room, &server, body).await;
        Ok(())
    }

    /// Returns the public room with a name.
    fn public_room(&self, name: &str) -> Option<RoomId> {
        let key = RoomName::new(name.trim_start_matches('#')).ok()?.key();
        let rooms = self.rooms.directory.rooms_named(&key).into_iter();
        let mut public = rooms.filter(|record| record.kind == RoomKind::Public);
        public.next().map(|record| record.id)
    }
}
