//! Charges people for what they do, and puts a reached limit into a refusal.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Hub;
use crate::chat::{IdentityId, Limit, Refusal, RefusalCode, Transport};
use crate::server::limits::{Charges, Payer, Reached};

/// While the server is over its budget for posts, those wait who have used more than this share of their burst, in percent.
const LARGE_SENDER: u64 = 20;
/// When to try again if too many things exist at the same time.
const OCCUPIED_RETRY: Duration = Duration::from_millis(200);
/// What a post costs in the database besides its text, in bytes: its row and its part of the index.
const ENTRY_BYTES: u32 = 256;

/// Who posts, and from where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sender {
    pub id: IdentityId,
    /// The address to charge, if this person is a stranger. See [`crate::chat::address_group`].
    pub stranger_at: Option<IpAddr>,
}

impl Hub {
    /// Charges an account for an action that is limited by a rate.
    ///
    /// # Errors
    /// The limit is reached. The refusal names it, and when to try again.
    pub fn charge(&self, limit: Limit, account: IdentityId) -> Result<(), Refusal> {
        self.charge_payer(limit, Payer::Account(account), 1)
    }

    /// Charges somebody for a post.
    ///
    /// # Errors
    /// As for [`Hub::charge`].
    pub fn charge_post(&self, sender: Sender, bytes: usize) -> Result<(), Refusal> {
        let now = Instant::now().into_std();
        let account = Payer::Account(sender.id);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let mut charges = self.charges();
        charge_all(&mut charges, |charges| {
            if let Some(address) = sender.stranger_at.map(Payer::Address) {
                let bytes = bytes.saturating_add(ENTRY_BYTES);
                charges.check(Limit::StrangerPosts, address, now)?;
                charges.check(Limit::Posts, account, now)?;
                charges.take(Limit::StrangerBytes, address, bytes, now)?;
                charges.take(Limit::StrangerPosts, address, 1, now)?;
            }
            charges.take(Limit::Posts, account, 1, now)?;
            match charges.take(Limit::ServerPosts, Payer::Server, 1, now) {
                Err(reached) if charges.percent_used(Limit::Posts, account, now) > LARGE_SENDER => {
                    Err(reached)
                }
                _ => Ok(()),
            }
        })
    }

    /// Uses one of an account's limits for things that exist at the same time.
    ///
    /// # Errors
    /// The limit is reached.
    pub fn occupy(&self, limit: Limit, account: IdentityId) -> Result<Occupied, Refusal> {
        let most = self.quotas.get(limit).unwrap_or(u32::MAX);
        let occupied = self.slots.occupy(limit, account, most);
        occupied.ok_or_else(|| full(limit, most).retry_after(OCCUPIED_RETRY))
    }

    /// Charges for an account that somebody makes without an invitation.
    pub(super) fn charge_registration(
        &self,
        transport: Transport,
        from: Option<IpAddr>,
    ) -> Result<(), Refusal> {
        let now = Instant::now().into_std();
        let Some(address) = from.filter(|_| !is_private(transport)) else {
            return Ok(());
        };
        let mut charges = self.charges();
        charge_all(&mut charges, |charges| {
            if address.is_loopback() {
                return charges.take(Limit::AccountsOnLoopback, Payer::Server, 1, now);
            }
            charges.check(Limit::Accounts, Payer::Server, now)?;
            charges.take(Limit::AccountsPerAddress, Payer::Address(address), 1, now)?;
            charges.take(Limit::Accounts, Payer::Server, 1, now)
        })
    }

    /// Charges for a new conversation: the account, and the address of a stranger, who could come back as somebody else.
    pub(super) fn charge_conversation(
        &self,
        account: IdentityId,
        stranger_at: Option<IpAddr>,
    ) -> Result<(), Refusal> {
        let now = Instant::now().into_std();
        charge_all(&mut self.charges(), |charges| {
            if let Some(address) = stranger_at.map(Payer::Address) {
                charges.check(Limit::Conversations, Payer::Account(account), now)?;
                charges.take(Limit::StrangerConversations, address, 1, now)?;
            }
            charges.take(Limit::Conversations, Payer::Account(account), 1, now)
        })
    }

    /// Checks that an address has not tried too many invalid invitations.
    pub(super) fn check_invite_attempts(&self, from: Option<IpAddr>) -> Result<(), Refusal> {
        let Some(address) = from else { return Ok(()) };
        let now = Instant::now().into_std();
        charge_all(&mut self.charges(), |charges| {
            charges.check(Limit::FailedInvites, Payer::Address(address), now)
        })
    }

    /// Charges an address for an invalid invitation.
    pub(super) fn charge_invalid_invite(&self, from: Option<IpAddr>) {
        if let Some(address) = from {
            // Once the limit is reached, the next invalid one is refused with the limit.
            let _counted = self.charge_payer(Limit::FailedInvites, Payer::Address(address), 1);
        }
    }

    fn charge_payer(&self, limit: Limit, payer: Payer, amount: u32) -> Result<(), Refusal> {
        let now = Instant::now().into_std();
        charge_all(&mut self.charges(), |charges| {
            charges.take(limit, payer, amount, now)
        })
    }

    fn charges(&self) -> MutexGuard<'_, Charges> {
        // Poison is ignored: no code under the lock can panic with a bucket half changed.
        let charges = &self.charges;
        charges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether only somebody who can start programs as the server's user can connect in this way.
pub(super) fn is_private(transport: Transport) -> bool {
    matches!(transport, Transport::Socket | Transport::Memory)
}

fn charge_all(
    charges: &mut Charges,
    charge: impl FnOnce(&mut Charges) -> Result<(), Reached>,
) -> Result<(), Refusal> {
    charge(charges).map_err(refusal)
}

/// Puts a reached limit into a refusal: its name, its value, and when to try again.
fn refusal(reached: Reached) -> Refusal {
    let code = match reached.limit {
        Limit::Posts | Limit::StrangerPosts | Limit::ServerPosts => RefusalCode::RateLimited,
        _ => RefusalCode::LimitReached,
    };
    let refusal = Refusal::new(code);
    refusal
        .with(reached.limit.row().name)
        .with(reached.value)
        .retry_after(reached.retry_after)
}

/// Returns the refusal for a limit on what exists at the same time.
pub(super) fn full(limit: Limit, value: u32) -> Refusal {
    // Earlier clients have words for the limit of sessions.
    let (code, name) = match limit {
        Limit::Sessions | Limit::BotSessions => (RefusalCode::TooMany, Limit::Sessions.row().name),
        _ => (RefusalCode::LimitReached, limit.row().name),
    };
    Refusal::new(code).with(name).with(value)
}

/// What people use of limits for things that exist at the same time.
#[derive(Debug, Default)]
pub struct Slots(Mutex<HashMap<(Limit, IdentityId), u32>>);

/// One use of such a limit, until this is dropped.
#[derive(Debug)]
pub struct Occupied {
    slots: Arc<Slots>,
    key: (Limit, IdentityId),
}

impl Slots {
    /// Takes one more of what is limited to `most` at the same time. Returns `None` if all are taken.
    pub fn occupy(
        self: &Arc<Self>,
        limit: Limit,
        account: IdentityId,
        most: u32,
    ) -> Option<Occupied> {
        let key = (limit, account);
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = used.entry(key).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        drop(used);
        let slots = Arc::clone(self);
        Some(Occupied { slots, key })
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        let mut used = self.slots.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = used.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                used.remove(&self.key);
            }
        }
    }
}
