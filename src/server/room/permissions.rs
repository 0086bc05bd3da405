//! Room permissions: members, roles, bans and mutes, and what may be posted. Derived only from the room's log, so every node that applies
//! the same posts in the same order reaches the same result. Pure: it reads no clock and no store.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod batch;

use std::collections::HashMap;

pub use self::batch::BatchCheck;

use crate::chat::{
    Changes, Entry, IdentityId, Permission, Removal, Role, RoomKind, RoomRules, Seq, Stamp,
    Standing, Until,
};

/// The entries that a batch amends, as amended so far.
pub type TargetEntries = HashMap<Seq, Entry>;

/// The state of a room that decides which posts are allowed.
#[derive(Clone, Debug)]
pub struct Permissions {
    kind: RoomKind,
    /// The identity of the server when it acts by itself.
    server: IdentityId,
    members: HashMap<IdentityId, Role>,
    standings: HashMap<IdentityId, Standing>,
    rules: RoomRules,
    /// When members last wrote, in log time. Only those who may still have to wait in slow mode.
    wrote_ms: HashMap<IdentityId, u64>,
    is_closed: bool,
}

/// Why a post is denied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Denied {
    NotAMember,
    /// The other person has left the conversation for good.
    PeerGone,
    NotAllowed(Permission, Role),
    Outranked(String),
    /// The end of the mute, by the wall clock.
    Muted(Until),
    /// The end of the ban, by the wall clock.
    Banned(Until),
    NotInvited,
    /// Nothing would change for this person.
    NoEffect(String),
    ToSelf,
    Closed,
    /// The target does not exist, or is not a message.
    TargetUnknown,
    /// Only its author may edit a message.
    NotYours,
    /// The target already has the most reactions an entry may have.
    TooManyReactions,
    /// The person has to wait: milliseconds, and the seconds between two messages.
    SlowMode(u64, u32),
    /// Only moderators may write.
    ReadOnly,
    /// Nobody may post such a body.
    Malformed,
}

/// How far a person may read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadAccess {
    All,
    /// Up to the entry that removed them.
    UpTo(Removal),
    Nothing,
}

impl Permissions {
    pub fn new(
        kind: RoomKind,
        server: IdentityId,
        members: HashMap<IdentityId, Role>,
        standings: HashMap<IdentityId, Standing>,
    ) -> Self {
        Self {
            kind,
            server,
            members,
            standings,
            rules: RoomRules::default(),
            wrote_ms: HashMap::new(),
            is_closed: false,
        }
    }

    /// Adds the room's rules, and when members last wrote, in log time.
    #[must_use]
    pub fn with_rules(mut self, rules: RoomRules, wrote_ms: HashMap<IdentityId, u64>) -> Self {
        self.rules = rules;
        self.wrote_ms = wrote_ms;
        self
    }

    /// Applies new rules. Messages before slow mode was turned on do not count for it.
    pub fn set_rules(&mut self, rules: RoomRules) {
        self.rules = rules;
        if rules.slow_s == 0 {
            self.wrote_ms.clear();
        }
    }

    /// Records a message, which is durable now. It is forgotten once slow mode does not need it any longer.
    pub fn record_message(&mut self, author: IdentityId, log_ms: u64) {
        let slow_ms = u64::from(self.rules.slow_s) * 1000;
        if slow_ms == 0 {
            return;
        }
        self.wrote_ms.insert(author, log_ms);
        if self.wrote_ms.len() > WROTE {
            self.wrote_ms.retain(|_, at| *at + slow_ms > log_ms);
        }
    }

    pub fn role(&self, identity: IdentityId) -> Option<Role> {
        self.members.get(&identity).copied()
    }

    pub fn standing(&self, identity: IdentityId) -> Option<&Standing> {
        self.standings.get(&identity)
    }

    /// Returns everyone who has a standing here, such as an invitation, a ban or a mute.
    pub fn people_with_standing(&self) -> impl Iterator<Item = IdentityId> + '_ {
        self.standings.keys().copied()
    }

    /// Returns everyone who has a ban or a mute, which may have expired.
    pub fn sanctioned(&self) -> Vec<(IdentityId, Standing)> {
        let standings = self.standings.iter();
        let sanctioned = standings.filter(|(_, it)| it.banned.is_some() || it.muted.is_some());
        sanctioned.map(|(id, it)| (*id, it.clone())).collect()
    }

    pub fn read_access(&self, identity: IdentityId) -> ReadAccess {
        if self.members.contains_key(&identity) {
            return ReadAccess::All;
        }
        let put_out = self
            .standings
            .get(&identity)
            .and_then(|it| it.removal.clone());
        put_out.map_or(ReadAccess::Nothing, ReadAccess::UpTo)
    }

    /// Whether a person may write messages at log time `log_ms`.
    pub fn may_write(&self, identity: IdentityId, log_ms: u64) -> bool {
        let standing = self.standings.get(&identity);
        let muted = standing.and_then(|it| it.muted);
        self.members.contains_key(&identity) && !muted.is_some_and(|until| until.is_active(log_ms))
    }

    /// Whether this is a conversation that one of the two people has left.
    pub fn is_peer_gone(&self) -> bool {
        self.kind == RoomKind::Conversation && self.members.len() < 2
    }

    /// Whether the room has no members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether a person may know that this room exists. A secret room is known to its members, to people who may enter, and to people who
    /// were removed from it.
    pub fn is_known_to(&self, identity: IdentityId) -> bool {
        let was_put_out = |it: &Standing| it.removal.is_some();
        let was_in = self.standings.get(&identity).is_some_and(was_put_out);
        was_in || self.may_enter(identity)
    }

    /// Whether a person is a member, or needs no further invitation to join. Bans are not considered.
    pub fn may_enter(&self, identity: IdentityId) -> bool {
        let is_let_in = |it: &Standing| it.is_invited || it.role.is_some();
        let standing = self.standings.get(&identity);
        !self.kind.needs_invitation()
            || self.members.contains_key(&identity)
            || standing.is_some_and(is_let_in)
    }

    pub const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Starts checking a batch that was accepted at `at`. `targets` are the entries it amends.
    pub fn check_batch<'a>(&'a self, at: Stamp, targets: &'a TargetEntries) -> BatchCheck<'a> {
        BatchCheck::new(self, at, targets)
    }

    /// Applies the changes of a batch, once it is durable.
    pub fn apply(&mut self, changes: &Changes) {
        for (identity, role) in &changes.members {
            match role {
                Some(role) => drop(self.members.insert(*identity, *role)),
                None => drop(self.members.remove(identity)),
            }
        }
        for (identity, standing) in &changes.standings {
            if standing.is_empty() {
                self.standings.remove(identity);
            } else {
                self.standings.insert(*identity, standing.clone());
            }
        }
        if let Some(put_out) = &changes.closed {
            self.is_closed = true;
            // Members who are behind may still read everything up to the closing.
            let put_out = || Standing {
                removal: Some(put_out.clone()),
                ..Standing::default()
            };
            let members = std::mem::take(&mut self.members).into_keys();
            self.standings = members.map(|id| (id, put_out())).collect();
        }
    }
}

/// From this number of people on, those who may write again are forgotten.
const WROTE: usize = 1024;
