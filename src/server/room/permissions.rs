//! Room permissions: members, roles, bans and mutes, and what may be posted. Derived only from the room's log, so every node that applies
//! the same posts in the same order reaches the same result. Pure: it reads no clock and no store.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::collections::{HashMap, HashSet};

use crate::chat::{
    Amendment, Author, Body, Changes, Entry, IdentityId, Permission, Removal, RemovalKind, Role,
    RoomKind, Ruling, Seq, Stamp, Standing, Until,
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
            is_closed: false,
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
        BatchCheck {
            permissions: self,
            at,
            targets,
            erased: HashSet::new(),
            changes: Changes::default(),
        }
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

/// The maximum number of different emoji on one entry, and of reactions in total.
const EMOJI: usize = 32;
const REACTIONS: usize = 256;

/// Whether an entry cannot take another reaction with this emoji.
fn is_full_of_reactions(entry: &Entry, emoji: &str) -> bool {
    let Some(amended) = &entry.amended else {
        return false;
    };
    let is_new = amended.reactions.iter().all(|it| it.emoji != emoji);
    let all: usize = amended.reactions.iter().map(|it| it.people.len()).sum();
    all >= REACTIONS || (is_new && amended.reactions.len() >= EMOJI)
}

/// The permissions of a room together with the changes of the batch that is being checked.
#[derive(Debug)]
pub struct BatchCheck<'a> {
    permissions: &'a Permissions,
    at: Stamp,
    targets: &'a TargetEntries,
    /// Entries deleted in this batch.
    erased: HashSet<Seq>,
    changes: Changes,
}

impl BatchCheck<'_> {
    pub fn into_changes(self) -> Changes {
        self.changes
    }

    pub fn role(&self, identity: IdentityId) -> Option<Role> {
        match self.changes.members.get(&identity) {
            Some(role) => *role,
            None => self.permissions.role(identity),
        }
    }

    fn standing(&self, identity: IdentityId) -> Standing {
        let changed = self.changes.standings.get(&identity);
        let standing = changed.or_else(|| self.permissions.standing(identity));
        standing.cloned().unwrap_or_default()
    }

    fn is_peer_gone(&self) -> bool {
        let left = || self.changes.members.values().any(Option::is_none);
        self.permissions.is_peer_gone() || self.permissions.kind == RoomKind::Conversation && left()
    }

    /// Checks whether a body may become an entry, and completes it. A returning member's join gets their former role. A mute or ban for a
    /// duration gets the wall-clock time at which it ends, which people see.
    ///
    /// # Errors
    /// The reason why the post is denied.
    pub fn check(&self, author: IdentityId, body: &mut Body) -> Result<(), Denied> {
        if let Body::Ruling(_, Ruling::Muted { until } | Ruling::Banned { until, .. }) = body {
            *until = until.from_now(self.at.at_ms);
        }
        if self.permissions.is_closed || self.changes.closed.is_some() {
            return Err(Denied::Closed);
        }
        if let Body::Joined(role) = body {
            let standing = self.standing(author);
            *role = (*role).max(standing.role.unwrap_or(Role::Member));
            return self.may_join(&standing, *role);
        }
        if author == self.permissions.server {
            return Ok(());
        }
        let role = self.role(author).ok_or(Denied::NotAMember)?;
        match body {
            Body::Text(_) | Body::Action(_) | Body::Reply { .. } => {
                if self.is_peer_gone() {
                    return Err(Denied::PeerGone);
                }
                self.may_write(author)
            }
            Body::Left | Body::Renamed(_) | Body::NewKey => Ok(()),
            Body::Topic(_) => self.check_permission(role, Permission::Topic),
            Body::Closed => self.check_permission(role, Permission::Close),
            Body::Ruling(person, ruling) => self.may_moderate((author, role), person, ruling),
            Body::Amendment { target, what } => self.may_amend((author, role), *target, what),
            Body::Created
            | Body::Joined(_)
            | Body::Erased(_)
            | Body::Damaged(_)
            | Body::Unknown(_) => Err(Denied::Malformed),
        }
    }

    fn may_write(&self, author: IdentityId) -> Result<(), Denied> {
        match self.standing(author).muted {
            Some(until) if until.is_active(self.at.log_ms) => {
                Err(Denied::Muted(until.by_wall_clock(self.at)))
            }
            _ => Ok(()),
        }
    }

    fn may_amend(
        &self,
        (author, role): (IdentityId, Role),
        target: Seq,
        what: &Amendment,
    ) -> Result<(), Denied> {
        let entry = self.targets.get(&target);
        let entry = entry.filter(|it| it.body.is_message() && !self.erased.contains(&target));
        let entry = entry.ok_or(Denied::TargetUnknown)?;
        let is_own = entry.author.id == author;
        match what {
            Amendment::Edit(_) if !is_own => Err(Denied::NotYours),
            Amendment::React { emoji, is_on: true } if is_full_of_reactions(entry, emoji) => {
                Err(Denied::TooManyReactions)
            }
            Amendment::Edit(_) | Amendment::React { .. } => self.may_write(author),
            // Authors may always delete their own messages.
            Amendment::Erase if is_own => Ok(()),
            Amendment::Erase => self.check_permission(role, Permission::Erase),
        }
    }

    fn may_join(&self, standing: &Standing, role: Role) -> Result<(), Denied> {
        match standing.banned {
            Some(until) if until.is_active(self.at.log_ms) => {
                return Err(Denied::Banned(until.by_wall_clock(self.at)));
            }
            _ => {}
        }
        let may = standing.is_invited || role > Role::Member;
        if self.permissions.kind.needs_invitation() && !may {
            return Err(Denied::NotInvited);
        }
        Ok(())
    }

    fn check_permission(&self, role: Role, right: Permission) -> Result<(), Denied> {
        let needed = right.required_role(self.permissions.kind);
        let is_pair = self.permissions.kind == RoomKind::Conversation;
        if is_pair || role < needed {
            return Err(Denied::NotAllowed(right, needed));
        }
        Ok(())
    }

    fn may_moderate(
        &self,
        (author, role): (IdentityId, Role),
        person: &Author,
        ruling: &Ruling,
    ) -> Result<(), Denied> {
        self.check_permission(role, ruling.permission())?;
        if person.id == author {
            return Err(Denied::ToSelf);
        }
        let here = self.role(person.id);
        let standing = self.standing(person.id);
        // A person who left by themselves keeps their role.
        let theirs = here.or(standing.role);
        if theirs.is_some_and(|theirs| theirs >= role) && *ruling != Ruling::Invited {
            return Err(Denied::Outranked(person.name.clone()));
        }
        let now = self.at.log_ms;
        let holds = |until: Option<Until>| until.is_some_and(|until| until.is_active(now));
        let has_effect = match ruling {
            Ruling::Invited => here.is_none() && !standing.is_invited,
            // A member cannot make anyone an owner.
            Ruling::Role(Role::Owner) => return Err(Denied::Malformed),
            Ruling::Role(given) => theirs.is_some_and(|theirs| theirs != *given),
            Ruling::Kicked { .. } | Ruling::Muted { .. } => here.is_some(),
            Ruling::Banned { .. } => true,
            Ruling::Unbanned => holds(standing.banned),
            Ruling::Unmuted => holds(standing.muted),
        };
        if has_effect {
            Ok(())
        } else {
            Err(Denied::NoEffect(person.name.clone()))
        }
    }

    /// Records what an entry changes.
    pub fn record(&mut self, entry: &Entry) {
        let author = entry.author.id;
        match &entry.body {
            Body::Joined(role) => {
                self.changes.members.insert(author, Some(*role));
                let standing = self.standing(author);
                if !standing.is_empty() {
                    let standing = Standing {
                        is_invited: false,
                        invited_by: None,
                        role: None,
                        removal: None,
                        ..standing
                    };
                    self.changes.standings.insert(author, standing);
                }
            }
            Body::Left => {
                let role = self.role(author).filter(|role| *role > Role::Member);
                self.changes.members.insert(author, None);
                if role.is_some() {
                    let standing = Standing {
                        role,
                        ..self.standing(author)
                    };
                    self.changes.standings.insert(author, standing);
                }
            }
            Body::Topic(topic) => self.changes.topic = Some(topic.clone()),
            Body::Ruling(person, ruling) => self.record_ruling(entry, person.id, ruling),
            Body::Closed => {
                self.changes.closed = Some(Removal {
                    at: entry.seq,
                    by: entry.author.name.clone(),
                    reason: String::new(),
                    kind: RemovalKind::Closed,
                });
            }
            Body::Amendment { target, what } if *what == Amendment::Erase => {
                self.erased.insert(*target);
            }
            Body::Text(_)
            | Body::Action(_)
            | Body::Reply { .. }
            | Body::Created
            | Body::Renamed(_)
            | Body::Amendment { .. }
            | Body::Erased(_)
            | Body::Damaged(_)
            | Body::NewKey
            | Body::Unknown(_) => {}
        }
    }

    fn record_ruling(&mut self, entry: &Entry, person: IdentityId, ruling: &Ruling) {
        let mut standing = self.standing(person);
        if let Ruling::Kicked { reason } | Ruling::Banned { reason, .. } = ruling {
            standing.is_invited = false;
            standing.invited_by = None;
            standing.role = None;
            if self.role(person).is_some() {
                self.changes.members.insert(person, None);
                standing.removal = Some(Removal {
                    at: entry.seq,
                    by: entry.author.name.clone(),
                    reason: reason.clone(),
                    kind: match ruling {
                        Ruling::Banned { .. } => RemovalKind::Banned,
                        _ => RemovalKind::Kicked,
                    },
                });
            }
        }
        match ruling {
            Ruling::Invited => {
                standing.is_invited = true;
                standing.invited_by = Some(entry.author.id);
            }
            Ruling::Role(role) if self.role(person).is_some() => {
                self.changes.members.insert(person, Some(*role));
                return;
            }
            Ruling::Role(role) => standing.role = Some(*role).filter(|it| *it > Role::Member),
            Ruling::Kicked { .. } => {}
            Ruling::Banned { until, .. } => standing.banned = Some(until.by_log_time(self.at)),
            Ruling::Unbanned => standing.banned = None,
            Ruling::Muted { until } => standing.muted = Some(until.by_log_time(self.at)),
            Ruling::Unmuted => standing.muted = None,
        }
        self.changes.standings.insert(person, standing);
    }
}
