//! The room record that the store benchmarks use.

use tchat::chat::{Epoch, RoomId, RoomKind, RoomName};
use tchat::server::store::RoomRecord;

pub fn record(n: u64) -> RoomRecord {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&n.to_be_bytes());
    let name = RoomName::new(&format!("room{n}")).expect("a name");
    RoomRecord {
        id: RoomId::new(id),
        kind: RoomKind::Public,
        name: name.to_string(),
        key: Some(name.key()),
        topic: String::new(),
        capacity: 0,
        position: 0,
        epoch: Epoch::new(id),
        pair: None,
        rules: tchat::chat::RoomRules::default(),
    }
}
