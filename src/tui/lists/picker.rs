//! Lists to choose from: the lobby, the palette of rooms, people and commands, mentions, themes, search results and links. Pure.
//!
//! One fuzzy matcher filters all of them except search results.

mod palette;

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use self::palette::palette;
use super::search::Hits;
use crate::chat::{Entry, RoomId, RoomInfo, RoomKind, Sanction};
use crate::text;
use crate::tui::state::{Invitation, Picker, PickerKind, Room, RowAction, State};
use crate::tui::strings::fill;

/// The maximum number of columns shown before the first match in a search result. On a screen with fewer columns than
/// `NARROW` it is 0.
const SNIPPET_LEAD: usize = 16;
const NARROW: u16 = 60;

/// One row of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PickerRow {
    /// The name, which the filter is matched against.
    pub label: String,
    /// The indices of the characters of the label that matched.
    pub matched: Vec<u32>,
    pub unread: u32,
    /// The number of people in a room, and the capacity if there is one.
    pub people: String,
    pub about: String,
    /// The parts of `about` that match the search, as byte ranges.
    pub marks: Vec<Range<usize>>,
    /// The age of a message, or the key of an action.
    pub detail: String,
    pub action: RowAction,
}

impl PickerRow {
    /// Creates a row that shows only a label.
    fn new(label: String, action: RowAction) -> Self {
        Self {
            label,
            matched: Vec::new(),
            unread: 0,
            people: String::new(),
            about: String::new(),
            marks: Vec::new(),
            detail: String::new(),
            action,
        }
    }
}

/// The rows that match the filter, best match first. Without a filter, all rows in their original order.
pub fn rows(state: &State, picker: &Picker) -> Vec<PickerRow> {
    let all = match &picker.kind {
        PickerKind::Lobby(rooms) => {
            // The server lists a secret room for its members only, so invitations to one are added here.
            let rooms = rooms.as_deref().unwrap_or_default();
            let is_listed = |id: RoomId| rooms.iter().any(|room| room.id == id);
            let invited = state.rooms.invitations.iter().map(|it| &it.room);
            let invited = invited.filter(|room| !is_listed(room.id));
            let all = invited.chain(rooms);
            all.map(|room| of_room(state, room)).collect()
        }
        PickerKind::Palette => palette(state),
        PickerKind::Mentions(entries) => {
            let entries = entries.iter().flatten();
            entries.map(|entry| of_mention(state, entry)).collect()
        }
        PickerKind::Themes { before } => state
            .preferences
            .themes
            .iter()
            .map(|theme| of_theme(state, theme, before))
            .collect(),
        PickerKind::Links(links) => links.iter().map(of_link).collect(),
        PickerKind::Bans { room, sanctions } => {
            let row = |(sanction, about): &(Sanction, String)| PickerRow {
                about: about.clone(),
                ..PickerRow::new(
                    text::line(&sanction.person.name).to_string(),
                    RowAction::Lift(*room, Box::new(sanction.clone())),
                )
            };
            sanctions.iter().map(row).collect()
        }
        PickerKind::Requests => state
            .requests()
            .map(|room| of_request(state, room))
            .collect(),
        PickerKind::Search(hits) => {
            let shown = state.hits(hits).into_iter();
            return shown.map(|it| of_hit(state, hits, it)).collect();
        }
    };
    matching(all, picker.filter.text().trim())
}

fn matching(all: Vec<PickerRow>, filter: &str) -> Vec<PickerRow> {
    if filter.is_empty() {
        return all;
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let (case, normal) = (CaseMatching::Ignore, Normalization::Smart);
    let pattern = Pattern::new(filter, case, normal, AtomKind::Fuzzy);
    let mut buffer = Vec::new();
    let mut found: Vec<(Rank, PickerRow)> = Vec::new();
    for mut row in all {
        let hay = match row.action {
            // The filter also searches the text of a message.
            RowAction::Visit(..) => format!("{} {}", row.label, row.about),
            // The filter also searches the aliases of a command.
            RowAction::Command(name) => {
                let whole = row.label.clone();
                name.aliases()
                    .fold(whole, |whole, alias| whole + " /" + alias)
            }
            _ => row.label.clone(),
        };
        let label = Utf32Str::new(&hay, &mut buffer);
        if let Some(score) = pattern.indices(label, &mut matcher, &mut row.matched) {
            row.matched.sort_unstable();
            row.matched.dedup();
            found.push((rank(&row, &hay, filter, score), row));
        }
    }
    // The sort is stable: rows of equal rank stay in their order.
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, row)| row).collect()
}

/// The sort key of a match, smallest first: whether its letters are scattered, its group, whether its name does not
/// begin with the filter, and the matcher's score (highest first).
type Rank = (bool, u8, bool, Reverse<u32>);

fn rank(row: &PickerRow, hay: &str, filter: &str, score: u32) -> Rank {
    // The `#`, `@` or `/` before a name may be left out.
    let plain = |text: &str| text.trim_start_matches(['#', '@', '/']).to_owned();
    let (hay, filter) = (text::folded(hay), text::folded(filter));
    let is_scattered = !filter.split_whitespace().all(|word| hay.contains(word));
    let begins = plain(&hay).starts_with(&plain(&filter));
    (is_scattered, row.action.group(), !begins, Reverse(score))
}

fn of_room(state: &State, info: &RoomInfo) -> PickerRow {
    let ours = state
        .room(info.id)
        .filter(|room| room.removal_reason.is_none());
    let is_closed = info.kind.needs_invitation() && info.role.is_none();
    let about = match (state.invitation(info.id), &info.last) {
        (Some(invitation), _) => invited(state, invitation),
        (None, Some(last)) => {
            let (by, said) = (text::line(&last.author), text::line(&last.text));
            fill(state.preferences.strings.quote, &[&by, &said])
        }
        (None, None) if is_closed => state.preferences.strings.by_invitation.to_owned(),
        (None, None) => text::line(&info.topic).to_string(),
    };
    let mark = match info.kind {
        RoomKind::Private => state.preferences.strings.private_mark,
        RoomKind::Secret => state.preferences.strings.secret_mark,
        RoomKind::Public | RoomKind::Conversation => "",
    };
    PickerRow {
        label: format!("{}{mark}", text::line(&info.name)),
        matched: Vec::new(),
        unread: ours.map_or(0, |room| state.unread_counts(room).0),
        people: match info.capacity {
            0 => info.present.to_string(),
            most => format!("{}/{most}", info.present),
        },
        about,
        marks: Vec::new(),
        detail: info
            .last
            .as_ref()
            .map_or_else(String::new, |last| ago(state, last.at_ms)),
        action: match ours {
            Some(room) => RowAction::Show(room.info.id),
            None => RowAction::Join(info.into()),
        },
    }
}

/// The text for an invitation to a room, with the name of the person who invited us, if known.
fn invited(state: &State, invitation: &Invitation) -> String {
    let s = state.preferences.strings;
    match &invitation.by {
        Some(by) => fill(s.invites_you, &[&text::line(&by.name)]),
        None => s.you_are_invited.to_owned(),
    }
}

fn of_mention(state: &State, entry: &Entry) -> PickerRow {
    let room = state.room(entry.room).map(Room::label);
    let room = room.unwrap_or_default();
    let name = text::line(&entry.author.name);
    PickerRow {
        about: text::line(entry.body.text()).to_string(),
        detail: ago(state, entry.at_ms),
        ..PickerRow::new(
            format!("{name} {}", text::line(&room)),
            RowAction::Visit(entry.room, entry.seq),
        )
    }
}

/// The title of the list of a room's bans.
pub fn bans_title(state: &State, room: RoomId) -> String {
    let label = state.room(room).map(Room::label).unwrap_or_default();
    let words = state.preferences.strings.moderation;
    fill(words.bans_title, &[&text::line(&label)])
}

/// A request with its message.
fn of_request(state: &State, room: &Room) -> PickerRow {
    let message = room.timeline.messages().last();
    PickerRow {
        about: message.map_or_else(String::new, |it| text::line(it.body.text()).to_string()),
        detail: message.map_or_else(String::new, |it| ago(state, it.at_ms)),
        ..PickerRow::new(
            text::line(&room.label()).to_string(),
            RowAction::Show(room.info.id),
        )
    }
}

fn of_theme(state: &State, theme: &str, before: &str) -> PickerRow {
    let about = if theme == before {
        state.preferences.strings.theme_current
    } else {
        ""
    };
    PickerRow {
        about: about.to_owned(),
        ..PickerRow::new(
            text::line(theme).to_string(),
            RowAction::Theme(theme.to_owned()),
        )
    }
}

fn of_link(address: &Arc<str>) -> PickerRow {
    PickerRow::new(
        text::line(address).to_string(),
        RowAction::Link(Arc::clone(address)),
    )
}

fn of_hit(state: &State, hits: &Hits, entry: &Entry) -> PickerRow {
    // On a narrow screen, the text starts at the first match.
    let lead = if state.screen.size.0 < NARROW {
        0
    } else {
        SNIPPET_LEAD
    };
    let (about, marks) = hits.snippet(entry, lead);
    PickerRow {
        about,
        marks,
        ..of_mention(state, entry)
    }
}

/// The age of a message in minutes, hours or days.
fn ago(state: &State, at_ms: u64) -> String {
    let now = u64::try_from(state.screen.now.wall.as_millisecond()).unwrap_or(0);
    let minutes = now.saturating_sub(at_ms) / 60_000;
    let s = state.preferences.strings;
    match minutes {
        0 => s.just_now.to_owned(),
        1..60 => fill(s.minutes, &[&minutes]),
        60..1440 => fill(s.hours, &[&(minutes / 60)]),
        _ => fill(s.days, &[&(minutes / 1440)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::RoomToJoin;
    use crate::tui::input::command::CommandName;
    use crate::tui::input::keymap::Action;

    fn found(labels: &[&str], filter: &str) -> Vec<String> {
        let row = |label: &&str| {
            let takes = match label.chars().next() {
                Some('#' | '@') => RowAction::Join(RoomToJoin::default()),
                Some('/') => RowAction::Command(CommandName::Theme),
                _ => RowAction::Act(Action::Themes),
            };
            PickerRow::new((*label).to_owned(), takes)
        };
        let rows = labels.iter().map(row).collect();
        matching(rows, filter)
            .into_iter()
            .map(|row| row.label)
            .collect()
    }

    #[test]
    fn letters_in_order_match_and_the_best_match_comes_first() {
        let all = [
            "#general",
            "#tech",
            "#test-lab",
            "@tecla",
            "#关键消息",
            "/theme",
        ];
        assert_eq!(found(&all, ""), all);
        assert_eq!(found(&all, "tec"), ["#tech", "@tecla"]);
        assert_eq!(found(&all, "GNRL"), ["#general"]);
        assert_eq!(found(&all, "键消"), ["#关键消息"]);
        assert_eq!(found(&all, "xyz"), Vec::<String>::new());
        let room = RowAction::Join(RoomToJoin::default());
        let rows = matching(vec![PickerRow::new("#tech".into(), room)], "tch");
        assert_eq!(rows[0].matched, [1, 3, 4]);
    }

    #[test]
    fn rooms_come_before_commands_and_adjacent_letters_before_scattered_ones() {
        let all = [
            "delete to the end of the line",
            "/theme",
            "#weather-team",
            "#the-office",
            "@theo",
            "#tea-house",
        ];
        // "tea-house" has t, h and e, but not next to each other.
        assert_eq!(
            found(&all, "the"),
            [
                "#the-office",
                "@theo",
                "#weather-team",
                "/theme",
                "delete to the end of the line",
                "#tea-house",
            ]
        );
        // The sign may be typed, case is ignored, and each word is matched separately.
        assert_eq!(found(&all, "/THE")[0], "/theme");
        assert_eq!(found(&all, "end line"), ["delete to the end of the line"]);
        assert_eq!(found(&["set theme", "#thesis"], "set"), ["set theme"]);
        assert_eq!(found(&["/topic", "#photos"], "to"), ["#photos", "/topic"]);
        assert_eq!(found(&["#t-o-p", "/topic"], "top"), ["/topic", "#t-o-p"]);
    }
}
