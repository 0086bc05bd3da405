//! The lists of rooms.

use std::collections::HashSet;

use super::rooms::room_info;
use super::{Hub, Reach};
use crate::chat::{Entry, IdentityId, LastMessage, RoomId, RoomInfo, RoomKind};
use crate::server::room::directory::sort_key;
use crate::server::store::{RoomRecord, StoreError};

/// Code points of a room's last message that are sent in the room list.
const LAST_MESSAGE_CHARS: usize = 200;

/// A page of the list of rooms.
#[derive(Clone, Debug)]
pub struct RoomPage {
    /// Where the page before ended; empty: this is the first one.
    pub after: String,
    /// The most rooms in it.
    pub rooms: usize,
}

impl RoomPage {
    /// The most rooms of a page.
    pub const ROOMS: usize = 200;
    /// The most bytes of the names, topics and last messages in it.
    const BYTES: usize = 200 * 1024;
}

/// Returns a text that is in the same order as the rooms of the list.
fn place_in_list(record: &RoomRecord) -> String {
    let (position, name, is_secret, id) = sort_key(record);
    // A space is before every character of a name.
    format!("{position:010} {name} {is_secret} {id}")
}

impl Hub {
    /// Returns a page of the rooms that a person may know of, each with the number of people present, and with the last message if they may
    /// read it. Also returns where the next page begins; empty: this is the last one.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list(
        &self,
        viewer: IdentityId,
        page: RoomPage,
    ) -> Result<(Vec<RoomInfo>, String), StoreError> {
        let mine: HashSet<RoomId> = self
            .store
            .memberships(viewer)
            .await?
            .into_iter()
            .map(|record| record.id)
            .collect();
        let bans = self.store.bans(viewer).await?;
        let now = self.rooms.clock.stamp().log_ms;
        let is_banned = |room: RoomId| {
            bans.iter()
                .any(|(of, until)| *of == room && until.is_active(now))
        };
        let mut rooms = Vec::new();
        let (mut bytes, mut last) = (0, String::new());
        for record in self.rooms.directory.rooms() {
            let is_mine = mine.contains(&record.id);
            let place = place_in_list(&record);
            let is_later = page.after.is_empty() || place > page.after;
            if !is_later || (record.kind == RoomKind::Secret && !is_mine) {
                continue;
            }
            if rooms.len() >= page.rooms || bytes >= RoomPage::BYTES {
                return Ok((rooms, last));
            }
            last = place;
            let mut info = room_info(&record, self.present_in(record.id).await, None);
            if is_mine || (record.kind == RoomKind::Public && !is_banned(record.id)) {
                info.last = self.store.last_message(record.id).await?.map(last_message);
            }
            if is_mine {
                info.role = self.role_in(record.id, viewer).await;
            }
            bytes += info.name.len() + info.topic.len();
            bytes += info
                .last
                .as_ref()
                .map_or(0, |it| it.author.len() + it.text.len());
            rooms.push(info);
        }
        Ok((rooms, String::new()))
    }

    /// Returns the public rooms with the number of people present, for clients without memberships.
    pub async fn list_public(&self, reach: Reach) -> Vec<RoomInfo> {
        let mut rooms = Vec::new();
        for record in self.rooms.directory.rooms() {
            if record.kind == RoomKind::Public && self.is_in_reach(record.id, reach) {
                rooms.push(room_info(&record, self.present_in(record.id).await, None));
            }
        }
        rooms
    }
}

fn last_message(entry: Entry) -> LastMessage {
    LastMessage {
        author: entry.author.name,
        text: entry.body.text().chars().take(LAST_MESSAGE_CHARS).collect(),
        at_ms: entry.at_ms,
    }
}
