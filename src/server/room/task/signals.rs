//! Signals of a room: who types, and for guests who came and went.

use super::{Arc, Event, IdentityId, JoinOrLeave, RoomKind, Signal, Task, encode_event};

impl Task {
    /// Whoever may not speak is not seen to write.
    pub(super) fn send_typing(&mut self, person: IdentityId) {
        if self.room.permissions().may_speak(person, self.now().log_ms) {
            let frame = encode_event(&Event::Typing {
                room: self.record.id,
                person,
            });
            self.room.signal(&Arc::new(Signal::passing(frame)), false);
        }
    }

    /// Guests' protocols know nothing of a roster: each who comes or goes is a line of theirs, at once and in its place.
    pub(super) fn notify_guests(&mut self, joins_and_leaves: Vec<JoinOrLeave>) {
        let is_public = self.record.kind != RoomKind::Conversation;
        if is_public && !joins_and_leaves.is_empty() && self.room.has_guests() {
            self.room
                .signal(&Arc::new(Signal::joins_and_leaves(joins_and_leaves)), true);
        }
    }
}
