//! What belongs to the person at the session: what they have read, how they are, what they want to be told.

use std::time::Duration;

use tokio::time::Instant;

use super::{Session, post};
use crate::chat::{
    Epoch, IdentityId, Level, NameKey, Refusal, RefusalCode, RoomId, Seq, Settings, Status,
    UserName,
};
use crate::server::hub::{AdmitError, now_ms};
use crate::server::room::mailbox::RoomMsg;
use crate::server::store::PersonalChange;
use crate::wire::{Event, Who};

/// That somebody is writing is told this often.
const TYPING_EVERY: Duration = Duration::from_secs(3);

impl Session {
    pub(super) async fn mark_read(
        &self,
        request: u64,
        room: RoomId,
        epoch: Epoch,
        seq: Seq,
    ) -> Result<(), AdmitError> {
        let me = self.who.author.id;
        let head = self.hub.head(room, me).await;
        let head = head.ok_or_else(|| Refusal::new(RefusalCode::NotAMember).with(room))?;
        if head.epoch != epoch {
            return Err(Refusal::new(RefusalCode::EpochChanged).into());
        }
        let before = self.hub.unread(room, me, head.seq).await?;
        let seq = seq.min(head.seq);
        let unread = if seq > before.read && !self.is_guest() {
            self.hub.mark_read(room, me, seq);
            self.hub.unread(room, me, head.seq).await?
        } else {
            before
        };
        if request > 0 {
            self.outbox.answer(Event::ReadMoved {
                request,
                room,
                epoch,
                last: head.seq,
                unread,
            });
        }
        Ok(())
    }

    pub(super) async fn set_status(&self, request: u64, status: Status) -> Result<(), AdmitError> {
        post::check_line("status", &status.text, Status::LIMIT)?;
        self.pace().await?;
        self.hub.set_status(self.who.author.id, &status).await?;
        self.outbox.answer(Event::StatusChanged { request, status });
        Ok(())
    }

    /// Tells a room that we are writing there, unless that was told a moment ago.
    pub(super) async fn typing(&mut self, room: RoomId) {
        let is_early = |at: Instant| at.elapsed() < TYPING_EVERY;
        if !self.rooms.contains_key(&room) || self.typed_at.is_some_and(is_early) {
            return;
        }
        self.typed_at = Some(Instant::now());
        let typing = RoomMsg::Typing {
            identity: self.who.author.id,
            at_ms: now_ms(),
        };
        self.hub.notify(room, typing).await;
    }

    pub(super) async fn whois(&self, request: u64, who: Who) -> Result<(), AdmitError> {
        self.pace().await?;
        let of = self.meant(who).await?;
        let profile = self.hub.profile(self.who.author.id, of).await?;
        self.outbox.answer(Event::Profile { request, profile });
        Ok(())
    }

    pub(super) async fn ignore(
        &self,
        request: u64,
        who: Who,
        is_on: bool,
    ) -> Result<(), AdmitError> {
        self.pace().await?;
        let ignored = self.settings().await?.ignored;
        let change = if is_on {
            let person = self.meant(who).await?;
            if person == self.who.author.id {
                return Err(Refusal::new(RefusalCode::ToSelf).into());
            }
            if ignored.len() >= Settings::IGNORED {
                return Err(too_many("ignored", Settings::IGNORED).into());
            }
            PersonalChange::Ignore(person)
        } else {
            // Whoever is ignored is found by the name they have in the list, wherever they are now.
            let key = |name: &str| UserName::new(name).ok().map(|name| name.key());
            let found = |is: &dyn Fn(IdentityId, Option<NameKey>) -> bool| {
                let mut ignored = ignored.iter();
                let found = ignored.find(|it| is(it.id, key(&it.name)));
                found.map(|it| it.id)
            };
            let person = match &who {
                Who::Person(person) => found(&|id, _| id == *person),
                Who::Name(name) => {
                    let wanted = key(name);
                    found(&|_, key| key.is_some() && key == wanted)
                }
            };
            let name = match who {
                Who::Person(person) => self.hub.named(person).await?.name,
                Who::Name(name) => name,
            };
            let person = person.ok_or_else(|| Refusal::new(RefusalCode::NoEffect).with(name))?;
            PersonalChange::Heed(person)
        };
        self.change(request, change).await
    }

    pub(super) async fn set_level(
        &self,
        request: u64,
        room: RoomId,
        level: Option<Level>,
    ) -> Result<(), AdmitError> {
        self.pace().await?;
        let head = self.hub.head(room, self.who.author.id).await;
        head.ok_or_else(|| Refusal::new(RefusalCode::NotAMember).with(room))?;
        self.change(request, PersonalChange::Level(room, level))
            .await
    }

    pub(super) async fn set_keywords(
        &self,
        request: u64,
        words: Vec<String>,
    ) -> Result<(), AdmitError> {
        self.pace().await?;
        let mut kept: Vec<String> = Vec::new();
        for word in &words {
            let word = word.trim();
            post::check_line("keyword", word, Settings::KEYWORD)?;
            if !word.is_empty() && !kept.iter().any(|other| other == word) {
                kept.push(word.to_owned());
            }
        }
        if kept.len() > Settings::KEYWORDS {
            return Err(too_many("keywords", Settings::KEYWORDS).into());
        }
        self.change(request, PersonalChange::Keywords(kept)).await
    }

    async fn change(&self, request: u64, change: PersonalChange) -> Result<(), AdmitError> {
        if self.is_guest() {
            return Err(Refusal::new(RefusalCode::Malformed).with("guest").into());
        }
        self.hub.change_settings(self.who.author.id, change).await?;
        let settings = self.settings().await?;
        self.outbox
            .answer(Event::SettingsChanged { request, settings });
        Ok(())
    }

    async fn settings(&self) -> Result<Settings, AdmitError> {
        let personal = self.hub.store.personal(self.who.author.id).await?;
        Ok(personal.settings)
    }
}

fn too_many(what: &'static str, most: usize) -> Refusal {
    Refusal::new(RefusalCode::TooMany).with(what).with(most)
}
