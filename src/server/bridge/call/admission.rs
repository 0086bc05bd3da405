//! Admission of a client: reserves a name, starts a session and joins a room, or refuses the client.

use super::{
    Arc, Call, Guest, JoinTarget, Notification, ReceiverStream, Refusal, Request, Seat, Stage, Via,
    WAITING, mpsc, reserve, session,
};
use crate::server::session::Origin;

impl Call {
    /// Reserves a name and starts the session. The client is answered when the room has answered.
    pub(super) async fn enter(&mut self, name: &str, room: &str, number: Option<i64>) {
        let seat = match self.guest(name, number).await {
            Ok(guest) => guest.seat().await,
            Err(refusal) => Err(refusal),
        };
        match seat {
            Ok(seat) => self.start_session(seat, room),
            Err(refusal) => self.refuse_entry(&refusal),
        }
    }

    pub(super) async fn guest(
        &self,
        name: &str,
        number: Option<i64>,
    ) -> Result<Arc<Guest>, Refusal> {
        let via = self.protocol.via();
        match via {
            Via::Service => Ok(self.hub.shared_guest(via)),
            Via::WebSocket if name.is_empty() => self.hub.nameless_guest(via),
            Via::Chat => reserve(&self.hub, &self.connection, name).await,
            _ => self.hub.guest_within(name, via, number).await,
        }
    }

    pub(super) fn start_session(&mut self, seat: Seat, room: &str) {
        let (asks, asked) = mpsc::channel(WAITING);
        self.name = seat.guest.name.to_string();
        self.me = Some(seat.guest.identity);
        self.session = Some(asks);
        self.stage = Stage::Entering;
        self.requests
            .push_back(Request::Join(JoinTarget::Name(room.to_owned())));
        tokio::spawn(session::run_guest(
            Arc::clone(&self.hub),
            Arc::clone(&self.outbox),
            ReceiverStream::new(asked),
            (seat, self.reach),
            Origin {
                peer: self.connection.peer(),
                address: self.connection.address(),
                transport: None,
            },
        ));
    }

    /// Answers the handshake, if there is one without an answer.
    pub(super) fn answer_handshake(&mut self, outcome: Result<(), Refusal>) {
        if let Some(entered) = self.handshake_reply.take() {
            // A failed send means that the client is gone, which is noticed elsewhere.
            let _gone = entered.send(outcome);
        }
    }

    pub(super) fn refuse_entry(&mut self, refusal: &Refusal) {
        self.stage = Stage::Outside;
        self.answer_handshake(Err(refusal.clone()));
        for _ in self.deferred.drain(..) {
            self.hub.metrics.count_dropped(self.protocol.via());
        }
        self.notify(Notification::NotAdmitted(refusal));
    }
}
