//! Who may do what: every command against everybody, asked by a client that checks nothing itself.

mod secret;
mod stage;

use std::collections::BTreeSet;

use tchat::chat::{
    Amendment, Author, Body, ClientId, IdentityId, InstanceId, NewRoom, Recipient, RefusalCode,
    Role, RoomInfo, RoomKind, Ruling, Seq, Until,
};
use tchat::tui::input::command::{COMMANDS, Name};
use tchat::wire::{Event, JoinTarget, Request, UnfollowReason, entry_from};

use self::stage::{ACTORS, Actor, Outcome, Somebody, Stage, ruling};

/// A command, and what comes of it for each who asks, in the order of [`ACTORS`].
struct Row {
    name: Name,
    outcomes: [Outcome; 5],
}

/// In a public room.
fn table() -> Vec<Row> {
    use RefusalCode::{Banned, NotAMember, NotAllowed};
    let ok: Outcome = None;
    let (not_in, not_allowed) = (Some(NotAMember), Some(NotAllowed));
    let everybody = [ok; 5];
    let members = [ok, ok, ok, not_in, not_in];
    let moderators = [ok, ok, not_allowed, not_in, not_in];
    let owners = [ok, not_allowed, not_allowed, not_in, not_in];
    let row = |name, outcomes| Row { name, outcomes };
    vec![
        row(Name::Join, [ok, ok, ok, ok, Some(Banned)]),
        row(Name::Leave, members),
        row(Name::Rooms, everybody),
        row(Name::Create, everybody),
        row(Name::Msg, everybody),
        row(Name::Nick, everybody),
        row(Name::Me, members),
        row(Name::Reply, members),
        row(Name::Edit, members),
        row(Name::React, members),
        row(Name::Away, everybody),
        row(Name::Back, everybody),
        row(Name::Status, everybody),
        row(Name::Whois, everybody),
        row(Name::Mentions, everybody),
        row(Name::Search, everybody),
        row(Name::Ignore, everybody),
        row(Name::Unignore, everybody),
        // Whoever was put out may still read up to then, and so may be told of it or not.
        row(Name::Notify, [ok, ok, ok, not_in, ok]),
        row(Name::Keywords, everybody),
        row(Name::Who, members),
        row(Name::Delete, owners),
        row(Name::Topic, moderators),
        row(Name::Invite, members),
        row(Name::Op, owners),
        row(Name::Deop, owners),
        row(Name::Kick, moderators),
        row(Name::Ban, moderators),
        row(Name::Unban, moderators),
        row(Name::Mute, moderators),
        row(Name::Unmute, moderators),
    ]
}

/// What asks nothing of a server.
const LOCAL: [Name; 14] = [
    Name::History,
    Name::Select,
    Name::Do,
    Name::Pick,
    Name::Draft,
    Name::Set,
    Name::Typing,
    Name::Help,
    Name::Clear,
    Name::Theme,
    Name::Link,
    Name::Connect,
    Name::Disconnect,
    Name::Quit,
];

#[test]
fn every_command_has_a_row() {
    let rows = table().into_iter().map(|row| row.name);
    let known: BTreeSet<String> = rows.chain(LOCAL).map(|name| format!("{name:?}")).collect();
    let all = COMMANDS.iter().map(|known| format!("{:?}", known.name));
    assert_eq!(known, all.collect());
}

#[tokio::test(start_paused = true)]
async fn everybody_may_do_what_the_table_says_and_nothing_else() {
    for row in table() {
        for (actor, expected) in ACTORS.into_iter().zip(row.outcomes) {
            let mut stage = Stage::of(RoomKind::Public).await;
            // Whoever was put out may read up to then, and hears why.
            let is_put_out = actor == Actor::Banned && row.name == Name::Who;
            let expected = if is_put_out { None } else { expected };
            let outcome = stage.does(actor, row.name).await;
            assert_eq!(outcome, expected, "{:?} by {actor:?}", row.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_needs_an_invitation_is_closed_to_all_who_have_none() {
    for (kind, refusal) in [
        (RoomKind::Private, RefusalCode::NotInvited),
        (RoomKind::Secret, RefusalCode::RoomUnknown),
    ] {
        let mut stage = Stage::of(kind).await;
        let room = stage.room;
        assert_eq!(stage.outsider.joins(room).await, Some(refusal), "{kind:?}");
        let by_name = Request::Join(JoinTarget::Name("dev".into()));
        assert_eq!(stage.outsider.asks(by_name).await, Some(refusal));
        // Members do not let others in here.
        let invited = ruling(&stage.outsider.me, Ruling::Invited);
        let outcome = stage.member.posts(room, invited.clone()).await;
        assert_eq!(outcome, Some(RefusalCode::NotAllowed));
        assert_eq!(stage.moderator.posts(room, invited).await, None);
        assert_eq!(stage.outsider.joins(room).await, None);
        // An invitation is good for once.
        let kicked = ruling(
            &stage.outsider.me,
            Ruling::Kicked {
                reason: String::new(),
            },
        );
        assert_eq!(stage.moderator.posts(room, kicked).await, None);
        assert_eq!(stage.outsider.joins(room).await, Some(refusal));
        assert_eq!(stage.banned.joins(room).await, Some(RefusalCode::Banned));
    }
}

#[tokio::test(start_paused = true)]
async fn rooms_are_listed_to_those_who_may_know_of_them() {
    for (kind, is_listed) in [
        (RoomKind::Public, true),
        (RoomKind::Private, true),
        (RoomKind::Secret, false),
    ] {
        let mut stage = Stage::of(kind).await;
        let dev = |rooms: Vec<(String, Option<Role>)>| rooms.into_iter().find(|it| it.0 == "dev");
        let of = |role| Some(("dev".to_owned(), role));
        let seen = dev(stage.outsider.lists().await);
        assert_eq!(
            seen,
            is_listed.then(|| ("dev".to_owned(), None)),
            "{kind:?}"
        );
        assert_eq!(dev(stage.member.lists().await), of(Some(Role::Member)));
        assert_eq!(
            dev(stage.moderator.lists().await),
            of(Some(Role::Moderator))
        );
        assert_eq!(dev(stage.owner.lists().await), of(Some(Role::Owner)));
        let outcome = stage.owner.posts(stage.room, Body::Closed).await;
        assert_eq!(outcome, None);
        assert_eq!(dev(stage.owner.lists().await), None, "it is no more");
        let joined = stage.outsider.joins(stage.room).await;
        assert_eq!(joined, Some(RefusalCode::RoomUnknown));
        // The name is free again, and its next owner's room is another.
        let by = NewRoom {
            name: "DEV".into(),
            kind: RoomKind::Public,
            topic: String::new(),
            capacity: 0,
        };
        assert_eq!(stage.outsider.asks(Request::Create(by)).await, None);
        assert_eq!(stage.outsider.pages(stage.room).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn the_kicked_read_up_to_the_kick_and_hear_why_on_every_path() {
    let mut stage = Stage::of(RoomKind::Public).await;
    let room = stage.room;
    let follow = Request::Follow { room, cursor: None };
    // One reads live, the other is away when it happens.
    assert_eq!(stage.plain.asks(follow.clone()).await, None);
    let kick = |person: &Author| {
        let reason = "spam".to_owned();
        ruling(person, Ruling::Kicked { reason })
    };
    let says = |text: &str| Body::Text(text.into());
    assert_eq!(stage.owner.posts(room, says("before")).await, None);
    let last = stage.owner.pages(room).await.unwrap().pop().unwrap();
    // All in one batch, so that what comes behind is not taken along.
    let (plain, muted) = (stage.plain.me.clone(), stage.muted.me.clone());
    for (counter, body) in (100..).zip([kick(&plain), says("behind"), kick(&muted), says("later")])
    {
        let id = ClientId {
            instance: InstanceId::new([42; 16]),
            counter,
        };
        let to = Recipient::Room(room);
        let post = Request::Post {
            client_id: id,
            to,
            body,
        };
        stage.owner.raw.ask(0, post).await;
    }
    let until_put_out = async |one: &mut Somebody| {
        let mut seqs = Vec::new();
        loop {
            match one.raw.answer().await {
                Event::Entry(entry) if entry.room == room => seqs.push(entry.seq.0),
                Event::Unfollowed { why, .. } => break (seqs, why),
                _ => {}
            }
        }
    };
    let why = UnfollowReason::Kicked {
        by: "owner".into(),
        reason: "spam".into(),
    };
    let live = until_put_out(&mut stage.plain).await;
    assert_eq!((live.0.last(), live.1), (Some(&(last + 1)), why.clone()));
    stage.muted.raw.ask(5, follow.clone()).await;
    let replayed = until_put_out(&mut stage.muted).await;
    let all: Vec<u64> = (1..=last + 3).collect();
    assert_eq!(replayed, (all.clone(), why));
    assert_eq!(stage.muted.pages(room).await, Some(all));
    let all: Vec<u64> = (1..=last + 1).collect();
    assert_eq!(stage.plain.pages(room).await, Some(all));
    let behind = stage.plain.pages_after(room, last).await;
    assert_eq!(behind, Some(vec![last + 1]));
    assert_eq!(stage.outsider.pages(room).await, None);
    // Nothing of it can be spoken in, and who is kicked may come back.
    let outcome = stage.plain.posts(room, says("?")).await;
    assert_eq!(outcome, Some(RefusalCode::NotAMember));
    assert_eq!(stage.plain.joins(room).await, None);
    assert_eq!(stage.plain.posts(room, says("back")).await, None);
    // What was is forgotten with that: whoever leaves by themselves reads nothing.
    assert_eq!(stage.plain.asks(Request::Leave(room)).await, None);
    assert_eq!(stage.plain.pages(room).await, None);
}

#[tokio::test(start_paused = true)]
async fn the_banned_are_told_nothing_of_a_room_and_the_kicked_nothing_that_came_later() {
    let mut stage = Stage::of(RoomKind::Public).await;
    let room = stage.room;
    let said = stage.owner.says(room).await;
    let dev = |rooms: Vec<RoomInfo>| rooms.into_iter().find(|it| it.name == "dev").unwrap();
    let last = dev(stage.outsider.rooms().await).last.map(|it| it.text);
    assert_eq!(last.as_deref(), Some("said"));
    assert_eq!(dev(stage.banned.rooms().await).last, None);
    // What is edited and reacted to after a kick is not given as it is now.
    let kick = ruling(
        &stage.plain.me,
        Ruling::Kicked {
            reason: String::new(),
        },
    );
    assert_eq!(stage.owner.posts(room, kick).await, None);
    let react = Amendment::React {
        emoji: "👍".into(),
        is_on: true,
    };
    for what in [react, Amendment::Edit("a new secret".into())] {
        let body = Body::Amendment { target: said, what };
        assert_eq!(stage.owner.posts(room, body).await, None);
    }
    let page = stage.plain.page(room, 0).await.unwrap().into_iter();
    let mut page = page.map(|it| entry_from(it).unwrap());
    let entry = page.find(|it| it.seq == said).unwrap();
    assert!(matches!(entry.body, Body::Erased(_)), "{entry:?}");
    assert!(entry.amended.unwrap().reactions.is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_left_by_themselves_is_still_what_they_were_to_others() {
    let mut stage = Stage::of(RoomKind::Public).await;
    let room = stage.room;
    assert_eq!(stage.owner.asks(Request::Leave(room)).await, None);
    let ban = ruling(
        &stage.owner.me,
        Ruling::Banned {
            until: Until::Ever,
            reason: String::new(),
        },
    );
    let outcome = stage.moderator.posts(room, ban).await;
    assert_eq!(outcome, Some(RefusalCode::Outranked));
    assert_eq!(stage.owner.joins(room).await, None);
    // A moderator who is away is made a member again.
    assert_eq!(stage.raised.asks(Request::Leave(room)).await, None);
    let member = ruling(&stage.raised.me, Ruling::Role(Role::Member));
    assert_eq!(stage.owner.posts(room, member).await, None);
    assert_eq!(stage.raised.joins(room).await, None);
    let topic = Body::Topic("mine?".into());
    let outcome = stage.raised.posts(room, topic).await;
    assert_eq!(outcome, Some(RefusalCode::NotAllowed));
}

#[tokio::test(start_paused = true)]
async fn an_entry_has_so_many_reactions_and_no_more() {
    let mut stage = Stage::of(RoomKind::Public).await;
    let room = stage.room;
    let target = stage.member.says(room).await;
    let react = |n: u32| Body::Amendment {
        target,
        what: Amendment::React {
            emoji: char::from_u32(0x1F600 + n).unwrap().to_string(),
            is_on: true,
        },
    };
    for n in 0..32 {
        assert_eq!(stage.member.posts(room, react(n)).await, None, "{n}");
    }
    let outcome = stage.member.posts(room, react(32)).await;
    assert_eq!(outcome, Some(RefusalCode::TooManyReactions));
    let outcome = stage.plain.posts(room, react(7)).await;
    assert_eq!(outcome, None, "one that is there");
}

#[tokio::test(start_paused = true)]
async fn a_post_to_a_room_that_is_no_more_is_answered() {
    let mut stage = Stage::of(RoomKind::Public).await;
    let room = stage.room;
    assert_eq!(stage.owner.posts(room, Body::Closed).await, None);
    let says = || Body::Text("hello?".into());
    let outcome = stage.member.posts(room, says()).await;
    assert_eq!(outcome, Some(RefusalCode::RoomClosed));
    // Also when nobody has thought of it for long.
    for _ in 0..30 {
        tokio::time::sleep(std::time::Duration::from_secs(25)).await;
        stage.member.raw.ask(0, Request::Ping).await;
    }
    let outcome = stage.member.posts(room, says()).await;
    assert_eq!(outcome, Some(RefusalCode::RoomUnknown));
}

#[tokio::test(start_paused = true)]
async fn nobody_rules_over_themselves_their_equals_or_those_above() {
    let mut stage = Stage::of(RoomKind::Public).await;
    let room = stage.room;
    let kick = |person: &Author| {
        ruling(
            person,
            Ruling::Kicked {
                reason: String::new(),
            },
        )
    };
    let (owner, moderator) = (stage.owner.me.clone(), stage.moderator.me.clone());
    for above in [&owner, &stage.raised.me.clone()] {
        let outcome = stage.moderator.posts(room, kick(above)).await;
        assert_eq!(outcome, Some(RefusalCode::Outranked), "{above:?}");
    }
    let own = stage.moderator.posts(room, kick(&moderator)).await;
    assert_eq!(own, Some(RefusalCode::ToSelf));
    // Nobody is made an owner, and nobody speaks for the server.
    let crowned = ruling(&moderator, Ruling::Role(Role::Owner));
    let outcome = stage.owner.posts(room, crowned).await;
    assert_eq!(outcome, Some(RefusalCode::Malformed));
    for body in [Body::Created, Body::Joined(Role::Owner), Body::Unknown(7)] {
        let outcome = stage.owner.posts(room, body).await;
        assert_eq!(outcome, Some(RefusalCode::Malformed));
    }
    // What changes nothing is said so.
    let again = ruling(&moderator, Ruling::Role(Role::Moderator));
    let outcome = stage.owner.posts(room, again).await;
    assert_eq!(outcome, Some(RefusalCode::NoEffect));
    let somebody = Author {
        id: IdentityId::new([99; 16]),
        name: "nobody".into(),
    };
    let outcome = stage.owner.posts(room, kick(&somebody)).await;
    assert_eq!(outcome, Some(RefusalCode::PersonUnknown));
}

#[tokio::test(start_paused = true)]
async fn what_was_said_is_edited_by_its_author_alone_and_deleted_by_moderators_too() {
    let mut stage = Stage::of(RoomKind::Public).await;
    let room = stage.room;
    let edit = |target| Body::Amendment {
        target,
        what: Amendment::Edit("mine now".into()),
    };
    let erase = |target| Body::Amendment {
        target,
        what: Amendment::Erase,
    };
    let react = |target, emoji: &str| Body::Amendment {
        target,
        what: Amendment::React {
            emoji: emoji.into(),
            is_on: true,
        },
    };
    let said = stage.member.says(room).await;
    for actor in [Actor::Owner, Actor::Moderator] {
        let outcome = stage.actor(actor).posts(room, edit(said)).await;
        assert_eq!(outcome, Some(RefusalCode::NotYours), "{actor:?}");
    }
    let outcome = stage.plain.posts(room, erase(said)).await;
    assert_eq!(outcome, Some(RefusalCode::NotAllowed));
    // Who is muted neither edits nor reacts, and may take back what they said before.
    let before = stage.plain.says(room).await;
    let muted = ruling(&stage.plain.me, Ruling::Muted { until: Until::Ever });
    assert_eq!(stage.owner.posts(room, muted).await, None);
    for body in [edit(before), react(said, "👍")] {
        let outcome = stage.plain.posts(room, body).await;
        assert_eq!(outcome, Some(RefusalCode::Muted));
    }
    assert_eq!(stage.plain.posts(room, erase(before)).await, None);
    for wrong in ["", "a", "1", "汉", "👍👍", ":+1:", " "] {
        let outcome = stage.member.posts(room, react(said, wrong)).await;
        assert_eq!(outcome, Some(RefusalCode::EmojiInvalid), "{wrong:?}");
    }
    for right in ["👍🏽", "❤️", "👨‍👩‍👧‍👦", "🇨🇳"] {
        assert_eq!(stage.member.posts(room, react(said, right)).await, None);
    }
    assert_eq!(stage.moderator.posts(room, erase(said)).await, None);
    // What is deleted, was never said or is not there cannot be amended.
    for target in [said, Seq(1), Seq(9999)] {
        for body in [edit(target), erase(target), react(target, "👍")] {
            let outcome = stage.member.posts(room, body).await;
            assert_eq!(outcome, Some(RefusalCode::TargetUnknown), "{target}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_muted_read_and_do_not_speak_and_time_sets_them_free() {
    let mut stage = Stage::of(RoomKind::Public).await;
    let room = stage.room;
    let says = || Body::Text("hi".into());
    let outcome = stage.muted.posts(room, says()).await;
    assert_eq!(outcome, Some(RefusalCode::Muted));
    let follow = Request::Follow { room, cursor: None };
    assert_eq!(stage.muted.asks(follow).await, None);
    // A time that is over when it is said sets free at once: the log's own clock counts, and nobody's here.
    let past = Until::At(1);
    let muted = ruling(&stage.plain.me, Ruling::Muted { until: past });
    assert_eq!(stage.moderator.posts(room, muted).await, None);
    assert_eq!(stage.plain.posts(room, says()).await, None);
    let banned = ruling(
        &stage.plain.me,
        Ruling::Banned {
            until: past,
            reason: String::new(),
        },
    );
    assert_eq!(stage.moderator.posts(room, banned).await, None);
    assert_eq!(stage.plain.joins(room).await, None, "it is over");
}

#[tokio::test(start_paused = true)]
async fn roles_belong_to_identities_and_come_back_with_those_who_left_by_themselves() {
    let mut stage = Stage::of(RoomKind::Private).await;
    let room = stage.room;
    assert_eq!(stage.owner.asks(Request::Leave(room)).await, None);
    assert_eq!(stage.owner.joins(room).await, None, "without an invitation");
    let topic = Body::Topic("mine still".into());
    assert_eq!(stage.owner.posts(room, topic).await, None);
    let close = stage.owner.posts(room, Body::Closed).await;
    assert_eq!(close, None, "an owner as before");
}
