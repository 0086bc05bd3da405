//! `App`: the state, the output that shows it, and the performer of its effects. The main loop calls its methods.

use std::io;

use ratatui::backend::Backend;
use tokio::sync::mpsc;

use super::output::Output;
use super::pace::Pace;
use super::performer::{Next, Performer};
use super::{Connect, RunError, Setup, initial_look, initial_state, now};
use crate::client;
use crate::tui::event::Event;
use crate::tui::state::{State, Tone};
use crate::tui::view::Look;

pub(super) struct App<'a, B: Backend> {
    pub state: State,
    pub output: Output<'a, B>,
    pub performer: Performer,
    look: Look,
}

impl<'a, B: Backend<Error = io::Error>> App<'a, B> {
    /// Loads the theme and opens the first connection. Work on other threads sends its results to `results_sender`.
    pub fn begin(
        output: Output<'a, B>,
        setup: Setup,
        connect: Connect,
        results_sender: mpsc::Sender<Event>,
    ) -> Result<Self, RunError> {
        let (look, warnings) = initial_look(&setup)?;
        let mut state = initial_state(&setup, output.size().map_err(RunError::Terminal)?);
        if let Some(warning) = warnings.first() {
            state.show_notice(Tone::Problem, warning.clone());
        }
        let performer = Performer::begin(&mut state, setup, connect, results_sender)?;
        Ok(Self {
            state,
            output,
            performer,
            look,
        })
    }

    /// Whether the next input is to be read.
    pub fn takes_input(&self, pace: &Pace) -> bool {
        !pace.is_ending()
            && self
                .output
                .takes_input(&self.state, pace.is_dirty, pace.since_input())
            && !(self.performer.is_away && self.output.is_plain())
    }

    /// Shows the state.
    pub fn show(&mut self) -> Result<Next, RunError> {
        self.state.screen.now = now();
        match self.output.show(&mut self.state, &self.look) {
            // The reader has closed the pipe, so the program ends without an error.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Next::Quit),
            shown => shown.map_err(RunError::Terminal)?,
        }
        self.performer.update_title(&self.state);
        Ok(Next::Continue)
    }

    /// Applies an event, then the client events that have arrived.
    pub fn apply(
        &mut self,
        event: Option<Event>,
        arrived: &mut Vec<client::Event>,
    ) -> Result<Next, RunError> {
        self.state.screen.now = now();
        if let Some(event) = &event {
            self.restore_screen(event)?;
        }
        let arrived = arrived.drain(..).map(Event::Client);
        for event in event.into_iter().chain(arrived) {
            self.performer.record(&event, &mut self.state);
            self.output.on_event(&event);
            if self.performer.apply(event, &mut self.state, &mut self.look) == Next::Quit {
                return Ok(Next::Quit);
            }
        }
        if std::mem::take(&mut self.performer.wants_redraw) {
            self.output.reset().map_err(RunError::Terminal)?;
        }
        Ok(Next::Continue)
    }

    /// Makes the next frame a complete redraw if the screen no longer shows what was drawn on it.
    fn restore_screen(&mut self, event: &Event) -> Result<(), RunError> {
        let is_back = matches!(event, Event::Edited { .. });
        if is_back {
            self.performer.is_away = false;
            // A resize while the editor was open was not reported.
            self.state.screen.size = self.output.size().map_err(RunError::Terminal)?;
        }
        if is_back || matches!(event, Event::Resize(..)) {
            // Terminals truncate and reflow their contents on a resize, even if the size ends up the same.
            self.output.reset().map_err(RunError::Terminal)?;
        }
        Ok(())
    }

    pub async fn quit(&mut self) -> Result<(), RunError> {
        self.performer.quit(&mut self.state).await
    }

    /// Quits after the input has ended: shows the latest changes, and fails if part of the input was not sent.
    pub async fn finish(&mut self) -> Result<(), RunError> {
        // A failure is ignored: the reader of the output may be gone.
        let _gone = self.output.show(&mut self.state, &self.look);
        let unsent = self.output.unsent_warning(&self.state);
        self.quit().await?;
        unsent.map_or(Ok(()), |words| Err(RunError::NotAllSent(words)))
    }
}
