//! Signals of a room: typing and, for guests, joins and leaves.

use super::{Arc, Event, IdentityId, JoinOrLeave, RoomTask, Signal, encode_event};
use crate::chat::RoomKind;

impl RoomTask {
    /// Sends a typing signal, unless the person may not write here.
    pub(super) fn send_typing(&mut self, person: IdentityId) {
        if self.room.permissions().may_write(person, self.now().log_ms) {
            let frame = encode_event(&Event::Typing {
                room: self.record.id,
                person,
            });
            self.room.signal(&Arc::new(Signal::transient(frame)), false);
        }
    }

    /// Sends joins and leaves to guests. Their protocols have no roster: they show each join and leave as a
    /// separate line, so these are sent at once and in order.
    pub(super) fn notify_guests(&mut self, joins_and_leaves: Vec<JoinOrLeave>) {
        let is_public = self.record.kind != RoomKind::Conversation;
        if is_public && !joins_and_leaves.is_empty() && self.room.has_guests() {
            self.room
                .signal(&Arc::new(Signal::joins_and_leaves(joins_and_leaves)), true);
        }
    }
}
