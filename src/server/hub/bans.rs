//! Bans from the server, and the sessions that administrators see and end.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::administration::{AdminFailure, Administrator};
use super::{Hub, PresentPerson};
use crate::chat::{
    AuditAct, BanInfo, BanTarget, IdentityId, Network, Refusal, RefusalCode, ServerRole,
    SessionInfo, Until, Via,
};
use crate::server::store::{AccountChange, BanRecord, StoreError};
use crate::text;
use crate::wire::GoodbyeReason;

/// The most bans, so that each sign-in is checked quickly.
const BANS: usize = 4096;
/// The longest reason, in code points.
const REASON: usize = 390;

impl Hub {
    /// Checks that an account is not banned.
    pub(super) fn check_account_ban(&self, account: IdentityId) -> Result<(), Refusal> {
        self.check_ban(|target| target == BanTarget::Account(account))
    }

    /// Checks that new people from an address are not banned. This machine cannot be banned: tunnels and proxies make everybody look like it.
    pub(super) fn check_network_ban(&self, from: Option<IpAddr>) -> Result<(), Refusal> {
        let Some(from) = from.filter(|ip| !ip.is_loopback()) else {
            return Ok(());
        };
        self.check_ban(|target| matches!(target, BanTarget::Network(it) if it.contains(from)))
    }

    fn check_ban(&self, is_it: impl Fn(BanTarget) -> bool) -> Result<(), Refusal> {
        let now = self.rooms.clock.stamp();
        let state = self.lock();
        let mut bans = state.bans.iter();
        let ban = bans.find(|ban| is_it(ban.target) && ban.until.is_active(now.log_ms));
        let Some(ban) = ban else { return Ok(()) };
        let until = ban.until.by_wall_clock(now);
        let refusal = Refusal::new(RefusalCode::ServerBanned);
        Err(refusal.with(until.millis()).with(&ban.reason))
    }

    /// Bans an account with all its devices, or new people from a network.
    pub async fn ban(
        &self,
        by: &Administrator,
        target: &str,
        lasts: Option<Duration>,
        reason: &str,
    ) -> Result<(), AdminFailure> {
        let _one_at_a_time = self.role_lock.lock().await;
        let (target, shown) = self.ban_target(by, target).await?;
        if let BanTarget::Account(account) = target
            && self.server_role(account) == ServerRole::Owner
            && self.owners() <= 1
        {
            return Err(AdminFailure::LastOwner);
        }
        let now = self.rooms.clock.stamp();
        let is_active = |ban: &&BanRecord| ban.until.is_active(now.log_ms);
        if self.lock().bans.iter().filter(is_active).count() >= BANS {
            return Err(AdminFailure::TooMany);
        }
        let until = match lasts {
            Some(lasts) => {
                let ms = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
                Until::For(ms).from_now(now.log_ms)
            }
            None => Until::Forever,
        };
        let reason: String = text::line(reason).as_str().chars().take(REASON).collect();
        let ban = BanRecord {
            target,
            until,
            at_ms: now.at_ms,
            by: by.name().to_owned(),
            reason: reason.clone(),
        };
        let detail = match lasts {
            Some(lasts) => format!("{} s {reason}", lasts.as_secs()),
            None => reason,
        };
        let audit = self.audited(Some(by), AuditAct::Ban, &shown, detail.trim_end());
        let change = AccountChange::Ban(ban, now.log_ms);
        match target {
            BanTarget::Account(account) => {
                // Somebody who is signing in now has not seen the ban, and gets a session that must end.
                let _person_lock = self.person_locks.lock(account).await;
                self.store.change_account(change, Some(audit)).await?;
                self.load_bans().await?;
                self.end_sessions(account, GoodbyeReason::Banned, |_| true);
            }
            BanTarget::Network(network) => {
                self.store.change_account(change, Some(audit)).await?;
                self.load_bans().await?;
                self.end_guests(network);
            }
        }
        tracing::info!(target = shown, "banned from the server");
        Ok(())
    }

    /// Lifts a ban.
    pub async fn unban(&self, by: &Administrator, target: &str) -> Result<(), AdminFailure> {
        let _one_at_a_time = self.role_lock.lock().await;
        let (target, shown) = self.ban_target(by, target).await?;
        if !self.lock().bans.iter().any(|ban| ban.target == target) {
            return Err(AdminFailure::Unknown);
        }
        let audit = self.audited(Some(by), AuditAct::Unban, &shown, "");
        let change = AccountChange::Unban(target);
        self.store.change_account(change, Some(audit)).await?;
        self.load_bans().await?;
        tracing::info!(target = shown, "lifted a ban");
        Ok(())
    }

    /// Returns what an administrator means to ban, and how it is written.
    async fn ban_target(
        &self,
        by: &Administrator,
        target: &str,
    ) -> Result<(BanTarget, String), AdminFailure> {
        // A name may look like an address; `@` says that it is one of an account.
        if let Ok(network) = target.parse::<Network>() {
            return Ok((BanTarget::Network(network), network.to_string()));
        }
        let account = self
            .account_below(by, target.trim_start_matches('@'))
            .await?;
        Ok((BanTarget::Account(account.id), account.name.to_string()))
    }

    /// Returns the bans that have not expired, the newest first.
    pub async fn list_bans(&self) -> Result<Vec<BanInfo>, StoreError> {
        let now_ms = self.log_now_ms();
        let mut bans = Vec::new();
        for ban in self.store.server_bans().await? {
            if !ban.until.is_active(now_ms) {
                continue;
            }
            let target = match ban.target {
                BanTarget::Account(account) => self.author_of(account).await?.name,
                BanTarget::Network(network) => network.to_string(),
            };
            let remaining = match ban.until {
                Until::Forever => None,
                until => Some(Duration::from_millis(until.millis().saturating_sub(now_ms))),
            };
            bans.push(BanInfo {
                target,
                remaining,
                at_ms: ban.at_ms,
                by: ban.by,
                reason: ban.reason,
            });
        }
        Ok(bans)
    }

    /// Ends all sessions of a person: of an account, or of a guest. They may come back.
    pub async fn kick(
        self: &Arc<Self>,
        by: &Administrator,
        name: &str,
        reason: &str,
    ) -> Result<(), AdminFailure> {
        let person = match self.account_below(by, name).await {
            Ok(account) => account.id,
            Err(AdminFailure::Unknown) => self.guest_named(name).ok_or(AdminFailure::Unknown)?,
            Err(failure) => return Err(failure),
        };
        let author = self.author(person).ok_or(AdminFailure::Unknown)?;
        let reason = text::line(reason);
        let audit = self.audited(Some(by), AuditAct::Kick, &author.name, reason.as_str());
        self.store.add_audit(audit).await?;
        self.end_sessions(person, GoodbyeReason::Kicked, |_| true);
        tracing::info!(name = %text::line(&author.name), identity = %person, "ended the sessions of a person");
        Ok(())
    }

    /// Returns everybody who is connected, one row for each session, by name.
    pub fn list_sessions(&self) -> Vec<SessionInfo> {
        let state = self.lock();
        let sessions = state.people.iter().flat_map(|(id, person)| {
            let role = state.roles.get(id).copied().unwrap_or_default();
            let via = state.guests.get(id).copied().unwrap_or(Via::Tchat);
            person.sessions.values().map(move |session| SessionInfo {
                name: person.name.to_string(),
                role,
                via,
                from: session.from.clone(),
                since_ms: session.since_ms,
            })
        });
        let mut sessions: Vec<SessionInfo> = sessions.collect();
        sessions.sort_by_cached_key(|it| (it.name.to_lowercase(), it.since_ms));
        sessions
    }

    async fn load_bans(&self) -> Result<(), StoreError> {
        let bans = self.store.server_bans().await?;
        self.lock().bans = bans;
        Ok(())
    }

    /// Returns the guest who has a name now.
    fn guest_named(&self, name: &str) -> Option<IdentityId> {
        let state = self.lock();
        let is_it = |id: &&IdentityId| {
            let person = state.people.get(id);
            person.is_some_and(|it| it.name.as_str().eq_ignore_ascii_case(name))
        };
        state.guests.keys().find(is_it).copied()
    }

    /// Ends the sessions of guests from a network.
    fn end_guests(&self, network: Network) {
        let state = self.lock();
        let guests = state.guests.keys().filter_map(|id| state.people.get(id));
        for session in guests.flat_map(|it: &PresentPerson| it.sessions.values()) {
            let from = session.from.parse::<IpAddr>();
            if from.is_ok_and(|from| network.contains(from) && !from.is_loopback()) {
                session.end.cancel(GoodbyeReason::Banned);
            }
        }
    }
}
