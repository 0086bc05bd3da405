//! The table `[limits]` of the config file. Its keys are the names of the limits.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::chat::{Limit, Limits, Quotas};

/// The limits that the file sets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LimitsTable(Vec<(Limit, u32)>);

impl<'de> Deserialize<'de> for LimitsTable {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_map(TableVisitor)
    }
}

struct TableVisitor;

impl<'de> Visitor<'de> for TableVisitor {
    type Value = LimitsTable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LimitsTable, A::Error> {
        let mut limits = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let Some(limit) = Limit::of(&key) else {
                let names: Vec<&str> = Limit::TABLE.iter().map(|row| row.name).collect();
                // Worded as serde does, because `file` reads the names of keys from it.
                return Err(A::Error::custom(format_args!(
                    "unknown field `{key}`, expected one of `{}`",
                    names.join("`, `")
                )));
            };
            limits.push((limit, map.next_value::<u32>()?));
        }
        Ok(LimitsTable(limits))
    }
}

/// Returns the limits, and those of them that clients are told. The two keys `burst` and `per_second` of `[server]` are earlier names; if one of them is
/// 0, posts are not limited at all.
pub fn limits(
    table: &LimitsTable,
    burst: Option<u32>,
    per_second: Option<u32>,
) -> (Limits, Quotas) {
    let mut quotas = Quotas::default();
    let former = [(Limit::PostBurst, burst), (Limit::Posts, per_second)];
    for (limit, value) in former {
        if let Some(value) = value {
            quotas.set(limit, value);
        }
        if value == Some(0) {
            for limit in [
                Limit::StrangerPosts,
                Limit::StrangerBytes,
                Limit::ServerPosts,
            ] {
                quotas.set(limit, 0);
            }
        }
    }
    for (limit, value) in &table.0 {
        quotas.set(*limit, *value);
    }
    let limits = Limits {
        burst: quotas.get(Limit::PostBurst).unwrap_or_default(),
        per_second: quotas.get(Limit::Posts).unwrap_or_default(),
        ..Limits::default()
    };
    (limits, quotas)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct File {
        limits: LimitsTable,
        server: Server,
    }

    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Server {
        burst: Option<u32>,
        per_second: Option<u32>,
    }

    fn read(text: &str) -> (Limits, Quotas) {
        let File { limits, server } = toml::from_str(text).unwrap();
        super::limits(&limits, server.burst, server.per_second)
    }

    #[test]
    fn every_limit_can_be_set_and_turned_off() {
        for row in Limit::TABLE {
            let (_, quotas) = read(&format!("[limits]\n{} = 7\n", row.name));
            assert_eq!(quotas.get(row.limit), Some(7));
            let (_, quotas) = read(&format!("[limits]\n{} = 0\n", row.name));
            assert_eq!(quotas.get(row.limit), None);
        }
        assert_eq!(read("").1, Quotas::default());
    }

    #[test]
    fn the_earlier_names_still_work_and_the_new_ones_override_them() {
        let (limits, _) = read("[server]\nburst = 3\nper_second = 2\n");
        assert_eq!((limits.burst, limits.per_second), (3, 2));
        let (limits, _) = read("[server]\nburst = 3\n[limits]\npost_burst = 4\n");
        assert_eq!(limits.burst, 4);
        for off in ["burst", "per_second"] {
            let (limits, quotas) = read(&format!("[server]\n{off} = 0\n"));
            assert!(!limits.has_rate_limit());
            assert_eq!(quotas.get(Limit::StrangerPosts), None);
            assert_eq!(quotas.get(Limit::ServerPosts), None);
        }
    }

    #[test]
    fn the_documentation_lists_every_limit_with_its_default() {
        let page = include_str!("../config.md");
        for row in Limit::TABLE {
            let (key, default) = (format!("{} = ", row.name), row.default);
            let line = page.lines().find(|line| line.starts_with(&key));
            let value = line.and_then(|line| line[key.len()..].split_whitespace().next());
            assert_eq!(value, Some(default.to_string().as_str()), "{key}");
        }
    }
}
