//! What a thief, an impostor and a full disk cannot do with accounts.

use tchat::server::clock::now_ms;

use super::*;

/// Makes a link for a person who has lost all devices.
async fn relinks(server: &Server, name: &str) -> Invite {
    let account = name.into();
    match administers(server, AdminRequest::Relink { account }).await {
        Ok(AdminAnswer::Relinked(SecretLink(link))) => invite_of(&link),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_thief_can_neither_withdraw_a_link_of_the_host_nor_come_back_with_their_own() {
    let server = server();
    let (mut thief, _) = Raw::enter(&server, "ann").await;
    let theirs = adds_device(&mut thief).await;
    let hosts = relinks(&server, "ann").await;
    let theirs_again = adds_device(&mut thief).await;
    // The victim still has a device of the account, and uses the link there.
    let (_, second) = signs_in(&server, "ann", "victim", Some(theirs_again)).await;
    assert!(matches!(second, Event::Welcome(_)), "{second:?}");
    let last = adds_device(&mut thief).await;
    let (mut victim, answer) = signs_in(&server, "ann", "victim", Some(hosts)).await;
    assert!(matches!(answer, Event::Welcome(_)), "{answer:?}");
    assert_eq!(lists_devices(&mut victim).await.len(), 1);
    while thief.try_event().await.is_some() {}
    for link in [theirs, last] {
        let back = signs_in(&server, "ann", "thief again", Some(link)).await.1;
        assert_eq!(refusal_code(&back), Some(RefusalCode::InviteInvalid));
    }
    let back = signs_in(&server, "ann", "ann", None).await.1;
    assert_eq!(refusal_code(&back), Some(RefusalCode::Unauthenticated));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_a_device_made_is_worthless_once_the_device_is_revoked() {
    let server = server();
    let (mut ann, _) = Raw::enter(&server, "ann").await;
    let link = adds_device(&mut ann).await;
    let (mut laptop, _) = signs_in(&server, "ann", "laptop", Some(link)).await;
    let link = adds_device(&mut laptop).await;
    let id = device("laptop").public().id();
    let asked = ann.authorised(proto::RevokeDeviceRequest { id });
    ann.service.revoke_device(asked).await.unwrap();
    for of in ["laptop", "another"] {
        let back = signs_in(&server, "ann", of, Some(link)).await.1;
        assert_eq!(
            refusal_code(&back),
            Some(RefusalCode::InviteInvalid),
            "{of}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_was_added_while_we_were_away_is_shown_at_the_next_sign_in() {
    let server = server();
    let (mut ann, _) = Raw::enter(&server, "ann").await;
    let link = adds_device(&mut ann).await;
    ann.ask(0, Request::Bye).await;
    // Their times are in milliseconds of the wall clock, which is not paused.
    let left = now_ms();
    while now_ms() <= left {
        std::hint::spin_loop();
    }
    let (tablet, _) = signs_in(&server, "ann", "tablet", Some(link)).await;
    drop(tablet);
    let (mut ann, _) = Raw::enter(&server, "ann").await;
    let told = ann.answer().await;
    assert!(
        matches!(&told, Event::DeviceAdded { name, .. } if name == "laptop"),
        "{told:?}"
    );
    drop(ann);
    let (mut ann, _) = Raw::enter(&server, "ann").await;
    ann.ask(3, Request::Ping).await;
    let next = ann.answer().await;
    assert!(matches!(next, Event::Pong { .. }), "only once: {next:?}");
}

#[tokio::test(start_paused = true)]
async fn a_former_name_does_not_mean_its_account_to_an_administrator() {
    let server = server();
    let (mut mallory, _) = Raw::enter(&server, "alice").await;
    mallory.ask(1, Request::SetName("mal".into())).await;
    while !matches!(
        mallory.answer().await,
        Event::NameChanged { request: 1, .. }
    ) {}
    let account = || "alice".to_owned();
    for request in [
        AdminRequest::SetRole {
            account: account(),
            role: ServerRole::Owner,
        },
        AdminRequest::Remove { account: account() },
        AdminRequest::Relink { account: account() },
        AdminRequest::ListDevices { account: account() },
        AdminRequest::Rename {
            account: account(),
            to: "x".into(),
        },
    ] {
        let refused = administers(&server, request.clone()).await;
        assert!(
            matches!(refused, Err(CallError::Missing(_))),
            "{request:?}: {refused:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_refuses_changes_of_accounts_and_stops_nothing() {
    let full = std::sync::Arc::new(crate::support::faulty_store::Faulty {
        inner: memory(),
        before: Box::new(|| None),
        after: Box::new(|| {}),
        accounts: Box::new(|| Some(tchat::server::store::StoreError::Full)),
    });
    let mut server = Server::with(config(), full);
    let (mut ann, room) = Raw::join(&server, "ann", "general").await;
    let asked = ann.authorised(proto::AddDeviceRequest {});
    let refused = ann.service.add_device(asked).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    let asked = ann.authorised(proto::DeleteAccountRequest {});
    let refused = ann.service.delete_account(asked).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    ann.post(1, room, "still here").await;
    while !matches!(ann.answer().await, Event::Accepted { .. }) {}
    server.stops().await.unwrap();
}
