//! Prints overlays as lines.

use super::PlainWriter;
use crate::client::{LinkState, Report};
use crate::text;
use crate::tui::content::link_details;
use crate::tui::content::plain_lines::{list, mark};
use crate::tui::input::command::COMMANDS;
use crate::tui::screen::regions::OVERLAY_COLUMNS;
use crate::tui::state::{Overlay, State};
use crate::tui::strings::fill;

impl PlainWriter {
    /// Prints the open overlay. Returns whether all of it was printed.
    pub(super) fn overlay(&mut self, state: &State, lines: &mut Vec<String>) -> bool {
        let s = state.preferences.strings;
        let was_asking = std::mem::take(&mut self.is_asking);
        match &state.overlays.top {
            None => return false,
            Some(Overlay::Link { report, .. })
                if *report == Report::default() && state.connection.link == LinkState::Online =>
            {
                self.is_asking = true;
                return false;
            }
            Some(Overlay::Pick(picker)) if !picker.is_settled() => {
                self.is_asking = true;
                if !was_asking {
                    lines.push(mark(s.loading));
                }
                return false;
            }
            Some(Overlay::Pick(picker)) => list(state, picker, lines),
            Some(Overlay::Help { .. }) => {
                lines.push(mark(s.help_commands));
                lines.extend(COMMANDS.iter().map(|known| {
                    let usage = s.command(known.name).usage;
                    format!("{usage}  {}", s.about_command(known.name))
                }));
                lines.extend(s.help_sending.iter().map(|line| (*line).to_owned()));
            }
            Some(Overlay::List {
                title, lines: all, ..
            }) => {
                lines.push(mark(title));
                lines.extend(all.iter().map(|line| text::line(line).to_string()));
            }
            Some(Overlay::Link { report, .. }) => {
                lines.push(mark(s.link_title));
                let all = link_details::lines(state, report, OVERLAY_COLUMNS);
                lines.extend(all.iter().map(|line| text::line(line).to_string()));
            }
            Some(Overlay::Name {
                why,
                proposed_name: proposal,
                composer,
            }) => {
                lines.push(mark(why));
                let name = format!("{proposal}{}", composer.text());
                lines.push(mark(fill(s.name_by_line, &[&name]).trim_end()));
            }
            Some(Overlay::React { .. }) => {
                lines.push(mark(s.react_by_line));
            }
            // In plain mode these are not asked.
            Some(Overlay::Snippet { .. } | Overlay::Trust { .. }) => {}
        }
        true
    }
}
