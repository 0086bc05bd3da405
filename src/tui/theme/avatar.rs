//! Avatars: a symmetric pattern of Braille dots in two cells, derived from the identity. Its colour is that of the person's name.

use crate::chat::IdentityId;

/// The dots of one cell, numbered as bits of a Braille character, and the dots they are mirrored to.
const MIRROR: [(u8, u8); 8] = [
    (0, 3),
    (1, 4),
    (2, 5),
    (3, 0),
    (4, 1),
    (5, 2),
    (6, 7),
    (7, 6),
];
/// The number of dots in a half. Fewer look like dust, more look like a block.
const DOTS: std::ops::RangeInclusive<u32> = 3..=6;
/// The Braille character without dots.
const BLANK: u32 = 0x2800;

/// The avatar of a person: two cells. Two hex digits if the terminal cannot show Unicode.
pub fn glyph(id: IdentityId, is_unicode: bool) -> String {
    if !is_unicode {
        let hex = fingerprint(id);
        return hex.chars().take(2).collect();
    }
    let bytes = id.bytes();
    let half = bytes.iter().find(|byte| DOTS.contains(&byte.count_ones()));
    let half = half.copied().unwrap_or(0b0001_1011);
    let mirrored = MIRROR.iter().fold(0, |mirrored, (from, to)| {
        mirrored | (((half >> from) & 1) << to)
    });
    [half, mirrored]
        .into_iter()
        .filter_map(|dots| char::from_u32(BLANK + u32::from(dots)))
        .collect()
}

/// The first 8 bytes of an identity in hex: enough to tell apart two people with the same avatar.
pub fn fingerprint(id: IdentityId) -> String {
    let hex = hex::encode(&id.bytes()[..8]);
    let groups = hex.as_bytes().chunks(4);
    let groups = groups.map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    #[test]
    fn an_avatar_is_two_cells_wide_and_always_the_same() {
        for n in 0..=255 {
            let id = IdentityId::new([n; 16]);
            for is_unicode in [true, false] {
                let glyph = glyph(id, is_unicode);
                assert_eq!(text::width(&glyph), 2, "{n}");
                assert_eq!(glyph, super::glyph(id, is_unicode));
                assert_eq!(text::line(&glyph).as_str(), glyph);
            }
        }
    }

    #[test]
    fn avatars_are_symmetric() {
        let mut bytes = [0; 16];
        bytes[0] = 0b0000_0111;
        // Three dots on the left edge are mirrored to three dots on the right edge.
        assert_eq!(glyph(IdentityId::new(bytes), true), "⠇⠸");
    }

    #[test]
    fn most_people_have_different_avatars() {
        let faces: std::collections::HashSet<String> = (0..=255)
            .map(|n| glyph(IdentityId::new([n; 16]), true))
            .collect();
        assert!(faces.len() > 150, "{}", faces.len());
    }
}
