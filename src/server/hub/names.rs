//! Names in use: who has them, and how long they stay reserved after their owner disconnects.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::chat::{IdentityId, NameError, NameKey, Refusal, RefusalCode, Skeleton, UserName};

/// The names in use and their owners. Of names that look alike (UTS #39), only one can be in use at a time.
#[derive(Debug, Default)]
pub(super) struct Names {
    holders: HashMap<Skeleton, NameHolder>,
}

#[derive(Debug)]
struct NameHolder {
    key: NameKey,
    identity: IdentityId,
    /// Until when the name is reserved. `None` while the owner is present.
    until: Option<Instant>,
}

impl Names {
    /// Gives a name to an identity. Returns false if somebody else has it.
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

    /// Returns who has this name or one that looks like it. Includes people who lost their connection and may come back.
    pub(super) fn holder(&self, name: &UserName, now: Instant) -> Option<IdentityId> {
        self.present(name, now).map(|holder| holder.identity)
    }

    /// Returns who has exactly this name.
    pub(super) fn exact_holder(&self, name: &UserName, now: Instant) -> Option<IdentityId> {
        self.exact_holder_of(&name.skeleton(), &name.key(), now)
    }

    /// As [`Names::exact_holder`], for callers that have already computed the skeleton.
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

    pub(super) fn reserve_until(&mut self, name: &UserName, identity: IdentityId, until: Instant) {
        self.holders.insert(
            name.skeleton(),
            NameHolder {
                key: name.key(),
                identity,
                until: Some(until),
            },
        );
        let now = Instant::now();
        self.holders
            .retain(|_, holder| holder.until.is_none_or(|until| now < until));
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
