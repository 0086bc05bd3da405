//! Commands from the interface: the request or the call that each becomes.

use super::{Attached, Waits};
use crate::chat::{Refusal, RefusalCode};
use crate::client::link::NoReceiver;
use crate::client::{About, Among, Command, Event, PersonRef, RoomToJoin, history};
use crate::wire::{JoinTarget, Request, Who};

impl Attached<'_> {
    pub(super) async fn handle(&mut self, command: Command) -> Result<(), NoReceiver> {
        if self.welcome_at.is_none()
            && !matches!(command, Command::Older { .. } | Command::ListRooms)
        {
            return self.link.offline(command).await;
        }
        let Some(command) = self.link.keep_or(command).await? else {
            return Ok(());
        };
        match command {
            Command::Join(room) => self.join(room.clone(), Waits::For(About::Join(room))),
            Command::Leave(room) => self.ask_about(Request::Leave(room), About::Leave(room)),
            Command::Open(name) => {
                let who = Who::Name(name.clone());
                self.ask_about(Request::Open(who), About::Open(name));
            }
            Command::SetName(name) => {
                self.ask_about(Request::SetName(name.clone()), About::SetName(name));
            }
            Command::Create(wanted) => {
                let about = About::Create(wanted.name.clone());
                self.ask_about(Request::Create(wanted), about);
            }
            Command::Report => {
                self.is_watched = true;
                self.ping();
                self.link.report().await?;
            }
            Command::MarkRead { room, epoch, seq } => {
                self.ask(Request::MarkRead { room, epoch, seq }, Some(Waits::Quietly));
            }
            Command::Typing(room) => self.ask(Request::Typing(room), None),
            Command::SetStatus(status) => {
                self.ask_about(Request::SetStatus(status), About::Status);
            }
            Command::Whois(whom) => self.ask_about(Request::Whois(who(whom)), About::Whois),
            Command::Ignore { whom, is_on } => {
                let who = who(whom);
                self.ask_about(Request::Ignore { who, is_on }, About::Settings);
            }
            Command::SetLevel { room, level } => {
                self.ask_about(Request::SetLevel { room, level }, About::Settings);
            }
            Command::SetKeywords(words) => {
                self.ask_about(Request::SetKeywords(words), About::Settings);
            }
            Command::Older { .. }
            | Command::ListMentions
            | Command::ListRooms
            | Command::Search { .. } => self.call(command),
            // The first three are handled already, and the last three in the loop.
            Command::Post { .. }
            | Command::Forget(_)
            | Command::Draft { .. }
            | Command::RetryNow
            | Command::Disconnect
            | Command::Quit => {}
        }
        Ok(())
    }

    /// Makes a call next to the stream; the answer arrives as an event.
    fn call(&mut self, command: Command) {
        let secret = self.link.config.secret.clone();
        match command {
            Command::Older { room, before } => {
                self.older.push((room, before));
                self.calls.push(Box::pin(history::older(
                    self.service.clone(),
                    secret,
                    self.link.cache.clone().zip(self.link.holds),
                    room,
                    before,
                )));
            }
            Command::ListMentions => {
                let call = history::mentions(self.service.clone(), secret);
                self.calls.push(Box::pin(async {
                    match call.await {
                        Some(entries) => Event::Mentions(entries),
                        None => Event::Refused {
                            about: About::Mentions,
                            refusal: Refusal::new(RefusalCode::Offline),
                        },
                    }
                }));
            }
            Command::Search { id, search, among } => match among {
                Among::Kept => self.calls.push(Box::pin(self.link.kept_found(id, search))),
                Among::All => {
                    let call = history::found(self.service.clone(), secret, search);
                    self.calls.push(Box::pin(async move {
                        let found = call.await;
                        Event::Found { id, among, found }
                    }));
                }
            },
            Command::ListRooms => {
                let call = history::rooms(self.service.clone(), secret);
                self.calls.push(Box::pin(async {
                    match call.await {
                        Some(rooms) => Event::Rooms(rooms),
                        None => Event::Refused {
                            about: About::ListRooms,
                            refusal: Refusal::new(RefusalCode::Offline),
                        },
                    }
                }));
            }
            _ => {}
        }
    }

    /// Sends a request. A refusal is reported for `about`.
    fn ask_about(&mut self, what: Request, about: About) {
        self.ask(what, Some(Waits::For(about)));
    }

    pub(super) fn join(&mut self, room: RoomToJoin, waits: Waits) {
        let target = match room.id {
            Some(id) => JoinTarget::Room(id),
            None => JoinTarget::Name(room.name),
        };
        self.ask(Request::Join(target), Some(waits));
    }
}

fn who(whom: PersonRef) -> Who {
    match whom {
        PersonRef::Person(person) => Who::Person(person),
        PersonRef::Name(name) => Who::Name(name),
    }
}
