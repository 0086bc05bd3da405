//! The state of the screen, as plain data. Nothing here draws, reads a clock or does I/O.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod connection;
mod input;
mod me;
mod overlay;
mod panes;
mod picker;
mod posting;
mod preferences;
mod room;
mod rooms;
mod screen;
mod settings;
mod timers;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use self::connection::ConnectionState;
pub use self::input::InputState;
pub use self::me::Me;
pub use self::overlay::{Confirm, Overlay, Overlays};
pub use self::panes::Panes;
pub use self::picker::{Picker, PickerKind, RowAction};
pub use self::posting::Posting;
pub use self::preferences::Preferences;
pub use self::room::{Due, ForMe, Reading, Recount, Room, Seeking, Writing};
pub use self::rooms::Rooms;
pub use self::screen::ScreenState;
pub use self::timers::Timers;
use super::event::Effect;
use super::input::composer::Composer;
use super::lists::search::{Hits, ResultCursor};
use super::timeline::Anchor;
use crate::chat::{Author, Entry, IdentityId, InstanceId, Level, RoomId, RoomInfo};
use crate::client::Command;

/// If the terminal does not report its focus, the user counts as reading for this long after the last key press.
const READING_TIMEOUT: Duration = Duration::from_mins(5);

/// Everything that the screen shows. Each part has its own file.
#[derive(Clone, Debug)]
pub struct State {
    pub connection: ConnectionState,
    pub me: Me,
    pub rooms: Rooms,
    pub posting: Posting,
    pub input: InputState,
    pub overlays: Overlays,
    pub timers: Timers,
    pub preferences: Preferences,
    pub screen: ScreenState,
}

/// The current time: as an instant for timeouts, and as wall-clock time for display.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    pub instant: Instant,
    pub wall: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    pub text: String,
    pub tone: Tone,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    Info,
    Problem,
}

/// The progress of a tour through the unread rooms; see [`Rooms::tour`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnreadTour {
    pub home: RoomId,
    pub seen: Vec<RoomId>,
}

/// A list that was printed in plain mode; see [`Overlays::printed_list`].
#[derive(Clone, Debug)]
pub struct PrintedList {
    pub picker: Picker,
    /// What choosing each of its rows does.
    pub actions: Vec<RowAction>,
}

/// A room we were invited to and have not joined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invitation {
    pub room: RoomInfo,
    /// Who invited us; unknown after a new connection.
    pub by: Option<Author>,
}

/// A jump to a message in another place; see [`Rooms::visit`].
#[derive(Clone, Debug)]
pub struct Visit {
    /// The place before the visit.
    pub home: Option<(RoomId, Anchor)>,
    /// The search hits that the user steps through.
    pub result_cursor: Option<ResultCursor>,
}

impl State {
    /// The initial state, before any event.
    pub fn new(size: (u16, u16), now: Now, zone: TimeZone) -> Self {
        Self {
            connection: ConnectionState::new(now.instant),
            me: Me::default(),
            rooms: Rooms::default(),
            posting: Posting::new(),
            input: InputState::default(),
            overlays: Overlays::default(),
            timers: Timers::new(now.instant),
            preferences: Preferences::new(),
            screen: ScreenState::new(size, now, zone),
        }
    }

    /// Prepares for a new connection: client ids start again under a new instance.
    pub fn begin_connection(&mut self, instance: InstanceId, server: &str, room: Option<String>) {
        (self.posting.instance, self.posting.counter) = (instance, 1);
        server.clone_into(&mut self.connection.server);
        self.rooms.wanted = room;
    }

    pub fn room(&self, id: RoomId) -> Option<&Room> {
        self.rooms.list.iter().find(|room| room.info.id == id)
    }

    pub fn room_mut(&mut self, id: RoomId) -> Option<&mut Room> {
        self.rooms.list.iter_mut().find(|room| room.info.id == id)
    }

    pub fn current(&self) -> Option<&Room> {
        self.rooms.current.and_then(|id| self.room(id))
    }

    pub fn current_mut(&mut self) -> Option<&mut Room> {
        self.rooms.current.and_then(|id| self.room_mut(id))
    }

    pub fn composer(&self) -> &Composer {
        self.current()
            .map_or(&self.input.lobby, |room| &room.composer)
    }

    pub fn composer_mut(&mut self) -> &mut Composer {
        let current = self.rooms.current;
        match self
            .rooms
            .list
            .iter_mut()
            .find(|room| Some(room.info.id) == current)
        {
            Some(room) => &mut room.composer,
            None => &mut self.input.lobby,
        }
    }

    /// The draft of the current composer, as it is saved.
    pub fn draft(&self) -> String {
        self.current()
            .map_or_else(|| self.input.lobby.text(), Room::draft)
    }

    /// The rooms and conversations in the list, without requests.
    pub fn listed(&self) -> impl Iterator<Item = &Room> {
        self.rooms.list.iter().filter(|room| !room.is_request())
    }

    /// The requests of strangers that the user has not answered.
    pub fn requests(&self) -> impl Iterator<Item = &Room> {
        self.rooms.list.iter().filter(|room| room.is_request())
    }

    pub fn is_me(&self, identity: IdentityId) -> bool {
        self.me.account.as_ref().is_some_and(|me| me.id == identity)
    }

    /// The open invitation to a room, if there is one.
    pub fn invitation(&self, room: RoomId) -> Option<&Invitation> {
        let mut invitations = self.rooms.invitations.iter();
        invitations.find(|it| it.room.id == room)
    }

    /// The hits of a search that are shown: those from the user's rooms and by people who are not ignored.
    pub fn hits<'a>(&self, hits: &'a Hits) -> Vec<&'a Entry> {
        let mut shown = hits.all();
        shown.retain(|it| self.room(it.room).is_some() && !self.me.settings.ignores(it.author.id));
        shown
    }

    /// The search hits that the user is stepping through.
    pub fn result_cursor(&self) -> Option<&ResultCursor> {
        self.rooms.visit.as_ref()?.result_cursor.as_ref()
    }

    /// Which messages of a room cause a notification.
    pub fn level(&self, room: RoomId) -> Level {
        let kind = self.room(room).map(|room| room.info.kind);
        kind.map_or(Level::Nothing, |kind| self.me.settings.level(room, kind))
    }

    /// The current Unix time in milliseconds. Our own messages show it until the server has answered.
    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.screen.now.wall.as_millisecond()).unwrap_or(0)
    }

    /// The number of requests and posts that the server has not answered yet.
    pub fn unanswered(&self) -> usize {
        let failed = self
            .rooms
            .list
            .iter()
            .flat_map(|room| room.timeline.failed());
        let posts = self.posting.pending.len().saturating_sub(failed.count());
        posts + self.posting.commands.len() + usize::from(self.is_switching_room())
    }

    /// Whether the user is waiting to enter another room.
    pub fn is_switching_room(&self) -> bool {
        self.rooms.wanted.is_some() || self.has_requested_room()
    }

    /// Whether the user has requested another room with a command and the server has not answered yet.
    pub fn has_requested_room(&self) -> bool {
        let asked = self
            .posting
            .awaited_request
            .as_ref()
            .map(|(effect, _)| effect);
        let leads = |effect: &Effect| {
            matches!(
                effect,
                Effect::Client(Command::Join(_) | Command::Open(_) | Command::Create(_))
            )
        };
        asked.is_some_and(leads)
    }

    pub fn show_notice(&mut self, tone: Tone, text: impl Into<String>) {
        let text = text.into();
        let notice = Notice { text, tone };
        if self.screen.is_plain {
            // A screen shows only the last notice; plain mode prints all of them.
            self.screen.notices.push(notice.clone());
        }
        self.screen.notice = Some(notice);
    }

    /// Whether the screen can change just because time passes.
    pub fn wants_ticks(&self) -> bool {
        self.connection.retry_in(self.screen.now.instant).is_some()
            || self.timers.drafts_due.is_some()
            || self.timers.report_due.is_some()
            || self.timers.lobby_due.is_some()
            || self.timers.search_due.is_some()
            || self.screen.guide.is_some()
            || self
                .rooms
                .list
                .iter()
                .any(|room| room.reading.due.is_some() || !room.typing.is_empty())
    }

    /// Whether the user is at the terminal: it has the focus, or, if it does not report that, a key was pressed within this time.
    pub fn is_attended(&self, within: Duration) -> bool {
        let idle = self
            .screen
            .now
            .instant
            .saturating_duration_since(self.timers.pressed_at);
        self.screen.focus.unwrap_or(idle < within)
    }

    /// Whether the user may be looking at a room.
    pub fn is_watching(&self, room: &Room) -> bool {
        let is_shown = self.rooms.current == Some(room.info.id) && self.overlays.top.is_none();
        is_shown && self.is_attended(READING_TIMEOUT) && room.removal_reason.is_none()
    }

    /// Whether the user may be looking at the newest messages of a room.
    pub fn is_reading(&self, room: &Room) -> bool {
        self.is_watching(room) && room.timeline.anchor() == Anchor::Newest
    }

    /// The unread messages of a room and those for the user, as shown in the list. Messages that are or were on the screen do not count.
    pub fn unread_counts(&self, room: &Room) -> (u32, u32) {
        if room.removal_reason.is_some() || room.is_request() {
            // Nothing counts as unread in a room the user was removed from, and requests have a count of their own.
            (0, 0)
        } else if self.is_reading(room) {
            room.reading.above
        } else {
            room.reading.unseen()
        }
    }

    /// Whether an entry mentions the user or contains one of their keywords.
    pub fn is_for_me(&self, entry: &Entry) -> bool {
        let me = self.me.account.as_ref().map(|me| me.id);
        me.is_some_and(|me| entry.author.id != me && entry.mentions(me)) || self.has_keyword(entry)
    }

    /// Whether a message by somebody else contains one of the user's keywords.
    pub fn has_keyword(&self, entry: &Entry) -> bool {
        let is_said = entry.body.is_message() && !self.is_me(entry.author.id);
        is_said && !self.me.keywords.find(entry.body.text()).is_empty()
    }

    /// Looks up a name, ignoring case: somebody present in a joined room, and the other person of a conversation.
    pub fn people_named(&self, name: &str) -> PeopleNamed {
        let lower = name.to_lowercase();
        let is_called = |other: &str| other.to_lowercase() == lower;
        let present = self
            .rooms
            .list
            .iter()
            .flat_map(|room| room.roster.present())
            .find(|it| is_called(&it.name))
            .map(|it| it.id);
        let peers = self
            .rooms
            .list
            .iter()
            .filter_map(|room| room.info.peer.as_ref());
        let peer = peers.clone().find(|it| is_called(&it.name)).map(|it| it.id);
        PeopleNamed { present, peer }
    }

    /// Whether a person is connected through a bridge, which encrypts nothing.
    pub fn is_guest(&self, person: IdentityId) -> bool {
        let mut rosters = self.rooms.list.iter().map(|room| &room.roster);
        rosters.any(|roster| roster.find(person).is_some_and(|it| it.via.is_bridge()))
    }
}

/// The people with a certain name; see [`State::people_named`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeopleNamed {
    pub present: Option<IdentityId>,
    pub peer: Option<IdentityId>,
}
