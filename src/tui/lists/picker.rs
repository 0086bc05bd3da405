//! Lists to choose from: the lobby, the palette of rooms, people and commands, mentions, themes, search results and links. Pure.
//!
//! One fuzzy matcher filters all of them except search results.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::search::Hits;
use crate::chat::{Entry, RoomId, RoomInfo, RoomKind};
use crate::text;
use crate::tui::input::command::COMMANDS;
use crate::tui::input::keymap::Action;
use crate::tui::settings::Setting;
use crate::tui::state::{Invitation, Picker, PickerKind, Room, RowAction, State};
use crate::tui::strings::fill;

/// The maximum number of columns shown before the first match in a search result. On a screen narrower than `NARROW` it is 0.
const LEAD: usize = 16;
const NARROW: u16 = 60;

/// One row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
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
    pub aside: String,
    pub takes: RowAction,
}

/// The rows that match the filter, best first. Without a filter, all rows in their own order.
pub fn rows(state: &State, picker: &Picker) -> Vec<Row> {
    let all = match &picker.of {
        PickerKind::Lobby(rooms) => {
            // The server lists a secret room for its members only, so invitations to one are added here.
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
        PickerKind::Search(hits) => {
            let shown = state.hits(hits).into_iter();
            return shown.map(|it| of_hit(state, hits, it)).collect();
        }
    };
    matching(all, picker.filter.text().trim())
}

fn matching(all: Vec<Row>, filter: &str) -> Vec<Row> {
    if filter.is_empty() {
        return all;
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let (case, normal) = (CaseMatching::Ignore, Normalization::Smart);
    let pattern = Pattern::new(filter, case, normal, AtomKind::Fuzzy);
    let mut buffer = Vec::new();
    let mut found: Vec<(Rank, Row)> = Vec::new();
    for mut row in all {
        let hay = match row.takes {
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

/// The sort key of a match, smallest first: whether its letters are scattered, its group, whether its name begins differently, and the
/// matcher's score.
type Rank = (bool, u8, bool, Reverse<u32>);

fn rank(row: &Row, hay: &str, filter: &str, score: u32) -> Rank {
    // The `#`, `@` or `/` before a name may be left out.
    let plain = |text: &str| text.trim_start_matches(['#', '@', '/']).to_owned();
    let (hay, filter) = (text::folded(hay), text::folded(filter));
    let is_scattered = !filter.split_whitespace().all(|word| hay.contains(word));
    let begins = plain(&hay).starts_with(&plain(&filter));
    (is_scattered, row.takes.group(), !begins, Reverse(score))
}

fn of_room(state: &State, info: &RoomInfo) -> Row {
    let ours = state.room(info.id).filter(|room| room.put_out.is_none());
    let is_closed = info.kind.needs_an_invitation() && info.role.is_none();
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
    Row {
        label: format!("{}{mark}", text::line(&info.name)),
        matched: Vec::new(),
        unread: ours.map_or(0, |room| state.news(room).0),
        people: match info.capacity {
            0 => info.present.to_string(),
            most => format!("{}/{most}", info.present),
        },
        about,
        marks: Vec::new(),
        aside: info
            .last
            .as_ref()
            .map_or_else(String::new, |last| ago(state, last.at_ms)),
        takes: match ours {
            Some(room) => RowAction::Show(room.info.id),
            None => RowAction::Join(info.name.clone()),
        },
    }
}

/// The text for an invitation to a room, with the name of who invited us if it is known.
fn invited(state: &State, invitation: &Invitation) -> String {
    let s = state.preferences.strings;
    match &invitation.by {
        Some(by) => fill(s.invites_you, &[&text::line(&by.name)]),
        None => s.you_are_invited.to_owned(),
    }
}

fn of_mention(state: &State, entry: &Entry) -> Row {
    let room = state.room(entry.room).map(Room::label);
    let room = room.unwrap_or_default();
    let name = text::line(&entry.author.name);
    Row {
        label: format!("{name} {}", text::line(&room)),
        matched: Vec::new(),
        unread: 0,
        people: String::new(),
        about: text::line(entry.body.text()).to_string(),
        marks: Vec::new(),
        aside: ago(state, entry.at_ms),
        takes: RowAction::Visit(entry.room, entry.seq),
    }
}

fn of_theme(state: &State, theme: &str, before: &str) -> Row {
    let is_present = theme == before;
    Row {
        label: text::line(theme).to_string(),
        matched: Vec::new(),
        unread: 0,
        people: String::new(),
        about: if is_present {
            state.preferences.strings.theme_present
        } else {
            ""
        }
        .to_owned(),
        marks: Vec::new(),
        aside: String::new(),
        takes: RowAction::Theme(theme.to_owned()),
    }
}

fn of_link(address: &Arc<str>) -> Row {
    Row {
        label: text::line(address).to_string(),
        matched: Vec::new(),
        unread: 0,
        people: String::new(),
        about: String::new(),
        marks: Vec::new(),
        aside: String::new(),
        takes: RowAction::Link(Arc::clone(address)),
    }
}

fn of_hit(state: &State, hits: &Hits, entry: &Entry) -> Row {
    // On a narrow screen, the text starts at the first match.
    let lead = if state.screen.size.0 < NARROW {
        0
    } else {
        LEAD
    };
    let (about, marks) = hits.snippet(entry, lead);
    Row {
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

/// The rows of the palette: rooms and conversations, other people, commands, settings, and actions that do not edit the composer.
fn palette(state: &State) -> Vec<Row> {
    let s = state.preferences.strings;
    let plain = |label: String, about: &str, takes| Row {
        label,
        matched: Vec::new(),
        unread: 0,
        people: String::new(),
        about: about.to_owned(),
        marks: Vec::new(),
        aside: String::new(),
        takes,
    };
    let of_ours = |room: &Room| Row {
        unread: state.news(room).0,
        ..plain(
            text::line(&room.label()).to_string(),
            text::line(&room.info.topic).as_str(),
            RowAction::Show(room.info.id),
        )
    };
    let mut rows: Vec<Row> = state.rooms.list.iter().map(of_ours).collect();
    let is_ours = |name: &str| state.rooms.list.iter().any(|room| room.info.name == name);
    for invitation in &state.rooms.invitations {
        let room = &invitation.room;
        let label = text::line(&format!("#{}", room.name)).to_string();
        let takes = RowAction::Join(room.name.clone());
        rows.push(plain(label, &invited(state, invitation), takes));
    }
    let others = state
        .rooms
        .directory
        .iter()
        .filter(|room| !is_ours(&room.name));
    for room in others.filter(|room| state.invitation(room.id).is_none()) {
        let label = text::line(&format!("#{}", room.name)).to_string();
        let takes = RowAction::Join(room.name.clone());
        rows.push(plain(label, text::line(&room.topic).as_str(), takes));
    }
    // People we have a conversation with are already listed among the rooms.
    let peers = state
        .rooms
        .list
        .iter()
        .filter_map(|room| room.info.peer.as_ref());
    let mut known: HashSet<&str> = peers.map(|peer| peer.name.as_str()).collect();
    let here = state
        .rooms
        .list
        .iter()
        .flat_map(|room| room.roster.people());
    for person in here.filter(|person| !state.is_me(person.id)) {
        if known.insert(person.name.as_str()) {
            rows.push(plain(
                text::line(&format!("@{}", person.name)).to_string(),
                s.private_mark_of_people,
                RowAction::Open(person.name.clone()),
            ));
        }
    }
    for known in COMMANDS {
        let words = s.command(known.name);
        let takes = RowAction::Command(known.name);
        let key = state
            .input
            .keymap
            .of_command(known.name)
            .unwrap_or_default();
        rows.push(Row {
            aside: key,
            ..plain(format!("/{}", known.word), words.about, takes)
        });
    }
    for (name, setting) in Setting::ALL {
        let about = format!("{} · {}", setting.value(state), (s.settings)(setting));
        let label = fill(s.setting_set, &[&name]);
        let action = match setting {
            Setting::Theme => Some(Action::Themes),
            Setting::Panes => Some(Action::Panes),
            _ => None,
        };
        rows.push(Row {
            aside: action.map_or_else(String::new, |action| state.input.keymap.first(action)),
            ..plain(label, &about, RowAction::Set(setting))
        });
    }
    // The key of an action that has a command is shown with the command.
    let of_commands: Vec<String> = COMMANDS
        .iter()
        .filter_map(|known| state.input.keymap.of_command(known.name))
        .collect();
    let actions = state.input.keymap.actions().into_iter();
    for action in actions.filter(|action| action.is_offered()) {
        let key = state.input.keymap.first(action);
        if let Some(about) = s.action(action).filter(|_| !of_commands.contains(&key)) {
            rows.push(Row {
                aside: key,
                ..plain(about.to_owned(), "", RowAction::Act(action))
            });
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::input::command::Name;

    fn found(labels: &[&str], filter: &str) -> Vec<String> {
        let row = |label: &&str| Row {
            label: (*label).to_owned(),
            matched: Vec::new(),
            unread: 0,
            people: String::new(),
            about: String::new(),
            marks: Vec::new(),
            aside: String::new(),
            takes: match label.chars().next() {
                Some('#' | '@') => RowAction::Join(String::new()),
                Some('/') => RowAction::Command(Name::Theme),
                _ => RowAction::Act(Action::Themes),
            },
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
        let rows = matching(
            vec![Row {
                label: "#tech".into(),
                matched: Vec::new(),
                unread: 0,
                people: String::new(),
                about: String::new(),
                marks: Vec::new(),
                aside: String::new(),
                takes: RowAction::Join(String::new()),
            }],
            "tch",
        );
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
