//! The status of private conversations in memory.

use super::{MemoryState, StoredRoom};
use crate::chat::{ClientId, ConversationSide, ConversationStatus, IdentityId, RoomId};

impl StoredRoom {
    /// Whether the room is a conversation that a person has not accepted. It shows nothing outside itself.
    pub(super) fn is_unanswered_by(&self, person: IdentityId) -> bool {
        let side = self.sides.get(&person);
        side.is_some_and(|(status, _)| status.is_unanswered())
    }
}

impl MemoryState {
    pub(super) fn conversation_sides(&self, room: RoomId) -> Option<[ConversationSide; 2]> {
        let room = self.rooms.get(&room)?;
        let (low, high) = room.record.pair?;
        let side = |person, other| {
            let (status, request) = room.sides.get(&person).copied().unwrap_or_default();
            let personal = self.personal.get(&person);
            ConversationSide {
                person,
                status,
                request,
                blocks: personal.is_some_and(|it| it.settings.blocks(other)),
            }
        };
        Some([side(low, high), side(high, low)])
    }

    pub(super) fn conversations_of(&self, person: IdentityId) -> Vec<(RoomId, ConversationStatus)> {
        let status = |(id, room): (&RoomId, &StoredRoom)| {
            let (status, _) = room.sides.get(&person)?;
            Some((*id, *status))
        };
        self.rooms.iter().filter_map(status).collect()
    }

    pub(super) fn set_conversation(
        &mut self,
        person: IdentityId,
        room: RoomId,
        status: ConversationStatus,
        request: Option<ClientId>,
    ) {
        let Some(room) = self.rooms.get_mut(&room) else {
            return;
        };
        if status == ConversationStatus::Open {
            room.sides.remove(&person);
        } else {
            room.sides.insert(person, (status, request));
        }
    }
}
