//! Names: who has one, who may take one, and how a name is resolved.

use super::*;

pub(super) async fn refused_name(server: &Server, name: &str, of: &str) -> Option<RefusalCode> {
    let mut raw = Raw::open(server).await;
    raw.signs_in(1, name, &device(of)).await;
    match raw.event().await {
        Event::Welcome(_) => None,
        Event::Refused { refusal, .. } => {
            assert!(
                matches!(raw.event().await, Event::Goodbye(_)),
                "a refused hello must end the stream"
            );
            assert_eq!(raw.try_event().await, None);
            Some(refusal.code)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_is_reserved_after_a_lost_link_and_free_after_a_clean_exit() {
    let server = Server::start();
    let ann = Raw::join(&server, "ann", "general").await;
    drop(ann);
    sleep(Duration::from_secs(100)).await;
    assert_eq!(
        refused_name(&server, "Ann", "stranger").await,
        Some(RefusalCode::NameTaken)
    );
    assert_eq!(
        refused_name(&server, "ann", "ann").await,
        None,
        "its owner gets it at once"
    );
    sleep(Duration::from_secs(130)).await;
    assert_eq!(
        refused_name(&server, "ann", "stranger").await,
        None,
        "after 120 s it is free"
    );

    let (ben, _) = Raw::enter(&server, "ben").await;
    ben.ask(0, Request::Bye).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(refused_name(&server, "ben", "another").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_restarted_server_reserves_the_names_of_people_who_were_present() {
    let mut server = Server::start();
    let ann = Raw::join(&server, "ann", "general").await;
    let (ben, _) = Raw::enter(&server, "ben").await;
    ben.ask(0, Request::Bye).await;
    sleep(Duration::from_secs(1)).await;
    server.stops().await.unwrap();
    drop(ann);
    server.restarts();
    assert_eq!(
        refused_name(&server, "ann", "stranger").await,
        Some(RefusalCode::NameTaken)
    );
    assert_eq!(
        refused_name(&server, "ben", "stranger").await,
        None,
        "a clean exit frees the name"
    );
    assert_eq!(refused_name(&server, "ann", "ann").await, None);
}

#[tokio::test(start_paused = true)]
async fn each_invalid_name_is_refused_with_its_code() {
    let server = Server::start();
    let cases = [
        ("", RefusalCode::NameInvalid),
        ("a b", RefusalCode::NameInvalid),
        ("\u{1b}[31m", RefusalCode::NameInvalid),
        (&"x".repeat(33), RefusalCode::NameInvalid),
        ("admin", RefusalCode::NameReserved),
        ("系统", RefusalCode::NameReserved),
    ];
    for (name, code) in cases {
        assert_eq!(
            refused_name(&server, name, "somebody").await,
            Some(code),
            "{name:?}"
        );
    }
    assert_eq!(
        refused_name(&server, &"张".repeat(32), "somebody").await,
        None
    );
}

#[tokio::test(start_paused = true)]
async fn only_one_of_two_look_alike_names_can_be_in_use() {
    let server = Server::start();
    let mixed = refused_name(&server, "аnn", "somebody").await;
    assert_eq!(mixed, Some(RefusalCode::NameInvalid), "two scripts");
    let mut modem = server.joins("modem").await;
    let like_it = refused_name(&server, "modern", "somebody").await;
    assert_eq!(like_it, Some(RefusalCode::NameTaken));
    // The holder of one of the two may switch to the other; nobody else can take either.
    modem
        .client
        .send(Command::SetName("modern".into()))
        .unwrap();
    let is_renamed = |person: &Person, _: &_| {
        let me = person.me.as_ref()?;
        (me.name == "modern").then_some(())
    };
    modem.until("the new name", is_renamed).await;
    let first = refused_name(&server, "modem", "somebody").await;
    assert_eq!(first, Some(RefusalCode::NameTaken));
    // `@` matches the exact name and none that looks like it.
    let mut ann = server.joins("ann").await;
    ann.client.send(Command::Open("modem".into())).unwrap();
    let refused = |_: &Person, event: &tchat::client::Event| match event {
        tchat::client::Event::Refused { refusal, .. } => Some(refusal.code),
        _ => None,
    };
    let answer = ann.until("the answer", refused).await;
    assert_eq!(answer, RefusalCode::PersonUnknown);
    modem.quits().await;
    assert_eq!(refused_name(&server, "modem", "somebody").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_looks_like_an_operators_is_refused() {
    let server = Server::start();
    let taken = Some(RefusalCode::NameTaken);
    // Also before anybody of that name has connected.
    assert_eq!(refused_name(&server, "o11i", "somebody").await, taken);
    assert_eq!(refused_name(&server, "olli", "olli").await, None);
}

#[tokio::test(start_paused = true)]
async fn an_operators_name_belongs_to_its_first_user_who_owns_the_rooms() {
    let server = Server::start();
    let (mut boss, room) = Raw::join(&server, "boss", "general").await;
    boss.follow(room, None).await;
    let role = loop {
        if let Event::RosterPage { people, .. } = boss.event().await {
            break people[0].role;
        }
    };
    assert_eq!(role, tchat::chat::Role::Owner);
    boss.ask(0, Request::Bye).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(
        refused_name(&server, "boss", "stranger").await,
        Some(RefusalCode::NameTaken),
        "also when offline"
    );
    assert_eq!(refused_name(&server, "boss", "boss").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_name_resolves_to_its_current_holder_or_else_to_a_former_one_in_a_shared_room() {
    let server = Server::start();
    let (mut ann, _) = Raw::join(&server, "ann", "general").await;
    // Two people have had the name ben; one of them is in a room with ann.
    let (near, welcome) = Raw::enter(&server, "ben").await;
    let near_id = welcome.you.id;
    near.ask(1, Request::Join(JoinTarget::Name("general".into())))
        .await;
    near.ask(0, Request::Bye).await;
    sleep(Duration::from_secs(1)).await;
    let mut far = Raw::open(&server).await;
    far.signs_in(0, "ben", &device("far")).await;
    let Event::Welcome(welcome) = far.event().await else {
        panic!("welcome")
    };
    let far_id = welcome.you.id;

    let open = |name: &str| Request::Open(PersonTarget::Name(name.into()));
    let peer = |event| match event {
        Event::RoomChanged { request: 7, room } => room.peer.map(|peer| peer.id),
        Event::Refused { refusal, .. } => panic!("{refusal:?}"),
        _ => None,
    };
    let opened = async |raw: &mut Raw, name: &str| {
        raw.ask(7, open(name)).await;
        loop {
            if let Some(id) = peer(raw.answer().await) {
                return id;
            }
        }
    };
    assert_eq!(opened(&mut ann, "ben").await, far_id, "the current holder");
    far.ask(0, Request::Bye).await;
    sleep(Duration::from_secs(1)).await;
    // Now both are candidates: one shares a room with ann, the other a conversation.
    ann.ask(8, open("ben")).await;
    let code = loop {
        if let Event::Refused {
            request: 8,
            refusal,
            ..
        } = ann.answer().await
        {
            break refusal.code;
        }
    };
    assert_eq!(code, RefusalCode::PersonAmbiguous);
    let (mut eve, _) = Raw::join(&server, "eve", "general").await;
    assert_eq!(
        opened(&mut eve, "ben").await,
        near_id,
        "only this one shares a room with eve"
    );
    eve.ask(9, open("nobody")).await;
    assert!(matches!(
        eve.answer().await,
        Event::Refused { request: 9, .. }
    ));
}

/// A server on SQLite, whose writes take time.
pub(super) fn on_a_disk() -> (Server, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tchat.db");
    let store = SqliteStore::open(&path, ServerId::new([9; 16])).unwrap();
    let config = crate::support::server::config();
    (Server::with(config, Arc::new(store)), directory)
}

/// Waits for the answer to the rename with request 1; returns the name.
pub(super) async fn is_renamed(raw: &mut Raw) -> String {
    loop {
        match raw.answer().await {
            Event::NameChanged { request: 1, you } => return you.name,
            Event::Refused { refusal, .. } => panic!("{refusal:?}"),
            _ => {}
        }
    }
}

/// The last name that a session was told, after everything queued before a ping.
async fn last_name(raw: &mut Raw, mut name: String) -> String {
    raw.ask(9, Request::Ping).await;
    loop {
        match raw.answer().await {
            Event::NameChanged { you, .. } => name = you.name,
            Event::Pong { request: 9, .. } => return name,
            _ => {}
        }
    }
}

/// The names that strangers cannot take.
async fn taken(server: &Server, names: &[&String]) -> Vec<String> {
    let mut taken = Vec::new();
    for name in names {
        let stranger = format!("who wants {name}");
        if refused_name(server, name, &stranger).await.is_some() {
            taken.push((*name).clone());
        }
    }
    taken
}

#[tokio::test]
async fn of_two_simultaneous_renames_one_name_wins_and_the_other_is_free() {
    let (server, _directory) = on_a_disk();
    for n in 0..10 {
        let names = ["ann", "xena", "yoko"].map(|name| format!("{name}{n}"));
        let [ann, xena, yoko] = &names;
        let (mut one, _) = Raw::enter(&server, ann).await;
        let (mut two, _) = Raw::enter(&server, ann).await;
        one.ask(1, Request::SetName(xena.clone())).await;
        two.ask(1, Request::SetName(yoko.clone())).await;
        let answers = (is_renamed(&mut one).await, is_renamed(&mut two).await);
        let taken = taken(&server, &[ann, xena, yoko]).await;
        assert_eq!(taken.len(), 1, "{taken:?}");
        // Both sessions and the store agree on the name.
        let (first, second) = (
            last_name(&mut one, answers.0).await,
            last_name(&mut two, answers.1).await,
        );
        assert_eq!((&first, &second), (&taken[0], &taken[0]));
        let again = Raw::enter(&server, ann).await.1;
        assert_eq!(again.you.name, taken[0]);
    }
}

#[tokio::test]
async fn a_session_that_starts_during_a_rename_gets_the_new_name() {
    let (server, _directory) = on_a_disk();
    for n in 0..10 {
        let (ann, xena) = (format!("ann{n}"), format!("xena{n}"));
        let (mut one, _) = Raw::enter(&server, &ann).await;
        let mut two = Raw::open(&server).await;
        one.ask(1, Request::SetName(xena.clone())).await;
        two.signs_in(0, &ann, &device(&ann)).await;
        let first = two.event().await;
        let Event::Welcome(welcome) = first else {
            panic!("the second session is not welcomed: {first:?}")
        };
        is_renamed(&mut one).await;
        assert_eq!(
            taken(&server, &[&ann, &xena]).await,
            std::slice::from_ref(&xena)
        );
        assert_eq!(last_name(&mut two, welcome.you.name).await, xena);
        assert_eq!(last_name(&mut one, xena.clone()).await, xena);
    }
}

#[tokio::test]
async fn a_link_lost_during_a_rename_reserves_only_the_new_name() {
    let (server, _directory) = on_a_disk();
    for n in 0..10 {
        let (ann, xena) = (format!("ann{n}"), format!("xena{n}"));
        let (one, _) = Raw::enter(&server, &ann).await;
        let (mut two, _) = Raw::enter(&server, &ann).await;
        one.ask(1, Request::SetName(xena.clone())).await;
        while last_name(&mut two, ann.clone()).await != xena {}
        drop((one, two));
        assert_eq!(taken(&server, &[&ann, &xena]).await, [xena]);
    }
}
