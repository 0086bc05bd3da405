//! A face for everybody: two cells of dots that follow from the identity, mirrored as faces are. The colour is that of the name.

use crate::chat::IdentityId;

/// Dots of one half, as Braille numbers them; what they mirror to.
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
/// Dots of a half: fewer look like dust, more like a block.
const DOTS: std::ops::RangeInclusive<u32> = 3..=6;
/// The first pattern of Braille.
const BLANK: u32 = 0x2800;

/// Two cells; letters and digits where a terminal shows only those.
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

/// Enough of an identity to tell two apart who look alike.
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
    fn a_face_is_two_cells_and_stays_the_same() {
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
    fn faces_are_symmetric() {
        let mut bytes = [0; 16];
        bytes[0] = 0b0000_0111;
        // Three dots on the left edge become three on the right one.
        assert_eq!(glyph(IdentityId::new(bytes), true), "⠇⠸");
    }

    #[test]
    fn faces_differ() {
        let faces: std::collections::HashSet<String> = (0..=255)
            .map(|n| glyph(IdentityId::new([n; 16]), true))
            .collect();
        assert!(faces.len() > 150, "{}", faces.len());
    }
}
