//! Room permissions: every command by every kind of person, sent by a client that checks nothing itself.

mod fixture;
mod secret;

use std::collections::BTreeSet;

use tchat::chat::{
    Amendment, Author, Body, ClientId, IdentityId, InstanceId, NewRoom, Recipient, RefusalCode,
    Role, RoomInfo, RoomKind, Ruling, Seq, Until,
};
use tchat::tui::input::command::{COMMANDS, CommandName};
use tchat::wire::{Event, JoinTarget, Request, UnfollowReason, entry_from};

use self::fixture::{ACTORS, Actor, Fixture, Outcome, TestPerson, ruling};

/// A command and its outcome for each actor, in the order of [`ACTORS`].
struct Row {
    name: CommandName,
    outcomes: [Outcome; 5],
}

/// The outcomes in a public room.
fn table() -> Vec<Row> {
    use RefusalCode::{Banned, NotAMember, NotAllowed};
    let ok: Outcome = None;
    let (not_in, not_allowed) = (Some(NotAMember), Some(NotAllowed));
    let everybody = [ok; 5];
    let members = [ok, ok, ok, not_in, not_in];
    let moderators = [ok, ok, not_allowed, not_in, not_in];
    let owners = [ok, not_allowed, not_allowed, not_in, not_in];
    // Of a call, everybody else learns the same.
    let lists = [ok, ok, not_allowed, not_allowed, not_allowed];
    let row = |name, outcomes| Row { name, outcomes };
    vec![
        row(CommandName::Join, [ok, ok, ok, ok, Some(Banned)]),
        row(CommandName::Leave, members),
        row(CommandName::Rooms, everybody),
        row(CommandName::Create, everybody),
        row(CommandName::Msg, everybody),
        row(CommandName::Nick, everybody),
        row(CommandName::Me, members),
        row(CommandName::Reply, members),
        row(CommandName::Edit, members),
        row(CommandName::React, members),
        row(CommandName::Away, everybody),
        row(CommandName::Back, everybody),
        row(CommandName::Status, everybody),
        row(CommandName::Whois, everybody),
        row(CommandName::Mentions, everybody),
        row(CommandName::Search, everybody),
        row(CommandName::Ignore, everybody),
        row(CommandName::Unignore, everybody),
        row(CommandName::Block, everybody),
        row(CommandName::Unblock, everybody),
        // Removed members may read up to their removal, and so may set a notification level.
        row(CommandName::Notify, [ok, ok, ok, not_in, ok]),
        row(CommandName::Keywords, everybody),
        row(CommandName::Who, members),
        // Being the owner of a room gives no rights on the server.
        row(CommandName::InviteLink, [not_allowed; 5]),
        row(CommandName::Admin, [not_allowed; 5]),
        row(CommandName::Devices, everybody),
        row(CommandName::Account, everybody),
        row(CommandName::Delete, owners),
        row(CommandName::Topic, moderators),
        row(CommandName::Invite, members),
        row(CommandName::Op, owners),
        row(CommandName::Deop, owners),
        row(CommandName::Kick, moderators),
        row(CommandName::Ban, moderators),
        row(CommandName::Unban, moderators),
        row(CommandName::Mute, moderators),
        row(CommandName::Unmute, moderators),
        row(CommandName::Slow, moderators),
        row(CommandName::ReadOnly, moderators),
        row(CommandName::Log, lists),
        row(CommandName::Bans, lists),
    ]
}

/// Commands that send no request to the server, or only if there is a message request.
const LOCAL: [CommandName; 17] = [
    CommandName::Requests,
    CommandName::Accept,
    CommandName::Decline,
    CommandName::History,
    CommandName::Select,
    CommandName::Do,
    CommandName::Pick,
    CommandName::Draft,
    CommandName::Set,
    CommandName::Typing,
    CommandName::Help,
    CommandName::Clear,
    CommandName::Theme,
    CommandName::Link,
    CommandName::Connect,
    CommandName::Disconnect,
    CommandName::Quit,
];

#[test]
fn every_command_has_a_row_in_the_table() {
    let rows = table().into_iter().map(|row| row.name);
    let known: BTreeSet<String> = rows.chain(LOCAL).map(|name| format!("{name:?}")).collect();
    let all = COMMANDS.iter().map(|known| format!("{:?}", known.name));
    assert_eq!(known, all.collect());
}

#[tokio::test(start_paused = true)]
async fn everybody_may_do_exactly_what_the_table_allows() {
    for row in table() {
        for (actor, expected) in ACTORS.into_iter().zip(row.outcomes) {
            let mut stage = Fixture::of(RoomKind::Public).await;
            // Removed members may read up to their removal, and get the reason.
            let is_put_out = actor == Actor::Banned && row.name == CommandName::Who;
            let expected = if is_put_out { None } else { expected };
            let outcome = stage.sends_command(actor, row.name).await;
            assert_eq!(outcome, expected, "{:?} by {actor:?}", row.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn private_and_secret_rooms_refuse_people_without_an_invitation() {
    for (kind, refusal) in [
        (RoomKind::Private, RefusalCode::NotInvited),
        (RoomKind::Secret, RefusalCode::RoomUnknown),
    ] {
        let mut stage = Fixture::of(kind).await;
        let room = stage.room;
        assert_eq!(stage.outsider.joins(room).await, Some(refusal), "{kind:?}");
        let by_name = Request::Join(JoinTarget::Name("dev".into()));
        assert_eq!(stage.outsider.asks(by_name).await, Some(refusal));
        // Members may not invite in these rooms.
        let invited = ruling(&stage.outsider.me, Ruling::Invited);
        let outcome = stage.member.posts(room, invited.clone()).await;
        assert_eq!(outcome, Some(RefusalCode::NotAllowed));
        assert_eq!(stage.moderator.posts(room, invited).await, None);
        assert_eq!(stage.outsider.joins(room).await, None);
        // An invitation can be used once.
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
async fn rooms_are_listed_only_to_people_who_may_know_them() {
    for (kind, is_listed) in [
        (RoomKind::Public, true),
        (RoomKind::Private, true),
        (RoomKind::Secret, false),
    ] {
        let mut stage = Fixture::of(kind).await;
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
        assert_eq!(dev(stage.owner.lists().await), None, "it is gone");
        let joined = stage.outsider.joins(stage.room).await;
        assert_eq!(joined, Some(RefusalCode::RoomUnknown));
        // The name is free again, and a new room with it is another room.
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
async fn kicked_members_can_read_up_to_the_kick_and_get_the_reason() {
    let mut stage = Fixture::of(RoomKind::Public).await;
    let room = stage.room;
    let follow = Request::Follow { room, cursor: None };
    // One member follows live, the other is offline when it happens.
    assert_eq!(stage.plain.asks(follow.clone()).await, None);
    let kick = |person: &Author| {
        let reason = "spam".to_owned();
        ruling(person, Ruling::Kicked { reason })
    };
    let says = |text: &str| Body::Text(text.into());
    assert_eq!(stage.owner.posts(room, says("before")).await, None);
    let last = stage.owner.pages(room).await.unwrap().pop().unwrap();
    // All posts in one batch, so that entries after the kick must be cut off.
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
    let until_put_out = async |one: &mut TestPerson| {
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
    // A kicked member cannot post, but may join again.
    let outcome = stage.plain.posts(room, says("?")).await;
    assert_eq!(outcome, Some(RefusalCode::NotAMember));
    assert_eq!(stage.plain.joins(room).await, None);
    assert_eq!(stage.plain.posts(room, says("back")).await, None);
    // After that the kick is forgotten: a member who leaves by themselves may read nothing.
    assert_eq!(stage.plain.asks(Request::Leave(room)).await, None);
    assert_eq!(stage.plain.pages(room).await, None);
}

#[tokio::test(start_paused = true)]
async fn banned_people_see_nothing_of_a_room_and_kicked_ones_nothing_later_than_the_kick() {
    let mut stage = Fixture::of(RoomKind::Public).await;
    let room = stage.room;
    let said = stage.owner.posts_message(room).await;
    let dev = |rooms: Vec<RoomInfo>| rooms.into_iter().find(|it| it.name == "dev").unwrap();
    let last = dev(stage.outsider.rooms().await).last.map(|it| it.text);
    assert_eq!(last.as_deref(), Some("said"));
    assert_eq!(dev(stage.banned.rooms().await).last, None);
    // Edits and reactions after a kick are not sent to the kicked member.
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
async fn members_who_left_are_still_protected_by_their_role() {
    let mut stage = Fixture::of(RoomKind::Public).await;
    let room = stage.room;
    assert_eq!(stage.owner.asks(Request::Leave(room)).await, None);
    let ban = ruling(
        &stage.owner.me,
        Ruling::Banned {
            until: Until::Forever,
            reason: String::new(),
        },
    );
    let outcome = stage.moderator.posts(room, ban).await;
    assert_eq!(outcome, Some(RefusalCode::Outranked));
    assert_eq!(stage.owner.joins(room).await, None);
    // A moderator who has left can be made a member again.
    assert_eq!(
        stage.second_moderator.asks(Request::Leave(room)).await,
        None
    );
    let member = ruling(&stage.second_moderator.me, Ruling::Role(Role::Member));
    assert_eq!(stage.owner.posts(room, member).await, None);
    assert_eq!(stage.second_moderator.joins(room).await, None);
    let topic = Body::Topic("mine?".into());
    let outcome = stage.second_moderator.posts(room, topic).await;
    assert_eq!(outcome, Some(RefusalCode::NotAllowed));
}

#[tokio::test(start_paused = true)]
async fn an_entry_has_at_most_32_different_reactions() {
    let mut stage = Fixture::of(RoomKind::Public).await;
    let room = stage.room;
    let target = stage.member.posts_message(room).await;
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
    assert_eq!(outcome, None, "one that exists");
}

#[tokio::test(start_paused = true)]
async fn a_post_to_a_closed_room_is_refused() {
    let mut stage = Fixture::of(RoomKind::Public).await;
    let room = stage.room;
    assert_eq!(stage.owner.posts(room, Body::Closed).await, None);
    let says = || Body::Text("hello?".into());
    let outcome = stage.member.posts(room, says()).await;
    assert_eq!(outcome, Some(RefusalCode::RoomClosed));
    // Also after the room was unloaded because nobody used it.
    for _ in 0..30 {
        tokio::time::sleep(std::time::Duration::from_secs(25)).await;
        stage.member.raw.ask(0, Request::Ping).await;
    }
    let outcome = stage.member.posts(room, says()).await;
    assert_eq!(outcome, Some(RefusalCode::RoomUnknown));
}

#[tokio::test(start_paused = true)]
async fn nobody_may_moderate_themselves_or_people_of_equal_or_higher_role() {
    let mut stage = Fixture::of(RoomKind::Public).await;
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
    for above in [&owner, &stage.second_moderator.me.clone()] {
        let outcome = stage.moderator.posts(room, kick(above)).await;
        assert_eq!(outcome, Some(RefusalCode::Outranked), "{above:?}");
    }
    let own = stage.moderator.posts(room, kick(&moderator)).await;
    assert_eq!(own, Some(RefusalCode::ToSelf));
    // Nobody can be made an owner, and nobody can post system entries.
    let crowned = ruling(&moderator, Ruling::Role(Role::Owner));
    let outcome = stage.owner.posts(room, crowned).await;
    assert_eq!(outcome, Some(RefusalCode::Malformed));
    for body in [Body::Created, Body::Joined(Role::Owner), Body::Unknown(7)] {
        let outcome = stage.owner.posts(room, body).await;
        assert_eq!(outcome, Some(RefusalCode::Malformed));
    }
    // A ruling without an effect is refused.
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
async fn only_the_author_may_edit_a_message_and_moderators_may_also_delete_it() {
    let mut stage = Fixture::of(RoomKind::Public).await;
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
    let said = stage.member.posts_message(room).await;
    for actor in [Actor::Owner, Actor::Moderator] {
        let outcome = stage.actor(actor).posts(room, edit(said)).await;
        assert_eq!(outcome, Some(RefusalCode::NotYours), "{actor:?}");
    }
    let outcome = stage.plain.posts(room, erase(said)).await;
    assert_eq!(outcome, Some(RefusalCode::NotAllowed));
    // A muted member may not edit or react, but may delete their own messages.
    let before = stage.plain.posts_message(room).await;
    let muted = ruling(
        &stage.plain.me,
        Ruling::Muted {
            until: Until::Forever,
        },
    );
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
    // Messages that were deleted, system entries and unknown entries cannot be amended.
    for target in [said, Seq(1), Seq(9999)] {
        for body in [edit(target), erase(target), react(target, "👍")] {
            let outcome = stage.member.posts(room, body).await;
            assert_eq!(outcome, Some(RefusalCode::TargetUnknown), "{target}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn muted_members_can_read_but_not_post_until_the_mute_expires() {
    let mut stage = Fixture::of(RoomKind::Public).await;
    let room = stage.room;
    let says = || Body::Text("hi".into());
    let outcome = stage.muted.posts(room, says()).await;
    assert_eq!(outcome, Some(RefusalCode::Muted));
    let follow = Request::Follow { room, cursor: None };
    assert_eq!(stage.muted.asks(follow).await, None);
    // A mute that has already expired has no effect: the clock of the log counts, and no client's clock.
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
    assert_eq!(stage.plain.joins(room).await, None, "it expired");
}

#[tokio::test(start_paused = true)]
async fn members_who_left_get_their_role_back_when_they_return() {
    let mut stage = Fixture::of(RoomKind::Private).await;
    let room = stage.room;
    assert_eq!(stage.owner.asks(Request::Leave(room)).await, None);
    assert_eq!(stage.owner.joins(room).await, None, "without an invitation");
    let topic = Body::Topic("mine still".into());
    assert_eq!(stage.owner.posts(room, topic).await, None);
    let close = stage.owner.posts(room, Body::Closed).await;
    assert_eq!(close, None, "still the owner");
}
