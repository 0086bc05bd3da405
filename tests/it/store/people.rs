//! The contract of a store: identities, conversations and amendments.

use super::*;

pub(super) async fn amendments(store: &dyn Store) {
    let room = made(store, 30, "amended").await;
    let by = |seq, who, body| {
        let mut entry = entry(&room, seq, body);
        entry.author.id = who;
        entry
    };
    let amend = |target, what| Body::Amendment {
        target: Seq(target),
        what,
    };
    let react = |emoji: &str, is_on| Amendment::React {
        emoji: emoji.into(),
        is_on,
    };
    let text = |text: &str| Body::Text(text.into());
    let first = Body::Reply {
        to: Seq(1),
        text: "frist".into(),
    };
    let entries = vec![
        by(2, ANN, first.clone()),
        by(3, BEN, text("second")),
        by(4, ANN, amend(2, Amendment::Edit("first".into()))),
        by(5, BEN, amend(2, react("👍", true))),
        by(6, ANN, amend(2, react("🎉", true))),
        by(7, ANN, amend(2, react("👍", true))),
        by(8, BEN, amend(2, react("👍", false))),
        by(9, BEN, amend(3, Amendment::Edit("a secret".into()))),
        by(10, ANN, amend(3, react("👀", true))),
        by(11, BEN, amend(3, Amendment::Erase)),
    ];
    let hashes: Vec<_> = entries.iter().map(|entry| entry.body.hash()).collect();
    let append = Append {
        room: room.id,
        at: taken(11),
        entries: Arc::new(entries),
        changes: Changes::default(),
    };
    store.append(append).await.unwrap();
    let page = store
        .page(room.id, Span::After(Seq(1)), PageLimit::PAGE)
        .await
        .unwrap();
    let told: Vec<_> = page.iter().map(Entry::original_hash).collect();
    assert_eq!(told, hashes, "the chain covers what was posted");
    let edited = page[0].amended.as_ref().unwrap();
    assert_eq!(page[0].body, first.with_text("first").unwrap());
    assert_eq!((edited.seq, edited.is_edited), (Seq(8), true));
    let reactions: Vec<_> = edited
        .reactions
        .iter()
        .map(|it| {
            (
                it.emoji.as_str(),
                it.people.iter().map(|who| who.id).collect(),
            )
        })
        .collect();
    assert_eq!(reactions, [("🎉", vec![ANN]), ("👍", vec![ANN])]);
    assert_eq!(page[1].body, Body::Erased(hashes[1]));
    let erased = page[1].amended.as_ref().unwrap();
    assert_eq!((erased.seq, erased.reactions.len()), (Seq(11), 0));
    assert_eq!(page[7].body, Body::Erased(hashes[7]), "and its edit");
    let some = store
        .entries_at(room.id, vec![Seq(3), Seq(2), Seq(77)])
        .await;
    let mut some = some.unwrap();
    some.sort_by_key(|entry| entry.seq);
    assert_eq!(some, page[..2]);
    let said = store.last_message(room.id).await.unwrap().unwrap();
    assert_eq!(said.seq, Seq(2), "deleted entries do not count");
}

pub(super) async fn conversations(store: &dyn Store) {
    let record = RoomRecord {
        id: RoomId::new([50; 16]),
        kind: RoomKind::Conversation,
        name: String::new(),
        key: None,
        position: u32::MAX,
        pair: Some(pair(BEN, ANN)),
        ..record(50, "x")
    };
    let created = || Append {
        room: record.id,
        at: taken(1),
        entries: Arc::new(vec![entry(&record, 1, Body::Created)]),
        changes: Changes::default(),
    };
    store.create_room(record.clone(), created()).await.unwrap();
    assert_eq!(
        store.conversation(ANN, BEN).await.unwrap(),
        Some(record.clone())
    );
    assert_eq!(
        store.conversation(BEN, ANN).await.unwrap(),
        Some(record.clone())
    );
    assert_eq!(store.conversation(ANN, ANN).await.unwrap(), None);
    let again = RoomRecord {
        id: RoomId::new([51; 16]),
        ..record.clone()
    };
    let created = Append {
        room: again.id,
        at: taken(1),
        entries: Arc::new(vec![entry(&again, 1, Body::Created)]),
        changes: Changes::default(),
    };
    assert!(matches!(
        store.create_room(again, created).await,
        Err(StoreError::Conflict)
    ));
}

pub(super) async fn identities(store: &dyn Store) {
    let of = |n: u8, name: &str, via| IdentityRecord {
        id: IdentityId::new([n; 16]),
        name: UserName::new(name).unwrap(),
        via,
    };
    let (ann, ben) = (of(1, "Ann", Via::Tchat), of(2, "ben", Via::Tchat));
    store.put_identity(ann.clone(), seen(5)).await.unwrap();
    store.put_identity(ben.clone(), seen(5)).await.unwrap();
    assert_eq!(store.identity(ann.id).await.unwrap(), Some(ann.clone()));
    assert_eq!(
        store
            .identities_named(UserName::new("ANN").unwrap().key())
            .await
            .unwrap(),
        std::slice::from_ref(&ann)
    );
    // Guests of bridges are no accounts.
    let guest = of(3, "guest1", Via::Chat);
    store.put_identity(guest, seen(5)).await.unwrap();
    let names = async |now_ms| {
        let all = store.accounts(now_ms).await.unwrap();
        let of = all
            .into_iter()
            .filter(|it| [ann.id, ben.id].contains(&it.id));
        let names = of.map(|it| {
            let former = it
                .former
                .map(|(name, until_ms)| (name.to_string(), until_ms));
            (it.name.to_string(), former)
        });
        names.collect::<Vec<_>>()
    };
    let rename = async |account, kept_until_ms| {
        let change = AccountChange::Rename {
            account,
            kept_until_ms: Some(kept_until_ms),
        };
        store.change_account(change, None).await
    };
    let former = |name: &str, until_ms| Some((name.to_owned(), until_ms));
    let all = store.accounts(0).await.unwrap();
    assert!(all.iter().all(|it| it.id != IdentityId::new([3; 16])));
    assert_eq!(names(0).await, [("Ann".into(), None), ("ben".into(), None)]);
    let renamed = IdentityRecord {
        name: UserName::new("安").unwrap(),
        ..ann.clone()
    };
    rename(renamed.clone(), 900).await.unwrap();
    assert_eq!(store.identity(ann.id).await.unwrap(), Some(renamed.clone()));
    assert_eq!(store.personal(ann.id).await.unwrap().seen_ms, 5);
    assert_eq!(names(899).await[0], ("安".into(), former("Ann", 900)));
    assert_eq!(names(900).await[0], ("安".into(), None));
    // Being seen does not change the former name; another rename replaces it.
    store.put_identity(renamed.clone(), seen(6)).await.unwrap();
    assert_eq!(names(899).await[0], ("安".into(), former("Ann", 900)));
    let again = IdentityRecord {
        name: UserName::new("anna").unwrap(),
        ..renamed
    };
    rename(again, 950).await.unwrap();
    assert_eq!(names(0).await[0], ("anna".into(), former("安", 950)));
    let nobody = IdentityId::new([77; 16]);
    assert_eq!(store.messages_of(nobody).await.unwrap(), 0);
    let room = made(store, 91, "counted").await;
    let by = |seq, body| {
        let mut entry = entry(&room, seq, body);
        entry.author.id = nobody;
        entry
    };
    let said = vec![
        by(2, Body::Text("one".into())),
        by(3, Body::Left),
        by(4, Body::Action("two".into())),
    ];
    let said = Append {
        entries: Arc::new(said),
        ..append(&room, 2..=4)
    };
    store.append(said).await.unwrap();
    assert_eq!(store.messages_of(nobody).await.unwrap(), 2);
    assert_eq!(
        store
            .identities_named(UserName::new("ann").unwrap().key())
            .await
            .unwrap(),
        []
    );
    let boss = UserName::new("boss").unwrap().key();
    assert_eq!(
        store.bind_operator(boss.clone(), ann.id).await.unwrap(),
        ann.id
    );
    assert_eq!(
        store.bind_operator(boss, ben.id).await.unwrap(),
        ann.id,
        "the first holder stays"
    );
}
