//! Names: who has one, who may take one, and how a name is resolved.

use super::*;
use crate::support::bridge_clients::chat::{CheckUsernameRequest, CheckUsernameResponse};
use crate::support::bridge_clients::unary;
use crate::support::raw_client::channel;
use tchat::chat::{ServerRole, Stamp, UserName, Via};
use tchat::server::store::{AccountChange, IdentityRecord};

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
async fn an_account_keeps_its_name_while_its_person_is_away() {
    let mut server = Server::start();
    let taken = Some(RefusalCode::NameTaken);
    drop(Raw::join(&server, "ann", "general").await);
    let (ben, _) = Raw::enter(&server, "ben").await;
    ben.ask(0, Request::Bye).await;
    for days in [0, 1] {
        sleep(Duration::from_hours(days * 24)).await;
        for name in ["ann", "Ann", "ＡＮＮ", "ben", "Вen"] {
            let refused = refused_name(&server, name, "stranger").await;
            assert!(refused.is_some(), "{name} after {days} days");
        }
        // Nor may a guest of a bridge use it.
        assert!(!is_free_for_guests(&server, "ann").await);
    }
    server.stops().await.unwrap();
    server.restarts();
    assert_eq!(refused_name(&server, "ann", "stranger").await, taken);
    assert!(!is_free_for_guests(&server, "Ben").await);
    assert!(is_free_for_guests(&server, "guest9").await);
    assert_eq!(refused_name(&server, "ann", "ann").await, None);
    assert_eq!(refused_name(&server, "ben", "ben").await, None);
}

/// Names of one form each under full case folding: only one of each pair can be in use.
#[tokio::test(start_paused = true)]
async fn names_that_fold_to_the_same_form_are_one_name() {
    let server = Server::start();
    for (one, other) in [
        ("ΣΑΣ", "σας"),
        ("straße", "STRASSE"),
        ("Ann", "aNN"),
        ("modem", "modern"),
        ("paypal", "paypa1"),
        ("ｊｏｅ", "joe"),
    ] {
        assert_eq!(refused_name(&server, one, one).await, None, "{one}");
        let refused = refused_name(&server, other, "stranger").await;
        assert_eq!(refused, Some(RefusalCode::NameTaken), "{other}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_former_name_stays_reserved_for_a_month_and_only_one() {
    let mut server = Server::start();
    let taken = Some(RefusalCode::NameTaken);
    let day = Duration::from_hours(24);
    let (mut dan, _) = Raw::enter(&server, "dan").await;
    for name in ["daniel", "danny"] {
        dan.ask(1, Request::SetName(name.into())).await;
        assert_eq!(is_renamed(&mut dan).await, name);
    }
    // The one before the last is free, and the last is not, also after a restart.
    assert_eq!(refused_name(&server, "daniel", "stranger").await, taken);
    assert_eq!(refused_name(&server, "dan", "another").await, None);
    server.stops().await.unwrap();
    server.restarts();
    sleep(29 * day).await;
    assert_eq!(refused_name(&server, "daniel", "stranger").await, taken);
    sleep(2 * day).await;
    assert_eq!(refused_name(&server, "daniel", "stranger").await, None);
    assert_eq!(refused_name(&server, "danny", "third").await, taken);
    // Its owner may take a former name back.
    let (mut cay, _) = Raw::enter(&server, "cay").await;
    for name in ["caya", "cay", "CAY", "caya"] {
        cay.ask(1, Request::SetName(name.into())).await;
        assert_eq!(is_renamed(&mut cay).await, name);
    }
    assert_eq!(refused_name(&server, "cay", "fourth").await, taken);
}

#[tokio::test(start_paused = true)]
async fn of_two_accounts_with_one_name_the_one_with_more_messages_keeps_it() {
    let mut server = Server::start();
    let (mut ann, room) = Raw::join(&server, "ann", "general").await;
    ann.post(1, room, "hello").await;
    ann.answer().await;
    let welcome = Raw::enter(&server, "ann").await.1;
    // As in data of a version in which names were free again.
    let other = IdentityRecord {
        id: IdentityId::new([1; 16]),
        name: UserName::new("Ann").unwrap(),
        via: Via::Tchat,
    };
    let role = AccountChange::SetRole(other.id, ServerRole::Admin);
    // Without a role and without posts, an account is removed.
    let unused = IdentityRecord {
        id: IdentityId::new([2; 16]),
        name: UserName::new("ANN").unwrap(),
        via: Via::Tchat,
    };
    for account in [&other, &unused] {
        let put = server.store.put_identity(account.clone(), Stamp::default());
        put.await.unwrap();
    }
    server.store.change_account(role, None).await.unwrap();
    server.stops().await.unwrap();
    drop(ann);
    server.restarts();
    let (mut ann, again) = Raw::enter(&server, "ann").await;
    assert_eq!(again.you, welcome.you);
    let renamed = server.store.identity(other.id).await.unwrap().unwrap();
    assert_eq!(renamed.name, other.name.numbered(2));
    let accounts = server.store.accounts(0).await.unwrap();
    assert!(accounts.iter().all(|it| it.id != unused.id));
    assert_eq!(opened(&mut ann, renamed.name.as_str()).await, Ok(other.id));
}

/// Whether a guest of a bridge may use a name.
async fn is_free_for_guests(server: &Server, name: &str) -> bool {
    let channel = channel(server).await;
    let request = CheckUsernameRequest {
        user_name: name.into(),
    };
    let answer: CheckUsernameResponse = unary(&channel, "/chat.ChatService/CheckUsername", request)
        .await
        .unwrap();
    answer.available
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
    let gone = refused_name(&server, "modem", "somebody").await;
    assert_eq!(gone, Some(RefusalCode::NameTaken));
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
async fn a_name_resolves_to_its_account_and_a_former_one_as_long_as_it_is_reserved() {
    let server = Server::start();
    let (mut ben, welcome) = Raw::enter(&server, "ben").await;
    let ben_id = welcome.you.id;
    ben.ask(1, Request::SetName("benjamin".into())).await;
    is_renamed(&mut ben).await;
    ben.ask(0, Request::Bye).await;
    // Also for somebody who shares no room with him, and while he is away.
    for (asker, days) in [("ann", 0), ("cay", 29)] {
        sleep(Duration::from_hours(days * 24)).await;
        let (mut asker, _) = Raw::enter(&server, asker).await;
        for name in ["benjamin", "Benjamin", "ben"] {
            assert_eq!(opened(&mut asker, name).await, Ok(ben_id), "{name}");
        }
        let unknown = opened(&mut asker, "nobody").await;
        assert_eq!(unknown, Err(RefusalCode::PersonUnknown));
    }
    // Now the former name is somebody else's.
    sleep(Duration::from_hours(48)).await;
    let mut other = Raw::open(&server).await;
    other.signs_in(0, "ben", &device("another")).await;
    let Event::Welcome(welcome) = other.event().await else {
        panic!("welcome")
    };
    let (mut ann, _) = Raw::enter(&server, "ann").await;
    assert_eq!(opened(&mut ann, "ben").await, Ok(welcome.you.id));
    assert_eq!(opened(&mut ann, "benjamin").await, Ok(ben_id));
}

/// Opens the conversation with a name; returns the other person.
async fn opened(raw: &mut Raw, name: &str) -> Result<IdentityId, RefusalCode> {
    let open = Request::Open(PersonTarget::Name(name.into()));
    raw.ask(7, open).await;
    loop {
        match raw.answer().await {
            Event::RoomChanged { request: 7, room } => return Ok(room.peer.unwrap().id),
            Event::Refused {
                request: 7,
                refusal,
                ..
            } => return Err(refusal.code),
            _ => {}
        }
    }
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
async fn of_two_simultaneous_renames_one_is_the_name_and_the_other_the_former_one() {
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
        assert_eq!(taken, [&**xena, &**yoko]);
        // Both sessions and the store agree on the name.
        let (first, second) = (
            last_name(&mut one, answers.0).await,
            last_name(&mut two, answers.1).await,
        );
        assert_eq!(first, second);
        assert!(taken.contains(&first), "{first}");
        let again = Raw::enter(&server, ann).await.1;
        assert_eq!(again.you.name, first);
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
        assert_eq!(taken(&server, &[&ann, &xena]).await, [&*ann, &*xena]);
        assert_eq!(last_name(&mut two, welcome.you.name).await, xena);
        assert_eq!(last_name(&mut one, xena.clone()).await, xena);
    }
}

#[tokio::test]
async fn a_link_lost_during_a_rename_keeps_both_names() {
    let (server, _directory) = on_a_disk();
    for n in 0..10 {
        let (ann, xena) = (format!("ann{n}"), format!("xena{n}"));
        let (one, _) = Raw::enter(&server, &ann).await;
        let (mut two, _) = Raw::enter(&server, &ann).await;
        one.ask(1, Request::SetName(xena.clone())).await;
        while last_name(&mut two, ann.clone()).await != xena {}
        drop((one, two));
        assert_eq!(taken(&server, &[&ann, &xena]).await, [&*ann, &*xena]);
    }
}
