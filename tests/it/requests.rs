//! Requests of strangers, blocked people, and conversations that somebody has left.

mod lists;
mod screen;

use tchat::chat::{
    Author, Body, ClientId, IdentityId, InstanceId, Limit, NewRoom, Recipient, RefusalCode,
    RequestAnswer, RequestDirection, RoomId, RoomInfo, RoomKind, Ruling, Search, Seq, Transport,
};
use tchat::server::store::SearchLimit;
use tchat::wire::{Event, JoinTarget, PersonTarget, Request, UnfollowReason, Welcome};

use crate::support::person::device;
use crate::support::raw_client::Raw;
use crate::support::server::{Server, config, loopback, memory};

/// A client that posts to one person or conversation, and remembers what it was sent.
struct Visitor {
    raw: Raw,
    me: IdentityId,
    welcome: Welcome,
    counter: u64,
}

impl Visitor {
    /// Signs in through memory, as the server's own user does: nobody's stranger.
    async fn colleague(server: &Server, name: &str) -> Self {
        let (raw, welcome) = Raw::enter(server, name).await;
        Self::new(raw, welcome)
    }

    /// Signs in from an address, without an invitation.
    async fn stranger(server: &Server, n: u8, name: &str) -> Self {
        let mut raw = Raw::open_over(server.dial_from(loopback(n)).await).await;
        raw.transport = Transport::ClearText;
        raw.signs_in(0, name, &device(name)).await;
        let Event::Welcome(welcome) = raw.event().await else {
            panic!("no welcome")
        };
        Self::new(raw, welcome)
    }

    fn new(raw: Raw, welcome: Welcome) -> Self {
        Self {
            raw,
            me: welcome.you.id,
            welcome,
            counter: 0,
        }
    }

    /// Sends a request with a number. Returns the first event with that number.
    async fn asks(&mut self, what: Request) -> Event {
        self.raw.ask(77, what).await;
        loop {
            let event = self.raw.event().await;
            match &event {
                Event::Refused { request: 77, .. }
                | Event::RoomChanged { request: 77, .. }
                | Event::SettingsChanged { request: 77, .. }
                | Event::Followed { request: 77, .. }
                | Event::Unfollowed { request: 77, .. } => return event,
                _ => {}
            }
        }
    }

    fn next_id(&mut self) -> ClientId {
        self.counter += 1;
        ClientId {
            instance: InstanceId::new([7; 16]),
            counter: self.counter,
        }
    }

    /// Posts a text. Returns the code of the refusal, or `None` if it was accepted.
    async fn posts_to(&mut self, to: Recipient, text: &str) -> Option<RefusalCode> {
        let client_id = self.next_id();
        let body = Body::Text(text.into());
        self.posts(client_id, to, body).await
    }

    async fn posts(
        &mut self,
        client_id: ClientId,
        to: Recipient,
        body: Body,
    ) -> Option<RefusalCode> {
        let post = Request::Post {
            client_id,
            to,
            body,
        };
        self.raw.ask(0, post).await;
        self.outcome(client_id).await
    }

    async fn outcome(&mut self, of: ClientId) -> Option<RefusalCode> {
        loop {
            match self.raw.event().await {
                Event::Refused {
                    client_id: Some(id),
                    refusal,
                    ..
                } if id == of => return Some(refusal.code),
                Event::Accepted { client_id, .. } if client_id == of => return None,
                Event::Entry(entry) if entry.client_id == Some(of) => return None,
                _ => {}
            }
        }
    }

    /// Waits for a room that is sent without a request.
    async fn is_shown_a_room(&mut self) -> RoomInfo {
        loop {
            if let Event::RoomChanged { request: 0, room } = self.raw.event().await {
                return room;
            }
        }
    }

    /// Follows a conversation. Returns the texts in it.
    async fn reads(&mut self, room: RoomId) -> Vec<String> {
        let follow = Request::Follow { room, cursor: None };
        let last = match self.asks(follow).await {
            Event::Followed { last, .. } => last,
            other => panic!("{other:?}"),
        };
        let mut texts = Vec::new();
        loop {
            if let Event::Entry(entry) = self.raw.event().await
                && entry.room == room
            {
                if entry.body.is_message() {
                    texts.push(entry.body.text().to_owned());
                }
                if entry.seq == last {
                    return texts;
                }
            }
        }
    }

    /// Asserts that the server has nothing for this client but answers and presence.
    async fn is_quiet(&mut self) {
        self.raw.ask(78, Request::Ping).await;
        loop {
            match self.raw.event().await {
                Event::Pong { request: 78, .. } => return,
                Event::RosterPage { .. } | Event::RosterDelta { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Creates a room. Returns its id.
    async fn creates(&mut self, name: &str, kind: RoomKind) -> RoomId {
        let made = NewRoom {
            name: name.into(),
            kind,
            topic: String::new(),
            capacity: 0,
        };
        match self.asks(Request::Create(made)).await {
            Event::RoomChanged { room, .. } => room.id,
            other => panic!("{other:?}"),
        }
    }

    /// Invites a person to a room. Returns the code of the refusal, or `None` if it was accepted.
    async fn invites(&mut self, room: RoomId, person: IdentityId) -> Option<RefusalCode> {
        let name = String::new();
        let invite = Body::Ruling(Author { id: person, name }, Ruling::Invited);
        let id = self.next_id();
        self.posts(id, Recipient::Room(room), invite).await
    }

    async fn answers(&mut self, room: RoomId, answer: RequestAnswer) -> Event {
        self.asks(Request::AnswerRequest { room, answer }).await
    }

    async fn blocks(&mut self, who: IdentityId, is_on: bool) -> Event {
        let who = PersonTarget::Person(who);
        self.asks(Request::Block { who, is_on }).await
    }

    /// The conversations and requests that the server lists at the next sign-in.
    async fn sees_at_sign_in(
        server: &Server,
        name: &str,
    ) -> Vec<(Option<RequestDirection>, RoomId)> {
        let again = Self::colleague(server, name).await;
        let rooms = again.welcome.rooms.into_iter();
        let conversations = rooms.filter(|room| room.kind == RoomKind::Conversation);
        conversations.map(|it| (it.request, it.id)).collect()
    }
}

fn code(event: &Event) -> RefusalCode {
    match event {
        Event::Refused { refusal, .. } => refusal.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_message_of_a_stranger_is_a_request() {
    let server = Server::start();
    let mut ann = Visitor::colleague(&server, "ann").await;
    let mut eve = Visitor::stranger(&server, 2, "eve").await;
    // To open the conversation announces nothing.
    let opened = eve
        .asks(Request::Open(PersonTarget::Name("ann".into())))
        .await;
    let Event::RoomChanged { room, .. } = opened else {
        panic!("{opened:?}")
    };
    assert_eq!(room.request, Some(RequestDirection::Outgoing));
    ann.is_quiet().await;
    assert_eq!(Visitor::sees_at_sign_in(&server, "ann").await, []);

    let to = Recipient::Room(room.id);
    assert_eq!(eve.posts_to(to.clone(), "hello, can we talk?").await, None);
    let shown = ann.is_shown_a_room().await;
    assert_eq!(shown.request, Some(RequestDirection::Incoming));
    assert_eq!(shown.peer.as_ref().map(|it| it.id), Some(eve.me));
    assert_eq!(ann.reads(room.id).await, ["hello, can we talk?"]);
    let listed = Visitor::sees_at_sign_in(&server, "ann").await;
    assert_eq!(listed, [(Some(RequestDirection::Incoming), room.id)]);

    for to in [
        to.clone(),
        Recipient::Person(ann.me),
        Recipient::Name("ann".into()),
    ] {
        let second = eve.posts_to(to, "answer me").await;
        assert_eq!(second, Some(RefusalCode::RequestPending));
    }
    // The first one again, after its answer was lost, is accepted once.
    let first = ClientId {
        instance: InstanceId::new([7; 16]),
        counter: 1,
    };
    let again = Body::Text("hello, can we talk?".into());
    assert_eq!(eve.posts(first, to.clone(), again).await, None);
    ann.is_quiet().await;

    let accepted = ann.answers(room.id, RequestAnswer::Accept).await;
    assert!(matches!(&accepted, Event::RoomChanged { room, .. } if room.request.is_none()));
    assert_eq!(eve.is_shown_a_room().await.request, None);
    assert_eq!(eve.posts_to(to, "thank you").await, None);
    let listed = Visitor::sees_at_sign_in(&server, "ann").await;
    assert_eq!(listed, [(None, room.id)]);
}

#[tokio::test(start_paused = true)]
async fn to_answer_with_a_message_accepts() {
    let server = Server::start();
    let mut ann = Visitor::colleague(&server, "ann").await;
    let mut eve = Visitor::stranger(&server, 2, "eve").await;
    assert_eq!(
        eve.posts_to(Recipient::Name("ann".into()), "hi").await,
        None
    );
    let room = ann.is_shown_a_room().await.id;
    assert_eq!(
        ann.posts_to(Recipient::Person(eve.me), "hi eve").await,
        None
    );
    let to = Recipient::Room(room);
    assert_eq!(eve.posts_to(to, "nice").await, None);
}

#[tokio::test(start_paused = true)]
async fn of_two_first_messages_at_once_one_is_a_request() {
    for _ in 0..10 {
        let server = Server::start();
        let mut ann = Visitor::colleague(&server, "ann").await;
        let mut eve = Visitor::stranger(&server, 2, "eve").await;
        let mut twin = Visitor::stranger(&server, 2, "eve").await;
        twin.counter = 100;
        let ids = [eve.next_id(), twin.next_id()];
        for (visitor, client_id) in [&eve, &twin].into_iter().zip(ids) {
            let post = Request::Post {
                client_id,
                to: Recipient::Person(ann.me),
                body: Body::Text("me first".into()),
            };
            visitor.raw.ask(0, post).await;
        }
        let outcomes = [eve.outcome(ids[0]).await, twin.outcome(ids[1]).await];
        let accepted = outcomes.iter().filter(|it| it.is_none());
        assert_eq!(accepted.count(), 1, "{outcomes:?}");
        let room = ann.is_shown_a_room().await.id;
        assert_eq!(ann.reads(room).await, ["me first"]);
    }
}

#[tokio::test(start_paused = true)]
async fn declined_and_blocked_look_alike_to_the_stranger() {
    let server = Server::start();
    let mut ann = Visitor::colleague(&server, "ann").await;
    let mut eve = Visitor::stranger(&server, 2, "eve").await;
    let mut mal = Visitor::stranger(&server, 3, "mal").await;
    for visitor in [&mut eve, &mut mal] {
        let to = Recipient::Person(ann.me);
        assert_eq!(visitor.posts_to(to, "hi").await, None);
    }
    let rooms = [
        ann.is_shown_a_room().await.id,
        ann.is_shown_a_room().await.id,
    ];
    let declined = ann.answers(rooms[0], RequestAnswer::Decline).await;
    assert!(matches!(
        declined,
        Event::Unfollowed {
            why: UnfollowReason::Left,
            ..
        }
    ));
    let again = ann.answers(rooms[0], RequestAnswer::Decline).await;
    assert_eq!(code(&again), RefusalCode::NoEffect);
    let blocked = ann.blocks(mal.me, true).await;
    let Event::SettingsChanged { settings, .. } = blocked else {
        panic!("{blocked:?}")
    };
    assert!(settings.blocks(mal.me) && settings.ignores(mal.me));
    assert_eq!(Visitor::sees_at_sign_in(&server, "ann").await, []);
    for visitor in [&mut eve, &mut mal] {
        for to in [Recipient::Person(ann.me), Recipient::Name("ann".into())] {
            let refused = visitor.posts_to(to, "why?").await;
            assert_eq!(refused, Some(RefusalCode::NotAccepting));
        }
        // What they see of the conversation does not change either.
        let opened = visitor
            .asks(Request::Open(PersonTarget::Person(ann.me)))
            .await;
        assert!(
            matches!(&opened, Event::RoomChanged { room, .. } if room.request == Some(RequestDirection::Outgoing)),
            "{opened:?}"
        );
    }
    // A request that was declined can still be accepted: by opening the conversation.
    let opened = ann.asks(Request::Open(PersonTarget::Person(eve.me))).await;
    assert!(matches!(&opened, Event::RoomChanged { room, .. } if room.request.is_none()));
    let to = Recipient::Room(rooms[0]);
    assert_eq!(eve.posts_to(to, "thank you").await, None);
    // To write to a blocked person needs to unblock them first.
    let to_mal = Recipient::Person(mal.me);
    let refused = ann.posts_to(to_mal.clone(), "hi").await;
    assert_eq!(refused, Some(RefusalCode::PersonBlocked));
    ann.blocks(mal.me, false).await;
    assert_eq!(ann.posts_to(to_mal, "hi").await, None);
    let to = Recipient::Room(rooms[1]);
    assert_eq!(mal.posts_to(to, "at last").await, None);
}

#[tokio::test(start_paused = true)]
async fn blocking_ends_a_conversation_and_all_that_could_come_of_it() {
    let server = Server::start();
    let mut ann = Visitor::colleague(&server, "ann").await;
    let mut bob = Visitor::colleague(&server, "bob").await;
    let to_ann = Recipient::Person(ann.me);
    assert_eq!(bob.posts_to(to_ann.clone(), "lunch?").await, None);
    let room = ann.is_shown_a_room().await.id;
    ann.reads(room).await;
    ann.blocks(bob.me, true).await;
    for body in [
        Body::Text("hello?".into()),
        Body::Action("waits".into()),
        Body::Reply {
            to: Seq(2),
            text: "and?".into(),
        },
        Body::Amendment {
            target: Seq(2),
            what: tchat::chat::Amendment::Edit("dinner?".into()),
        },
        Body::Amendment {
            target: Seq(2),
            what: tchat::chat::Amendment::React {
                emoji: "👍".into(),
                is_on: true,
            },
        },
    ] {
        let id = bob.next_id();
        let refused = bob.posts(id, Recipient::Room(room), body).await;
        assert_eq!(refused, Some(RefusalCode::NotAccepting));
    }
    // Their own message they may delete.
    let id = bob.next_id();
    let erase = Body::Amendment {
        target: Seq(2),
        what: tchat::chat::Amendment::Erase,
    };
    assert_eq!(bob.posts(id, Recipient::Room(room), erase).await, None);
    bob.raw.ask(0, Request::Typing(room)).await;
    // No invitation either.
    let lab = bob.creates("lab", RoomKind::Private).await;
    let refused = bob.invites(lab, ann.me).await;
    assert_eq!(refused, Some(RefusalCode::NotAccepting));
    // The blocking itself, and nothing after it.
    let mut seen = Vec::new();
    ann.raw.ask(78, Request::Ping).await;
    loop {
        match ann.raw.event().await {
            Event::Pong { request: 78, .. } => break,
            Event::RosterPage { .. } | Event::RosterDelta { .. } => {}
            other => seen.push(other),
        }
    }
    assert!(
        seen.iter().all(|it| matches!(
            it,
            Event::Unfollowed {
                why: UnfollowReason::Left,
                ..
            }
        )),
        "{seen:?}"
    );
    assert_eq!(Visitor::sees_at_sign_in(&server, "ann").await, []);
}

#[tokio::test(start_paused = true)]
async fn a_person_has_at_most_so_many_requests() {
    let mut config = config();
    config.hub.quotas.set(Limit::Requests, 3);
    let server = Server::with(config, memory());
    let mut ann = Visitor::colleague(&server, "ann").await;
    let mut rooms = Vec::new();
    for n in 2..5 {
        let mut visitor = Visitor::stranger(&server, n, &format!("visitor{n}")).await;
        let to = Recipient::Person(ann.me);
        assert_eq!(visitor.posts_to(to, "hi").await, None);
        rooms.push(ann.is_shown_a_room().await.id);
    }
    let mut late = Visitor::stranger(&server, 9, "late").await;
    let to = Recipient::Person(ann.me);
    let id = late.next_id();
    let post = Request::Post {
        client_id: id,
        to: to.clone(),
        body: Body::Text("hi".into()),
    };
    late.raw.ask(0, post).await;
    let refusal = loop {
        if let Event::Refused { refusal, .. } = late.raw.event().await {
            break refusal;
        }
    };
    assert_eq!(refusal.code, RefusalCode::RequestsFull);
    assert_eq!(refusal.arguments, ["ann", "3"]);
    ann.is_quiet().await;
    // A colleague is not counted, and an answer makes room.
    let mut bob = Visitor::colleague(&server, "bob").await;
    assert_eq!(bob.posts_to(to.clone(), "hi").await, None);
    ann.is_shown_a_room().await;
    ann.answers(rooms[1], RequestAnswer::Decline).await;
    assert_eq!(late.posts_to(to, "hi again").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_person_who_shares_a_room_is_no_stranger() {
    let server = Server::start();
    let mut ann = Visitor::colleague(&server, "ann").await;
    let mut eve = Visitor::stranger(&server, 2, "eve").await;
    for person in [&mut ann, &mut eve] {
        let room = Request::Join(JoinTarget::Name("tech".into()));
        let joined = person.asks(room).await;
        assert!(matches!(joined, Event::RoomChanged { .. }), "{joined:?}");
    }
    let to = Recipient::Person(ann.me);
    assert_eq!(eve.posts_to(to.clone(), "hi").await, None);
    assert_eq!(eve.posts_to(to, "there").await, None);
    assert_eq!(ann.is_shown_a_room().await.request, None);
}
