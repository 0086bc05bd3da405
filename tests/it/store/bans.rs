//! Bans from the server in a store.

use tchat::chat::{BanTarget, IdentityId, Until};
use tchat::server::store::{AccountChange, BanRecord, Store};

pub async fn contract(store: &dyn Store) {
    let ban = |target, until, at_ms| BanRecord {
        target,
        until,
        at_ms,
        by: "安".into(),
        reason: "spam".into(),
    };
    let account = BanTarget::Account(IdentityId::new([91; 16]));
    let network = |text: &str| BanTarget::Network(text.parse().unwrap());
    let (four, six) = (network("192.0.2.0/24"), network("2001:db8::/64"));
    let add = async |ban: &BanRecord, now_ms| {
        let change = AccountChange::Ban(ban.clone(), now_ms);
        store.change_account(change, None).await.unwrap();
    };
    assert_eq!(store.server_bans().await.unwrap(), []);
    let first = ban(account, Until::Forever, 10);
    let second = ban(four, Until::At(500), 20);
    let third = ban(six, Until::At(900), 30);
    for it in [&first, &second, &third] {
        add(it, 100).await;
    }
    let all = store.server_bans().await.unwrap();
    assert_eq!(all, [third.clone(), second, first.clone()]);
    // A new ban of the same replaces the old one, and those that have expired are deleted.
    let again = ban(six, Until::Forever, 40);
    add(&again, 500).await;
    assert_eq!(store.server_bans().await.unwrap(), [again, first]);
    for target in [six, four] {
        let change = AccountChange::Unban(target);
        store.change_account(change, None).await.unwrap();
    }
    let removed = AccountChange::Remove(IdentityId::new([91; 16]), 600);
    store.change_account(removed, None).await.unwrap();
    assert_eq!(store.server_bans().await.unwrap(), []);
}
