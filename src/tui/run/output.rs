//! The output of the state: a screen, or printed lines in plain mode.

use std::io;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType};

use crate::client::LinkState;
use crate::tui::event::Event;
use crate::tui::plain;
use crate::tui::plain::PlainWriter;
use crate::tui::screen::hit_map::HitMap;
use crate::tui::state::State;
use crate::tui::strings::fill;
use crate::tui::update::update;
use crate::tui::view::{Look, draw};

/// How long the program waits for the remaining answers after the piped input has ended. Posts that are still unsent
/// after this time are sent at the next start.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a line waits for the answers to the line before it.
pub(super) const ASKS: Duration = Duration::from_secs(2);
/// How long the first line waits for the first connection. This is longer, because a server may have to be started.
const FIRST_LINE_TIMEOUT: Duration = Duration::from_secs(15);

/// The output that shows the state.
pub(super) enum Output<'a, B: Backend> {
    Screen(&'a mut Terminal<B>),
    Lines(Box<PlainWriter>, &'a mut dyn io::Write),
}

impl<B: Backend<Error = io::Error>> Output<'_, B> {
    pub fn size(&self) -> io::Result<(u16, u16)> {
        match self {
            Self::Screen(terminal) => terminal.size().map(|size| (size.width, size.height)),
            Self::Lines(..) => Ok(plain::SIZE),
        }
    }

    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Lines(..))
    }

    /// Whether the next input is to be read. In plain mode a line waits until there is a room to send it to, until the results of the
    /// previous line are printed, and until it is known which room that line switches to. Piped lines arrive faster than answers, and a
    /// message for one person must not be sent to a whole room. Each wait has a time limit.
    pub fn takes_input(&self, state: &State, is_dirty: bool, waited: Duration) -> bool {
        let Self::Lines(teller, _) = self else {
            return true;
        };
        let begins = state.connection.link == LinkState::Connecting && state.me.account.is_none();
        let is_on_its_way = match state.connection.link {
            LinkState::Connecting => true,
            LinkState::Online => {
                state.is_switching_room() || state.rooms.current.is_none() || teller.is_asking()
            }
            _ => state.has_requested_room(),
        };
        let patience = if begins { FIRST_LINE_TIMEOUT } else { ASKS };
        let waits = is_dirty || (is_on_its_way && waited < patience);
        !waits
    }

    /// How long the program waits for answers after the input has ended.
    pub fn answer_timeout(&self) -> Duration {
        match self {
            Self::Screen(_) => Duration::ZERO,
            Self::Lines(..) => ANSWER_TIMEOUT,
        }
    }

    /// A warning about piped input that was not sent. `None` if the user types it: the terminal shows it then.
    pub fn unsent_warning(&self, state: &State) -> Option<String> {
        let Self::Lines(teller, _) = self else {
            return None;
        };
        let drafts = state
            .rooms
            .list
            .iter()
            .filter(|room| !room.composer.is_empty());
        let drafts = drafts.count() + usize::from(!state.input.lobby.is_empty());
        let waits = state.posting.pending.len() + drafts;
        let words = || fill(state.preferences.strings.not_all_sent, &[&waits]);
        (waits > 0 && !teller.has_echo()).then(words)
    }

    pub fn on_event(&mut self, event: &Event) {
        if let Self::Lines(teller, _) = self {
            teller.on_event(event);
        }
    }

    pub fn show(&mut self, state: &mut State, look: &Look) -> io::Result<()> {
        match self {
            Self::Screen(terminal) => {
                let mut targets = HitMap::default();
                terminal.draw(|frame| targets = draw(frame, state, look))?;
                state.screen.hit_map = targets;
            }
            Self::Lines(teller, out) => {
                let told = teller.print_changes(state);
                state.screen.notices.clear();
                for line in &told.lines {
                    writeln!(out, "{line}")?;
                }
                out.flush()?;
                if told.is_overlay_complete {
                    // This only closes the overlay and requests nothing.
                    drop(update(state, Event::OverlayPrinted));
                }
            }
        }
        Ok(())
    }

    /// Clears the screen, so that the next frame is drawn completely.
    pub fn reset(&mut self) -> io::Result<()> {
        if let Self::Screen(terminal) = self {
            terminal.backend_mut().clear_region(ClearType::All)?;
            terminal.swap_buffers();
        }
        Ok(())
    }
}
