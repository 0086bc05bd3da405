//! Plain mode: prints events line by line, for screen readers, terminals without cursor movement, and pipes. It prints the changes of the
//! same state that a screen shows. Pure; a line never moves the cursor or changes a colour.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod overlay;
mod progress;

use std::collections::{HashMap, HashSet, VecDeque};

use self::progress::{Progress, unprinted};
use super::content::composer_hint::composer_hint;
use super::content::prompt::prompt;
use super::content::system_lines;
use super::content::tour::{Tour, TourStep};
use super::event::Event;
use super::state::{Room, State, Tone, Writing};
use super::strings::fill;
use super::timeline::{Anchor, Item, ItemKey, ItemKind, PostStatus};
use crate::chat::{Body, ClientId, Entry, RoomId, Seq};
use crate::client::{self, LinkState};
use crate::text;
pub use crate::tui::content::plain_lines::{COLUMNS, draft, history};
use crate::tui::content::plain_lines::{layout, mark, numbered, of_row, posted, shown};

/// The assumed screen size (columns, rows), for commands that scroll by a page.
pub const SIZE: (u16, u16) = (80, 24);
/// The maximum number of messages printed when a room is first shown, and later when several arrive together.
const FIRST: usize = 10;
const CATCH_UP_LIMIT: usize = 50;
/// How many columns of a draft are printed unless the user asks for all of it.
const DRAFT: usize = 160;
/// How many columns of a request's message are printed.
const REQUEST: usize = 160;
/// How many edits, deletions and reactions are stored for rooms that are not shown.
const AMENDED: usize = 200;

/// Turns changes of the state into lines. It records what has been printed, so that only changes are printed.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // Each one is independent of the others.
pub struct PlainWriter {
    echo: bool,
    room: Option<RoomId>,
    /// How far each room has been printed.
    printed: HashMap<RoomId, Progress>,
    anchor: Option<Anchor>,
    selected: Option<Seq>,
    found: Option<Seq>,
    writing: Option<Writing>,
    draft: String,
    notice: Option<(String, Tone)>,
    tour_step: Option<TourStep>,
    link: String,
    is_online: bool,
    news: HashMap<RoomId, (u32, u32)>,
    failed: HashSet<ClientId>,
    /// Posts to print when they are stored: they had to wait, or their text is not visible above.
    waiting: HashSet<ClientId>,
    /// Whether the last line contained the text it sent. `/draft` and `/do` send text that is not in the line.
    is_typed: bool,
    /// Edits, deletions and reactions that are not printed yet, oldest first.
    amended: VecDeque<Entry>,
    /// The counter of the next post, as of the last call.
    next_counter: u64,
    /// The requests of strangers that were printed.
    requests: HashSet<RoomId>,
    /// Whether the open overlay is still waiting for its contents.
    is_asking: bool,
}

/// Lines to print, and whether they include the whole open overlay.
#[derive(Debug, Default)]
pub struct PrintedLines {
    pub lines: Vec<String>,
    pub is_overlay_complete: bool,
}

impl PlainWriter {
    /// Creates a writer that has printed nothing yet. `echo`: whether typed text is visible without being printed
    /// again.
    pub fn new(echo: bool) -> Self {
        Self {
            echo,
            ..Self::default()
        }
    }

    /// Whether piped input has to wait for the contents of an overlay. Typed input does not wait, because the user
    /// sees when the contents are printed.
    pub fn is_asking(&self) -> bool {
        self.is_asking && !self.echo
    }

    /// Whether typed text is visible without being printed again.
    pub fn has_echo(&self) -> bool {
        self.echo
    }

    /// Records what is needed later and is not part of the state.
    pub fn on_event(&mut self, event: &Event) {
        match event {
            // After a new line, a notice is printed even if it is the same as before.
            Event::Line(text) => {
                self.notice = None;
                self.is_typed = !["/draft", "/do"].iter().any(|it| text.starts_with(it));
            }
            Event::Client(client::Event::Entries(entries)) => {
                let amending = entries
                    .iter()
                    .filter(|it| matches!(it.body, Body::Amendment { .. }));
                self.amended.extend(amending.cloned());
                // The oldest are dropped if a room is not shown for a long time.
                while self.amended.len() > AMENDED {
                    self.amended.pop_front();
                }
            }
            _ => {}
        }
    }

    /// Returns the lines for everything that has changed since the last call.
    pub fn print_changes(&mut self, state: &State) -> PrintedLines {
        let mut told = PrintedLines::default();
        let lines = &mut told.lines;
        self.link(state, lines);
        let is_another = self.room != state.rooms.current;
        self.room(state, lines);
        self.items(state, lines);
        self.waiting(state, lines);
        self.window(state, is_another, lines);
        self.news(state, lines);
        self.requests(state, lines);
        let is_read_out = self.overlay(state, lines);
        self.notice(state, lines);
        self.prompt(state, is_another, lines);
        if state.rooms.current.is_some() {
            self.tour_step(state, lines);
        }
        told.is_overlay_complete = is_read_out;
        told
    }

    fn link(&mut self, state: &State, lines: &mut Vec<String>) {
        let s = state.preferences.strings;
        let me = state.me.account.as_ref().map_or("", |me| &me.name);
        let server = if state.connection.is_hosting {
            s.hosting_here
        } else {
            &state.connection.server
        };
        let words = match &state.connection.link {
            LinkState::Online => format!("{server} · {me}"),
            LinkState::Connecting if self.link.is_empty() => {
                fill(s.connecting, &[&state.connection.server])
            }
            // Only the first attempt to connect is reported.
            LinkState::Connecting => return,
            LinkState::Waiting { why, .. } => {
                fill(s.cannot_reach, &[&state.connection.server, &s.why(why)])
            }
            LinkState::NameRefused(_) if state.me.proposed_name.is_some() => {
                s.name_needed.to_owned()
            }
            LinkState::NameRefused(refusal) => s.refusal(refusal),
            LinkState::Stopped(why) => fill(s.offline, &[&s.why(why)]),
        };
        // A changed name is reported separately.
        let is_online = state.connection.link == LinkState::Online;
        if words != self.link && !(is_online && self.is_online) {
            lines.push(mark(&words));
        }
        (self.link, self.is_online) = (words, is_online);
    }

    /// Prints the current room if it has changed.
    fn room(&mut self, state: &State, lines: &mut Vec<String>) {
        if self.room == state.rooms.current {
            return;
        }
        self.room = state.rooms.current;
        (self.anchor, self.selected, self.found) = (None, None, None);
        let Some(room) = state.current() else { return };
        let s = state.preferences.strings;
        let people = room.roster.present().len();
        let mut words = vec![room.label()];
        if !room.info.topic.is_empty() {
            words.push(room.info.topic.clone());
        }
        if people > 0 {
            words.push(fill(s.people, &[&people]).to_lowercase());
        }
        lines.push(mark(&words.join(" · ")));
        if let Some([hint, _]) = composer_hint(state) {
            lines.push(mark(&hint));
        }
    }

    /// Prints new items at the newest end of the room.
    fn items(&mut self, state: &State, lines: &mut Vec<String>) {
        let Some(room) = state.current() else { return };
        let timeline = &room.timeline;
        // Entries are printed once all older ones are loaded, because pages are loaded from the newest to the oldest.
        let is_caught_up = match room.history_to {
            Some(to) => timeline.newest().is_some_and(|newest| newest >= to) || to == Seq::ZERO,
            None => !matches!(
                state.connection.link,
                LinkState::Online | LinkState::Connecting
            ),
        };
        if !is_caught_up {
            return;
        }
        let id = room.info.id;
        let before = self.printed.get(&id).copied();
        let known = before.filter(|before| before.epoch == timeline.epoch());
        if before.is_some_and(|before| before.epoch.is_some()) && known.is_none() {
            lines.push(mark(state.preferences.strings.other_history));
        }
        let mut fresh = unprinted(room, known);
        let to = known.unwrap_or(Progress::none(timeline.epoch()));
        let to = fresh
            .iter()
            .filter_map(|at| timeline.get(*at))
            .fold(to, Progress::advance);
        self.printed.insert(id, to);
        let is_told = |index: &usize| {
            let item = timeline.get(*index);
            item.is_some_and(|item| item.what != ItemKind::Hidden && !self.is_echoed(state, item))
        };
        fresh.retain(is_told);
        let most = if known.is_some() {
            CATCH_UP_LIMIT
        } else {
            FIRST
        };
        let cut = fresh.len().saturating_sub(most);
        if cut > 0 && known.is_some() {
            let words = fill(state.preferences.strings.more_above, &[&cut]);
            lines.push(mark(&format!("{words} · /history")));
        }
        for (n, index) in fresh[cut..].iter().enumerate() {
            lines.extend(Self::item(state, room, *index, n == 0));
        }
        self.amended(state, room, known, lines);
    }

    /// Prints changes of messages that have already been printed.
    fn amended(
        &mut self,
        state: &State,
        room: &Room,
        known: Option<Progress>,
        lines: &mut Vec<String>,
    ) {
        let id = room.info.id;
        let (here, elsewhere): (VecDeque<Entry>, _) = std::mem::take(&mut self.amended)
            .into_iter()
            .partition(|entry| entry.room == id);
        self.amended = elsewhere;
        for entry in &here {
            let Body::Amendment { target, .. } = &entry.body else {
                continue;
            };
            let is_news = room.history_to.is_some_and(|to| entry.seq > to);
            let was_told = known.is_some_and(|to| to.key.seq >= *target);
            let is_loaded = room.timeline.place(ItemKey::entry(*target)).is_some();
            let is_shown = !state.me.settings.ignores(entry.author.id);
            if is_news && was_told && is_loaded && is_shown {
                lines.push(mark(&system_lines::of(
                    state.preferences.strings,
                    &state.screen.zone,
                    entry,
                )));
            }
        }
    }

    /// Whether the text of an item is visible already because the user has just typed it.
    fn is_echoed(&self, state: &State, item: &Item) -> bool {
        // Failed posts are printed by `waiting`.
        if let ItemKind::Private {
            status: PostStatus::Failed(_),
            ..
        } = item.what
        {
            return true;
        }
        let id = match &item.what {
            ItemKind::Message { client_id, .. } | ItemKind::Private { client_id, .. } => *client_id,
            _ => None,
        };
        let is_typed = id.is_some_and(|id| id.instance == state.posting.instance);
        let has_waited = id.is_some_and(|id| self.waiting.contains(&id));
        self.echo && is_typed && !has_waited
    }

    fn item(state: &State, room: &Room, index: usize, is_first: bool) -> Vec<String> {
        let layout = layout(state);
        let rows = if is_first {
            layout.alone(&room.timeline, index)
        } else {
            layout.each(&room.timeline, index)
        };
        rows.iter().filter_map(|row| of_row(state, row)).collect()
    }

    /// Prints posts that have failed, and a note if posts have to wait for the connection.
    fn waiting(&mut self, state: &State, lines: &mut Vec<String>) {
        let s = state.preferences.strings;
        for room in &state.rooms.list {
            for id in room.timeline.failed() {
                if !self.failed.insert(id) {
                    continue;
                }
                if state.rooms.current != Some(room.info.id) {
                    lines.push(mark(&room.label()));
                }
                let index = (0..room.timeline.len()).rev().find(|index| {
                    let item = room.timeline.get(*index);
                    item.is_some_and(|it| posted(it) == Some(id))
                });
                lines.extend(
                    index
                        .into_iter()
                        .flat_map(|it| Self::item(state, room, it, true)),
                );
            }
        }
        if let Some(post) = state.posting.pending.back().filter(|_| !self.is_typed)
            && post.client_id.counter >= self.next_counter
        {
            self.waiting.insert(post.client_id);
        }
        if state.connection.link == LinkState::Online {
            return;
        }
        let mut is_told = false;
        for post in &state.posting.pending {
            if !self.failed.contains(&post.client_id) && self.waiting.insert(post.client_id) {
                is_told = true;
            }
        }
        if is_told {
            lines.push(mark(s.waits_for_link));
        }
    }

    /// Prints the visible part of the room after the user has scrolled or jumped, and the message that was selected.
    fn window(&mut self, state: &State, is_another: bool, lines: &mut Vec<String>) {
        let Some(room) = state.current().filter(|room| room.seeking.is_none()) else {
            return;
        };
        let anchor = room.timeline.anchor();
        let has_moved = self.anchor != Some(anchor) && (!is_another || anchor != Anchor::Newest);
        // After a post the room is at its newest end, which is already printed.
        let has_posted = self.next_counter != state.posting.counter && anchor == Anchor::Newest;
        self.next_counter = state.posting.counter;
        let is_selected = self.selected != room.selected;
        let is_begun = self.anchor.is_none() && anchor == Anchor::Newest;
        let is_found = room.found.is_some() && room.found != self.found;
        self.found = room.found;
        self.anchor = Some(anchor);
        let is_looked_at = has_moved && !is_begun && !has_posted;
        if is_found || (is_looked_at && (!is_selected || room.found.is_some())) {
            lines.extend(shown(state, room));
        }
        if is_selected {
            self.selected = room.selected;
            let item = room.selected.and_then(|seq| {
                let index = room.timeline.place(ItemKey::entry(seq))?;
                numbered(state, room, index)
            });
            if let Some(item) = item {
                lines.push(mark(&fill(
                    state.preferences.strings.selected,
                    &[&item.join("\n")],
                )));
            }
        }
    }

    /// Prints which other rooms have new messages: when the first one arrives, and for each new mention.
    fn news(&mut self, state: &State, lines: &mut Vec<String>) {
        let s = state.preferences.strings;
        for room in state.listed() {
            let id = room.info.id;
            let is_here = state.rooms.current == Some(id);
            if is_here {
                self.news.remove(&id);
                continue;
            }
            let now = state.unread_counts(room);
            let is_first = !self.news.contains_key(&id);
            let before = self.news.insert(id, now).unwrap_or_default();
            // Private messages are printed in full, unless they are older than this session.
            let is_past = is_first && room.history_to.is_some_and(|to| to > Seq::ZERO);
            if room.is_conversation() && !is_past {
                continue;
            }
            let words = if now.1 > before.1 {
                fill(s.mention_counts, &[&now.1])
            } else if now.0 > 0 && before.0 == 0 {
                fill(s.unread_counts, &[&now.0])
            } else {
                continue;
            };
            lines.push(mark(&format!("{} · {words}", room.label())));
        }
    }

    /// Prints each request of a stranger once, as soon as its message is here.
    fn requests(&mut self, state: &State, lines: &mut Vec<String>) {
        let s = state.preferences.strings;
        self.requests.retain(|id| state.room(*id).is_some());
        for room in state.requests() {
            let (id, message) = (room.info.id, room.timeline.messages().last());
            let is_here = state.rooms.current == Some(id);
            let (Some(peer), Some(entry)) = (&room.info.peer, message) else {
                continue;
            };
            if self.requests.insert(id) && !is_here {
                let said = text::line(&text::cut(entry.body.text(), REQUEST));
                lines.push(mark(&fill(
                    s.requests.arrived,
                    &[&text::line(&peer.name), &said],
                )));
            }
        }
    }

    fn notice(&mut self, state: &State, lines: &mut Vec<String>) {
        for notice in &state.screen.notices {
            let told = Some((notice.text.clone(), notice.tone));
            // A repeated notice is printed once.
            if told != self.notice {
                lines.push(mark(&notice.text));
            }
            self.notice = told;
        }
        if state.screen.notice.is_none() {
            self.notice = None;
        }
    }

    /// Prints the tour's current step.
    fn tour_step(&mut self, state: &State, lines: &mut Vec<String>) {
        let now = state.screen.guide.as_ref().and_then(Tour::present);
        if let Some(guide) = state
            .screen
            .guide
            .as_ref()
            .filter(|_| now != self.tour_step)
        {
            lines.push(mark(&guide.words(
                state.preferences.strings,
                &state.input.keymap,
                true,
            )));
        }
        self.tour_step = now;
    }

    /// Prints the prompt if it has changed, and the draft.
    fn prompt(&mut self, state: &State, is_another: bool, lines: &mut Vec<String>) {
        let draft = state.composer().text();
        if draft != self.draft {
            self.draft = draft;
            if !self.draft.is_empty() {
                lines.push(mark(&self::draft(state, DRAFT)));
            }
        }
        let writing = state.current().map(|room| room.writing);
        let is_other = writing.is_some_and(|it| it != Writing::Message);
        if (writing != self.writing && !is_another) || (is_another && is_other) {
            lines.push(mark(prompt(state).text.trim()));
        }
        self.writing = writing;
    }
}
