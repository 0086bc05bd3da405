//! The limits of a server: one table with a row for each. The configuration reads it, the server charges by it, and clients name what is used up.

use super::Limits;

/// Who is charged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Charged {
    Account,
    /// An IPv4 address or an IPv6 /64, for strangers: guests, and people who registered without an invitation.
    Address,
    Server,
}

impl Charged {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Address => "address",
            Self::Server => "server",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct LimitRow {
    pub limit: Limit,
    /// Its key under `[limits]`, and the argument of refusals.
    pub name: &'static str,
    /// The value if the configuration has none. 0 turns a limit off.
    pub default: u32,
    pub charged: Charged,
    /// What is counted, with its unit.
    pub unit: &'static str,
    /// What it protects.
    pub protects: &'static str,
}

/// Defines the limits. Each row is: variant, default, who is charged, name, unit, what it protects.
macro_rules! limits {
    ($($limit:ident, $default:literal, $charged:ident, $name:literal, $unit:literal, $protects:literal;)*) => {
        /// What is limited.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Limit {
            $(#[doc = concat!("`", $name, "`: ", $unit, ".")] $limit,)*
        }

        impl Limit {
            /// All limits, in the order of the documentation.
            pub const TABLE: &[LimitRow] = &[
                $(LimitRow {
                    limit: Limit::$limit,
                    name: $name,
                    default: $default,
                    charged: Charged::$charged,
                    unit: $unit,
                    protects: $protects,
                },)*
            ];
        }
    };
}

limits! {
    Connections, 10_000, Server, "connections", "connections", "file descriptors";
    ConnectionsPerAddress, 128, Address, "connections_per_address", "connections of strangers who have signed in", "file descriptors";
    Strangers, 256, Server, "strangers", "connections that have not signed in", "memory before sign-in";
    StrangersPerAddress, 16, Address, "strangers_per_address", "connections that have not signed in; more wait up to 10 s", "other addresses";
    StrangersPerKnownAddress, 128, Address, "strangers_per_known_address", "the same, where somebody has signed in before", "other addresses";
    StrangersReserved, 64, Server, "strangers_reserved", "places of `strangers` for addresses where somebody has signed in before", "regular users in a flood";
    AccountsPerAddress, 5, Address, "accounts_per_address", "open registrations an hour", "names and the database";
    Accounts, 60, Server, "accounts", "open registrations an hour", "names and the database";
    AccountsOnLoopback, 600, Server, "accounts_on_loopback", "open registrations an hour from this machine", "names and the database";
    FailedInvites, 10, Address, "failed_invites", "invalid invitations an hour", "invitations from being guessed";
    Sessions, 8, Account, "sessions", "sessions of a person", "memory";
    BotSessions, 64, Account, "bot_sessions", "sessions of a program", "memory";
    SessionsInAll, 10_000, Server, "sessions_in_all", "sessions", "memory";
    Posts, 10, Account, "posts", "posts a second", "room order and disk";
    PostBurst, 50, Account, "post_burst", "posts at once", "room order and disk";
    StrangerPosts, 40, Address, "stranger_posts", "posts a second of all strangers of one address", "room order and disk";
    StrangerPostBurst, 200, Address, "stranger_post_burst", "their posts at once", "room order and disk";
    ServerPosts, 5_000, Server, "server_posts", "posts a second; beyond it, the largest senders wait first", "latency";
    StrangerBytes, 16, Address, "stranger_mib", "MiB a day that all strangers of one address may post", "disk";
    Topics, 10, Account, "topics", "topics set in a minute", "history";
    Statuses, 10, Account, "statuses", "statuses set in a minute", "everybody's lists";
    Reactions, 10, Account, "reactions", "reactions in a minute", "history";
    Follows, 10, Account, "follows", "times a minute that a session asks for the same room again", "reading of the database";
    RoomsOwned, 32, Account, "rooms_owned", "rooms owned by one person", "lists of rooms";
    Rooms, 10_000, Server, "rooms", "rooms", "memory and lists";
    Conversations, 20, Account, "conversations", "new private conversations an hour", "people from being contacted by force";
    StrangerConversations, 120, Address, "stranger_conversations", "new private conversations an hour of all strangers of one address", "people from being contacted by force";
    Requests, 64, Account, "requests", "requests of strangers that a person has not answered", "people from being flooded";
    Calls, 20, Account, "calls", "lists and pages of history a second", "reading of the database";
    UnreadAnswers, 16, Account, "unread_answers", "answers that the client has not read", "memory";
    Searches, 4, Account, "searches", "searches a second", "reading of the database";
    SearchesAtOnce, 2, Account, "searches_at_once", "searches at the same time", "reading of the database";
    SearchTime, 50, Account, "search_ms", "milliseconds of reading for one search, then its result is partial", "reading of the database";
}

impl Limit {
    /// Returns its row in the table.
    pub fn row(self) -> &'static LimitRow {
        // The table has the variants in the order of their declaration.
        &Self::TABLE[self as usize]
    }

    /// Whether it limits how fast something is done, and not how much exists at the same time.
    pub const fn is_rate(self) -> bool {
        matches!(
            self,
            Self::AccountsPerAddress
                | Self::Accounts
                | Self::AccountsOnLoopback
                | Self::FailedInvites
                | Self::Posts
                | Self::PostBurst
                | Self::StrangerPosts
                | Self::StrangerPostBurst
                | Self::ServerPosts
                | Self::StrangerBytes
                | Self::Topics
                | Self::Statuses
                | Self::Reactions
                | Self::Follows
                | Self::Conversations
                | Self::StrangerConversations
                | Self::Calls
                | Self::Searches
                | Self::SearchTime
        )
    }

    /// Returns the limit with a name.
    pub fn of(name: &str) -> Option<Self> {
        let row = Self::TABLE.iter().find(|row| row.name == name);
        row.map(|row| row.limit)
    }
}

/// The values of all limits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quotas(Vec<u32>);

impl Default for Quotas {
    fn default() -> Self {
        Self(Limit::TABLE.iter().map(|row| row.default).collect())
    }
}

impl Quotas {
    /// Returns the default quotas without those for how fast something is done, for measuring and for tests that do much at once.
    pub fn without_rates() -> Self {
        let mut quotas = Self::default();
        for row in Limit::TABLE.iter().filter(|row| row.limit.is_rate()) {
            quotas.set(row.limit, 0);
        }
        quotas
    }

    /// Sets the limits for posts to those that clients are told.
    #[must_use]
    pub fn of_posts(mut self, limits: &Limits) -> Self {
        self.set(Limit::Posts, limits.per_second);
        self.set(Limit::PostBurst, limits.burst);
        self
    }

    /// Returns a limit; `None`: it is turned off.
    pub fn get(&self, limit: Limit) -> Option<u32> {
        let value = self.0[limit as usize];
        (value > 0).then_some(value)
    }

    /// Sets a limit. 0 turns it off.
    pub fn set(&mut self, limit: Limit, value: u32) {
        self.0[limit as usize] = value;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_limit_is_found_by_its_name_and_has_its_own_row() {
        let names: HashSet<&str> = Limit::TABLE.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), Limit::TABLE.len());
        for row in Limit::TABLE {
            assert_eq!(Limit::of(row.name), Some(row.limit));
            assert_eq!(row.limit.row().name, row.name);
            assert_eq!(Quotas::default().get(row.limit), Some(row.default));
        }
        assert_eq!(Limit::of("nothing"), None);
    }

    #[test]
    fn a_limit_of_zero_is_off() {
        let mut quotas = Quotas::default();
        quotas.set(Limit::Posts, 0);
        assert_eq!(quotas.get(Limit::Posts), None);
        assert_eq!(Quotas::without_rates().get(Limit::Searches), None);
        assert_eq!(Quotas::without_rates().get(Limit::Strangers), Some(256));
    }
}
