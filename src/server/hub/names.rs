//! Names in use: who owns each one, and for how long. It knows nothing of the store.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::chat::{IdentityId, NameError, NameKey, Refusal, RefusalCode, Skeleton, UserName};

/// The names in use and their owners. Of names that look alike (UTS #39), only one can be in use at a time.
#[derive(Debug, Default)]
pub(super) struct Names {
    holders: HashMap<Skeleton, NameHolder>,
    /// The former name of each account that has one.
    former: HashMap<IdentityId, UserName>,
}

#[derive(Debug)]
struct NameHolder {
    key: NameKey,
    identity: IdentityId,
    /// Until when a former name is reserved; `None` for a current name.
    until: Option<Instant>,
}

impl Names {
    /// Gives a name to an identity. Returns false if somebody else has it or one that looks like it.
    pub(super) fn claim(&mut self, name: &UserName, identity: IdentityId, now: Instant) -> bool {
        if self
            .holder(name, now)
            .is_some_and(|holder| holder != identity)
        {
            return false;
        }
        self.holders.insert(
            name.skeleton(),
            NameHolder {
                key: name.key(),
                identity,
                until: None,
            },
        );
        true
    }

    /// Returns who has this name or one that looks like it. Accounts have their names whether they are connected or
    /// not.
    pub(super) fn holder(&self, name: &UserName, now: Instant) -> Option<IdentityId> {
        self.present(name, now).map(|holder| holder.identity)
    }

    /// Returns who has exactly this name.
    pub(super) fn exact_holder(&self, name: &UserName, now: Instant) -> Option<IdentityId> {
        self.exact_holder_of(&name.skeleton(), &name.key(), now)
    }

    /// Like [`Names::exact_holder`], for callers that have already computed the skeleton.
    pub(super) fn exact_holder_of(
        &self,
        skeleton: &Skeleton,
        key: &NameKey,
        now: Instant,
    ) -> Option<IdentityId> {
        let holder = self.holder_of(skeleton, now)?;
        (holder.key == *key).then_some(holder.identity)
    }

    fn present(&self, name: &UserName, now: Instant) -> Option<&NameHolder> {
        self.holder_of(&name.skeleton(), now)
    }

    fn holder_of(&self, skeleton: &Skeleton, now: Instant) -> Option<&NameHolder> {
        let holder = self.holders.get(skeleton)?;
        let is_held = holder.until.is_none_or(|until| now < until);
        is_held.then_some(holder)
    }

    /// Reserves a former name for an account, unless somebody else has it. Frees the one that was reserved before.
    pub(super) fn keep_former(&mut self, name: &UserName, identity: IdentityId, until: Instant) {
        if let Some(older) = self.former.insert(identity, name.clone())
            && self.is_former(&older, identity)
        {
            self.release(&older, identity);
        }
        let skeleton = name.skeleton();
        let holder = self.holder_of(&skeleton, Instant::now());
        if holder.is_some_and(|holder| holder.identity != identity) {
            return;
        }
        let kept = NameHolder {
            key: name.key(),
            identity,
            until: Some(until),
        };
        self.holders.insert(skeleton, kept);
    }

    /// Whether a name is only the former one of an account.
    fn is_former(&self, name: &UserName, identity: IdentityId) -> bool {
        let holder = self.holders.get(&name.skeleton());
        holder.is_some_and(|it| it.identity == identity && it.until.is_some())
    }

    /// Frees all names of an identity.
    pub(super) fn release_all(&mut self, identity: IdentityId) {
        self.former.remove(&identity);
        self.holders.retain(|_, holder| holder.identity != identity);
    }

    pub(super) fn release(&mut self, name: &UserName, identity: IdentityId) {
        let skeleton = name.skeleton();
        if self
            .holders
            .get(&skeleton)
            .is_some_and(|holder| holder.identity == identity)
        {
            self.holders.remove(&skeleton);
        }
    }
}

/// Names whose owners own the preset rooms.
#[derive(Debug)]
pub(super) struct Operators(HashMap<Skeleton, NameKey>);

impl Operators {
    pub(super) fn new(names: &[UserName]) -> Self {
        let of = |name: &UserName| (name.skeleton(), name.key());
        Self(names.iter().map(of).collect())
    }

    pub(super) fn has(&self, name: &UserName) -> bool {
        self.0.get(&name.skeleton()) == Some(&name.key())
    }

    /// Whether a name is an operator's name or looks like one.
    pub(super) fn has_lookalike(&self, name: &UserName) -> bool {
        self.0.contains_key(&name.skeleton())
    }
}

/// Checks a name. The refusal says what is wrong with it.
pub(super) fn parse_name(name: &str) -> Result<UserName, Refusal> {
    UserName::new(name).map_err(|error| match error {
        NameError::Reserved => Refusal::new(RefusalCode::NameReserved).with(name),
        NameError::Empty => Refusal::new(RefusalCode::NameInvalid)
            .with(name)
            .with("empty"),
        NameError::TooLong { .. } => Refusal::new(RefusalCode::NameInvalid)
            .with(name)
            .with("length"),
        NameError::Character(_) | NameError::Mixed => Refusal::new(RefusalCode::NameInvalid)
            .with(name)
            .with("character"),
    })
}
