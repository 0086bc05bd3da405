//! The tour: hints on what to try next, shown one at a time for about a minute in all. Steps that the user has already
//! tried are skipped. Pure.

use std::time::{Duration, Instant};

use crate::tui::input::keymap::{Action, Context, Keymap};
use crate::tui::strings::{Strings, fill};

/// How long each step is shown if the user does not try it. All steps together take about a minute.
const EACH: Duration = Duration::from_millis(8500);

/// The steps of the tour, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TourStep {
    Say,
    Whisper,
    Rooms,
    Select,
    Search,
    Themes,
    Help,
}

impl TourStep {
    pub const ALL: [Self; 7] = [
        Self::Say,
        Self::Whisper,
        Self::Rooms,
        Self::Select,
        Self::Search,
        Self::Themes,
        Self::Help,
    ];
}

/// The progress of the user in the tour.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tour {
    /// The name of a bot to write to.
    bot: String,
    /// The steps that were tried, or were shown for long enough.
    past: Vec<TourStep>,
    /// When the current step ends.
    until: Option<Instant>,
}

impl Tour {
    pub fn new(bot: &str) -> Self {
        Self {
            bot: bot.to_owned(),
            past: Vec::new(),
            until: None,
        }
    }

    /// The current step, or `None` at the end of the tour.
    pub fn present(&self) -> Option<TourStep> {
        let is_left = |it: &TourStep| !self.past.contains(it);
        TourStep::ALL.into_iter().find(is_left)
    }

    /// Notes that the user has tried a step.
    pub fn tried(&mut self, tour_step: TourStep) {
        if self.present() == Some(tour_step) {
            self.until = None;
        }
        if !self.past.contains(&tour_step) {
            self.past.push(tour_step);
        }
    }

    /// Moves to the next step when the time of the current one is over. Returns whether there is still a step.
    pub fn advance(&mut self, now: Instant) -> bool {
        if self.until.is_some_and(|until| until <= now) {
            self.past.extend(self.present());
            self.until = None;
        }
        self.until.get_or_insert(now + EACH);
        self.present().is_some()
    }

    /// The text of the current step with its keys. In plain mode it has the commands to type instead of the keys.
    pub fn words(&self, s: &Strings, keymap: &Keymap, is_plain: bool) -> String {
        let Some(now) = self.present() else {
            return String::new();
        };
        let key = |context, action: Action| {
            if is_plain {
                format!("/do {}", action.name())
            } else {
                keymap.first_in(context, action)
            }
        };
        let of = |action| key(Context::Composer, action);
        let place = TourStep::ALL.iter().position(|it| *it == now).unwrap_or(0);
        let template = s.demo.guide[place];
        let words = match now {
            TourStep::Say => template.to_owned(),
            TourStep::Whisper => fill(template, &[&self.bot]),
            TourStep::Rooms => fill(template, &[&of(Action::RoomAfter), &of(Action::Palette)]),
            TourStep::Select => {
                let keys = [Action::Reply, Action::ReactSelected, Action::Close];
                let [answer, mut react, close] = keys.map(|it| key(Context::Selection, it));
                if is_plain {
                    "/react 👍".clone_into(&mut react);
                }
                fill(template, &[&of(Action::Select), &answer, &react, &close])
            }
            TourStep::Search => fill(template, &[&of(Action::Search)]),
            TourStep::Themes => fill(template, &[&of(Action::Themes)]),
            TourStep::Help => fill(template, &[&of(Action::Help), &of(Action::Quit)]),
        };
        fill(
            s.demo.tour_step,
            &[&(place + 1), &TourStep::ALL.len(), &words],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::strings::{CHINESE, ENGLISH};

    #[test]
    fn the_tour_takes_a_minute_and_skips_what_was_tried() {
        let begun = Instant::now();
        let mut guide = Tour::new("ada");
        assert!(guide.advance(begun));
        guide.tried(TourStep::Search);
        assert_eq!(guide.present(), Some(TourStep::Say));
        guide.tried(TourStep::Say);
        assert_eq!(guide.present(), Some(TourStep::Whisper));
        let mut seen = vec![TourStep::Whisper];
        let mut now = begun;
        while guide.advance(now) {
            seen.extend(guide.present().filter(|it| seen.last() != Some(it)));
            now += Duration::from_millis(250);
        }
        let left = [
            TourStep::Whisper,
            TourStep::Rooms,
            TourStep::Select,
            TourStep::Themes,
            TourStep::Help,
        ];
        assert_eq!(seen, left);
        let whole = EACH * 7;
        assert!(whole > Duration::from_secs(55) && whole < Duration::from_secs(65));
    }

    #[test]
    fn the_tour_names_the_real_keys() {
        for s in [&ENGLISH, &CHINESE] {
            let mut guide = Tour::new("ada");
            let keymap = Keymap::default();
            let mut all = String::new();
            while let Some(now) = guide.present() {
                let words = guide.words(s, &keymap, false);
                assert!(
                    !words.contains('{') && crate::text::width(&words) <= 72,
                    "{words}"
                );
                all += &words;
                guide.tried(now);
            }
            for key in [
                "@ada", "Alt+Down", "Ctrl+K", "Alt+M", "Ctrl+F", "Alt+T", "F1", "Ctrl+C",
            ] {
                assert!(all.contains(key), "{key}: {all}");
            }
        }
        let mut guide = Tour::new("ada");
        guide.tried(TourStep::Say);
        guide.tried(TourStep::Whisper);
        let words = guide.words(&ENGLISH, &Keymap::default(), true);
        assert!(words.contains("/do room-after"), "{words}");
    }
}
