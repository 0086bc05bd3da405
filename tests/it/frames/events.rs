//! One event of every kind, each with every field set.

use super::*;

pub(super) fn events() -> Vec<(&'static str, Event)> {
    let public = RoomInfo {
        id: ROOM,
        kind: RoomKind::Public,
        name: "general".into(),
        topic: "大家".into(),
        capacity: 20,
        present: 3,
        peer: None,
        role: None,
        rules: tchat::chat::RoomRules::default(),
        request: None,
        last: None,
    };
    let listed = RoomInfo {
        kind: RoomKind::Private,
        role: Some(Role::Moderator),
        last: Some(LastMessage {
            author: "李四".into(),
            text: "the build is green".into(),
            at_ms: 1_700_000_000_000,
        }),
        ..public.clone()
    };
    let secret = RoomInfo {
        kind: RoomKind::Secret,
        role: Some(Role::Owner),
        ..public.clone()
    };
    let private = RoomInfo {
        kind: RoomKind::Conversation,
        name: String::new(),
        peer: Some(author()),
        ..public.clone()
    };
    let person = Person {
        id: PERSON,
        name: "ben".into(),
        presence: Presence::Waiting,
        role: Role::Owner,
        via: Via::Tchat,
        status: String::new(),
    };
    let unfollowed = |why| Event::Unfollowed {
        request: 0,
        room: ROOM,
        why,
    };
    let room_changed = |room| Event::RoomChanged { request: 7, room };
    let (by, reason) = (|| "安".to_owned(), || "spam".to_owned());
    let kicked = UnfollowReason::Kicked {
        by: by(),
        reason: reason(),
    };
    let banned = UnfollowReason::Banned {
        by: by(),
        reason: reason(),
    };
    let reply = Body::Reply {
        to: Seq(299),
        text: "yes".into(),
    };
    let ruling = |ruling| entry(Body::Ruling(author(), ruling));
    let target = Seq(299);
    let amendment = |what| entry(Body::Amendment { target, what });
    let reaction = Amendment::React {
        emoji: "👍".into(),
        is_on: true,
    };
    let Event::Entry(plain) = entry(Body::Text("better".into())) else {
        panic!("an entry")
    };
    let amended = Event::Entry(Entry {
        amended: Some(Box::new(Amended {
            seq: Seq(301),
            hash: [0xD2; 32],
            is_edited: true,
            reactions: vec![Reaction {
                emoji: "👍".into(),
                people: vec![author()],
            }],
        })),
        ..plain
    });
    let welcome = Welcome {
        session: SessionId::new([0xC2; 16]),
        you: author(),
        server_id: ServerId::new([0xC3; 16]),
        protocol: 1,
        features: vec!["one".into()],
        limits: Limits::default(),
        now_ms: 1_700_000_000_000,
        rooms: vec![public.clone(), private.clone()],
        settings: Settings::default(),
        status: Status::default(),
        token: SessionToken::new([0xC4; 32]),
    };
    let challenge = Event::Challenge {
        nonce: [0xC5; 32],
        server_id: ServerId::new([0xC3; 16]),
    };
    let settings = Settings {
        ignored: vec![author()],
        levels: vec![(ROOM, Level::Nothing)],
        keywords: vec!["部署".into()],
        blocked: Vec::new(),
    };
    let status = Status {
        is_away: true,
        text: "lunch".into(),
    };
    let unread = Unread {
        read: Seq(7),
        messages: 300,
        mentions: 2,
    };
    let personal = Welcome {
        settings: settings.clone(),
        status: status.clone(),
        rooms: Vec::new(),
        ..welcome.clone()
    };
    let away = Person {
        presence: Presence::Away,
        status: "lunch".into(),
        ..person.clone()
    };
    let offline = Person {
        presence: Presence::Offline,
        ..person.clone()
    };
    let refusal = Refusal::new(RefusalCode::RateLimited)
        .with("x")
        .retry_after(Duration::from_millis(100));
    let followed = |result| Event::Followed {
        request: 5,
        room: ROOM,
        epoch: EPOCH,
        first: Seq(1),
        last: Seq(300),
        result,
        unread: Unread::default(),
    };
    let Event::Entry(plain) = entry(Body::Text("@安 @here".into())) else {
        panic!("an entry")
    };
    let calling = Event::Entry(Entry {
        mentions: vec![PERSON, IdentityId::EVERYBODY],
        ..plain
    });
    let goodbye = Goodbye {
        reason: GoodbyeReason::Draining,
        action: GoodbyeAction::Resume,
        retry_after: Some(Duration::from_millis(700)),
    };
    vec![
        ("challenge", challenge),
        ("welcome", Event::Welcome(welcome)),
        ("followed, contiguous", followed(FollowResult::Contiguous)),
        ("followed, too far", followed(FollowResult::TooFar)),
        ("followed, trimmed", followed(FollowResult::Trimmed)),
        (
            "followed, epoch changed",
            followed(FollowResult::EpochChanged),
        ),
        ("followed, ahead", followed(FollowResult::Ahead)),
        ("welcome, personal", Event::Welcome(personal)),
        (
            "followed, unread",
            Event::Followed {
                request: 5,
                room: ROOM,
                epoch: EPOCH,
                first: Seq(1),
                last: Seq(310),
                result: FollowResult::Contiguous,
                unread,
            },
        ),
        (
            "read moved",
            Event::ReadPositionChanged {
                request: 9,
                room: ROOM,
                epoch: EPOCH,
                last: Seq(310),
                unread,
            },
        ),
        (
            "status changed",
            Event::StatusChanged { request: 9, status },
        ),
        (
            "is typing",
            Event::Typing {
                room: ROOM,
                person: PERSON,
            },
        ),
        (
            "profile",
            Event::Profile {
                request: 9,
                profile: Profile {
                    person: away.clone(),
                    seen_ms: Some(1_700_000_000_000),
                    rooms: vec![public.clone()],
                },
            },
        ),
        (
            "settings changed",
            Event::SettingsChanged {
                request: 9,
                settings: settings.clone(),
            },
        ),
        (
            "invitation",
            Event::Invitation {
                room: public.clone(),
                by: Some(author()),
            },
        ),
        ("entry, calling", calling),
        (
            "roster, away and offline",
            Event::RosterPage {
                room: ROOM,
                is_first: true,
                is_last: true,
                people: vec![away, offline],
                count: 1,
            },
        ),
        (
            "gap",
            Event::Gap {
                room: ROOM,
                from: Seq(2),
                to: Seq(100),
            },
        ),
        (
            "unfollowed",
            Event::Unfollowed {
                request: 6,
                room: ROOM,
                why: UnfollowReason::Left,
            },
        ),
        ("unfollowed, kicked", unfollowed(kicked)),
        ("unfollowed, banned", unfollowed(banned)),
        ("unfollowed, closed", unfollowed(UnfollowReason::Closed)),
        ("room, private", room_changed(listed)),
        (
            "room, a request",
            room_changed(RoomInfo {
                request: Some(RequestDirection::Incoming),
                ..private.clone()
            }),
        ),
        (
            "room, our request",
            room_changed(RoomInfo {
                request: Some(RequestDirection::Outgoing),
                ..private.clone()
            }),
        ),
        (
            "settings, with a blocked person",
            Event::SettingsChanged {
                request: 7,
                settings: Settings {
                    blocked: vec![PERSON],
                    ..settings.clone()
                },
            },
        ),
        ("room, secret", room_changed(secret)),
        ("entry, joined as owner", entry(Body::Joined(Role::Owner))),
        ("entry, topic", entry(Body::Topic("all about it".into()))),
        (
            "entry, rules",
            entry(Body::Rules(tchat::chat::RoomRules {
                slow_s: 30,
                is_read_only: true,
            })),
        ),
        ("entry, closed", entry(Body::Closed)),
        ("entry, new key", entry(Body::NewKey)),
        ("entry, reply", entry(reply)),
        ("entry, edited", amendment(Amendment::Edit("better".into()))),
        ("entry, deleted", amendment(Amendment::Erase)),
        ("entry, reacted", amendment(reaction)),
        ("entry, erased", entry(Body::Erased([0xD1; 32]))),
        ("entry, damaged", entry(Body::Damaged([0xD4; 32]))),
        ("entry, as amended so far", amended),
        ("entry, invited", ruling(Ruling::Invited)),
        ("entry, role", ruling(Ruling::Role(Role::Moderator))),
        (
            "entry, kicked",
            ruling(Ruling::Kicked {
                reason: "spam".into(),
            }),
        ),
        (
            "entry, banned",
            ruling(Ruling::Banned {
                until: Until::At(1_700_000_000_000),
                reason: "more spam".into(),
            }),
        ),
        ("entry, unbanned", ruling(Ruling::Unbanned)),
        (
            "entry, muted",
            ruling(Ruling::Muted {
                until: Until::Forever,
            }),
        ),
        ("entry, unmuted", ruling(Ruling::Unmuted)),
        ("entry, text", entry(Body::Text("hi 世界".into()))),
        ("entry, action", entry(Body::Action("waves".into()))),
        ("entry, created", entry(Body::Created)),
        ("entry, joined", entry(Body::Joined(Role::Member))),
        ("entry, left", entry(Body::Left)),
        ("entry, renamed", entry(Body::Renamed("安".into()))),
        (
            "accepted",
            Event::Accepted {
                client_id: POST,
                room: ROOM,
                epoch: EPOCH,
                seq: Some(Seq(300)),
            },
        ),
        (
            "accepted before",
            Event::Accepted {
                client_id: POST,
                room: ROOM,
                epoch: EPOCH,
                seq: None,
            },
        ),
        (
            "refused",
            Event::Refused {
                request: 0,
                client_id: Some(POST),
                refusal,
            },
        ),
        (
            "room changed",
            Event::RoomChanged {
                request: 7,
                room: public,
            },
        ),
        (
            "conversation changed",
            Event::RoomChanged {
                request: 0,
                room: private,
            },
        ),
        (
            "roster page",
            Event::RosterPage {
                room: ROOM,
                is_first: true,
                is_last: false,
                people: vec![person.clone()],
                count: 9,
            },
        ),
        (
            "roster delta",
            Event::RosterDelta {
                room: ROOM,
                updated: vec![person],
                removed: vec![PERSON],
                count: 8,
            },
        ),
        (
            "named",
            Event::NameChanged {
                request: 8,
                you: author(),
            },
        ),
        (
            "pong",
            Event::Pong {
                request: 9,
                now_ms: 1_700_000_000_000,
                heads: Vec::new(),
            },
        ),
        (
            "pong with heads",
            Event::Pong {
                request: 9,
                now_ms: 1_700_000_000_000,
                heads: vec![Head {
                    room: ROOM,
                    epoch: EPOCH,
                    last: Seq(300),
                }],
            },
        ),
        ("goodbye", Event::Goodbye(goodbye)),
        (
            "goodbye, revoked",
            Event::Goodbye(Goodbye {
                reason: GoodbyeReason::Revoked,
                action: GoodbyeAction::Stop,
                retry_after: None,
            }),
        ),
        (
            "device added",
            Event::DeviceAdded {
                name: "平板".into(),
                from: "192.0.2.7".into(),
            },
        ),
    ]
}
