//! A room with one person of each role in it, and helpers that send their requests and return the outcome.

use tchat::chat::{
    Amendment, Author, Body, ClientId, InstanceId, Level, NewRoom, Recipient, RefusalCode, Role,
    RoomId, RoomInfo, RoomKind, Ruling, Seq, Status, Until,
};
use tchat::tui::input::command::CommandName;
use tchat::wire::admin_proto::admin_service_client::AdminServiceClient;
use tchat::wire::{Event, JoinTarget, PersonTarget, Request, admin_proto, proto, room_from};

use crate::support::raw_client::Raw;
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
pub struct TestPerson {
    pub raw: Raw,
    pub me: Author,
    pub counter: u64,
}

impl TestPerson {
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
                | Event::NameChanged { request: 77, .. }
                | Event::StatusChanged { request: 77, .. }
                | Event::SettingsChanged { request: 77, .. }
                | Event::Profile { request: 77, .. }
                | Event::ReadPositionChanged { request: 77, .. } => return None,
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
    pub async fn posts_message(&mut self, room: RoomId) -> Seq {
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
        let request = self.raw.authorised(proto::ListRoomsRequest::default());
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
        let request = self.raw.authorised(asked);
        let page = self.raw.service.get_history(request).await.ok()?;
        Some(page.into_inner().entries)
    }
}

/// A room with one person of each role, and members that rulings can be applied to.
pub struct Fixture {
    pub server: Server,
    pub room: RoomId,
    pub owner: TestPerson,
    pub moderator: TestPerson,
    pub member: TestPerson,
    pub outsider: TestPerson,
    pub banned: TestPerson,
    /// Members: one without any ruling, one who is a moderator, one who is muted.
    pub plain: TestPerson,
    pub second_moderator: TestPerson,
    pub muted: TestPerson,
}

pub fn ruling(person: &Author, ruling: Ruling) -> Body {
    Body::Ruling(person.clone(), ruling)
}

impl Fixture {
    pub async fn of(kind: RoomKind) -> Self {
        let server = Server::start();
        let mut owner = TestPerson::enters(&server, "owner").await;
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
            let mut one = TestPerson::enters(&server, name).await;
            if kind.needs_invitation() {
                let invited = ruling(&one.me, Ruling::Invited);
                assert_eq!(owner.posts(room, invited).await, None);
            }
            assert_eq!(one.joins(room).await, None, "{name}");
            people.push(one);
        }
        let outsider = TestPerson::enters(&server, "outsider").await;
        let Ok([moderator, member, banned, plain, raised, muted]) =
            <[TestPerson; 6]>::try_from(people)
        else {
            panic!("six people")
        };
        let rulings = [
            ruling(&moderator.me, Ruling::Role(Role::Moderator)),
            ruling(&raised.me, Ruling::Role(Role::Moderator)),
            ruling(
                &muted.me,
                Ruling::Muted {
                    until: Until::Forever,
                },
            ),
            ruling(
                &banned.me,
                Ruling::Banned {
                    until: Until::Forever,
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
            second_moderator: raised,
            muted,
        }
    }

    pub fn actor(&mut self, actor: Actor) -> &mut TestPerson {
        match actor {
            Actor::Owner => &mut self.owner,
            Actor::Moderator => &mut self.moderator,
            Actor::Member => &mut self.member,
            Actor::Outsider => &mut self.outsider,
            Actor::Banned => &mut self.banned,
        }
    }

    /// Sends the request of a command, whether it is allowed or not, and returns the outcome.
    pub async fn sends_command(&mut self, actor: Actor, name: CommandName) -> Outcome {
        let room = self.room;
        let stranger = TestPerson::enters(&self.server, "stranger").await;
        let (plain, raised) = (self.plain.me.clone(), self.second_moderator.me.clone());
        let (muted, banned) = (self.muted.me.clone(), self.banned.me.clone());
        let body = match name {
            CommandName::Join => return self.actor(actor).joins(room).await,
            CommandName::Leave => return self.actor(actor).asks(Request::Leave(room)).await,
            CommandName::Nick => {
                return self
                    .actor(actor)
                    .asks(Request::SetName("新名".into()))
                    .await;
            }
            CommandName::Msg => {
                let whom = Request::Open(PersonTarget::Person(plain.id));
                return self.actor(actor).asks(whom).await;
            }
            CommandName::Create => {
                let wanted = NewRoom {
                    name: format!("of-{actor:?}"),
                    kind: RoomKind::Secret,
                    topic: String::new(),
                    capacity: 0,
                };
                return self.actor(actor).asks(Request::Create(wanted)).await;
            }
            // The roster is sent to followers.
            CommandName::Who => {
                let follow = Request::Follow { room, cursor: None };
                return self.actor(actor).asks(follow).await;
            }
            CommandName::Away | CommandName::Back | CommandName::Status => {
                let status = Status {
                    is_away: name == CommandName::Away,
                    text: "lunch".into(),
                };
                return self.actor(actor).asks(Request::SetStatus(status)).await;
            }
            CommandName::Whois => {
                let whom = Request::Whois(PersonTarget::Name("plain".into()));
                return self.actor(actor).asks(whom).await;
            }
            CommandName::Block | CommandName::Unblock => {
                let of = |is_on| Request::Block {
                    who: PersonTarget::Person(plain.id),
                    is_on,
                };
                let blocked = self.actor(actor).asks(of(true)).await;
                if name == CommandName::Block {
                    return blocked;
                }
                return self.actor(actor).asks(of(false)).await;
            }
            CommandName::Ignore | CommandName::Unignore => {
                let of = |is_on| Request::Ignore {
                    who: PersonTarget::Person(plain.id),
                    is_on,
                };
                let ignored = self.actor(actor).asks(of(true)).await;
                if name == CommandName::Ignore {
                    return ignored;
                }
                return self.actor(actor).asks(of(false)).await;
            }
            CommandName::Notify => {
                let level = Some(Level::Nothing);
                return self
                    .actor(actor)
                    .asks(Request::SetLevel { room, level })
                    .await;
            }
            CommandName::Keywords => {
                let words = Request::SetKeywords(vec!["deploy".into()]);
                return self.actor(actor).asks(words).await;
            }
            CommandName::Log | CommandName::Bans => {
                let me = self.actor(actor);
                let room = room.bytes().to_vec();
                let listed = if name == CommandName::Log {
                    let asked = proto::ListModerationRequest {
                        room,
                        ..Default::default()
                    };
                    let asked = me.raw.authorised(asked);
                    me.raw.service.list_moderation(asked).await.map(drop)
                } else {
                    let asked = me.raw.authorised(proto::ListSanctionsRequest { room });
                    me.raw.service.list_sanctions(asked).await.map(drop)
                };
                return listed.err().map(|status| {
                    assert_eq!(status.code(), tonic::Code::PermissionDenied);
                    RefusalCode::NotAllowed
                });
            }
            CommandName::Mentions => {
                let me = self.actor(actor);
                let asked = me.raw.authorised(proto::ListMentionsRequest::default());
                me.raw.service.list_mentions(asked).await.unwrap();
                return None;
            }
            CommandName::Devices => {
                let me = self.actor(actor);
                let asked = me.raw.authorised(proto::ListDevicesRequest::default());
                let listed = me.raw.service.list_devices(asked).await.unwrap();
                assert_eq!(listed.into_inner().devices.len(), 1);
                return None;
            }
            CommandName::Account => {
                let me = self.actor(actor);
                let asked = me.raw.authorised(proto::DeleteAccountRequest::default());
                me.raw.service.delete_account(asked).await.unwrap();
                return None;
            }
            CommandName::Admin => {
                let me = self.actor(actor);
                let mut service = AdminServiceClient::new(me.raw.channel.clone());
                let asked = me.raw.authorised(admin_proto::GetStatusRequest {});
                return match service.get_status(asked).await {
                    Ok(_) => None,
                    Err(status) => {
                        assert_eq!(status.code(), tonic::Code::PermissionDenied);
                        Some(RefusalCode::NotAllowed)
                    }
                };
            }
            CommandName::InviteLink => {
                let me = self.actor(actor);
                let mut service = AdminServiceClient::new(me.raw.channel.clone());
                let asked = me
                    .raw
                    .authorised(admin_proto::CreateInviteRequest::default());
                return match service.create_invite(asked).await {
                    Ok(_) => None,
                    Err(status) => {
                        assert_eq!(status.code(), tonic::Code::PermissionDenied);
                        Some(RefusalCode::NotAllowed)
                    }
                };
            }
            CommandName::Search => {
                let me = self.actor(actor);
                let asked = me.raw.authorised(proto::SearchRequest::default());
                me.raw.service.search(asked).await.unwrap();
                return None;
            }
            CommandName::Rooms => {
                self.actor(actor).lists().await;
                return None;
            }
            CommandName::Me => Body::Action("waves".into()),
            CommandName::Reply => Body::Reply {
                to: Seq(1),
                text: "yes".into(),
            },
            // Everybody edits their own message; outsiders have none.
            CommandName::Edit => {
                let own = self.actor(actor).posts_message(room).await;
                let what = Amendment::Edit("new".into());
                Body::Amendment { target: own, what }
            }
            CommandName::React => {
                let target = self.plain.posts_message(room).await;
                let (emoji, is_on) = ("👍".into(), true);
                let what = Amendment::React { emoji, is_on };
                Body::Amendment { target, what }
            }
            CommandName::Delete => Body::Closed,
            CommandName::Topic => Body::Topic("new".into()),
            CommandName::Slow => Body::Rules(tchat::chat::RoomRules {
                slow_s: 60,
                is_read_only: false,
            }),
            CommandName::ReadOnly => Body::Rules(tchat::chat::RoomRules {
                slow_s: 0,
                is_read_only: true,
            }),
            CommandName::Invite => ruling(&stranger.me, Ruling::Invited),
            CommandName::Op => ruling(&plain, Ruling::Role(Role::Moderator)),
            CommandName::Deop => ruling(&raised, Ruling::Role(Role::Member)),
            CommandName::Kick => ruling(
                &plain,
                Ruling::Kicked {
                    reason: "spam".into(),
                },
            ),
            CommandName::Ban => ruling(
                &plain,
                Ruling::Banned {
                    until: Until::Forever,
                    reason: "spam".into(),
                },
            ),
            CommandName::Unban => ruling(&banned, Ruling::Unbanned),
            CommandName::Mute => ruling(
                &plain,
                Ruling::Muted {
                    until: Until::Forever,
                },
            ),
            CommandName::Unmute => ruling(&muted, Ruling::Unmuted),
            other => panic!("{other:?} has a row but no request here"),
        };
        self.actor(actor).posts(room, body).await
    }
}
