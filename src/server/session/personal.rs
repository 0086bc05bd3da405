//! Requests about the person: read positions, status, typing, profiles, and notification settings.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Session, post};
use crate::chat::{
    Epoch, IdentityId, Level, Limit, NameKey, Refusal, RefusalCode, RoomId, Seq, Settings, Status,
    UserName,
};
use crate::server::hub::AdmitError;
use crate::server::room::mailbox::RoomMsg;
use crate::server::store::PersonalChange;
use crate::wire::{Event, PersonTarget};

/// Minimum time between two read positions of a session.
const MARK_EVERY: Duration = Duration::from_millis(50);
/// Minimum time between two typing signals of a person.
const TYPING_EVERY: Duration = Duration::from_secs(3);

impl Session {
    pub(super) async fn mark_read(
        &mut self,
        request: u64,
        room: RoomId,
        epoch: Epoch,
        seq: Seq,
    ) -> Result<(), AdmitError> {
        // Waits here, so that a client that sends too many read positions delays only itself.
        if let Some(at) = self.marked_at {
            sleep_until(at + MARK_EVERY).await;
        }
        self.marked_at = Some(Instant::now());
        let me = self.who.author.id;
        let head = self.hub.head(room, me).await;
        let head = head.ok_or_else(|| Refusal::new(RefusalCode::NotAMember).with(room))?;
        if head.epoch != epoch {
            return Err(Refusal::new(RefusalCode::EpochChanged).into());
        }
        let seq = seq.min(head.seq);
        if !self.is_guest() && seq > self.hub.read_position(room, me).await? {
            self.hub.mark_read(room, me, seq);
        }
        if request > 0 {
            let unread = self.hub.unread(room, me, head.seq).await?;
            self.outbox.answer(Event::ReadPositionChanged {
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
        self.charge().await?;
        self.charge_own(Limit::Statuses).await?;
        self.hub.set_status(self.who.author.id, &status).await?;
        self.outbox.answer(Event::StatusChanged { request, status });
        Ok(())
    }

    /// Sends a typing signal to a room, unless one was sent a moment ago.
    pub(super) async fn typing(&mut self, room: RoomId) -> Result<(), AdmitError> {
        let me = self.who.author.id;
        if self.rooms.contains_key(&room)
            && self.hub.may_send_typing(me, TYPING_EVERY)
            && self.hub.may_show_typing(room, me).await?
        {
            let typing = RoomMsg::Typing { identity: me };
            self.hub.notify(room, typing).await;
        }
        Ok(())
    }

    pub(super) async fn whois(&self, request: u64, who: PersonTarget) -> Result<(), AdmitError> {
        self.charge().await?;
        let of = self.resolve(who).await?;
        let profile = self.hub.profile(self.who.author.id, of).await?;
        self.outbox.answer(Event::Profile { request, profile });
        Ok(())
    }

    pub(super) async fn ignore(
        &self,
        request: u64,
        who: PersonTarget,
        is_on: bool,
    ) -> Result<(), AdmitError> {
        self.charge().await?;
        let change = if is_on {
            PersonalChange::Ignore(self.person_to_ignore(who).await?)
        } else {
            PersonalChange::Unignore(self.ignored_person(who).await?)
        };
        self.change(request, change).await
    }

    pub(super) async fn block(
        &self,
        request: u64,
        who: PersonTarget,
        is_on: bool,
    ) -> Result<(), AdmitError> {
        self.charge().await?;
        if !is_on {
            let change = PersonalChange::Unignore(self.ignored_person(who).await?);
            return self.change(request, change).await;
        }
        self.check_has_account()?;
        let person = self.person_to_ignore(who).await?;
        self.hub.block(self.who.author.id, person).await?;
        self.answer_settings(request).await
    }

    /// Returns the person to ignore or to block.
    async fn person_to_ignore(&self, who: PersonTarget) -> Result<IdentityId, AdmitError> {
        let person = self.resolve(who).await?;
        if person == self.who.author.id {
            return Err(Refusal::new(RefusalCode::ToSelf).into());
        }
        let ignored = self.settings().await?.ignored;
        let is_new = !ignored.iter().any(|it| it.id == person);
        if is_new && ignored.len() >= Settings::IGNORED {
            return Err(too_many("ignored", Settings::IGNORED).into());
        }
        Ok(person)
    }

    /// Returns the ignored person that a request names.
    async fn ignored_person(&self, who: PersonTarget) -> Result<IdentityId, AdmitError> {
        let ignored = self.settings().await?.ignored;
        // Looked up in the list of ignored people, so that a person is found even if they are offline now.
        let key = |name: &str| UserName::new(name).ok().map(|name| name.key());
        let found = |is: &dyn Fn(IdentityId, Option<NameKey>) -> bool| {
            let mut ignored = ignored.iter();
            let found = ignored.find(|it| is(it.id, key(&it.name)));
            found.map(|it| it.id)
        };
        let person = match &who {
            PersonTarget::Person(person) => found(&|id, _| id == *person),
            PersonTarget::Name(name) => {
                let wanted = key(name);
                found(&|_, key| key.is_some() && key == wanted)
            }
        };
        let name = match who {
            PersonTarget::Person(person) => self.hub.author_of(person).await?.name,
            PersonTarget::Name(name) => name,
        };
        person.ok_or_else(|| Refusal::new(RefusalCode::NoEffect).with(name).into())
    }

    pub(super) async fn set_level(
        &self,
        request: u64,
        room: RoomId,
        level: Option<Level>,
    ) -> Result<(), AdmitError> {
        self.charge().await?;
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
        self.charge().await?;
        if words.len() > Settings::KEYWORDS {
            return Err(too_many("keywords", Settings::KEYWORDS).into());
        }
        let mut kept: Vec<String> = Vec::new();
        for word in &words {
            let word = word.trim();
            post::check_line("keyword", word, Settings::KEYWORD)?;
            if !word.is_empty() && !kept.iter().any(|other| other == word) {
                kept.push(word.to_owned());
            }
        }
        self.change(request, PersonalChange::Keywords(kept)).await
    }

    async fn change(&self, request: u64, change: PersonalChange) -> Result<(), AdmitError> {
        self.check_has_account()?;
        self.hub.change_settings(self.who.author.id, change).await?;
        self.answer_settings(request).await
    }

    /// Checks that this person is no guest, who has no settings.
    fn check_has_account(&self) -> Result<(), Refusal> {
        if self.is_guest() {
            return Err(Refusal::new(RefusalCode::Malformed).with("guest"));
        }
        Ok(())
    }

    async fn answer_settings(&self, request: u64) -> Result<(), AdmitError> {
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
