//! A room with one person of each role in it, and helpers that send their requests and return the outcome.

use tchat::chat::{
    Amendment, Author, Body, ClientId, InstanceId, Level, NewRoom, Recipient, RefusalCode, Role,
    RoomId, RoomInfo, RoomKind, Ruling, Seq, Status, Until,
};
use tchat::tui::input::command::Name;
use tchat::wire::{Event, JoinTarget, Request, Who, proto, room_from};

use crate::support::person::secret;
use crate::support::raw::Raw;
use crate::support::server::Server;

/// The kinds of people who send requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Actor {
    Owner,
    Moderator,
    Member,
    Outsider,
    Banned,
}

pub const ACTORS: [Actor; 5] = [
    Actor::Owner,
    Actor::Moderator,
    Actor::Member,
    Actor::Outsider,
    Actor::Banned,
];

/// The outcome of a request: `None` if it was accepted, or the refusal.
pub type Outcome = Option<RefusalCode>;

/// A person with their own stream.
pub struct Somebody {
    pub raw: Raw,
    pub me: Author,
    pub counter: u64,
}

impl Somebody {
    pub async fn enters(server: &Server, name: &str) -> Self {
        let (raw, welcome) = Raw::enter(server, name).await;
        Self {
            raw,
            me: welcome.you,
            counter: 0,
        }
    }

    /// Sends a request and returns its outcome.
    pub async fn asks(&mut self, what: Request) -> Outcome {
        self.raw.ask(77, what).await;
        loop {
            match self.raw.answer().await {
                Event::Refused {
                    request: 77,
                    refusal,
                    ..
                } => return Some(refusal.code),
                Event::RoomChanged { request: 77, .. }
                | Event::Unfollowed { request: 77, .. }
                | Event::Followed { request: 77, .. }
                | Event::Named { request: 77, .. }
                | Event::StatusChanged { request: 77, .. }
                | Event::SettingsChanged { request: 77, .. }
                | Event::Profile { request: 77, .. }
                | Event::ReadMoved { request: 77, .. } => return None,
                _ => {}
            }
        }
    }

    pub async fn posts(&mut self, room: RoomId, body: Body) -> Outcome {
        self.counter += 1;
        let id = ClientId {
            instance: InstanceId::new(*self.me.id.bytes()),
            counter: self.counter,
        };
        let to = Recipient::Room(room);
        self.raw
            .ask(
                0,
                Request::Post {
                    client_id: id,
                    to,
                    body,
                },
            )
            .await;
        loop {
            match self.raw.answer().await {
                Event::Refused {
                    client_id: Some(of),
                    refusal,
                    ..
                } if of == id => return Some(refusal.code),
                Event::Accepted { client_id, .. } if client_id == id => return None,
                _ => {}
            }
        }
    }

    /// Posts a message and returns its seq, or 1 if posting is refused.
    pub async fn says(&mut self, room: RoomId) -> Seq {
        if self.posts(room, Body::Text("said".into())).await.is_some() {
            return Seq(1);
        }
        let last = self.pages(room).await.and_then(|page| page.last().copied());
        Seq(last.unwrap())
    }

    pub async fn joins(&mut self, room: RoomId) -> Outcome {
        self.asks(Request::Join(JoinTarget::Room(room))).await
    }

    /// The rooms listed for this person, with their role in each.
    pub async fn lists(&mut self) -> Vec<(String, Option<Role>)> {
        let rooms = self.rooms().await.into_iter();
        rooms.map(|room| (room.name, room.role)).collect()
    }

    pub async fn rooms(&mut self) -> Vec<RoomInfo> {
        let request = authorised(&self.me.name, proto::ListRoomsRequest {});
        let answer = self.raw.service.list_rooms(request).await.unwrap();
        let rooms = answer.into_inner().rooms.into_iter();
        rooms.map(|room| room_from(room).unwrap()).collect()
    }

    /// The seqs of the newest page of a room, if it may be read.
    pub async fn pages(&mut self, room: RoomId) -> Option<Vec<u64>> {
        self.pages_after(room, 0).await
    }

    pub async fn pages_after(&mut self, room: RoomId, after: u64) -> Option<Vec<u64>> {
        let page = self.page(room, after).await?;
        Some(page.into_iter().map(|entry| entry.seq).collect())
    }

    pub async fn page(&mut self, room: RoomId, after: u64) -> Option<Vec<proto::Entry>> {
        let asked = proto::GetHistoryRequest {
            room: room.bytes().to_vec(),
            after,
            ..Default::default()
        };
        let request = authorised(&self.me.name, asked);
        let page = self.raw.service.get_history(request).await.ok()?;
        Some(page.into_inner().entries)
    }
}

/// A request with the secret that belongs to a name in these tests.
pub fn authorised<T>(name: &str, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let secret = hex::encode(secret(name).bytes());
    let value = format!("Bearer {secret}").parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}

/// A room with one person of each role, and members that rulings can be applied to.
pub struct Stage {
    pub server: Server,
    pub room: RoomId,
    pub owner: Somebody,
    pub moderator: Somebody,
    pub member: Somebody,
    pub outsider: Somebody,
    pub banned: Somebody,
    /// Members: one without any ruling, one who is a moderator, one who is muted.
    pub plain: Somebody,
    pub raised: Somebody,
    pub muted: Somebody,
}

pub fn ruling(person: &Author, ruling: Ruling) -> Body {
    Body::Ruling(person.clone(), ruling)
}

impl Stage {
    pub async fn of(kind: RoomKind) -> Self {
        let server = Server::start();
        let mut owner = Somebody::enters(&server, "owner").await;
        let wanted = NewRoom {
            name: "dev".into(),
            kind,
            topic: String::new(),
            capacity: 0,
        };
        owner.raw.ask(1, Request::Create(wanted)).await;
        let room = loop {
            if let Event::RoomChanged {
                request: 1, room, ..
            } = owner.raw.answer().await
            {
                break room.id;
            }
        };
        let mut people = Vec::new();
        for name in ["moderator", "member", "banned", "plain", "raised", "muted"] {
            let mut one = Somebody::enters(&server, name).await;
            if kind.needs_an_invitation() {
                let invited = ruling(&one.me, Ruling::Invited);
                assert_eq!(owner.posts(room, invited).await, None);
            }
            assert_eq!(one.joins(room).await, None, "{name}");
            people.push(one);
        }
        let outsider = Somebody::enters(&server, "outsider").await;
        let Ok([moderator, member, banned, plain, raised, muted]) =
            <[Somebody; 6]>::try_from(people)
        else {
            panic!("six people")
        };
        let rulings = [
            ruling(&moderator.me, Ruling::Role(Role::Moderator)),
            ruling(&raised.me, Ruling::Role(Role::Moderator)),
            ruling(&muted.me, Ruling::Muted { until: Until::Ever }),
            ruling(
                &banned.me,
                Ruling::Banned {
                    until: Until::Ever,
                    reason: String::new(),
                },
            ),
        ];
        for ruling in rulings {
            assert_eq!(owner.posts(room, ruling).await, None);
        }
        Self {
            server,
            room,
            owner,
            moderator,
            member,
            outsider,
            banned,
            plain,
            raised,
            muted,
        }
    }

    pub fn actor(&mut self, actor: Actor) -> &mut Somebody {
        match actor {
            Actor::Owner => &mut self.owner,
            Actor::Moderator => &mut self.moderator,
            Actor::Member => &mut self.member,
            Actor::Outsider => &mut self.outsider,
            Actor::Banned => &mut self.banned,
        }
    }

    /// Sends the request of a command, whether it is allowed or not, and returns the outcome.
    pub async fn does(&mut self, actor: Actor, name: Name) -> Outcome {
        let room = self.room;
        let stranger = Somebody::enters(&self.server, "stranger").await;
        let (plain, raised) = (self.plain.me.clone(), self.raised.me.clone());
        let (muted, banned) = (self.muted.me.clone(), self.banned.me.clone());
        let body = match name {
            Name::Join => return self.actor(actor).joins(room).await,
            Name::Leave => return self.actor(actor).asks(Request::Leave(room)).await,
            Name::Nick => {
                return self
                    .actor(actor)
                    .asks(Request::SetName("新名".into()))
                    .await;
            }
            Name::Msg => {
                let whom = Request::Open(Who::Person(plain.id));
                return self.actor(actor).asks(whom).await;
            }
            Name::Create => {
                let wanted = NewRoom {
                    name: format!("of-{actor:?}"),
                    kind: RoomKind::Secret,
                    topic: String::new(),
                    capacity: 0,
                };
                return self.actor(actor).asks(Request::Create(wanted)).await;
            }
            // The roster is sent to followers.
            Name::Who => {
                let follow = Request::Follow { room, cursor: None };
                return self.actor(actor).asks(follow).await;
            }
            Name::Away | Name::Back | Name::Status => {
                let status = Status {
                    is_away: name == Name::Away,
                    text: "lunch".into(),
                };
                return self.actor(actor).asks(Request::SetStatus(status)).await;
            }
            Name::Whois => {
                let whom = Request::Whois(Who::Name("plain".into()));
                return self.actor(actor).asks(whom).await;
            }
            Name::Ignore | Name::Unignore => {
                let of = |is_on| Request::Ignore {
                    who: Who::Person(plain.id),
                    is_on,
                };
                let ignored = self.actor(actor).asks(of(true)).await;
                if name == Name::Ignore {
                    return ignored;
                }
                return self.actor(actor).asks(of(false)).await;
            }
            Name::Notify => {
                let level = Some(Level::Nothing);
                return self
                    .actor(actor)
                    .asks(Request::SetLevel { room, level })
                    .await;
            }
            Name::Keywords => {
                let words = Request::SetKeywords(vec!["deploy".into()]);
                return self.actor(actor).asks(words).await;
            }
            Name::Mentions => {
                let me = self.actor(actor);
                let asked = authorised(&me.me.name, proto::ListMentionsRequest::default());
                me.raw.service.list_mentions(asked).await.unwrap();
                return None;
            }
            Name::Search => {
                let me = self.actor(actor);
                let asked = authorised(&me.me.name, proto::SearchRequest::default());
                me.raw.service.search(asked).await.unwrap();
                return None;
            }
            Name::Rooms => {
                self.actor(actor).lists().await;
                return None;
            }
            Name::Me => Body::Action("waves".into()),
            Name::Reply => Body::Reply {
                to: Seq(1),
                text: "yes".into(),
            },
            // Everybody edits their own message; outsiders have none.
            Name::Edit => {
                let own = self.actor(actor).says(room).await;
                let what = Amendment::Edit("new".into());
                Body::Amendment { target: own, what }
            }
            Name::React => {
                let target = self.plain.says(room).await;
                let (emoji, is_on) = ("👍".into(), true);
                let what = Amendment::React { emoji, is_on };
                Body::Amendment { target, what }
            }
            Name::Delete => Body::Closed,
            Name::Topic => Body::Topic("new".into()),
            Name::Invite => ruling(&stranger.me, Ruling::Invited),
            Name::Op => ruling(&plain, Ruling::Role(Role::Moderator)),
            Name::Deop => ruling(&raised, Ruling::Role(Role::Member)),
            Name::Kick => ruling(
                &plain,
                Ruling::Kicked {
                    reason: "spam".into(),
                },
            ),
            Name::Ban => ruling(
                &plain,
                Ruling::Banned {
                    until: Until::Ever,
                    reason: "spam".into(),
                },
            ),
            Name::Unban => ruling(&banned, Ruling::Unbanned),
            Name::Mute => ruling(&plain, Ruling::Muted { until: Until::Ever }),
            Name::Unmute => ruling(&muted, Ruling::Unmuted),
            other => panic!("{other:?} has a row but no request here"),
        };
        self.actor(actor).posts(room, body).await
    }
}
