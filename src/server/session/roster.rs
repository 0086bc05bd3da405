//! Sends the list of people in a room.

use std::collections::HashSet;
use std::sync::Arc;

use super::Session;
use crate::chat::{IdentityId, Person, RoomId};
use crate::server::outbox::Slot;
use crate::server::room::mailbox::RoomQuery;
use crate::server::store::StoreError;
use crate::wire::Event;

/// Maximum number of people in one page.
const PAGE: usize = 500;
/// Maximum number of offline members in a roster.
const OFFLINE: usize = 200;

impl Session {
    pub(super) async fn send_roster_of(&self, slot: Slot) -> Result<(), StoreError> {
        let followed = self.rooms.iter().find(|(_, it)| it.slot == Some(slot));
        match followed {
            Some((room, _)) => self.send_roster(*room).await,
            None => Ok(()),
        }
    }

    pub(super) async fn send_roster(&self, room: RoomId) -> Result<(), StoreError> {
        self.outbox.wait_for_room().await;
        let known = if self.is_guest() {
            Arc::default()
        } else {
            self.hub.recently_present(room).await?
        };
        let among = known.iter().map(|it| it.id).collect();
        let asked = |reply| RoomQuery::Roster { among, reply };
        // One query returns both the people present and the members, so that the two lists match.
        let Some((mut people, members)) = self.hub.ask(room, asked).await else {
            return Ok(());
        };
        let count = u32::try_from(people.len()).unwrap_or(u32::MAX);
        let is_here: HashSet<IdentityId> = people.iter().map(|it| it.id).collect();
        let is_offline = |it: &&Person| !is_here.contains(&it.id) && members.contains(&it.id);
        people.extend(known.iter().filter(is_offline).take(OFFLINE).cloned());
        let pages: Vec<&[Person]> = people.chunks(PAGE).collect();
        let last = pages.len().saturating_sub(1);
        for (n, page) in pages.iter().enumerate() {
            self.outbox.answer(Event::RosterPage {
                room,
                is_first: n == 0,
                is_last: n == last,
                people: page.to_vec(),
                count,
            });
        }
        Ok(())
    }
}
