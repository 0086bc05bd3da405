//! Mentions: finds the members that a text mentions with `@name`.

use std::collections::{HashMap, HashSet};

use tokio::time::Instant;

use super::Hub;
use crate::chat::{IdentityId, NameKey, RoomId, Skeleton, UserName};
use crate::server::room::mailbox::RoomQuery;
use crate::server::store::StoreError;
use crate::text;

impl Hub {
    /// Returns the people that a text mentions: members of the room, by their current name or by the name they had most recently.
    ///
    /// # Errors
    /// The store failed.
    pub async fn mentions_in(
        &self,
        room: RoomId,
        text: &str,
    ) -> Result<Vec<IdentityId>, StoreError> {
        let calls = text::mentioned_names(text);
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let known = self.members_by_name(room, &calls).await?;
        let mut called = Vec::new();
        for names in calls {
            let longest = names.first().map_or("", String::as_str);
            let one = names.iter().find_map(|name| {
                if is_everybody(name, longest) {
                    return Some(IdentityId::EVERYBODY);
                }
                known.get(&UserName::new(name).ok()?.key()).copied()
            });
            if let Some(one) = one.filter(|one| !called.contains(one)) {
                called.push(one);
            }
        }
        Ok(called)
    }

    /// Returns the member that each name in `calls` refers to. A name refers to the person who has it now. If nobody
    /// has it, it refers to the member whose last name it was, but to nobody if it was the last name of two members.
    async fn members_by_name(
        &self,
        room: RoomId,
        calls: &[Vec<String>],
    ) -> Result<HashMap<NameKey, IdentityId>, StoreError> {
        let names = calls.iter().flatten().map(|name| UserName::new(name));
        let keys: HashSet<NameKey> = names.flatten().map(|name| name.key()).collect();
        // Computed before the lock is taken, so that nobody waits for it.
        let looks: Vec<(Skeleton, NameKey)> = keys
            .into_iter()
            .map(|key| (Skeleton::from(&key), key))
            .collect();
        let holders: HashMap<NameKey, IdentityId> = {
            let (state, now) = (self.lock(), Instant::now());
            let holder = |(skeleton, key): &(Skeleton, NameKey)| {
                let holder = state.names.exact_holder_of(skeleton, key, now)?;
                Some((key.clone(), holder))
            };
            looks.iter().filter_map(holder).collect()
        };
        let free = looks.into_iter().map(|(_, key)| key);
        let free = free.filter(|key| !holders.contains_key(key)).collect();
        let mut bore: HashMap<NameKey, Vec<IdentityId>> = HashMap::new();
        for (key, id) in self.store.members_named(room, free).await? {
            bore.entry(key).or_default().push(id);
        }
        let among: Vec<IdentityId> = holders.values().copied().collect();
        let members = if among.is_empty() {
            Vec::new()
        } else {
            let members = self.ask(room, |reply| RoomQuery::MembersAmong { among, reply });
            members.await.unwrap_or_default()
        };
        let here = holders.into_iter().filter(|(_, id)| members.contains(id));
        let gone = bore.into_iter().filter_map(|(key, ids)| match ids[..] {
            [one] => Some((key, one)),
            _ => None,
        });
        Ok(here.chain(gone).collect())
    }
}

/// Whether a name mentions everybody (`@here`, `@everyone`). The start of a longer name does not count. Punctuation, or letters of a script
/// that is written without spaces, may follow directly.
fn is_everybody(name: &str, longest: &str) -> bool {
    let rest = longest.get(name.len()..).unwrap_or_default();
    let is_whole =
        rest.chars().all(|c| "_-.".contains(c)) || !rest.starts_with(|c: char| c.is_ascii());
    is_whole && text::EVERYBODY.contains(&name.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_mentioned_only_by_the_whole_word() {
        for (name, longest, expected) in [
            ("here", "here", true),
            ("Here", "Here...", true),
            ("here", "here你好", true),
            ("everyone", "everyone", true),
            ("here", "here-ann", false),
            ("here", "here.ann", false),
            ("ann", "ann", false),
        ] {
            assert_eq!(is_everybody(name, longest), expected, "{longest}");
        }
    }
}
