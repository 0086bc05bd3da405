//! A person with a client: `ann.says("general", "hi").await; ben.sees("general", "hi").await`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tchat::chat::{
    Author, Body, ClientId, DeviceSecret, Entry, FollowResult, InstanceId, Recipient, Refusal,
    RequestAnswer, RoomId, RoomInfo, Seq,
};
use tchat::client::{Client, ClientConfig, Command, Connector, Credentials, Event, OutgoingPost};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longer than any time limit of the program, also in paused time.
const PATIENCE: Duration = Duration::from_secs(200);

pub struct Person {
    pub client: Client,
    events: mpsc::Receiver<Event>,
    pub me: Option<Author>,
    pub rooms: HashMap<RoomId, RoomInfo>,
    pub entries: HashMap<RoomId, Vec<Entry>>,
    /// The people present in each room.
    pub rosters: HashMap<RoomId, Vec<String>>,
    pub gaps: Vec<(RoomId, Seq, Seq)>,
    pub follows: Vec<(RoomId, FollowResult)>,
    /// Posts without an answer.
    pub pending: Vec<ClientId>,
    pub refused: Vec<(ClientId, Refusal)>,
    pub accepted: Vec<(ClientId, Option<Seq>)>,
    instance: InstanceId,
    counter: u64,
}

/// The device of a name. The same name always has the same device, as with a profile.
pub fn device(name: &str) -> DeviceSecret {
    DeviceSecret::new(Sha256::digest(name).into())
}

impl Person {
    pub fn start(connector: Connector, name: &str) -> Self {
        Self::with_device(connector, name, device(name))
    }

    pub fn with_device(connector: Connector, name: &str, device: DeviceSecret) -> Self {
        Self::with(connector, name, Credentials::new(device), None)
    }

    /// A person whose client has a cache.
    pub fn with_cache(connector: Connector, name: &str, cache: &Path) -> Self {
        let credentials = Credentials::new(device(name));
        Self::with(connector, name, credentials, Some(cache.to_owned()))
    }

    pub fn with(
        connector: Connector,
        name: &str,
        credentials: Credentials,
        cache: Option<PathBuf>,
    ) -> Self {
        let mut random = [0; 16];
        getrandom::fill(&mut random).unwrap();
        let instance = InstanceId::new(random);
        let (client, events) = Client::start(ClientConfig {
            connector,
            credentials,
            name: name.into(),
            instance,
            room: None,
            locale: "en".into(),
            cache,
            cache_bytes: tchat::config::CACHE_BYTES,
        });
        Self {
            client,
            events,
            me: None,
            rooms: HashMap::new(),
            entries: HashMap::new(),
            rosters: HashMap::new(),
            gaps: Vec::new(),
            follows: Vec::new(),
            pending: Vec::new(),
            refused: Vec::new(),
            accepted: Vec::new(),
            instance,
            counter: 0,
        }
    }

    /// Waits for the next event, records it and returns it.
    pub async fn next(&mut self) -> Event {
        let event = timeout(PATIENCE, self.events.recv()).await;
        let event = event.expect("an event").expect("a running client");
        self.record(&event);
        event
    }

    /// Takes events until `is` returns a value.
    pub async fn until<T>(
        &mut self,
        what: &str,
        mut is: impl FnMut(&Self, &Event) -> Option<T>,
    ) -> T {
        let waiting = async {
            loop {
                let event = self.next().await;
                if let Some(found) = is(self, &event) {
                    return found;
                }
            }
        };
        let Ok(found) = timeout(PATIENCE, waiting).await else {
            panic!("timed out: {what}")
        };
        found
    }

    /// Takes all events that have already arrived.
    pub fn catch_up(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            self.record(&event);
        }
    }

    fn record(&mut self, event: &Event) {
        match event {
            Event::Welcome { you, rooms, .. } => {
                self.me = Some(you.clone());
                self.rooms
                    .extend(rooms.iter().map(|room| (room.id, room.clone())));
            }
            Event::Cached { you, rooms, .. } => {
                self.me = Some(you.clone());
                self.rooms
                    .extend(rooms.iter().map(|room| (room.id, room.clone())));
            }
            Event::Room { room, .. } => drop(self.rooms.insert(room.id, room.clone())),
            Event::Left(room) => drop(self.rooms.remove(room)),
            Event::Followed { room, result, .. } => self.follows.push((*room, *result)),
            Event::Gap { room, from, to } => self.gaps.push((*room, *from, *to)),
            Event::Entries(entries) => {
                for entry in entries {
                    self.pending.retain(|id| Some(*id) != entry.client_id);
                    self.entries
                        .entry(entry.room)
                        .or_default()
                        .push(entry.clone());
                }
            }
            Event::Roster {
                room,
                is_first,
                people,
            } => {
                let roster = self.rosters.entry(*room).or_default();
                if *is_first {
                    roster.clear();
                }
                let here = people.iter().filter(|person| person.presence.is_here());
                roster.extend(here.map(|person| person.name.clone()));
            }
            Event::RosterDelta {
                room,
                updated: came,
                ..
            } => {
                let roster = self.rosters.entry(*room).or_default();
                for person in came {
                    if !person.presence.is_here() {
                        roster.retain(|name| *name != person.name);
                        continue;
                    }
                    if !roster.contains(&person.name) {
                        roster.push(person.name.clone());
                    }
                }
            }
            Event::Accepted { client_id, seq, .. } => {
                self.pending.retain(|id| id != client_id);
                self.accepted.push((*client_id, *seq));
            }
            Event::PostRefused { client_id, refusal } => {
                self.pending.retain(|id| id != client_id);
                self.refused.push((*client_id, refusal.clone()));
            }
            Event::NameChanged(you) => self.me = Some(you.clone()),
            _ => {}
        }
    }

    /// The id of a room, or of the conversation with `@name`.
    pub fn room(&self, name: &str) -> Option<RoomId> {
        let is_it = |room: &&RoomInfo| match name.strip_prefix('@') {
            Some(peer) => room.peer.as_ref().is_some_and(|it| it.name == peer),
            None => room.name == name,
        };
        self.rooms.values().find(is_it).map(|room| room.id)
    }

    pub async fn is_in(&mut self, name: &str) -> RoomId {
        let is_followed = |person: &Self| {
            let room = person.room(name)?;
            person
                .follows
                .iter()
                .any(|(of, _)| *of == room)
                .then_some(room)
        };
        if let Some(room) = is_followed(self) {
            return room;
        }
        self.until(&format!("being in {name}"), |person, _| is_followed(person))
            .await
    }

    pub async fn joins(&mut self, name: &str) -> RoomId {
        self.client.send(Command::Join(name.into())).unwrap();
        self.is_in(name).await
    }

    pub fn posts(&mut self, to: Recipient, text: &str) -> ClientId {
        self.posts_body(to, Body::Text(text.into()))
    }

    pub fn posts_body(&mut self, to: Recipient, body: Body) -> ClientId {
        self.counter += 1;
        let client_id = ClientId {
            instance: self.instance,
            counter: self.counter,
        };
        self.pending.push(client_id);
        self.client
            .send(Command::Post {
                post: OutgoingPost::new(client_id, to, body),
                replaces: None,
            })
            .unwrap();
        client_id
    }

    /// Posts a message in a room the person is in.
    pub fn sends(&mut self, room: &str, text: &str) -> ClientId {
        let room = self.room(room).expect("the person is in the room");
        self.posts(Recipient::Room(room), text)
    }

    pub fn whispers(&mut self, name: &str, text: &str) -> ClientId {
        self.posts(Recipient::Name(name.into()), text)
    }

    /// Accepts the message request of a stranger, and waits until that is done.
    pub async fn accepts(&mut self, room: &str) {
        let room = self.room(room).expect("the request has arrived");
        let answer = RequestAnswer::Accept;
        let accept = Command::AnswerRequest { room, answer };
        self.client.send(accept).unwrap();
        let is_accepted = |_: &Self, event: &Event| match event {
            Event::Room { room: it, .. } => (it.id == room && it.request.is_none()).then_some(()),
            _ => None,
        };
        self.until("the request to be accepted", is_accepted).await;
    }

    /// The messages of a room, in order.
    pub fn messages_in(&self, room: &str) -> Vec<String> {
        let entries = self.room(room).and_then(|room| self.entries.get(&room));
        let said = entries
            .into_iter()
            .flatten()
            .filter(|entry| entry.body.is_message());
        said.map(|entry| entry.body.text().to_owned()).collect()
    }

    /// Waits for a message in a room.
    pub async fn sees(&mut self, room: &str, text: &str) -> Entry {
        let find = |person: &Self| {
            let entries = person.entries.get(&person.room(room)?)?;
            entries
                .iter()
                .find(|entry| entry.body.text() == text)
                .cloned()
        };
        if let Some(entry) = find(self) {
            return entry;
        }
        self.until(&format!("'{text}' in {room}"), |person, _| find(person))
            .await
    }

    /// Waits until every post was answered.
    pub async fn is_answered(&mut self) {
        while !self.pending.is_empty() {
            self.next().await;
        }
    }

    pub async fn quits(self) {
        let mut events = self.events;
        let drained = async { while events.recv().await.is_some() {} };
        tokio::join!(self.client.quit(), drained);
    }

    /// Checks that the entries of every room are one contiguous run, except for reported gaps.
    pub fn has_no_holes(&self) {
        for (room, entries) in &self.entries {
            for pair in entries.windows(2) {
                let is_next = pair[1].seq == pair[0].seq.next();
                let is_told = self.gaps.iter().any(|(of, from, to)| {
                    of == room && *from <= pair[0].seq.next() && pair[1].seq == to.next()
                });
                assert!(
                    is_next || is_told,
                    "{} then {} without a gap",
                    pair[0].seq,
                    pair[1].seq
                );
            }
        }
    }
}
