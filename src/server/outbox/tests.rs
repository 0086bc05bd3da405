use super::*;
use crate::chat::{Refusal, RefusalCode};

fn event(n: u64) -> Event {
    Event::Refused {
        request: n,
        client_id: None,
        refusal: Refusal::new(RefusalCode::Malformed),
    }
}

/// Takes all queued events and returns their request numbers.
fn written(outbox: &Outbox) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Poll::Ready(Some(Item::Answer(event))) = outbox.pop() {
        if let Event::Refused { request, .. } = *event {
            numbers.push(request);
        }
    }
    numbers
}

#[test]
fn the_welcome_comes_first_and_earlier_notifications_follow_it() {
    let outbox = Outbox::new(Arc::default());
    outbox.delay_notifications();
    outbox.notify(event(1));
    outbox.notify(event(2));
    assert!(written(&outbox).is_empty());
    outbox.welcome(event(0));
    outbox.notify(event(3));
    assert_eq!(written(&outbox), [0, 1, 2, 3]);
    // A guest has no welcome and gets notifications at once.
    let guest = Outbox::new(Arc::default());
    guest.notify(event(1));
    assert_eq!(written(&guest), [1]);
}

#[test]
fn a_session_with_too_many_delayed_notifications_is_ended() {
    let outbox = Outbox::new(Arc::default());
    outbox.delay_notifications();
    for n in 0..ANSWERS as u64 {
        outbox.notify(event(n));
    }
    assert!(!outbox.is_abandoned());
    outbox.notify(event(0));
    assert!(outbox.is_abandoned());
}
