//! Checks the posts of a batch, and collects what they change.

use std::collections::HashSet;

use super::{Denied, Permissions, TargetEntries};
use crate::chat::{
    Amendment, Author, Body, Changes, Entry, IdentityId, Permission, Removal, RemovalKind, Role,
    RoomKind, Ruling, Seq, Stamp, Standing, Until,
};

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

/// Which rules of a room apply to a post.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rules {
    All,
    /// All but slow mode.
    WhoMayWrite,
}

/// The permissions of a room together with the changes of the batch that is being checked.
#[derive(Debug)]
pub struct BatchCheck<'a> {
    permissions: &'a Permissions,
    at: Stamp,
    targets: &'a TargetEntries,
    /// Entries deleted in this batch.
    erased: HashSet<Seq>,
    /// The people who wrote in this batch.
    wrote: HashSet<IdentityId>,
    changes: Changes,
}

impl<'a> BatchCheck<'a> {
    pub(super) fn new(permissions: &'a Permissions, at: Stamp, targets: &'a TargetEntries) -> Self {
        Self {
            permissions,
            at,
            targets,
            erased: HashSet::new(),
            wrote: HashSet::new(),
            changes: Changes::default(),
        }
    }
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
                self.may_write(author)?;
                self.check_rules((author, role), Rules::All)
            }
            Body::Left | Body::Renamed(_) | Body::NewKey => Ok(()),
            Body::Topic(_) => self.check_permission(role, Permission::Topic),
            Body::Rules(_) => self.check_permission(role, Permission::Rules),
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

    /// Checks the room's rules, which do not apply to moderators and owners.
    fn check_rules(&self, (author, role): (IdentityId, Role), which: Rules) -> Result<(), Denied> {
        let rules = self.changes.rules.unwrap_or(self.permissions.rules);
        if role > Role::Member {
            return Ok(());
        }
        if rules.is_read_only {
            return Err(Denied::ReadOnly);
        }
        let slow_ms = u64::from(rules.slow_s) * 1000;
        if which == Rules::WhoMayWrite || slow_ms == 0 {
            return Ok(());
        }
        let before = self.permissions.wrote_ms.get(&author).copied();
        let here = self.wrote.contains(&author).then_some(self.at.log_ms);
        let next = here.or(before).map_or(0, |at| at.saturating_add(slow_ms));
        match next.saturating_sub(self.at.log_ms) {
            0 => Ok(()),
            left_ms => Err(Denied::SlowMode(left_ms, rules.slow_s)),
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
            Amendment::Edit(_) => {
                self.may_write(author)?;
                self.check_rules((author, role), Rules::WhoMayWrite)
            }
            Amendment::React { .. } => self.may_write(author),
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
        if *ruling == Ruling::Invited {
            // An invitation is a line in the room as well.
            self.may_write(author)?;
            self.check_rules((author, role), Rules::WhoMayWrite)?;
        }
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
            Body::Rules(rules) => self.changes.rules = Some(*rules),
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
            Body::Text(_) | Body::Action(_) | Body::Reply { .. } => {
                self.wrote.insert(author);
            }
            Body::Created
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
