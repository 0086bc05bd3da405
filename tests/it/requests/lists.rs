//! Where requests and hidden conversations appear: in lists, searches and limits.

use super::*;
use crate::bridges::user;

#[tokio::test(start_paused = true)]
async fn a_conversation_that_was_left_comes_back_with_the_next_message() {
    let server = Server::start();
    let mut ann = Visitor::colleague(&server, "ann").await;
    let mut bob = Visitor::colleague(&server, "bob").await;
    let to_ann = Recipient::Person(ann.me);
    assert_eq!(bob.posts_to(to_ann.clone(), "one").await, None);
    let room = ann.is_shown_a_room().await.id;
    ann.reads(room).await;
    let mut phone = Visitor::colleague(&server, "ann").await;
    phone.reads(room).await;
    let left = ann.asks(Request::Leave(room)).await;
    assert!(matches!(
        left,
        Event::Unfollowed {
            why: UnfollowReason::Left,
            ..
        }
    ));
    loop {
        let event = phone.raw.event().await;
        if matches!(&event, Event::Unfollowed { room: of, why: UnfollowReason::Left, .. } if *of == room)
        {
            break;
        }
    }
    assert_eq!(Visitor::sees_at_sign_in(&server, "ann").await, []);
    // A client that still has the conversation in its cache does not get it back by that.
    let follow = Request::Follow { room, cursor: None };
    let refused = phone.asks(follow).await;
    assert!(matches!(refused, Event::Unfollowed { .. }), "{refused:?}");

    assert_eq!(bob.posts_to(to_ann, "two").await, None);
    for client in [&mut ann, &mut phone] {
        let shown = client.is_shown_a_room().await;
        assert_eq!((shown.id, shown.request), (room, None));
        assert_eq!(client.reads(room).await, ["one", "two"]);
    }
    ann.asks(Request::Leave(room)).await;
    let opened = ann.asks(Request::Open(PersonTarget::Person(bob.me))).await;
    assert!(matches!(&opened, Event::RoomChanged { room: it, .. } if it.id == room));
    let listed = Visitor::sees_at_sign_in(&server, "ann").await;
    assert_eq!(listed, [(None, room)]);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_not_found_by_searches_before_it_is_accepted() {
    let server = Server::start();
    let mut ann = Visitor::colleague(&server, "ann").await;
    let mut eve = Visitor::stranger(&server, 2, "eve").await;
    let to = Recipient::Person(ann.me);
    let text = "@ann buy my pumpkins";
    assert_eq!(eve.posts_to(to, text).await, None);
    let room = ann.is_shown_a_room().await.id;
    let me = ann.me;
    let finds = async |store: &dyn tchat::server::store::Store| {
        let search = Search {
            phrases: vec!["pumpkins".into()],
            ..Search::default()
        };
        let found = store.search(me, search, SearchLimit::entries(10));
        let mentions = store.mentions_of(me, 10);
        (
            found.await.unwrap().entries.len(),
            mentions.await.unwrap().len(),
        )
    };
    assert_eq!(finds(&*server.store).await, (0, 0));
    ann.answers(room, RequestAnswer::Accept).await;
    assert_eq!(finds(&*server.store).await, (1, 1));
}

#[tokio::test(start_paused = true)]
async fn requests_do_not_take_the_place_of_rooms() {
    let mut config = config();
    config.hub.quotas.set(Limit::RoomsOwned, 0);
    let server = Server::with(config, memory());
    let mut ann = Visitor::colleague(&server, "ann").await;
    let mut eve = Visitor::stranger(&server, 2, "eve").await;
    let to = Recipient::Person(ann.me);
    assert_eq!(eve.posts_to(to, "hi").await, None);
    let request = ann.is_shown_a_room().await.id;
    ann.reads(request).await;
    // A session has at most 512 rooms.
    for n in 0..=512 {
        let room = ann.creates(&format!("room{n}"), RoomKind::Private).await;
        let join = ann.asks(Request::Join(JoinTarget::Room(room))).await;
        match n {
            0..512 => assert!(matches!(join, Event::RoomChanged { .. }), "{n} {join:?}"),
            _ => assert_eq!(code(&join), RefusalCode::TooManyRooms),
        }
    }
    let listed = Visitor::sees_at_sign_in(&server, "ann").await;
    assert_eq!(listed, [(Some(RequestDirection::Incoming), request)]);
}

#[tokio::test(start_paused = true)]
async fn an_invitation_of_an_ignored_person_is_not_shown_after_a_reconnect() {
    let server = Server::start();
    let mut ann = Visitor::colleague(&server, "ann").await;
    let mut bob = Visitor::colleague(&server, "bob").await;
    let room = bob.creates("lab", RoomKind::Secret).await;
    let of_bob = PersonTarget::Person(bob.me);
    let ignore = |is_on| Request::Ignore {
        who: of_bob.clone(),
        is_on,
    };
    ann.asks(ignore(true)).await;
    assert_eq!(bob.invites(room, ann.me).await, None);
    ann.is_quiet().await;
    let mut again = Visitor::colleague(&server, "ann").await;
    again.is_quiet().await;
    ann.asks(ignore(false)).await;
    let mut again = Visitor::colleague(&server, "ann").await;
    let shown = again.raw.answer().await;
    assert!(
        matches!(&shown, Event::Invitation { room: it, .. } if it.id == room),
        "{shown:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_too_many_stores_nothing_and_a_guest_who_left_makes_room() {
    let mut config = config();
    config.hub.quotas.set(Limit::Requests, 2);
    let server = Server::with(config, memory());
    let mut ann = Visitor::colleague(&server, "ann").await;
    let mut guests = Vec::new();
    for (n, name) in [(7, "张三"), (8, "李四")] {
        let guest = user::joins(&server, n, name).await;
        guest
            .send(user::request(n, name, "message", "@ann 你好"))
            .await;
        ann.is_shown_a_room().await;
        guests.push(guest);
    }
    let to = Recipient::Person(ann.me);
    let mut eve = Visitor::stranger(&server, 2, "eve").await;
    let me = ann.me;
    let rooms = async || server.store.memberships(me).await.unwrap().len();
    let before = rooms().await;
    let refused = eve.posts_to(to.clone(), "hi").await;
    assert_eq!(refused, Some(RefusalCode::RequestsFull));
    assert_eq!(rooms().await, before);
    drop(guests.pop());
    // The guest has left once the store has forgotten their memberships.
    while server.store.guests().await.unwrap().len() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(eve.posts_to(to, "hi").await, None);
    let shown = ann.is_shown_a_room().await;
    assert_eq!(shown.peer.map(|it| it.id), Some(eve.me));
    assert_eq!(rooms().await, before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_does_not_see_whether_the_person_they_asked_is_here() {
    let server = Server::start();
    let mut ann = Visitor::colleague(&server, "ann").await;
    let mut eve = Visitor::stranger(&server, 2, "eve").await;
    assert_eq!(eve.posts_to(Recipient::Person(ann.me), "hi").await, None);
    let room = ann.is_shown_a_room().await.id;
    ann.reads(room).await;
    let mut again = Visitor::stranger(&server, 2, "eve").await;
    let me = ann.me;
    let sees_ann = async |eve: &mut Visitor| {
        eve.raw.follow(room, None).await;
        loop {
            match eve.raw.event().await {
                Event::RosterPage {
                    room: of, people, ..
                } if of == room => {
                    let mut here = people.iter().filter(|it| it.presence.is_here());
                    return here.any(|it| it.id == me);
                }
                _ => {}
            }
        }
    };
    assert!(!sees_ann(&mut eve).await);
    ann.answers(room, RequestAnswer::Accept).await;
    assert!(sees_ann(&mut again).await);
}

#[tokio::test(start_paused = true)]
async fn an_edit_or_a_reaction_neither_asks_nor_shows_a_conversation_again() {
    let server = Server::start();
    let mut ann = Visitor::colleague(&server, "ann").await;
    let mut bob = Visitor::colleague(&server, "bob").await;
    let mut eve = Visitor::stranger(&server, 2, "eve").await;
    let opened = eve.asks(Request::Open(PersonTarget::Person(ann.me))).await;
    let Event::RoomChanged { room: asked, .. } = opened else {
        panic!("{opened:?}")
    };
    let edit = || Body::Amendment {
        target: Seq(1),
        what: tchat::chat::Amendment::Edit("hi".into()),
    };
    let id = eve.next_id();
    let refused = eve.posts(id, Recipient::Room(asked.id), edit()).await;
    assert_eq!(refused, Some(RefusalCode::RequestPending));
    let to_ann = Recipient::Person(ann.me);
    assert_eq!(bob.posts_to(to_ann, "lunch?").await, None);
    let room = ann.is_shown_a_room().await.id;
    ann.asks(Request::Leave(room)).await;
    let id = bob.next_id();
    bob.posts(id, Recipient::Room(room), edit()).await;
    ann.raw.ask(78, Request::Ping).await;
    loop {
        match ann.raw.event().await {
            Event::Pong { request: 78, .. } => break,
            Event::RoomChanged { room, .. } => panic!("{room:?}"),
            _ => {}
        }
    }
    assert_eq!(Visitor::sees_at_sign_in(&server, "ann").await, []);
}
