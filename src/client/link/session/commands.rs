//! Commands from the interface: turns each into a request or a call.

use super::{LinkSession, RequestPurpose};
use crate::chat::SessionToken;
use crate::client::link::{NoReceiver, account, admin};
use crate::client::{Command, Event, PersonRef, RequestKind, RoomToJoin, SearchScope, history};
use crate::wire::{JoinTarget, PersonTarget, Request};

impl LinkSession<'_> {
    pub(super) async fn handle(&mut self, command: Command) -> Result<(), NoReceiver> {
        let Some(token) = self.token else {
            return self.link.handle_offline(command).await;
        };
        let Some(command) = self.link.handle_cache_command(command).await? else {
            return Ok(());
        };
        match command {
            Command::Join(room) => {
                self.join(room.clone(), RequestPurpose::For(RequestKind::Join(room)));
            }
            Command::Leave(room) => self.ask_about(Request::Leave(room), RequestKind::Leave(room)),
            Command::Open(name) => {
                let who = PersonTarget::Name(name.clone());
                self.ask_about(Request::Open(who), RequestKind::Open(name));
            }
            Command::SetName(name) => {
                self.ask_about(Request::SetName(name.clone()), RequestKind::SetName(name));
            }
            Command::Create(wanted) => {
                let about = RequestKind::Create(wanted.name.clone());
                self.ask_about(Request::Create(wanted), about);
            }
            Command::Report => {
                self.is_report_wanted = true;
                self.ping();
                self.link.report().await?;
            }
            Command::MarkRead { room, epoch, seq } => {
                self.request(
                    Request::MarkRead { room, epoch, seq },
                    Some(RequestPurpose::IgnoreRefusal),
                );
            }
            Command::Typing(room) => self.request(Request::Typing(room), None),
            Command::SetStatus(status) => {
                self.ask_about(Request::SetStatus(status), RequestKind::Status);
            }
            Command::Whois(person) => {
                self.ask_about(Request::Whois(person_target(person)), RequestKind::Whois);
            }
            Command::Ignore { person, is_on } => {
                let who = person_target(person);
                self.ask_about(Request::Ignore { who, is_on }, RequestKind::Settings);
            }
            Command::Block { person, is_on } => {
                let who = person_target(person);
                self.ask_about(Request::Block { who, is_on }, RequestKind::Settings);
            }
            Command::AnswerRequest { room, answer } => {
                let about = RequestKind::AnswerRequest(room);
                self.ask_about(Request::AnswerRequest { room, answer }, about);
            }
            Command::SetLevel { room, level } => {
                self.ask_about(Request::SetLevel { room, level }, RequestKind::Settings);
            }
            Command::SetKeywords(words) => {
                self.ask_about(Request::SetKeywords(words), RequestKind::Settings);
            }
            Command::LoadOlder { .. }
            | Command::ListMentions
            | Command::ListModeration(_)
            | Command::ListSanctions(_)
            | Command::ListRooms
            | Command::Admin(_)
            | Command::Account(_)
            | Command::Search { .. } => self.call(command, token),
            // The first three have been handled above. There is nothing to retry while connected, and the caller's loop
            // handles `Disconnect` and `Quit`.
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
    fn call(&mut self, command: Command, token: SessionToken) {
        match command {
            Command::LoadOlder { room, before } => {
                self.older_pages.push((room, before));
                self.calls.push(Box::pin(history::load_page(
                    self.service.clone(),
                    token,
                    self.link.cache.clone().zip(self.link.cached_server),
                    room,
                    before,
                )));
            }
            Command::ListModeration(room) => {
                let call = history::fetch_moderation(self.service.clone(), token, room);
                self.calls.push(Box::pin(call));
            }
            Command::ListSanctions(room) => {
                let call = history::fetch_sanctions(self.service.clone(), token, room);
                self.calls.push(Box::pin(call));
            }
            Command::ListMentions => {
                let call = history::fetch_mentions(self.service.clone(), token);
                self.calls.push(Box::pin(async {
                    match call.await {
                        Ok(entries) => Event::Mentions(entries),
                        Err(refusal) => Event::Refused {
                            about: RequestKind::Mentions,
                            refusal,
                        },
                    }
                }));
            }
            Command::Search {
                id,
                search,
                scope: among,
            } => match among {
                SearchScope::Cache => self
                    .calls
                    .push(Box::pin(self.link.search_cache(id, search))),
                SearchScope::Server => {
                    let call = history::search_server(self.service.clone(), token, search);
                    self.calls.push(Box::pin(async move {
                        let found = call.await;
                        Event::SearchResults {
                            id,
                            scope: among,
                            results: found,
                        }
                    }));
                }
            },
            Command::Admin(request) => {
                let call = admin::call(self.channel.clone(), Some(token), request);
                self.calls
                    .push(Box::pin(async { Event::Admin(call.await) }));
            }
            Command::Account(request) => {
                let call = account::call(self.service.clone(), token, request);
                self.calls
                    .push(Box::pin(async { Event::Account(call.await) }));
            }
            Command::ListRooms => {
                let call = history::fetch_rooms(self.service.clone(), token);
                self.calls.push(Box::pin(async {
                    match call.await {
                        Ok(rooms) => Event::Rooms(rooms),
                        Err(refusal) => Event::Refused {
                            about: RequestKind::ListRooms,
                            refusal,
                        },
                    }
                }));
            }
            _ => {}
        }
    }

    /// Sends a request. A refusal is reported for `about`.
    fn ask_about(&mut self, what: Request, about: RequestKind) {
        self.request(what, Some(RequestPurpose::For(about)));
    }

    pub(super) fn join(&mut self, room: RoomToJoin, waits: RequestPurpose) {
        let target = match room.id {
            Some(id) => JoinTarget::Room(id),
            None => JoinTarget::Name(room.name),
        };
        self.request(Request::Join(target), Some(waits));
    }
}

fn person_target(person: PersonRef) -> PersonTarget {
    match person {
        PersonRef::Person(person) => PersonTarget::Person(person),
        PersonRef::Name(name) => PersonTarget::Name(name),
    }
}
