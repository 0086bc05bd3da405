//! A screen without a terminal: keys go in as text, rows come out as text.
//!
//! Plain characters stand for themselves; `<ret> <esc> <tab> <pgup> <a-ret> <c-p> <s-tab>` and so on are keys.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::time::Instant;
use tchat::chat::{
    Author, Body, ClientId, Digest, Entry, Epoch, FollowResult, IdentityId, InstanceId, Limits,
    Person, Presence, Role, RoomId, RoomInfo, RoomKind, Seq, ServerId, Settings, Status, Unread,
};
use tchat::client::{Event as ClientEvent, LinkState};
use tchat::tui::event::{Effect, Event};
use tchat::tui::screen::hit_map::HitMap;
use tchat::tui::settings::typing::TypingMode;
use tchat::tui::state::{Now, State};
use tchat::tui::theme::{DEFAULT, Depth, Theme};
use tchat::tui::update::update;
use tchat::tui::view::{Glyphs, Look, draw};

pub const GENERAL: RoomId = RoomId::new([1; 16]);
pub const TECH: RoomId = RoomId::new([2; 16]);
pub const WITH_LI: RoomId = RoomId::new([3; 16]);
pub const ANN: IdentityId = IdentityId::new([11; 16]);
pub const ZHANG: IdentityId = IdentityId::new([12; 16]);
pub const LI: IdentityId = IdentityId::new([13; 16]);
const EPOCH: Epoch = Epoch::new([9; 16]);

pub struct Screen {
    pub state: State,
    pub effects: Vec<Effect>,
}

pub fn author(id: IdentityId) -> Author {
    let name = match id {
        ANN => "ann",
        ZHANG => "张三",
        LI => "李四",
        _ => "somebody",
    };
    Author {
        id,
        name: name.into(),
    }
}

pub fn room(id: RoomId, name: &str, topic: &str) -> RoomInfo {
    RoomInfo {
        id,
        kind: RoomKind::Public,
        name: name.into(),
        topic: topic.into(),
        capacity: 0,
        present: 0,
        peer: None,
        role: None,
        rules: tchat::chat::RoomRules::default(),
        request: None,
        last: None,
    }
}

pub fn conversation(id: RoomId, peer: IdentityId) -> RoomInfo {
    RoomInfo {
        kind: RoomKind::Conversation,
        peer: Some(author(peer)),
        ..room(id, "", "")
    }
}

/// The time on 19 November 2026, this many minutes after nine in the morning.
pub fn at(minutes: u64) -> u64 {
    1_795_078_800_000 + minutes * 60_000
}

pub fn entry(room: RoomId, seq: u64, by: IdentityId, minutes: u64, body: Body) -> Entry {
    Entry {
        room,
        epoch: EPOCH,
        seq: Seq(seq),
        digest: Digest([0; 8]),
        at_ms: at(minutes),
        author: author(by),
        client_id: None,
        body,
        mentions: Vec::new(),
        amended: None,
    }
}

pub fn message_entry(room: RoomId, seq: u64, by: IdentityId, minutes: u64, text: &str) -> Entry {
    entry(room, seq, by, minutes, Body::Text(text.into()))
}

impl Screen {
    /// A screen before any event.
    pub fn blank(width: u16, height: u16) -> Self {
        let instant = Instant::now();
        let wall = Timestamp::from_millisecond(i64::try_from(at(40)).unwrap()).unwrap();
        let now = Now { instant, wall };
        let mut state = State::new((width, height), now, TimeZone::UTC);
        state.connection.server = "chat.example.org".into();
        state.rooms.wanted = Some("general".into());
        state.preferences.theme = DEFAULT.into();
        state.preferences.themes = tchat::tui::theme::built_in_names();
        state.posting.instance = InstanceId::new([7; 16]);
        // Otherwise every word that is typed sends a signal.
        state.preferences.typing = TypingMode::Show;
        Self {
            state,
            effects: Vec::new(),
        }
    }

    /// Online as ann in `general`, with `tech` and a conversation.
    pub fn online(width: u16, height: u16) -> Self {
        Self::blank(width, height).enters()
    }

    pub fn enters(self) -> Self {
        let mut screen = self;
        let rooms = vec![
            room(GENERAL, "general", "everybody meets here"),
            room(TECH, "tech", "machines"),
            conversation(WITH_LI, LI),
        ];
        screen.is_welcomed(rooms);
        screen.receives(ClientEvent::Link(LinkState::Online));
        for room in [GENERAL, TECH, WITH_LI] {
            screen.follows(room, 0);
        }
        let person = |id, presence, role| Person {
            id,
            name: author(id).name,
            presence,
            role,
            via: tchat::chat::Via::Tchat,
            status: String::new(),
        };
        let people = vec![
            person(ZHANG, Presence::Online, Role::Owner),
            person(LI, Presence::Online, Role::Member),
            person(ANN, Presence::Online, Role::Member),
        ];
        screen.receives(ClientEvent::Roster {
            room: GENERAL,
            is_first: true,
            people,
        });
        screen
    }

    /// Welcomes us as ann, a member of these rooms.
    pub fn is_welcomed(&mut self, rooms: Vec<RoomInfo>) {
        self.receives(ClientEvent::Welcome {
            you: author(ANN),
            server_id: ServerId::new([1; 16]),
            limits: Limits::default(),
            rooms,
            ending: Vec::new(),
            settings: Settings::default(),
            status: Status::default(),
        });
    }

    pub fn follows(&mut self, room: RoomId, last: u64) {
        self.follows_unread(room, last, Unread::none_after(Seq(last)));
    }

    pub fn follows_unread(&mut self, room: RoomId, last: u64, unread: Unread) {
        let (first, last) = (Seq(1), Seq(last));
        self.receives(ClientEvent::Followed {
            room,
            epoch: EPOCH,
            first,
            last,
            result: FollowResult::Contiguous,
            unread,
        });
    }

    pub fn receives(&mut self, event: ClientEvent) {
        let effects = update(&mut self.state, Event::Client(event));
        self.effects.extend(effects);
    }

    pub fn page(&mut self, room: RoomId, before: u64, entries: Vec<Entry>) {
        self.receives(ClientEvent::Page {
            room,
            before: Seq(before),
            epoch: EPOCH,
            first: Seq(1),
            entries,
        });
    }

    pub fn handles(&mut self, event: Event) {
        let effects = update(&mut self.state, event);
        self.effects.extend(effects);
    }

    /// Advances the time and sends a tick.
    pub fn advances(&mut self, time: std::time::Duration) {
        self.state.screen.now.instant += time;
        self.handles(Event::Tick);
    }

    /// Whether a text is highlighted as a mention of us.
    pub fn is_highlighted(&self, text: &str) -> bool {
        let (theme, _) = Theme::built_in(DEFAULT, Depth::True).unwrap();
        let colour = theme.style(tchat::tui::theme::Scope::MessageMention).fg;
        let terminal = self.terminal();
        let buffer = terminal.backend().buffer();
        let rows = self.rows();
        let y = rows.iter().position(|row| row.contains(text)).unwrap();
        let y = u16::try_from(y).unwrap();
        let first = text.chars().next().unwrap().to_string();
        let mut cells = (0..buffer.area.width).map(|x| &buffer[(x, y)]);
        cells.any(|cell| cell.symbol() == first && Some(cell.fg) == colour)
    }

    /// Presses keys; returns the effects.
    pub fn keys(&mut self, keys: &str) -> Vec<Effect> {
        self.effects.clear();
        let mut rest = keys;
        while let Some(c) = rest.chars().next() {
            let named = rest
                .strip_prefix('<')
                .and_then(|inside| inside.split_once('>'));
            let event = if let Some((key, after)) =
                named.and_then(|(name, after)| key(name).map(|key| (key, after)))
            {
                rest = after;
                key
            } else {
                rest = &rest[c.len_utf8()..];
                KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)
            };
            self.handles(Event::Key(event));
        }
        self.effects.clone()
    }

    /// The id of our newest post.
    pub fn last_post(&self) -> ClientId {
        ClientId {
            instance: self.state.posting.instance,
            counter: self.state.posting.counter - 1,
        }
    }

    pub fn terminal(&self) -> Terminal<TestBackend> {
        self.terminal_with(false)
    }

    /// The screen as drawn for a terminal with or without hyperlinks.
    pub fn terminal_with(&self, links: bool) -> Terminal<TestBackend> {
        self.drawn(links).0
    }

    fn drawn(&self, links: bool) -> (Terminal<TestBackend>, HitMap) {
        let (width, height) = self.state.screen.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let (theme, _) = Theme::built_in(DEFAULT, Depth::True).unwrap();
        let look = Look {
            theme,
            glyphs: Glyphs::UNICODE,
        };
        let mut state = self.state.clone();
        state.preferences.links = links;
        let mut targets = HitMap::default();
        terminal
            .draw(|frame| targets = draw(frame, &state, &look))
            .unwrap();
        (terminal, targets)
    }

    /// Clicks on the first letter of a text on the screen.
    pub fn clicks(&mut self, text: &str) {
        self.clicks_at(text, 0);
    }

    /// Clicks this many columns after the first letter of a text.
    pub fn clicks_at(&mut self, text: &str, columns: u16) {
        let (x, y) = self.place(text);
        self.points(MouseEventKind::Down(MouseButton::Left), x + columns, y);
    }

    /// Turns the wheel over a text.
    pub fn scrolls(&mut self, text: &str, kind: MouseEventKind) {
        let (x, y) = self.place(text);
        self.points(kind, x, y);
    }

    /// Sends a mouse event for a position on the screen as it is drawn now.
    pub fn points(&mut self, kind: MouseEventKind, column: u16, row: u16) {
        self.state.screen.hit_map = self.drawn(false).1;
        self.handles(Event::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        }));
    }

    /// The position of the first occurrence of a text.
    fn place(&self, text: &str) -> (u16, u16) {
        let rows = self.rows();
        let found = (0..).zip(&rows).find_map(|(y, row)| {
            let x = tchat::text::width(&row[..row.find(text)?]);
            Some((u16::try_from(x).unwrap(), y))
        });
        found.unwrap_or_else(|| panic!("no '{text}' on\n{}", rows.join("\n")))
    }

    /// The rows as text, without trailing blanks.
    pub fn rows(&self) -> Vec<String> {
        let terminal = self.terminal();
        let buffer = terminal.backend().buffer();
        let row = |y| {
            let mut text = String::new();
            let mut x = 0;
            while x < buffer.area.width {
                let symbol = buffer[(x, y)].symbol();
                text.push_str(symbol);
                x += u16::try_from(tchat::text::width(symbol)).unwrap().max(1);
            }
            text.trim_end().to_owned()
        };
        (0..buffer.area.height).map(row).collect()
    }

    pub fn text(&self) -> String {
        self.rows().join("\n")
    }

    pub fn shows(&self, text: &str) -> bool {
        self.rows().iter().any(|row| row.contains(text))
    }

    pub fn cursor(&self) -> (u16, u16) {
        let mut terminal = self.terminal();
        let position = terminal.get_cursor_position().unwrap();
        (position.x, position.y)
    }
}

fn key(name: &str) -> Option<KeyEvent> {
    let mut modifiers = KeyModifiers::NONE;
    let mut name = name;
    while let Some((modifier, rest)) = name
        .split_once('-')
        .filter(|(modifier, rest)| modifier.len() == 1 && !rest.is_empty())
    {
        modifiers |= match modifier {
            "c" => KeyModifiers::CONTROL,
            "a" => KeyModifiers::ALT,
            "s" => KeyModifiers::SHIFT,
            _ => return None,
        };
        name = rest;
    }
    let code = match name {
        "ret" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
        "tab" => KeyCode::Tab,
        "bs" => KeyCode::Backspace,
        "del" => KeyCode::Delete,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "pgup" => KeyCode::PageUp,
        "pgdn" => KeyCode::PageDown,
        "f1" => KeyCode::F(1),
        "f2" => KeyCode::F(2),
        "f4" => KeyCode::F(4),
        one if one.chars().count() == 1 => KeyCode::Char(one.chars().next()?),
        _ => return None,
    };
    Some(KeyEvent::new(code, modifiers))
}
