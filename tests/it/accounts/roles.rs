//! Roles on the server: who gives them, what they allow, and what they do not.

use super::*;

#[tokio::test(start_paused = true)]
async fn owners_give_roles_and_the_last_one_stays() {
    let server = server();
    let (host, _) = Raw::enter(&server, "host").await;
    let (ann, _) = Raw::enter(&server, "ann").await;
    let (_ben, _) = Raw::enter(&server, "ben").await;
    let last = gives_role(&server, "host", ServerRole::Member).await;
    assert_eq!(last, Err(CallError::LastOwner));
    let removed = AdminRequest::Remove {
        account: "host".into(),
    };
    assert_eq!(
        administers(&server, removed).await,
        Err(CallError::LastOwner)
    );
    gives_role(&server, "ann", ServerRole::Admin).await.unwrap();
    let ask = async |raw: &Raw, name: &str, role| {
        let mut service = admin(raw);
        let role = tchat::wire::server_role_to(role).into();
        let asked = raw.authorised(admin_proto::SetRoleRequest {
            name: name.into(),
            role,
        });
        service
            .set_role(asked)
            .await
            .map(drop)
            .map_err(|it| it.code())
    };
    // An admin gives no roles, not even to themselves.
    for role in ServerRole::ALL {
        let refused = ask(&ann, "ben", role).await;
        assert_eq!(refused, Err(Code::PermissionDenied), "{role}");
    }
    assert_eq!(
        ask(&ann, "ann", ServerRole::Owner).await,
        Err(Code::PermissionDenied)
    );
    assert_eq!(ask(&host, "ann", ServerRole::Owner).await, Ok(()));
    assert_eq!(ask(&ann, "host", ServerRole::Member).await, Ok(()));
    assert_eq!(
        ask(&host, "ann", ServerRole::Member).await,
        Err(Code::PermissionDenied)
    );
    assert_eq!(
        ask(&ann, "ann", ServerRole::Admin).await,
        Err(Code::FailedPrecondition)
    );
    // What they did is in the audit log, each with its maker.
    let audit = AdminRequest::ListAudit {
        before: 0,
        most: 10,
    };
    let Ok(AdminAnswer::Audit(rows)) = administers(&server, audit).await else {
        panic!("no log")
    };
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.actor.as_ref().map_or("", |it| it.name.as_str()),
                row.act.as_str(),
                row.target.as_str(),
                row.detail.as_str(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("ann", "role", "host", "member"),
            ("host", "role", "ann", "owner"),
            ("", "role", "ann", "admin"),
            ("tchat", "role", "host", "owner"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_role_owns_the_preset_rooms_as_long_as_it_lasts() {
    let server = server();
    let mut ann = server.joins("ann").await;
    let room = ann.room("general").unwrap();
    let role = |person: &Person, room: RoomId| {
        let mine = person.entries.get(&room).into_iter().flatten();
        let mut given = mine.filter_map(|entry| match &entry.body {
            Body::Ruling(who, tchat::chat::Ruling::Role(role)) if who.name == "ann" => Some(*role),
            _ => None,
        });
        given.next_back()
    };
    for (given, expected) in [
        (ServerRole::Admin, Role::Owner),
        (ServerRole::Member, Role::Member),
    ] {
        gives_role(&server, "ann", given).await.unwrap();
        let has = |person: &Person, _: &tchat::client::Event| {
            (role(person, room) == Some(expected)).then_some(())
        };
        ann.until("the role", has).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_admin_has_no_power_over_owners_and_other_admins() {
    let server = server();
    let (_host, _) = Raw::enter(&server, "host").await;
    let (ann, _) = Raw::enter(&server, "ann").await;
    let (_ben, _) = Raw::enter(&server, "ben").await;
    let (_cay, _) = Raw::enter(&server, "cay").await;
    gives_role(&server, "ann", ServerRole::Admin).await.unwrap();
    gives_role(&server, "ben", ServerRole::Admin).await.unwrap();
    for (name, expected) in [
        ("host", Err(Code::PermissionDenied)),
        ("ben", Err(Code::PermissionDenied)),
        ("cay", Ok(())),
    ] {
        let (mut service, name) = (admin(&ann), name.to_owned());
        let relinked = service
            .relink(ann.authorised(admin_proto::RelinkRequest { name: name.clone() }))
            .await;
        assert_eq!(
            relinked.map(drop).map_err(|it| it.code()),
            expected,
            "{name}"
        );
        let asked = admin_proto::RenameAccountRequest {
            name: name.clone(),
            to: format!("{name}x"),
        };
        let renamed = service.rename_account(ann.authorised(asked)).await;
        assert_eq!(
            renamed.map(drop).map_err(|it| it.code()),
            expected,
            "{name}"
        );
        let name = if expected.is_ok() {
            format!("{name}x")
        } else {
            name
        };
        let removed = service
            .remove_account(
                ann.authorised(admin_proto::RemoveAccountRequest { name: name.clone() }),
            )
            .await;
        assert_eq!(
            removed.map(drop).map_err(|it| it.code()),
            expected,
            "{name}"
        );
    }
    // Nor may an admin invite owners, or withdraw the invitations of owners to owners.
    let invite = |role: ServerRole| admin_proto::CreateInviteRequest {
        role: tchat::wire::server_role_to(role).into(),
        ..Default::default()
    };
    let mut service = admin(&ann);
    let refused = service
        .create_invite(ann.authorised(invite(ServerRole::Owner)))
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    service
        .create_invite(ann.authorised(invite(ServerRole::Admin)))
        .await
        .unwrap();
    let owners = AdminRequest::CreateInvite(InviteTerms {
        role: ServerRole::Owner,
        ..InviteTerms::default()
    });
    let Ok(AdminAnswer::Created { invite, .. }) = administers(&server, owners).await else {
        panic!("no invitation")
    };
    let asked = admin_proto::RevokeInviteRequest { id: invite.id };
    let refused = service.revoke_invite(ann.authorised(asked)).await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test(start_paused = true)]
async fn an_invitation_gives_its_role_and_its_rooms() {
    let server = with_registration(Registration::Invite);
    let mut host = Person::start(server.connector_from(Peer::Socket), "host");
    host.is_in("general").await;
    host.client
        .send(tchat::client::Command::Create(tchat::chat::NewRoom {
            name: "vault".into(),
            kind: tchat::chat::RoomKind::Private,
            topic: String::new(),
            capacity: 0,
        }))
        .unwrap();
    host.is_in("vault").await;
    let create = |rooms: &[&str]| {
        AdminRequest::CreateInvite(InviteTerms {
            role: ServerRole::Admin,
            rooms: rooms.iter().map(|it| (*it).to_owned()).collect(),
            ..InviteTerms::default()
        })
    };
    // The user who runs the server is in no room, so only public ones can be given that way.
    for rooms in [&["tech", "vault"][..], &["none"]] {
        let refused = administers(&server, create(rooms)).await;
        assert!(matches!(refused, Err(CallError::Missing(_))), "{refused:?}");
    }
    host.client
        .send(tchat::client::Command::Admin(create(&["tech", "vault"])))
        .unwrap();
    let created = |_: &Person, event: &tchat::client::Event| match event {
        tchat::client::Event::Admin(answer) => Some(answer.clone()),
        _ => None,
    };
    let created = host.until("the invitation", created).await;
    let Ok(AdminAnswer::Created { link, .. }) = created else {
        panic!("{created:?}")
    };
    let (ann, answer) = signs_in(&server, "ann", "ann", Some(invite_of(&link.0))).await;
    let Event::Welcome(welcome) = answer else {
        panic!("{answer:?}")
    };
    let rooms: Vec<_> = welcome
        .rooms
        .iter()
        .map(|room| room.name.as_str())
        .collect();
    assert_eq!(rooms, ["tech", "vault"]);
    let asked = ann.authorised(admin_proto::ListInvitesRequest {});
    let open = admin(&ann).list_invites(asked).await.unwrap().into_inner();
    assert!(open.invites.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_former_admin_owns_no_room_that_they_come_back_to() {
    let server = server();
    let (mut ann, room) = Raw::join(&server, "ann", "tech").await;
    gives_role(&server, "ann", ServerRole::Admin).await.unwrap();
    ann.follow(room, None).await;
    ann.ask(5, Request::Leave(room)).await;
    while !matches!(ann.event().await, Event::Unfollowed { request: 5, .. }) {}
    gives_role(&server, "ann", ServerRole::Member)
        .await
        .unwrap();
    ann.ask(6, Request::Join(tchat::wire::JoinTarget::Room(room)))
        .await;
    let role = loop {
        if let Event::RoomChanged { request: 6, room } = ann.event().await {
            break room.role;
        }
    };
    assert_eq!(role, Some(Role::Member));
}

#[tokio::test(start_paused = true)]
async fn an_invitation_to_a_role_ends_with_the_role_of_its_maker() {
    let server = with_registration(Registration::Invite);
    let (_host, _) = Raw::enter(&server, "host").await;
    let invite = administers(&server, AdminRequest::CreateInvite(InviteTerms::default())).await;
    let Ok(AdminAnswer::Created { link, .. }) = invite else {
        panic!("{invite:?}")
    };
    let (ann, _) = signs_in(&server, "ann", "ann", Some(invite_of(&link.0))).await;
    gives_role(&server, "ann", ServerRole::Owner).await.unwrap();
    let asked = ann.authorised(admin_proto::CreateInviteRequest {
        role: admin_proto::Role::Owner.into(),
        uses: 1000,
        ..Default::default()
    });
    let made = admin(&ann).create_invite(asked).await.unwrap().into_inner();
    gives_role(&server, "ann", ServerRole::Member)
        .await
        .unwrap();
    let back = signs_in(&server, "owner", "again", Some(invite_of(&made.link)))
        .await
        .1;
    assert_eq!(refusal_code(&back), Some(RefusalCode::InviteInvalid));
}
