//! Unread counts against an oracle, whatever happens.

use super::*;

/// A deterministic pseudo-random number generator.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// The unread count computed from the log alone.
async fn oracle(store: &dyn Store, room: RoomId, reader: IdentityId, read: Seq) -> Unread {
    let mut unread = Unread::none_after(read);
    let mut after = Seq::ZERO;
    loop {
        let page = store
            .page(room, Span::After(after), PageLimit::PAGE)
            .await
            .unwrap();
        let Some(last) = page.last() else {
            return unread;
        };
        after = last.seq;
        let counted = page
            .iter()
            .filter(|it| it.seq > read && it.counts_for(reader));
        counted.for_each(|it| unread.add(it.mentions(reader)));
    }
}

#[tokio::test(start_paused = true)]
async fn unread_counts_match_the_log_whatever_happens() {
    for seed in 1..=12 {
        let server = Server::start();
        let mut ben = server.joins("ben").await;
        ben.is_in("general").await;
        let mut screens = [
            elsewhere(&server, "ann").await,
            elsewhere(&server, "ann").await,
        ];
        let me = screens[0].screen.state.me.account.clone().unwrap().id;
        let room = ben.room("general").unwrap();
        let mut dice = Dice(seed);
        for step in 0..40 {
            does(&mut dice, step, &mut ben, &mut screens).await;
        }
        ben.is_answered().await;
        // Both are connected again, nobody looks at the room, and read positions are stored.
        for screen in &mut screens {
            screen.keys("<c-u>/connect<ret>");
            screen.keys("/join tech<ret>");
        }
        for _ in 0..3 {
            sleep(Duration::from_secs(2)).await;
            for screen in &mut screens {
                screen.waits_until_idle().await;
            }
        }
        let store = &server.store;
        let read = store.read_position(room, me).await.unwrap();
        let expected = oracle(&**store, room, me, read).await;
        for screen in &screens {
            let told = &screen.screen.state.room(room).unwrap().reading.unread;
            assert_eq!(*told, expected, "seed {seed}");
        }
    }
}

/// One random step: ben posts, edits or deletes something, or a screen reads, looks away, disconnects or reconnects.
async fn does(dice: &mut Dice, step: u64, ben: &mut Person, screens: &mut [Viewer; 2]) {
    let to = Recipient::Room(ben.room("general").unwrap());
    let said = |ben: &Person| -> Vec<Seq> {
        let entries = ben.entries.get(&ben.room("general").unwrap());
        let me = ben.me.as_ref().unwrap().id;
        let mine = entries.into_iter().flatten();
        let mine = mine.filter(|it| it.body.is_message() && it.author.id == me);
        mine.map(|it| it.seq).collect()
    };
    let amends = |ben: &mut Person, which: u64, what: Amendment| {
        let said = said(ben);
        if let Some(target) = said.get(usize::try_from(which).unwrap() % said.len().max(1)) {
            let target = *target;
            ben.posts_body(to.clone(), Body::Amendment { target, what });
        }
    };
    let screen = &mut screens[usize::try_from(dice.roll(2)).unwrap()];
    match dice.roll(12) {
        0..=3 => {
            let text = ["plain", "for @ann", "@here all", "nobody@ann"];
            let text = text[usize::try_from(dice.roll(4)).unwrap()];
            ben.posts(to, &format!("{text} {step}"));
        }
        4 => amends(
            ben,
            dice.roll(100),
            Amendment::Edit(format!("edited {step} @ann")),
        ),
        5 | 6 => amends(ben, dice.roll(100), Amendment::Erase),
        7 => {
            screen.keys("<c-u>/join general<ret>");
            screen.advances(LOOK_TIME);
        }
        8 => screen.keys("<c-u>/join tech<ret>"),
        9 => screen.sets_focus(dice.roll(2) == 0),
        10 => screen.keys("<c-u>/disconnect<ret>"),
        _ => screen.keys("<c-u>/connect<ret>"),
    }
    if dice.roll(3) == 0 {
        ben.is_answered().await;
        ben.catch_up();
        for screen in screens {
            screen.waits_until_idle().await;
        }
    }
}

#[tokio::test]
async fn read_positions_are_stored_when_the_server_ends() {
    let store = memory();
    let mut server = Server::with(config(), Arc::clone(&store));
    let mut ben = server.joins("ben").await;
    let room = ben.is_in("general").await;
    let mut ann = elsewhere(&server, "ann").await;
    ben.sends("general", "hello");
    ben.sees("general", "hello").await;
    ann.has_unread("#general", 1, 0).await;
    ann.keys("<a-up>");
    ann.advances(LOOK_TIME);
    let me = ann.screen.state.me.account.clone().unwrap().id;
    // Read positions are not stored at once, because more may arrive within a second.
    ann.keys("hi<ret>");
    ben.sees("general", "hi").await;
    server.stops().await.unwrap();
    let read = store.read_position(room, me).await.unwrap();
    assert!(read >= Seq(4), "{read}");
}
