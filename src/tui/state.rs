//! What the screen shows, as plain data. Nothing here draws, reads a clock or talks to anybody.

mod overlay;
mod panes;
mod picker;
mod room;
mod settings;

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::Instant;

pub use self::overlay::{Confirm, Overlay};
pub use self::panes::Panes;
pub use self::picker::{Of, Picker, Takes};
pub use self::room::{Due, ForMe, Reading, Recount, Room, Seeking, Writing};
use super::content::tour::Lessons;
use super::event::Effect;
use super::input::completion::Popup;
use super::input::composer::{Composer, Killed};
use super::input::keymap::{Action, Key, Keymap};
use super::lists::search::{Hits, Walk};
use super::screen::hit_map::Targets;
use super::settings::Kept;
use super::settings::notify_command::NotifyCommand;
use super::settings::time_format::TimeFormat;
use super::settings::typing::TypingMode;
use super::strings::{ENGLISH, Strings};
use super::terminal::caps::Notifier;
use super::timeline::Anchor;
use super::timeline::highlight::Highlights;
use crate::chat::{
    Author, ClientId, Entry, IdentityId, InstanceId, Level, Limits, RoomId, RoomInfo, Settings,
    Status,
};
use crate::client::{Command, LinkState, Post};
use crate::text;

/// Whoever reads without touching a key does so for this long, where a terminal does not say whether it has the keyboard.
const READS: Duration = Duration::from_mins(5);

/// The whole screen.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // Each of them is one thing that is so or not.
pub struct State {
    /// The server as the status line names it.
    pub server: String,
    /// A background host of our own serves it.
    pub is_hosting: bool,
    pub me: Option<Author>,
    /// Nobody has chosen a name yet: the one that is proposed. A name that cannot be had is then asked for, and no error.
    pub proposal: Option<String>,
    pub limits: Limits,
    pub link: LinkState,
    /// When the link last changed; countdowns start there.
    pub link_since: Instant,
    pub rooms: Vec<Room>,
    pub current: Option<RoomId>,
    /// The room to be shown as soon as it is there.
    pub wanted: Option<String>,
    /// Where text goes as long as there is no room.
    pub lobby: Composer,
    pub popup: Option<Popup>,
    pub overlay: Option<Overlay>,
    /// What opens as soon as that closes: nobody pressed a key for it, and somebody is writing in the other.
    pub behind: Option<Overlay>,
    pub killed: Killed,
    /// The public rooms of the server, as far as we know.
    pub directory: Vec<RoomInfo>,
    /// Posts of ours that are not answered, or failed.
    pub posts: VecDeque<Post>,
    /// The rooms we were in, by what they were called: posts that failed there are shown with it.
    pub left: HashMap<RoomId, String>,
    /// Commands that were posted, until they are answered.
    pub orders: HashMap<ClientId, String>,
    /// When what is typed has to be on the disk.
    pub drafts_due: Option<Instant>,
    /// What is on the disk of what was typed without a room.
    pub lobby_drafted: String,
    /// An action that a list or a command has asked for. It is done as soon as the present event was handled.
    pub follow_up: Option<Action>,
    /// The command whose answer is awaited.
    pub asked: Option<(Effect, String)>,
    /// A way through the rooms with something unread, and back to where it began.
    pub tour: Option<Tour>,
    /// One looks at something elsewhere.
    pub visit: Option<Visit>,
    /// What we want to have shown and told.
    pub settings: Settings,
    /// The words of the settings, to be looked for.
    pub keywords: text::Words,
    /// How we say we are.
    pub status: Status,
    pub typing: TypingMode,
    /// When it was last told that we are writing.
    pub typed_at: Option<Instant>,
    /// When a key was last pressed, and somebody last notified.
    pub pressed_at: Instant,
    pub notified_at: Option<Instant>,
    /// Rooms whose invitation was told.
    pub invited: HashSet<RoomId>,
    /// Invitations that can be accepted: they are listed among the rooms.
    pub invitations: Vec<Invitation>,
    /// How we asked to be, as long as it is not answered.
    pub status_asked: Option<Status>,
    /// What we said of ourselves before we said why we are away.
    pub status_before: Option<String>,
    /// Whether the terminal has the keyboard; unknown until it says so.
    pub focus: Option<bool>,
    /// When the rooms are asked for again.
    pub lobby_due: Option<Instant>,
    /// Searches so far, and when the server is asked for the newest.
    pub searches: u64,
    pub search_due: Option<Instant>,
    /// When the link is asked again how it does.
    pub report_due: Option<Instant>,
    /// One line for the person, gone with the next key.
    pub notice: Option<Notice>,
    /// Where there is no screen: every notice since notices were told last.
    pub untold: Vec<Notice>,
    /// What is done when it is asked for once more; gone with anything else.
    pub confirm: Option<Confirm>,
    pub shows_panes: bool,
    pub panes: Panes,
    /// What lay where when it was drawn last.
    pub targets: Targets,
    /// There is no screen: what happens is told line by line.
    pub is_plain: bool,
    /// The list that was told last, as long as something can be chosen from it.
    pub offered: Option<Offered>,
    /// The tour that is given.
    pub lessons: Option<Lessons>,
    /// Whether addresses are links to the terminal.
    pub links: bool,
    /// Whether a browser can be opened from here.
    pub has_desktop: bool,
    /// Whether the title of the window says what is unread.
    pub shows_title: bool,
    pub notifier: Notifier,
    /// The program that tells of what comes, instead of the terminal.
    pub notify_command: NotifyCommand,
    pub time_format: TimeFormat,
    /// What was set when the program began, or kept since.
    pub kept: Kept,
    pub size: (u16, u16),
    pub now: Moment,
    pub zone: TimeZone,
    /// What keys do, and the first of two that was pressed.
    pub keymap: Keymap,
    pub prefix: Option<Key>,
    pub theme: String,
    pub highlights: Highlights,
    pub themes: Vec<String>,
    pub strings: &'static Strings,
    /// Where our posts come from, and the number of the next one.
    pub instance: InstanceId,
    pub next_counter: u64,
}

/// The time, twice: for timeouts and for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
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

/// See [`State::tour`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tour {
    pub home: RoomId,
    pub seen: Vec<RoomId>,
}

/// See [`State::offered`].
#[derive(Clone, Debug)]
pub struct Offered {
    pub picker: Picker,
    /// What each of its rows does.
    pub takes: Vec<Takes>,
}

/// A room we were invited to and have not joined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invitation {
    pub room: RoomInfo,
    /// Who invited us; unknown after a new connection.
    pub by: Option<Author>,
}

/// See [`State::visit`].
#[derive(Clone, Debug)]
pub struct Visit {
    /// Where one was before.
    pub home: Option<(RoomId, Anchor)>,
    /// The hits of a search that are gone through.
    pub walk: Option<Walk>,
}

impl State {
    /// A screen on which nothing has happened yet.
    pub fn new(size: (u16, u16), now: Moment, zone: TimeZone) -> Self {
        Self {
            server: String::new(),
            is_hosting: false,
            me: None,
            proposal: None,
            limits: Limits::default(),
            link: LinkState::Connecting,
            link_since: now.instant,
            rooms: Vec::new(),
            current: None,
            wanted: None,
            lobby: Composer::default(),
            popup: None,
            overlay: None,
            behind: None,
            killed: Killed::default(),
            directory: Vec::new(),
            posts: VecDeque::new(),
            left: HashMap::new(),
            orders: HashMap::new(),
            drafts_due: None,
            lobby_drafted: String::new(),
            follow_up: None,
            asked: None,
            tour: None,
            visit: None,
            searches: 0,
            search_due: None,
            settings: Settings::default(),
            keywords: text::Words::default(),
            status: Status::default(),
            typing: TypingMode::Both,
            typed_at: None,
            pressed_at: now.instant,
            notified_at: None,
            invited: HashSet::new(),
            invitations: Vec::new(),
            status_asked: None,
            status_before: None,
            focus: None,
            lobby_due: None,
            report_due: None,
            notice: None,
            untold: Vec::new(),
            confirm: None,
            shows_panes: true,
            panes: Panes::default(),
            targets: Targets::default(),
            is_plain: false,
            offered: None,
            lessons: None,
            links: false,
            has_desktop: false,
            shows_title: true,
            notifier: Notifier::OFF,
            notify_command: NotifyCommand::default(),
            time_format: TimeFormat::default(),
            kept: Kept::new(),
            size,
            now,
            zone,
            keymap: Keymap::default(),
            prefix: None,
            theme: String::new(),
            highlights: Highlights::default(),
            themes: Vec::new(),
            strings: &ENGLISH,
            instance: InstanceId::new([0; 16]),
            next_counter: 1,
        }
    }

    /// A connection begins: what is said from now on comes from an outbox of its own.
    pub fn begins(&mut self, instance: InstanceId, server: &str, room: Option<String>) {
        (self.instance, self.next_counter) = (instance, 1);
        server.clone_into(&mut self.server);
        self.wanted = room;
    }

    pub fn room(&self, id: RoomId) -> Option<&Room> {
        self.rooms.iter().find(|room| room.info.id == id)
    }

    pub fn room_mut(&mut self, id: RoomId) -> Option<&mut Room> {
        self.rooms.iter_mut().find(|room| room.info.id == id)
    }

    pub fn current(&self) -> Option<&Room> {
        self.current.and_then(|id| self.room(id))
    }

    pub fn current_mut(&mut self) -> Option<&mut Room> {
        self.current.and_then(|id| self.room_mut(id))
    }

    pub fn composer(&self) -> &Composer {
        self.current().map_or(&self.lobby, |room| &room.composer)
    }

    pub fn composer_mut(&mut self) -> &mut Composer {
        let current = self.current;
        match self
            .rooms
            .iter_mut()
            .find(|room| Some(room.info.id) == current)
        {
            Some(room) => &mut room.composer,
            None => &mut self.lobby,
        }
    }

    /// What is typed where one is, as it is kept.
    pub fn draft(&self) -> String {
        self.current()
            .map_or_else(|| self.lobby.text(), Room::draft)
    }

    /// Rooms as they are listed: not those put away.
    pub fn listed(&self) -> impl Iterator<Item = &Room> {
        self.rooms.iter().filter(|room| !room.is_hidden)
    }

    pub fn is_me(&self, identity: IdentityId) -> bool {
        self.me.as_ref().is_some_and(|me| me.id == identity)
    }

    /// The invitation to a room, as long as we have not accepted it.
    pub fn invitation(&self, room: RoomId) -> Option<&Invitation> {
        let mut invitations = self.invitations.iter();
        invitations.find(|it| it.room.id == room)
    }

    /// The hits of a search that are shown: in rooms we are in, by people we heed.
    pub fn hits<'a>(&self, hits: &'a Hits) -> Vec<&'a Entry> {
        let mut shown = hits.all();
        shown.retain(|it| self.room(it.room).is_some() && !self.settings.ignores(it.author.id));
        shown
    }

    /// The hits that are gone through.
    pub fn walk(&self) -> Option<&Walk> {
        self.visit.as_ref()?.walk.as_ref()
    }

    /// Which messages of a room are worth a notification.
    pub fn level(&self, room: RoomId) -> Level {
        let kind = self.room(room).map(|room| room.info.kind);
        kind.map_or(Level::Nothing, |kind| self.settings.level(room, kind))
    }

    /// The time that our own lines show until the server has answered, in milliseconds.
    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.now.wall.as_millisecond()).unwrap_or(0)
    }

    pub fn next_client_id(&mut self) -> ClientId {
        let counter = self.next_counter;
        self.next_counter += 1;
        ClientId {
            instance: self.instance,
            counter,
        }
    }

    /// Whether something was asked for just before; from now on it was.
    pub fn is_confirmed(&mut self, what: Confirm) -> bool {
        if self.confirm.take().as_ref() == Some(&what) {
            return true;
        }
        self.confirm = Some(what);
        false
    }

    /// What we said or asked for that nobody has answered yet.
    pub fn unanswered(&self) -> usize {
        let failed = self.rooms.iter().flat_map(|room| room.timeline.failed());
        let posts = self.posts.len().saturating_sub(failed.count());
        posts + self.orders.len() + usize::from(self.is_led())
    }

    /// Whether we have asked to be led elsewhere, and are not there yet.
    pub fn is_led(&self) -> bool {
        self.wanted.is_some() || self.is_on_the_way()
    }

    /// The same, of what was asked for by a line.
    pub fn is_on_the_way(&self) -> bool {
        let asked = self.asked.as_ref().map(|(effect, _)| effect);
        let leads = |effect: &Effect| {
            matches!(
                effect,
                Effect::Client(Command::Join(_) | Command::Open(_) | Command::Create(_))
            )
        };
        asked.is_some_and(leads)
    }

    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        let text = text.into();
        let notice = Notice { text, tone };
        if self.is_plain {
            // A screen has room for the last one; lines have room for all.
            self.untold.push(notice.clone());
        }
        self.notice = Some(notice);
    }

    /// Opens an overlay that nobody pressed a key for just now: where somebody is writing or choosing it waits.
    pub fn announce(&mut self, overlay: Overlay) {
        let is_only_read = match &self.overlay {
            None | Some(Overlay::List { .. } | Overlay::Link { .. }) => true,
            Some(Overlay::Help { filter, .. }) => filter.is_empty(),
            Some(
                Overlay::Pick(_)
                | Overlay::React { .. }
                | Overlay::Snippet { .. }
                | Overlay::Name { .. },
            ) => false,
        };
        if is_only_read {
            self.overlay = Some(overlay);
        } else {
            self.behind = Some(overlay);
        }
    }

    /// How long until the link dials again, if it waits for that.
    pub fn retry_in(&self) -> Option<Duration> {
        match &self.link {
            LinkState::Waiting { retry_in, .. } => {
                let passed = self.now.instant.saturating_duration_since(self.link_since);
                Some(retry_in.saturating_sub(passed))
            }
            _ => None,
        }
    }

    /// Whether something on the screen changes by the mere passing of time.
    pub fn wants_ticks(&self) -> bool {
        self.retry_in().is_some()
            || self.drafts_due.is_some()
            || self.report_due.is_some()
            || self.lobby_due.is_some()
            || self.search_due.is_some()
            || self.lessons.is_some()
            || self
                .rooms
                .iter()
                .any(|room| room.reading.due.is_some() || !room.typing.is_empty())
    }

    /// Whether somebody is at the terminal: it has the keyboard, or, where it does not say, a key was pressed not so long ago.
    pub fn is_attended(&self, within: Duration) -> bool {
        let idle = self.now.instant.saturating_duration_since(self.pressed_at);
        self.focus.unwrap_or(idle < within)
    }

    /// Whether somebody may be looking at a room.
    pub fn is_watching(&self, room: &Room) -> bool {
        let is_shown = self.current == Some(room.info.id) && self.overlay.is_none();
        is_shown && self.is_attended(READS) && room.put_out.is_none()
    }

    /// Whether somebody may be looking at the newest end of a room.
    pub fn is_reading(&self, room: &Room) -> bool {
        self.is_watching(room) && room.timeline.anchor() == Anchor::Newest
    }

    /// Unread messages of a room and those for us, as they are shown: what is on the screen or was there is no news.
    pub fn news(&self, room: &Room) -> (u32, u32) {
        if room.put_out.is_some() {
            // Where one was put out nothing waits to be read.
            (0, 0)
        } else if self.is_reading(room) {
            room.reading.above
        } else {
            room.reading.unseen()
        }
    }

    /// Whether an entry is for us: it calls us, or has a word of ours.
    pub fn is_for_me(&self, entry: &Entry) -> bool {
        let me = self.me.as_ref().map(|me| me.id);
        me.is_some_and(|me| entry.author.id != me && entry.mentions(me)) || self.has_keyword(entry)
    }

    /// Whether somebody else said a word of ours.
    pub fn has_keyword(&self, entry: &Entry) -> bool {
        let is_said = entry.body.is_said() && !self.is_me(entry.author.id);
        is_said && !self.keywords.find(entry.body.text()).is_empty()
    }

    /// Whoever a name means here: present in a room we are in, or the other of a conversation.
    pub fn people_called(&self, name: &str) -> Called {
        let lower = name.to_lowercase();
        let is_called = |other: &str| other.to_lowercase() == lower;
        let present = self
            .rooms
            .iter()
            .flat_map(|room| room.roster.present())
            .find(|it| is_called(&it.name))
            .map(|it| it.id);
        let peers = self.rooms.iter().filter_map(|room| room.info.peer.as_ref());
        let peer = peers.clone().find(|it| is_called(&it.name)).map(|it| it.id);
        Called { present, peer }
    }
}

/// See [`State::people_called`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Called {
    pub present: Option<IdentityId>,
    pub peer: Option<IdentityId>,
}
