//! The contract of a store: accounts, their devices, invitations and the audit log.

use super::*;
use tchat::chat::{AccountOrigin, AuditAct, BanTarget, ServerRole, Until};
use tchat::server::store::sqlite;
use tchat::server::store::{
    AccountChange, BanRecord, DeviceRecord, DeviceStatus, InvitePurpose, InviteRecord, NewAudit,
    NewDevice, OtherDevices,
};

pub(super) async fn devices(store: &dyn Store) {
    let account = |n: u8, name: &str| IdentityRecord {
        id: IdentityId::new([n; 16]),
        name: UserName::new(name).unwrap(),
        via: Via::Tchat,
    };
    let device = |n: u8| DeviceRecord {
        key: DeviceKey::new([n; 32]),
        name: "laptop".into(),
        added_ms: 9,
        seen_ms: u64::from(n),
        from: String::new(),
    };
    let add = async |account: &IdentityRecord, device| {
        let new = NewDevice::new(account.clone(), device, seen(9));
        let change = AccountChange::AddDevice(Box::new(new));
        store.change_account(change, None).await
    };
    let of = async |n: u8| {
        let found = store.identity_by_device(DeviceKey::new([n; 32])).await;
        let found = found.unwrap();
        found.map(|(account, status)| {
            assert_eq!(status, DeviceStatus::Active);
            account
        })
    };
    let (dora, eve) = (account(31, "dora"), account(32, "eve"));
    assert_eq!(of(1).await, None);
    // An account may be made with its first device, and may have several.
    add(&dora, device(1)).await.unwrap();
    add(&dora, device(2)).await.unwrap();
    assert_eq!(store.identity(dora.id).await.unwrap(), Some(dora.clone()));
    assert_eq!(store.personal(dora.id).await.unwrap().seen_ms, 9);
    let stolen = add(&eve, device(2)).await;
    assert!(matches!(stolen, Err(StoreError::Conflict)));
    assert_eq!(
        store.identity(eve.id).await.unwrap(),
        None,
        "nothing was written"
    );
    // A renamed account still has its devices.
    let renamed = IdentityRecord {
        name: UserName::new("多拉").unwrap(),
        ..dora
    };
    store.put_identity(renamed.clone(), seen(10)).await.unwrap();
    assert_eq!(
        (of(1).await, of(2).await),
        (Some(renamed.clone()), Some(renamed))
    );
    assert_eq!(of(3).await, None);
    assert!(
        store
            .identity_by_former_secret([1; 8])
            .await
            .unwrap()
            .is_none()
    );
}

pub(super) async fn invites(store: &dyn Store) {
    let now = |ms| Stamp {
        at_ms: 7000 + ms,
        log_ms: ms,
        doubt_ms: 0,
    };
    let invite = |n: u8, uses_left, expires_ms| InviteRecord {
        hash: InviteHash::new([n; 32]),
        uses_left,
        expires: now(expires_ms),
        maker: (n == 1).then(|| IdentityId::new([9; 16])),
        purpose: InvitePurpose::Account {
            role: ServerRole::Admin,
            rooms: vec![RoomId::new([n; 16]), RoomId::new([8; 16])],
        },
    };
    let change = async |change| store.change_account(change, None).await;
    let put = async |invite: &InviteRecord| {
        change(AccountChange::AddInvite(invite.clone(), now(10))).await
    };
    let (one, two) = (invite(1, 2, 100), invite(2, 1, 200));
    put(&one).await.unwrap();
    put(&two).await.unwrap();
    let again = put(&two).await;
    assert!(matches!(again, Err(StoreError::Conflict)));
    let open = async |ms| store.invites(now(ms)).await.unwrap();
    assert_eq!(open(99).await, [two.clone(), one.clone()]);
    assert_eq!(open(100).await, std::slice::from_ref(&two), "expired");
    // Log time stood still while the wall clock went on, or the other way round.
    for (at_ms, log_ms) in [(7100, 10), (10, 100)] {
        let later = Stamp {
            at_ms,
            log_ms,
            doubt_ms: 0,
        };
        let open = store.invites(later).await.unwrap();
        assert_eq!(open, std::slice::from_ref(&two), "{later:?}");
    }

    let add = async |n: u8, invite: &InviteRecord, now_ms| {
        let account = IdentityRecord {
            id: IdentityId::new([n; 16]),
            name: UserName::new(&format!("invited{n}")).unwrap(),
            via: Via::Tchat,
        };
        let device = DeviceRecord {
            key: DeviceKey::new([n; 32]),
            name: String::new(),
            added_ms: 1,
            seen_ms: 1,
            from: String::new(),
        };
        let new = NewDevice {
            invite: Some((invite.hash, now(now_ms))),
            ..NewDevice::new(account, device, seen(1))
        };
        change(AccountChange::AddDevice(Box::new(new))).await
    };
    let unknown = invite(3, 9, 900);
    for (who, invite, now_ms, is_added) in [
        (41, &one, 100, false),
        (41, &unknown, 10, false),
        (41, &one, 99, true),
        // The device is known already, so no use is taken.
        (41, &one, 99, false),
        (42, &one, 99, true),
        (43, &one, 99, false),
        (43, &two, 199, true),
    ] {
        let added = add(who, invite, now_ms).await;
        match added {
            Ok(()) => assert!(is_added, "{who} at {now_ms}"),
            Err(StoreError::Conflict) => assert!(!is_added, "{who} at {now_ms}"),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(open(10).await, []);
    let fresh = invite(4, 5, 500);
    put(&fresh).await.unwrap();
    change(AccountChange::RemoveInvite(fresh.hash))
        .await
        .unwrap();
    change(AccountChange::RemoveInvite(unknown.hash))
        .await
        .unwrap();
    assert_eq!(open(10).await, []);
}

pub(super) async fn account_changes(store: &dyn Store) {
    let account = |n: u8| IdentityRecord {
        id: IdentityId::new([n; 16]),
        name: UserName::new(&format!("changed{n}")).unwrap(),
        via: Via::Tchat,
    };
    let device = |n: u8, added_ms| DeviceRecord {
        key: DeviceKey::new([n; 32]),
        name: format!("device {n}"),
        added_ms,
        seen_ms: added_ms,
        from: String::new(),
    };
    let change = async |change| store.change_account(change, None).await;
    let add = async |new| change(AccountChange::AddDevice(Box::new(new))).await;
    let status = async |n: u8| {
        let found = store.identity_by_device(DeviceKey::new([n; 32])).await;
        found.unwrap().map(|(_, status)| status)
    };
    let of = async |id: IdentityId| {
        let all = store.accounts(0).await.unwrap();
        all.into_iter().find(|it| it.id == id)
    };
    let (kim, lou) = (account(61), account(62));
    let admin = NewDevice {
        role: ServerRole::Admin,
        origin: AccountOrigin::Invited,
        ..NewDevice::new(kim.clone(), device(61, 5), seen(5))
    };
    add(admin).await.unwrap();
    // A second device does not change the role.
    add(NewDevice::new(kim.clone(), device(62, 7), seen(7)))
        .await
        .unwrap();
    let found = of(kim.id).await.unwrap();
    let expected = (ServerRole::Admin, AccountOrigin::Invited, false);
    assert_eq!((found.role, found.origin, found.has_posted), expected);
    assert_eq!(
        store.devices(kim.id).await.unwrap(),
        [device(62, 7), device(61, 5)]
    );
    let signed_in = AccountChange::SignedIn {
        device: DeviceKey::new([61; 32]),
        seen_ms: 20,
        from: "2001:db8::1".into(),
    };
    change(signed_in).await.unwrap();
    let first = &store.devices(kim.id).await.unwrap()[0];
    assert_eq!((first.seen_ms, first.from.as_str()), (20, "2001:db8::1"));

    change(AccountChange::SetRole(kim.id, ServerRole::Owner))
        .await
        .unwrap();
    assert_eq!(of(kim.id).await.unwrap().role, ServerRole::Owner);
    let revoke = AccountChange::RevokeDevice(DeviceKey::new([62; 32]), 30);
    change(revoke.clone()).await.unwrap();
    change(revoke).await.unwrap();
    assert_eq!(status(62).await, Some(DeviceStatus::Revoked));
    assert_eq!(store.devices(kim.id).await.unwrap().len(), 1);
    // It may be added again, to another account as well. A device in place of the others revokes these.
    add(NewDevice::new(lou.clone(), device(62, 40), seen(40)))
        .await
        .unwrap();
    assert_eq!(status(62).await, Some(DeviceStatus::Active));
    let instead = NewDevice {
        others: OtherDevices::Revoked,
        ..NewDevice::new(lou.clone(), device(63, 50), seen(50))
    };
    add(instead).await.unwrap();
    assert_eq!(status(62).await, Some(DeviceStatus::Revoked));
    assert_eq!(store.devices(lou.id).await.unwrap(), [device(63, 50)]);

    // Removing an account takes its devices, and the invitations that it made or that are for it.
    let now = seen(60);
    let invite = |n: u8, maker: Option<IdentityId>, purpose| InviteRecord {
        hash: InviteHash::new([n; 32]),
        uses_left: 1,
        expires: seen(1000),
        maker,
        purpose,
    };
    let for_new = InvitePurpose::Account {
        role: ServerRole::Member,
        rooms: Vec::new(),
    };
    let stays = invite(73, Some(kim.id), for_new.clone());
    for invite in [
        invite(71, Some(lou.id), for_new),
        invite(
            72,
            None,
            InvitePurpose::Device(lou.id, OtherDevices::Revoked),
        ),
        stays.clone(),
    ] {
        change(AccountChange::AddInvite(invite, now)).await.unwrap();
    }
    change(AccountChange::Remove(lou.id, 60)).await.unwrap();
    assert_eq!(store.invites(now).await.unwrap(), [stays]);
    assert_eq!(of(lou.id).await, None);
    assert_eq!(status(63).await, None);
    // Nothing brings it back.
    let back = add(NewDevice::new(lou.clone(), device(64, 70), seen(70))).await;
    assert!(matches!(back, Err(StoreError::Conflict)));
    for others in [OtherDevices::Stay, OtherDevices::Revoked] {
        let link = invite(74, None, InvitePurpose::Device(lou.id, others));
        let made = change(AccountChange::AddInvite(link, now)).await;
        assert!(matches!(made, Err(StoreError::Conflict)));
    }
    let named = store.identities_named(lou.name.key()).await.unwrap();
    assert_eq!(named, [], "nobody has the name now");
    // What it wrote still has a name.
    assert_eq!(store.identity(lou.id).await.unwrap(), Some(lou));
}

/// What a change withdraws of the invitations that were made before it.
pub(super) async fn withdrawn_invites(store: &dyn Store) {
    let (mia, ned) = (IdentityId::new([64; 16]), IdentityId::new([65; 16]));
    let now = seen(60);
    let for_role = |role| InvitePurpose::Account {
        role,
        rooms: Vec::new(),
    };
    let device_of = InvitePurpose::Device;
    let (stay, revoked) = (OtherDevices::Stay, OtherDevices::Revoked);
    let change = async |change| store.change_account(change, None).await.unwrap();
    let key = |n: u8| DeviceKey::new([n; 32]);
    for (id, n) in [(mia, 81), (ned, 82)] {
        let account = IdentityRecord {
            id,
            name: UserName::new(&format!("withdrawn{n}")).unwrap(),
            via: Via::Tchat,
        };
        let device = DeviceRecord {
            key: key(n),
            name: String::new(),
            added_ms: 1,
            seen_ms: 1,
            from: String::new(),
        };
        let new = NewDevice::new(account, device, seen(1));
        change(AccountChange::AddDevice(Box::new(new))).await;
    }
    // The invitations, each with its number.
    let all = [
        (91, Some(mia), for_role(ServerRole::Member)),
        (92, Some(mia), for_role(ServerRole::Admin)),
        (93, Some(mia), for_role(ServerRole::Owner)),
        (94, Some(mia), device_of(mia, stay)),
        (95, Some(mia), device_of(ned, revoked)),
        (96, Some(ned), for_role(ServerRole::Owner)),
        (97, None, device_of(mia, revoked)),
        (98, Some(ned), device_of(ned, stay)),
    ];
    let is_of_others = |hash: InviteHash| !(91..=98).contains(&hash.bytes()[0]);
    for (act, left) in [
        (
            AccountChange::SetRole(mia, ServerRole::Owner),
            &[91, 92, 93, 94, 96, 98][..],
        ),
        (
            AccountChange::SetRole(mia, ServerRole::Admin),
            &[91, 92, 94, 96, 98],
        ),
        (
            AccountChange::SetRole(mia, ServerRole::Member),
            &[94, 96, 98],
        ),
        (
            AccountChange::RevokeDevice(key(81), 70),
            &[91, 92, 93, 95, 96, 97, 98],
        ),
        (
            AccountChange::Ban(
                BanRecord {
                    target: BanTarget::Account(mia),
                    until: Until::Forever,
                    at_ms: 70,
                    by: String::new(),
                    reason: String::new(),
                },
                70,
            ),
            &[96, 97, 98],
        ),
        (AccountChange::Remove(mia, 70), &[96, 98]),
    ] {
        for (n, maker, purpose) in all.clone() {
            change(AccountChange::RemoveInvite(InviteHash::new([n; 32]))).await;
            let invite = InviteRecord {
                hash: InviteHash::new([n; 32]),
                uses_left: 1,
                expires: seen(1000),
                maker,
                purpose,
            };
            change(AccountChange::AddInvite(invite, now)).await;
        }
        change(act.clone()).await;
        let open = store.invites(now).await.unwrap().into_iter();
        let open = open.filter(|it| !is_of_others(it.hash));
        let mut open: Vec<u8> = open.map(|it| it.hash.bytes()[0]).collect();
        open.sort_unstable();
        assert_eq!(open, left, "{act:?}");
    }
}

pub(super) async fn audit(store: &dyn Store) {
    let act = |n: u64, act| NewAudit {
        at_ms: n,
        actor: (n > 1).then(|| Author {
            id: IdentityId::new([9; 16]),
            name: "安".into(),
        }),
        act,
        target: format!("target {n}"),
        detail: "more".into(),
    };
    let nothing = || AccountChange::RemoveInvite(InviteHash::new([99; 32]));
    for (n, what) in [
        (1, AuditAct::Invite),
        (2, AuditAct::Role),
        (3, AuditAct::Bot),
    ] {
        let audit = Some(act(n, what));
        store.change_account(nothing(), audit).await.unwrap();
    }
    // A change that fails is not logged.
    let taken = NewDevice::new(
        IdentityRecord {
            id: IdentityId::new([61; 16]),
            name: UserName::new("changed61").unwrap(),
            via: Via::Tchat,
        },
        DeviceRecord {
            key: DeviceKey::new([61; 32]),
            name: String::new(),
            added_ms: 1,
            seen_ms: 1,
            from: String::new(),
        },
        seen(1),
    );
    let taken = AccountChange::AddDevice(Box::new(taken));
    let refused = store.change_account(taken, Some(act(4, AuditAct::Relink)));
    assert!(matches!(refused.await, Err(StoreError::Conflict)));
    let rows = store.audit(u64::MAX, 10).await.unwrap();
    let words: Vec<_> = rows
        .iter()
        .map(|row| {
            let actor = row.actor.as_ref().map_or("", |it| it.name.as_str());
            (row.number, actor, row.act.as_str())
        })
        .collect();
    assert_eq!(
        words,
        [(3, "安", "bot"), (2, "安", "role"), (1, "", "invite")]
    );
    assert_eq!((rows[2].at_ms, rows[2].target.as_str()), (1, "target 1"));
    let page = store.audit(3, 1).await.unwrap();
    assert_eq!(page, [rows[1].clone()]);
    store.add_audit(act(4, AuditAct::Kick)).await.unwrap();
    let newest = store.audit(u64::MAX, 1).await.unwrap();
    assert_eq!((newest[0].number, newest[0].act.as_str()), (4, "kick"));
}

#[tokio::test]
async fn an_edited_row_of_the_audit_log_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tchat.db");
    let store = SqliteStore::open(&path, ServerId::new([1; 16])).unwrap();
    for n in 1..=3 {
        let nothing = AccountChange::RemoveInvite(InviteHash::new([n; 32]));
        let audit = NewAudit {
            at_ms: u64::from(n),
            actor: None,
            act: AuditAct::Invite,
            target: format!("target {n}"),
            detail: String::new(),
        };
        store.change_account(nothing, Some(audit)).await.unwrap();
    }
    store.close().await.unwrap();
    drop(store);
    let damaged = || {
        let verified = sqlite::verify_file(&path).unwrap();
        let damaged = verified.damaged.iter().map(|it| it.what.clone());
        damaged.collect::<Vec<_>>()
    };
    assert_eq!(damaged(), Vec::<String>::new());
    let of = |n| {
        vec![format!(
            "the hash of row {n} of the audit log does not match the row before it"
        )]
    };
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute(
        "UPDATE audit SET target = 'somebody else' WHERE num = 2",
        [],
    )
    .unwrap();
    assert_eq!(damaged(), of(2));
    db.execute("UPDATE audit SET target = 'target 2' WHERE num = 2", [])
        .unwrap();
    assert_eq!(damaged(), Vec::<String>::new());
    db.execute("DELETE FROM audit WHERE num = 2", []).unwrap();
    assert_eq!(damaged(), of(3));
}
