//! Where the state is shown: on a screen, or in lines below each other.

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

/// What was piped in is answered within this, or known the next time.
const ANSWERS: Duration = Duration::from_secs(5);
/// An answer that is awaited holds the next line up for so long.
pub(super) const ASKS: Duration = Duration::from_secs(2);
/// A host that has to be started first has this long.
const BEGINS: Duration = Duration::from_secs(15);

/// Where the state is shown.
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

    /// Whether the next of what is typed is to be read. A line waits until there is somewhere to say it, until what the one before did is
    /// told, and until it is known where that one leads: lines are piped in faster than anybody answers, and what is meant for one
    /// person must not be said to all. Nothing is waited for without end.
    pub fn takes_input(&self, state: &State, is_dirty: bool, waited: Duration) -> bool {
        let Self::Lines(teller, _) = self else {
            return true;
        };
        let begins = state.connection.link == LinkState::Connecting && state.me.account.is_none();
        let is_on_its_way = match state.connection.link {
            LinkState::Connecting => true,
            LinkState::Online => {
                state.is_led() || state.rooms.current.is_none() || teller.is_asking()
            }
            _ => state.is_on_the_way(),
        };
        let patience = if begins { BEGINS } else { ASKS };
        let waits = is_dirty || (is_on_its_way && waited < patience);
        !waits
    }

    /// How long is waited for answers when nothing more will be typed.
    pub fn patience(&self) -> Duration {
        match self {
            Self::Screen(_) => Duration::ZERO,
            Self::Lines(..) => ANSWERS,
        }
    }

    /// What nobody heard of what was piped in; whoever types sees for themselves.
    pub fn unsaid(&self, state: &State) -> Option<String> {
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
        let words = || fill(state.preferences.strings.unsaid, &[&waits]);
        (waits > 0 && !teller.has_echo()).then(words)
    }

    pub fn hear(&mut self, event: &Event) {
        if let Self::Lines(teller, _) = self {
            teller.hear(event);
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
                let told = teller.tell(state);
                state.screen.notices.clear();
                for line in &told.lines {
                    writeln!(out, "{line}")?;
                }
                out.flush()?;
                if told.is_read_out {
                    // It asks for nothing: it only closes what was read.
                    drop(update(state, Event::ReadOut));
                }
            }
        }
        Ok(())
    }

    /// The next frame is drawn on an empty screen.
    pub fn reset(&mut self) -> io::Result<()> {
        if let Self::Screen(terminal) = self {
            terminal.backend_mut().clear_region(ClearType::All)?;
            terminal.swap_buffers();
        }
        Ok(())
    }
}
