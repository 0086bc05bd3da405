//! The rooms we are in, which of them is shown, and the others that we know of.

use std::collections::{HashMap, HashSet};

use super::{Invitation, Room, UnreadTour, Visit};
use crate::chat::{RoomId, RoomInfo};

#[derive(Clone, Debug, Default)]
pub struct Rooms {
    pub list: Vec<Room>,
    /// The room that is shown.
    pub current: Option<RoomId>,
    /// The name of the room to show as soon as it is in the list.
    pub wanted: Option<String>,
    /// The server's public rooms, as far as known.
    pub directory: Vec<RoomInfo>,
    /// Names of rooms that we were in: failed posts are shown with the name of their room.
    pub left: HashMap<RoomId, String>,
    /// The tour through the rooms with unread messages. It ends in the room where it began.
    pub tour: Option<UnreadTour>,
    /// A jump to a message somewhere else. Esc returns to the previous place.
    pub visit: Option<Visit>,
    /// Rooms whose invitation was announced.
    pub invited: HashSet<RoomId>,
    /// Invitations that can be accepted; they are listed among the rooms.
    pub invitations: Vec<Invitation>,
}
