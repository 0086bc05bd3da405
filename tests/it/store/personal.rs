//! What a store keeps for one person: read positions, mentions, status and notification settings.

use std::sync::Arc;

use tchat::chat::{
    Amendment, Author, Body, Changes, ClientId, ConversationStatus, Entry, IdentityId, InstanceId,
    Level, Presence, Role, RoomId, RoomKind, Ruling, Search, Seq, Settings, Standing, Status,
    Unread, UserName, Via,
};
use tchat::server::store::{
    Append, IdentityRecord, PageLimit, PersonalChange, RoomRecord, SearchLimit, Span, Store,
};

use super::{ANN, BEN, entry, made, members, seen, taken};

const CAY: IdentityId = IdentityId::new([3; 16]);

pub async fn contract(store: &dyn Store) {
    reads_and_mentions(store).await;
    settings(store).await;
    people(store).await;
    conversations(store).await;
}

/// A message in a room that mentions these people.
fn says(room: &RoomRecord, seq: u64, by: IdentityId, calls: &[IdentityId]) -> Entry {
    Entry {
        author: Author {
            id: by,
            name: "somebody".into(),
        },
        mentions: calls.to_vec(),
        ..entry(room, seq, Body::Text(format!("said {seq}")))
    }
}

async fn append(store: &dyn Store, room: &RoomRecord, entries: Vec<Entry>, changes: Changes) {
    let last = entries.last().map_or(1, |entry| entry.seq.0);
    let append = Append {
        room: room.id,
        at: taken(last),
        entries: Arc::new(entries),
        changes,
    };
    store.append(append).await.unwrap();
}

async fn unread(store: &dyn Store, room: &RoomRecord, read: u64, last: u64) -> (u32, u32) {
    let unread = store
        .unread(room.id, BEN, Seq(read), Seq(last))
        .await
        .unwrap();
    assert_eq!(unread.read, Seq(read));
    (unread.messages, unread.mentions)
}

async fn reads_and_mentions(store: &dyn Store) {
    let room = made(store, 51, "reading").await;
    let (all, none) = ([IdentityId::EVERYBODY], []);
    let said = vec![
        says(&room, 2, ANN, &none),
        says(&room, 3, ANN, &[BEN]),
        says(&room, 4, BEN, &[ANN]),
        says(&room, 5, CAY, &all),
        // Two mentions of the same person in a message count once.
        says(&room, 6, ANN, &[BEN, IdentityId::EVERYBODY]),
    ];
    append(store, &room, said, Changes::default()).await;
    // Own messages do not count for their author, and system entries count for nobody.
    assert_eq!(unread(store, &room, 0, 6).await, (4, 3));
    assert_eq!(unread(store, &room, 2, 5).await, (2, 2));
    assert_eq!(unread(store, &room, 6, 6).await, (0, 0));
    let page = store
        .page(room.id, Span::After(Seq(2)), PageLimit::PAGE)
        .await
        .unwrap();
    let calls: Vec<usize> = page.iter().map(|entry| entry.mentions.len()).collect();
    assert_eq!(calls, [1, 1, 1, 2], "pages have the mentions");
    assert_eq!(
        store.entries_at(room.id, vec![Seq(3)]).await.unwrap()[0].mentions,
        [BEN]
    );
    let called = |found: Vec<Entry>| found.iter().map(|it| it.seq.0).collect::<Vec<_>>();
    assert_eq!(called(store.mentions_of(BEN, 10).await.unwrap()), [6, 5, 3]);
    assert_eq!(called(store.mentions_of(BEN, 2).await.unwrap()), [6, 5]);
    let of_others = store.mentions_of(CAY, 10).await.unwrap();
    assert!(of_others.is_empty(), "not a member");

    // Deleted messages mention nobody.
    let what = Amendment::Erase;
    let erased = entry(
        &room,
        7,
        Body::Amendment {
            target: Seq(3),
            what,
        },
    );
    append(store, &room, vec![erased], Changes::default()).await;
    assert_eq!(unread(store, &room, 0, 7).await, (3, 2));
    assert_eq!(called(store.mentions_of(BEN, 10).await.unwrap()), [6, 5]);

    // An edit removes the mentions of the old text and adds those of the new one.
    let edit = |seq, target, calls: &[IdentityId]| {
        let what = Amendment::Edit(format!("edited by {seq}"));
        let target = Seq(target);
        Entry {
            mentions: calls.to_vec(),
            ..entry(&room, seq, Body::Amendment { target, what })
        }
    };
    let edits = vec![edit(8, 6, &none), edit(9, 2, &[BEN])];
    append(store, &room, edits, Changes::default()).await;
    assert_eq!(unread(store, &room, 0, 9).await, (3, 2));
    assert_eq!(
        unread(store, &room, 2, 9).await,
        (2, 1),
        "an edit is not a message"
    );
    assert_eq!(called(store.mentions_of(BEN, 10).await.unwrap()), [5, 2]);
    let page = store
        .page(room.id, Span::After(Seq(7)), PageLimit::PAGE)
        .await
        .unwrap();
    assert_eq!(page[1].mentions, [BEN], "catching up includes it");
    let back = vec![edit(10, 6, &[BEN]), edit(11, 2, &none)];
    append(store, &room, back, Changes::default()).await;
    assert_eq!(called(store.mentions_of(BEN, 10).await.unwrap()), [6, 5]);

    // Messages of ignored people are not counted.
    let ignore = PersonalChange::Ignore(CAY);
    store.change_personal(BEN, ignore).await.unwrap();
    assert_eq!(unread(store, &room, 0, 11).await, (2, 1));
    assert_eq!(called(store.mentions_of(BEN, 10).await.unwrap()), [6]);
    store
        .change_personal(BEN, PersonalChange::Unignore(CAY))
        .await
        .unwrap();

    // Read positions only rise, and only members have one.
    let read = async |who| store.read_position(room.id, who).await.unwrap().0;
    assert_eq!(
        (read(ANN).await, read(BEN).await),
        (1, 0),
        "the creator has read it"
    );
    let marks = vec![(room.id, BEN, Seq(5)), (room.id, CAY, Seq(5))];
    store.mark_read(marks).await.unwrap();
    store.mark_read(vec![(room.id, BEN, Seq(4))]).await.unwrap();
    assert_eq!((read(BEN).await, read(CAY).await), (5, 0));
    // A joining member has read everything before, also when they return.
    let joined = Entry {
        author: Author {
            id: CAY,
            name: "cay".into(),
        },
        ..entry(&room, 12, Body::Joined(Role::Member))
    };
    append(
        store,
        &room,
        vec![joined],
        members([(CAY, Some(Role::Member))]),
    )
    .await;
    assert_eq!(read(CAY).await, 12);
    let left = Entry {
        author: Author {
            id: BEN,
            name: "ben".into(),
        },
        ..entry(&room, 13, Body::Left)
    };
    append(store, &room, vec![left], members([(BEN, None)])).await;
    assert_eq!(read(BEN).await, 0);
    assert!(store.mentions_of(BEN, 10).await.unwrap().is_empty());

    // Counting stops at a maximum.
    let many = (14..=1200).map(|seq| says(&room, seq, ANN, &all)).collect();
    append(store, &room, many, Changes::default()).await;
    assert_eq!(
        unread(store, &room, 0, 1200).await,
        (Unread::LIMIT, Unread::LIMIT)
    );
    store.trim(room.id, Seq(1190)).await.unwrap();
    assert_eq!(unread(store, &room, 0, 1200).await, (11, 11));
}

async fn settings(store: &dyn Store) {
    let room = made(store, 52, "levels").await;
    let change = async |change| store.change_personal(ANN, change).await.unwrap();
    let record = |id, name: &str| IdentityRecord {
        id,
        name: UserName::new(name).unwrap(),
        via: Via::Tchat,
    };
    store
        .put_identity(record(ANN, "安"), seen(7))
        .await
        .unwrap();
    store
        .put_identity(record(BEN, "ben"), seen(8))
        .await
        .unwrap();
    assert_eq!(
        store.personal(ANN).await.unwrap().settings,
        Settings::default()
    );
    let status = Status {
        is_away: true,
        text: "午饭".into(),
    };
    change(PersonalChange::Status(status.clone())).await;
    change(PersonalChange::Ignore(BEN)).await;
    change(PersonalChange::Ignore(BEN)).await;
    change(PersonalChange::Level(room.id, Some(Level::All))).await;
    change(PersonalChange::Level(room.id, Some(Level::Nothing))).await;
    let words = vec!["deploy".to_owned(), "部署".to_owned()];
    change(PersonalChange::Keywords(words.clone())).await;
    // A rename does not change the settings.
    store
        .put_identity(record(ANN, "安安"), seen(9))
        .await
        .unwrap();
    let kept = store.personal(ANN).await.unwrap();
    assert_eq!((kept.status, kept.seen_ms), (status, 9));
    let ben = Author {
        id: BEN,
        name: "ben".into(),
    };
    assert_eq!(kept.settings.ignored, [ben]);
    assert_eq!(kept.settings.levels, [(room.id, Level::Nothing)]);
    assert_eq!(kept.settings.keywords, words);
    change(PersonalChange::Unignore(BEN)).await;
    change(PersonalChange::Level(room.id, None)).await;
    change(PersonalChange::Keywords(Vec::new())).await;
    assert_eq!(
        store.personal(ANN).await.unwrap().settings,
        Settings::default()
    );
    // Other people's settings are unaffected.
    assert_eq!(
        store.personal(BEN).await.unwrap().settings,
        Settings::default()
    );
    assert_eq!(store.personal(CAY).await.unwrap().status, Status::default());
}

async fn people(store: &dyn Store) {
    let room = made(store, 53, "people").await;
    let here = store.recently_present(room.id, 10).await.unwrap();
    let of: Vec<_> = here.iter().map(|it| (it.id, it.role)).collect();
    assert_eq!(
        of,
        [(ANN, Role::Owner), (BEN, Role::Member)],
        "the latest first"
    );
    assert_eq!(here[0].status, "午饭");
    assert!(here.iter().all(|it| it.presence == Presence::Offline));
    assert_eq!(store.recently_present(room.id, 1).await.unwrap().len(), 1);

    let invited = |n: u64| {
        let cay = Author {
            id: CAY,
            name: "cay".into(),
        };
        let entry = entry(&room, n, Body::Ruling(cay, Ruling::Invited));
        let standing = Standing {
            is_invited: true,
            ..Standing::default()
        };
        let changes = Changes {
            standings: [(CAY, standing)].into(),
            ..Changes::default()
        };
        (vec![entry], changes)
    };
    assert_eq!(store.invitations(CAY).await.unwrap(), []);
    let (entries, changes) = invited(2);
    append(store, &room, entries, changes).await;
    let rooms = store.invitations(CAY).await.unwrap();
    assert_eq!(rooms.iter().map(|it| it.id).collect::<Vec<_>>(), [room.id]);
    let cleared = Changes {
        standings: [(CAY, Standing::default())].into(),
        ..Changes::default()
    };
    append(
        store,
        &room,
        vec![entry(&room, 3, Body::Text("in".into()))],
        cleared,
    )
    .await;
    assert_eq!(store.invitations(CAY).await.unwrap(), []);
}

/// The status of a conversation for each of its two people, and blocked people.
async fn conversations(store: &dyn Store) {
    use ConversationStatus::{Declined, Left, Open, Request, Unsent};
    let conversation = RoomRecord {
        id: RoomId::new([54; 16]),
        kind: RoomKind::Conversation,
        name: String::new(),
        key: None,
        pair: Some((BEN, CAY)),
        ..made(store, 55, "beside").await
    };
    let created = Append {
        room: conversation.id,
        at: taken(1),
        entries: Arc::new(vec![entry(&conversation, 1, Body::Created)]),
        changes: Changes {
            request_to: Some(CAY),
            ..members([(BEN, Some(Role::Member)), (CAY, Some(Role::Member))])
        },
    };
    store
        .create_room(conversation.clone(), created)
        .await
        .unwrap();
    let sides = async || {
        let sides = store.conversation_sides(conversation.id).await.unwrap();
        sides
            .unwrap()
            .map(|it| (it.person, it.status, it.request, it.blocks))
    };
    let new = [(BEN, Open, None, false), (CAY, Unsent, None, false)];
    assert_eq!(sides().await, new);
    assert_eq!(store.conversations_of(BEN).await.unwrap(), []);
    let change = async |status, request| {
        let change = PersonalChange::Conversation(conversation.id, status, request);
        store.change_personal(CAY, change).await.unwrap();
        store.conversations_of(CAY).await.unwrap()
    };
    let request = ClientId {
        instance: InstanceId::new([9; 16]),
        counter: 4,
    };
    let listed = change(Request, Some(request)).await;
    assert_eq!(listed, [(conversation.id, Request)]);
    assert_eq!(sides().await[1], (CAY, Request, Some(request), false));
    // What a request says is found only once it is accepted.
    let said = says(&conversation, 2, BEN, &[CAY]);
    append(store, &conversation, vec![said], Changes::default()).await;
    let finds = async || {
        let search = Search {
            phrases: vec!["said".into()],
            rooms: vec![conversation.id],
            ..Search::default()
        };
        let found = store.search(CAY, search, SearchLimit::entries(9)).await;
        let mentions = store.mentions_of(CAY, 10_000).await.unwrap();
        let mentions = mentions.iter().filter(|it| it.room == conversation.id);
        (found.unwrap().entries.len(), mentions.count())
    };
    assert_eq!(finds().await, (0, 0));
    for status in [Declined, Left] {
        assert_eq!(change(status, None).await, [(conversation.id, status)]);
    }
    assert_eq!(finds().await, (1, 1), "a conversation that was left");
    assert_eq!(change(Open, None).await, []);
    assert_eq!(finds().await, (1, 1));

    let block = PersonalChange::Block(BEN);
    store.change_personal(CAY, block).await.unwrap();
    let settings = store.personal(CAY).await.unwrap().settings;
    assert!(settings.blocks(BEN) && settings.ignores(BEN));
    assert!(sides().await[1].3 && !sides().await[0].3);
    // To ignore them as well changes nothing; to stop ignoring them stops both.
    store
        .change_personal(CAY, PersonalChange::Ignore(BEN))
        .await
        .unwrap();
    assert!(store.personal(CAY).await.unwrap().settings.blocks(BEN));
    store
        .change_personal(CAY, PersonalChange::Unignore(BEN))
        .await
        .unwrap();
    let settings = store.personal(CAY).await.unwrap().settings;
    assert!(!settings.blocks(BEN) && !settings.ignores(BEN));

    let other = made(store, 56, "other").await;
    assert_eq!(store.conversation_sides(other.id).await.unwrap(), None);
    // An invitation is listed unless it was made by somebody ignored.
    let invited = Standing {
        is_invited: true,
        invited_by: Some(BEN),
        ..Standing::default()
    };
    let changes = Changes {
        standings: [(CAY, invited)].into(),
        ..Changes::default()
    };
    let said = says(&other, 2, ANN, &[]);
    append(store, &other, vec![said], changes).await;
    assert_eq!(store.invitations(CAY).await.unwrap().len(), 1);
    store
        .change_personal(CAY, PersonalChange::Ignore(BEN))
        .await
        .unwrap();
    assert_eq!(store.invitations(CAY).await.unwrap(), []);
}
