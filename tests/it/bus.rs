//! The contract of `Bus`, run against every implementation.

use std::sync::Arc;
use std::time::Duration;

use tchat::chat::{Author, Body, IdentityId, Post, RoomId, Stamp};
use tchat::server::bus::local::LocalBus;
use tchat::server::bus::{Batch, Bus, IN_FLIGHT};

const ROOM: RoomId = RoomId::new([1; 16]);
const OTHER: RoomId = RoomId::new([2; 16]);

fn post(n: usize) -> Post {
    let author = Author {
        id: IdentityId::new([1; 16]),
        name: "ann".into(),
    };
    Post {
        author,
        client_id: None,
        body: Body::Text(n.to_string()),
        mentions: Vec::new(),
    }
}

fn batch<const N: usize>(numbers: [usize; N]) -> Batch {
    Batch {
        at: Stamp::default(),
        posts: numbers.map(post).into(),
    }
}

async fn contract(bus: Arc<dyn Bus>) {
    let mut follower = bus.follow(ROOM);
    let mut elsewhere = bus.follow(OTHER);
    let publisher = Arc::clone(&bus);
    let publishing = tokio::spawn(async move {
        for n in 0..100 {
            publisher
                .publish(ROOM, batch([2 * n, 2 * n + 1]))
                .await
                .unwrap();
        }
    });
    let mut back = Vec::new();
    while back.len() < 200 {
        back.extend(follower.recv().await.unwrap().posts);
    }
    assert_eq!(
        back,
        (0..200).map(post).collect::<Vec<_>>(),
        "once, and in order"
    );
    publishing.await.unwrap();
    assert!(
        elsewhere.try_recv().is_err(),
        "rooms do not receive each other's posts"
    );

    for n in 0..IN_FLIGHT {
        bus.publish(ROOM, batch([n])).await.unwrap();
    }
    let waits = tokio::time::timeout(Duration::from_secs(1), bus.publish(ROOM, batch([0]))).await;
    assert!(
        waits.is_err(),
        "publishing waits for a follower that is too far behind"
    );
    drop(follower);
    assert!(
        bus.publish(ROOM, batch([0])).await.is_err(),
        "publishing without a follower fails"
    );
}

#[tokio::test(start_paused = true)]
async fn the_local_bus_fulfils_the_contract() {
    contract(Arc::new(LocalBus::default())).await;
}
