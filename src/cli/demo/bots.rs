//! Two bots that chat with each other and with the user of the demo.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::{ConnectionSender, begin};
use crate::chat::{
    Amendment, Author, Body, ClientId, DeviceSecret, Entry, IdentityId, InstanceId, Recipient,
    RoomId, RoomKind,
};
use crate::client::{Client, Command, Event, OutgoingPost};
use crate::tui::strings::{Strings, fill};

/// The number of lines that are posted before the screen opens.
const INITIAL_LINES: usize = 4;
/// The pause after each of these lines.
const INITIAL_PAUSE: Duration = Duration::from_millis(20);
/// The pause after each later line.
const PAUSE: Duration = Duration::from_secs(6);
/// How long a bot takes to write an answer.
const TYPING_TIME: Duration = Duration::from_millis(1200);
/// The maximum number of answers that are being written at once.
const REPLY_LIMIT: usize = 16;

/// A client without a screen.
pub struct Bot {
    client: Client,
    events: mpsc::Receiver<Event>,
    instance: InstanceId,
    counter: u64,
    me: Option<Author>,
    rooms: HashMap<RoomId, (String, RoomKind)>,
}

impl Bot {
    pub fn start(door: &ConnectionSender, name: &str, device: DeviceSecret) -> Result<Self> {
        let (client, events, instance) = begin(door, name, device, "en")?;
        Ok(Self {
            client,
            events,
            instance,
            counter: 0,
            me: None,
            rooms: HashMap::new(),
        })
    }

    /// Joins rooms and leaves the server; a later session with the same device is then a member.
    pub async fn join_and_leave(mut self, rooms: &[&str]) {
        for room in rooms {
            self.send(Command::Join((*room).into()));
        }
        while !rooms.iter().all(|room| self.is_in(room)) {
            let Some(event) = self.events.recv().await else {
                return;
            };
            self.apply(event);
        }
        let drained = async { while self.events.recv().await.is_some() {} };
        tokio::join!(self.client.quit(), drained);
    }

    fn room_named(&self, room: &str) -> Option<RoomId> {
        let mut rooms = self.rooms.iter();
        let found = rooms.find(|(_, (name, kind))| name == room && *kind == RoomKind::Public);
        found.map(|(id, _)| *id)
    }

    fn is_in(&self, room: &str) -> bool {
        self.room_named(room).is_some()
    }

    fn is_private(&self, room: RoomId) -> bool {
        let known = self.rooms.get(&room);
        known.is_some_and(|(_, kind)| *kind == RoomKind::Conversation)
    }

    /// Posts a text to a room, if the bot is in it.
    fn post_text(&mut self, room: &str, text: &str) {
        if let Some(room) = self.room_named(room) {
            self.post(room, Body::Text(text.to_owned()));
        }
    }

    fn post(&mut self, room: RoomId, body: Body) {
        self.counter += 1;
        let client_id = ClientId {
            instance: self.instance,
            counter: self.counter,
        };
        let post = OutgoingPost::new(client_id, Recipient::Room(room), body);
        self.send(Command::Post {
            post,
            replaces: None,
        });
    }

    /// Sends a command. If the queue is full, the command is lost: the demo then misses a message, but continues.
    fn send(&self, command: Command) {
        let _busy = self.client.send(command);
    }

    /// Applies an event, and returns the new entries in it.
    fn apply(&mut self, event: Event) -> Vec<Entry> {
        match event {
            Event::Welcome { you, rooms, .. } => {
                self.me = Some(you);
                for room in rooms {
                    self.rooms.insert(room.id, (room.name, room.kind));
                }
            }
            Event::Room { room, .. } => {
                self.rooms.insert(room.id, (room.name, room.kind));
            }
            Event::Entries(entries) => return entries,
            _ => {}
        }
        Vec::new()
    }
}

/// An answer that is being written.
struct PendingReply {
    at: Instant,
    bot: usize,
    room: RoomId,
    body: Body,
}

/// Runs the conversation while the clients are connected. Signals `ready` after the first lines.
pub async fn run_conversation(mut bots: [Bot; 2], s: &'static Strings, ready: oneshot::Sender<()>) {
    let mut ready = Some(ready);
    let mut lines = s.demo.script.iter().peekable();
    let mut said = 0;
    let mut due = Instant::now();
    let mut answers: Vec<PendingReply> = Vec::new();
    loop {
        let first = answers.iter().map(|it| it.at).min();
        let line = lines.peek().map(|_| due);
        let [one, other] = &mut bots;
        let (bot, event) = tokio::select! {
            Some(event) = one.events.recv() => (0, event),
            Some(event) = other.events.recv() => (1, event),
            () = wait_until(first.into_iter().chain(line).min()) => {
                let now = Instant::now();
                for answer in answers.extract_if(.., |it| it.at <= now) {
                    bots[answer.bot].post(answer.room, answer.body);
                }
                if due > now {
                    continue;
                }
                let is_begun = said >= INITIAL_LINES;
                due = now + if is_begun { PAUSE } else { INITIAL_PAUSE };
                if let Some((who, room, text)) = lines.next_if(|(who, room, _)| bots[*who].is_in(room)) {
                    bots[*who].post_text(room, text);
                    said += 1;
                } else if let Some((who, room, _)) = lines.peek() {
                    bots[*who].send(Command::Join((*room).into()));
                }
                if is_begun && let Some(ready) = ready.take() {
                    // The screen may have opened already.
                    let _opened = ready.send(());
                }
                continue;
            }
        };
        for entry in bots[bot].apply(event) {
            if let Some(answer) = answer(&bots, bot, &entry, s)
                && answers.len() < REPLY_LIMIT
            {
                bots[answer.bot].send(Command::Typing(answer.room));
                let is_public = !bots[bot].is_private(entry.room);
                if is_public && entry.body.is_message() {
                    let what = Amendment::React {
                        emoji: "👋".into(),
                        is_on: true,
                    };
                    let target = entry.seq;
                    bots[1 - answer.bot].post(entry.room, Body::Amendment { target, what });
                }
                answers.push(answer);
            }
        }
    }
}

async fn wait_until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Returns a bot's answer to an entry, if there is one. Bots never answer each other, and in a public room only one of
/// them answers.
fn answer(bots: &[Bot; 2], bot: usize, entry: &Entry, s: &'static Strings) -> Option<PendingReply> {
    let known: Vec<IdentityId> = bots
        .iter()
        .filter_map(|it| Some(it.me.as_ref()?.id))
        .collect();
    let is_from_bot = known.len() < bots.len() || known.contains(&entry.author.id);
    let is_mentioned = |n: usize| known.get(n).is_some_and(|id| entry.mentions(*id));
    let speaker = usize::from(is_mentioned(1) && !is_mentioned(0));
    let is_private = bots[bot].is_private(entry.room);
    if is_from_bot || (!is_private && bot != speaker) {
        return None;
    }
    let name = &entry.author.name;
    let body = match &entry.body {
        Body::Joined(_) if bots[bot].room_named("general") == Some(entry.room) => {
            Body::Text(fill(s.demo.welcome, &[name]))
        }
        body if !body.is_message() => return None,
        _ if is_private => Body::Text(fill(s.demo.whisper, &[name])),
        _ => {
            let place = usize::try_from(entry.seq.0).unwrap_or(0) % s.demo.replies.len();
            Body::Reply {
                to: entry.seq,
                text: s.demo.replies[place].to_owned(),
            }
        }
    };
    Some(PendingReply {
        at: Instant::now() + TYPING_TIME,
        bot,
        room: entry.room,
        body,
    })
}
