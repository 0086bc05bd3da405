//! The connection details overlay: round-trip time, reconnects, and delivery counts for each room.

use std::time::Duration;

use crate::chat::{Recipient, Seq};
use crate::client::{LinkState, Report};
use crate::text;
use crate::tui::state::{Room, State};
use crate::tui::strings::fill;

/// The width of each number, and the minimum width of a room's name, in columns.
const NUMBER: usize = 9;
const ROOM: usize = 8;

/// The lines of the overlay, for its width in columns.
pub fn lines(state: &State, report: &Report, columns: u16) -> Vec<String> {
    let s = state.preferences.strings;
    let columns = usize::from(columns.saturating_sub(4));
    let number = (columns.saturating_sub(ROOM) / 4).min(NUMBER);
    let wide = columns.saturating_sub(4 * number).max(ROOM);
    let link = match (&state.connection.link, report.rtt) {
        (LinkState::Online, Some(rtt)) => fill(s.link_online, &[&millis(rtt)]),
        (LinkState::Online, None) => s.link_measuring.to_owned(),
        (LinkState::Connecting, _) => s.link_connecting.to_owned(),
        (LinkState::Waiting { why, .. } | LinkState::Stopped(why), _) => s.why(why),
        (LinkState::NameRefused(refusal), _) => s.refusal(refusal),
    };
    let mut lines = vec![
        format!("{} · {link}", state.connection.server),
        s.protection(state.connection.protection),
        fill(s.link_counts, &[&report.reconnects, &waiting(state, None)]),
        String::new(),
        row(s.link_heads, wide, number),
    ];
    for room in &state.rooms.list {
        let id = room.info.id;
        let delivery = report.rooms.iter().find(|delivery| delivery.room == id);
        let (last, head) = delivery.map_or((Seq::ZERO, Seq::ZERO), |delivery| {
            (delivery.last, delivery.head)
        });
        let numbers = [
            last.0,
            room.timeline.missing(),
            delivery.map_or(0, |delivery| delivery.duplicates),
            waiting(state, Some(room)),
        ];
        let label = room.label();
        lines.push(row(
            [
                text::line(&label).as_str(),
                &numbers[0].to_string(),
                &numbers[1].to_string(),
                &numbers[2].to_string(),
                &numbers[3].to_string(),
            ],
            wide,
            number,
        ));
        if head > last {
            lines.push(format!("  {}", fill(s.link_behind, &[&(head.0 - last.0)])));
        }
        if let Some(delivery) = delivery.filter(|delivery| delivery.holes + delivery.repairs > 0) {
            lines.push(format!(
                "  {}",
                fill(s.requested_again, &[&delivery.holes, &delivery.repairs])
            ));
        }
    }
    lines
        .iter()
        .flat_map(|line| wrapped(line, columns))
        .collect()
}

/// Wraps a line; the later rows have the same indentation as the first.
fn wrapped(line: &str, columns: usize) -> Vec<String> {
    let text = line.trim_start_matches(' ');
    let indent = &line[..line.len() - text.len()];
    let rows = text::wrap(text, columns.saturating_sub(indent.len()));
    let rows = rows
        .into_iter()
        .map(|row| format!("{indent}{}", &text[row]));
    rows.collect()
}

fn row(cells: [&str; 5], wide: usize, number: usize) -> String {
    let mut line = text::pad(&text::cut(cells[0], wide - 1), wide);
    for cell in &cells[1..] {
        let cell = text::cut(cell, number.saturating_sub(1));
        let blank = number.saturating_sub(text::width(&cell));
        line.push_str(&" ".repeat(blank));
        line.push_str(&cell);
    }
    line
}

/// The number of posts waiting for an answer, in one room or in all.
fn waiting(state: &State, room: Option<&Room>) -> u64 {
    let is_there = |to: &Recipient| match (room, to) {
        (None, _) => true,
        (Some(room), Recipient::Room(id)) => room.info.id == *id,
        (Some(room), Recipient::Person(id)) => {
            room.info.peer.as_ref().is_some_and(|peer| peer.id == *id)
        }
        (Some(_), Recipient::Name(_)) => false,
    };
    let failed = |id| {
        let mut rooms = state.rooms.list.iter();
        rooms.any(|room| room.timeline.failed().any(|failed| failed == id))
    };
    let waits = state
        .posting
        .pending
        .iter()
        .filter(|post| is_there(&post.to) && !failed(post.client_id));
    waits.count() as u64
}

fn millis(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 10.0 {
        format!("{ms:.1}")
    } else {
        format!("{ms:.0}")
    }
}
