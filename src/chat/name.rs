//! Names of people and rooms: which are allowed, and when two are the same.
//!
//! A name may contain letters and digits of any script, combining marks where a script needs them, and `_ - .`. Two names are the same if
//! their mapped forms are equal (RFC 8265, `UsernameCaseMapped`); they are shown as typed, in NFC. Names whose mapped forms have the same
//! skeleton (UTS #39) look alike: they are different names, but only one of them can be in use at a time. A name that mixes scripts which
//! are not usually written together is refused, for example `аdmin` with a Cyrillic first letter.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_security::{MixedScript, RestrictionLevel, RestrictionLevelDetection};

/// The mapped form of a name. It is equal for names that count as the same.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct NameKey(String);

impl NameKey {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a name looks like. It is equal for names that are easily confused (UTS #39), or that differ only in case in any of their forms:
/// `ΣΑΣ` and `σας`, `straße` and `STRASSE`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Skeleton(String);

impl From<&NameKey> for Skeleton {
    fn from(key: &NameKey) -> Self {
        // Upper case and then lower case is full case folding: it expands ß, and makes the two small sigmas one.
        let upper = key.0.chars().flat_map(char::to_uppercase);
        let folded: String = upper.flat_map(char::to_lowercase).collect();
        Self(unicode_security::skeleton(&folded).collect())
    }
}

/// Why a string is not a valid name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NameError {
    #[error("it is empty")]
    Empty,
    #[error("it has {length} characters; at most {limit} are allowed")]
    TooLong { length: usize, limit: usize },
    #[error("'{}' is not allowed in a name", .0.escape_default())]
    Character(char),
    #[error("it has no letters or digits, or it mixes scripts that cannot be combined")]
    Mixed,
    #[error("it is reserved")]
    Reserved,
}

/// Names that could be mistaken for the program, or for a mention of everyone.
const RESERVED: [&str; 14] = [
    "admin",
    "administrator",
    "all",
    "bot",
    "channel",
    "everyone",
    "here",
    "server",
    "stream",
    "system",
    "tchat",
    "系统",
    "管理员",
    "所有人",
];

/// The skeletons of the reserved names.
static RESERVED_SKELETONS: LazyLock<HashSet<Skeleton>> = LazyLock::new(|| {
    let skeleton = |name: &&str| Skeleton::from(&name_key(name));
    RESERVED.iter().map(skeleton).collect()
});

/// The maximum number of combining marks on one letter, after NFC.
const COMBINING_MARK_LIMIT: usize = 2;

/// A person's name: 1–32 code points.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct UserName(String);

impl UserName {
    pub const LIMIT: usize = 32;

    /// Checks a name and converts it to NFC.
    ///
    /// # Errors
    /// Returns the first rule that the name breaks.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let name = Self(validate(text, Self::LIMIT)?);
        if RESERVED_SKELETONS.contains(&name.skeleton()) {
            Err(NameError::Reserved)
        } else {
            Ok(name)
        }
    }

    /// Accepts a stored name without checking it. It was checked before it was stored, and rules added later do not apply to it.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn key(&self) -> NameKey {
        name_key(&self.0)
    }

    pub fn skeleton(&self) -> Skeleton {
        Skeleton::from(&self.key())
    }

    /// Returns the `n`th variant of this name: `ann2`, `ann3`. The name is shortened where the result would be too long.
    #[must_use]
    pub fn numbered(&self, n: usize) -> Self {
        let suffix = n.to_string();
        let keep = Self::LIMIT - suffix.len();
        Self(self.0.chars().take(keep).chain(suffix.chars()).collect())
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A room's name: 1–64 code points.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RoomName(String);

impl RoomName {
    pub const LIMIT: usize = 64;

    /// Checks a name and converts it to NFC.
    ///
    /// # Errors
    /// Returns the first rule that the name breaks.
    pub fn new(text: &str) -> Result<Self, NameError> {
        validate(text, Self::LIMIT).map(Self)
    }

    pub fn key(&self) -> NameKey {
        name_key(&self.0)
    }

    pub fn skeleton(&self) -> Skeleton {
        Skeleton::from(&self.key())
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn validate(text: &str, limit: usize) -> Result<String, NameError> {
    let name: String = text.nfc().collect();
    let length = name.chars().count();
    if length == 0 {
        return Err(NameError::Empty);
    }
    if length > limit {
        return Err(NameError::TooLong { length, limit });
    }
    let mut marks = COMBINING_MARK_LIMIT;
    for c in name.chars() {
        match c.general_category_group() {
            GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number => marks = 0,
            GeneralCategoryGroup::Mark if marks < COMBINING_MARK_LIMIT => marks += 1,
            _ if matches!(c, '_' | '-' | '.') => marks = COMBINING_MARK_LIMIT,
            _ => return Err(NameError::Character(c)),
        }
    }
    if !name.chars().any(char::is_alphanumeric) {
        return Err(NameError::Mixed);
    }
    match UsernameCaseMapped::enforce(name.as_str()) {
        Ok(key) if !has_compatible_scripts(&key) => Err(NameError::Mixed),
        Ok(key) if key.chars().count() <= limit => Ok(name),
        Ok(key) => Err(NameError::TooLong {
            length: key.chars().count(),
            limit,
        }),
        Err(precis_profiles::precis_core::Error::BadCodepoint(info)) => {
            Err(char::from_u32(info.cp).map_or(NameError::Mixed, NameError::Character))
        }
        Err(_) => Err(NameError::Mixed),
    }
}

/// Returns whether a mapped name is in one script, or in scripts that are usually written together (UTS #39, moderately restrictive).
fn has_compatible_scripts(key: &str) -> bool {
    key.is_single_script() || key.check_restriction_level(RestrictionLevel::ModeratelyRestrictive)
}

fn name_key(name: &str) -> NameKey {
    // A checked name can always be mapped. The fallback only makes this function total.
    NameKey(
        UsernameCaseMapped::enforce(name)
            .map_or_else(|_| name.to_lowercase(), std::borrow::Cow::into_owned),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_script_are_allowed() {
        for name in [
            "ann",
            "张三",
            "Ёлка",
            "राम",
            "محمد",
            "a_b-c.d",
            "王2",
            "root",
            "𠮷野",
        ] {
            assert_eq!(
                UserName::new(name).map(|it| it.to_string()),
                Ok(name.nfc().collect()),
                "{name}"
            );
        }
    }

    #[test]
    fn names_that_could_mislead_or_break_a_screen_are_refused() {
        for name in [
            "a b",
            "a\u{202e}b",
            "a\u{200b}b",
            "\u{1b}[31m",
            "a\tb",
            "@ann",
            "a/b",
            "👋",
            "b\u{301}\u{301}\u{301}",
            "a|b",
        ] {
            assert!(
                matches!(UserName::new(name), Err(NameError::Character(_))),
                "{name:?}"
            );
        }
        assert_eq!(UserName::new(""), Err(NameError::Empty));
        assert_eq!(UserName::new("..."), Err(NameError::Mixed));
        assert_eq!(UserName::new("Admin"), Err(NameError::Reserved));
        assert_eq!(UserName::new("系统"), Err(NameError::Reserved));
    }

    #[test]
    fn names_that_mix_unrelated_scripts_are_refused() {
        for name in ["аdmin", "annа", "αnn", "ρussіan", "ანа", "Ѕystem张"] {
            assert_eq!(UserName::new(name), Err(NameError::Mixed), "{name:?}");
            assert_eq!(RoomName::new(name), Err(NameError::Mixed), "{name:?}");
        }
        for name in [
            "张三ann",
            "カナkana",
            "김-kim",
            "すし鮨",
            "ram_राम",
            "анна2",
        ] {
            assert!(UserName::new(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn names_that_look_alike_have_the_same_skeleton() {
        let name = |name: &str| UserName::new(name).unwrap();
        for (one, other) in [("асе", "ace"), ("modem", "modern"), ("ann1", "annl")] {
            assert_ne!(name(one).key(), name(other).key());
            assert_eq!(name(one).skeleton(), name(other).skeleton());
        }
        assert_ne!(name("ann").skeleton(), name("anne").skeleton());
        assert_ne!(name("张三").skeleton(), name("张二").skeleton());
        // A name that looks like the reserved name `all` is refused.
        assert_eq!(UserName::new("αll"), Err(NameError::Mixed));
        assert_eq!(UserName::new("a1l"), Err(NameError::Reserved));
    }

    #[test]
    fn a_name_has_at_most_32_characters() {
        assert!(UserName::new(&"张".repeat(32)).is_ok());
        assert_eq!(
            UserName::new(&"张".repeat(33)),
            Err(NameError::TooLong {
                length: 33,
                limit: 32
            })
        );
        assert!(RoomName::new(&"r".repeat(64)).is_ok());
        assert!(RoomName::new(&"r".repeat(65)).is_err());
    }

    #[test]
    fn names_that_differ_in_case_width_or_composition_are_the_same() {
        let key = |name: &str| UserName::new(name).map(|it| it.key());
        assert_eq!(key("ANN"), key("ann"));
        assert_eq!(key("ａｎｎ"), key("ann"));
        assert_eq!(key("e\u{301}"), key("é"));
        assert_ne!(key("ann"), key("anne"));
    }

    #[test]
    fn a_numbered_name_is_valid() {
        let long = UserName::new(&"x".repeat(32)).unwrap();
        assert_eq!(
            UserName::new(long.numbered(12).as_str()),
            Ok(long.numbered(12))
        );
    }
}
