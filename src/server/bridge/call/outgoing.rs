//! Converts a session's outgoing events into messages of the client's protocol.

use super::{
    Body, Call, Delivery, Direction, Ending, Entry, Event, GoodbyeReason, Item, JoinOrLeave,
    Notification, OWN_REQUEST, REQUEST_LIMIT, Request, RoomKind, Seq, Signal, Stage, ToClient, Via,
    notices,
};

impl Call {
    pub(super) async fn on_event(&mut self, item: &Item) {
        match item {
            Item::Entries(delivery, after) => self.send_entries(delivery, *after),
            Item::Signal(signal) => self.send_joins_and_leaves(signal),
            Item::Answer(event) => self.send_answer(event),
        }
        if self.stage == Stage::Inside && !self.deferred.is_empty() {
            let held = std::mem::take(&mut self.deferred).into();
            self.perform_all(held).await;
        }
        self.end_if_due();
    }

    pub(super) fn send_entries(&mut self, delivery: &Delivery, after: Seq) {
        if Some(delivery.room()) != self.room {
            let name = self.name.clone();
            let peer = self.peers.get(&delivery.room()).cloned();
            let peer = peer.unwrap_or_default();
            let said = delivery.entries().iter();
            for entry in said.filter(|entry| entry.seq > after && entry.body.is_message()) {
                let is_own = Some(entry.author.id) == self.me;
                self.notify(if is_own {
                    Notification::SentPrivately { entry, to: &peer }
                } else {
                    Notification::Private { entry, name: &name }
                });
            }
            let left = |entry: &Entry| entry.body == Body::Left;
            if delivery.entries().iter().any(left) && self.requests.len() < REQUEST_LIMIT {
                // The other person left and cannot post there again, so this conversation is over.
                self.peers.remove(&delivery.room());
                self.requests.push_back(Request::Leave(delivery.room()));
            }
            return;
        }
        // Only `user` sends the number of people with each message. The other protocols share one encoded form, whatever the number.
        let count = if self.protocol.via() == Via::User {
            self.count
        } else {
            0
        };
        let forms = delivery.foreign(self.protocol.via(), count, |entry| {
            self.protocol.entry(entry, count)
        });
        for (entry, form) in delivery.entries().iter().zip(forms.iter()) {
            let is_own = Some(entry.author.id) == self.me;
            let is_silent = is_own && !self.protocol.echoes();
            if entry.seq > after && !form.is_empty() && !is_silent {
                self.send(ToClient::Message(form.clone()));
            }
        }
    }

    pub(super) fn send_joins_and_leaves(&mut self, signal: &Signal) {
        for JoinOrLeave { person, way, count } in &signal.joins_and_leaves {
            self.count = *count;
            if Some(person.id) == self.me {
                continue;
            }
            self.notify(match way {
                Direction::In => Notification::PersonJoined(person),
                Direction::Out => Notification::PersonLeft(person),
            });
        }
    }

    pub(super) fn send_answer(&mut self, event: &Event) {
        match event {
            Event::RoomChanged { room, .. }
                if room.kind == RoomKind::Conversation && self.requests.len() < REQUEST_LIMIT =>
            {
                let name = room.peer.as_ref().map(|peer| peer.name.clone());
                let known = self.peers.insert(room.id, name.unwrap_or_default());
                // Sent again when the other person accepts the guest's first message.
                if known.is_none() {
                    let follow = Request::Follow {
                        room: room.id,
                        cursor: None,
                    };
                    self.requests.push_back(follow);
                }
            }
            Event::RoomChanged { room, .. } if room.kind == RoomKind::Conversation => {}
            Event::RoomChanged { room, .. } => {
                self.room = Some(room.id);
                self.count = room.present;
                self.stage = Stage::Inside;
                self.answer_handshake(Ok(()));
                let name = self.name.clone();
                self.notify(Notification::Joined {
                    name: &name,
                    room: &room.name,
                });
            }
            Event::Refused {
                request: OWN_REQUEST,
                ..
            } => {}
            Event::Unfollowed { room, why, .. } if Some(*room) == self.room => {
                if let Some(words) = notices::removal(why) {
                    self.notify(Notification::Notice(&words));
                }
                self.leave(Ending::Done);
            }
            Event::Refused { refusal, .. } if self.stage == Stage::Entering => {
                self.refuse_entry(refusal);
            }
            Event::Refused { refusal, .. } => self.notify(Notification::Refused(refusal)),
            Event::Gap { room, from, to } if Some(*room) == self.room => {
                let count = to.0.saturating_sub(from.0) + 1;
                self.notify(Notification::Notice(&notices::skipped(count)));
            }
            Event::RosterPage { room, count, .. } if Some(*room) == self.room => {
                self.count = *count;
            }
            Event::Goodbye(goodbye) if goodbye.reason == GoodbyeReason::Draining => {
                self.farewell = Some(Ending::Stopping);
            }
            _ => {}
        }
    }
}
