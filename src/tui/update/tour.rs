//! Records in the tour which features the user has tried.

use crate::chat::{Recipient, RoomId};
use crate::client::Command;
use crate::tui::content::tour::TourStep;
use crate::tui::event::Effect;
use crate::tui::state::PickerKind;
use crate::tui::state::{Overlay, Room, State};

/// Records which features an event has used. Called after every event; `before` is the room that was shown before it.
pub(super) fn record_steps(state: &mut State, before: Option<RoomId>, effects: &[Effect]) {
    if state.screen.guide.is_none() {
        return;
    }
    let mut tried: Vec<TourStep> = effects
        .iter()
        .filter_map(|it| completed_step(state, it))
        .collect();
    if before.is_some() && state.rooms.current != before {
        tried.push(TourStep::Rooms);
    }
    if state.current().is_some_and(|room| room.selected.is_some()) {
        tried.push(TourStep::Select);
    }
    match &state.overlays.top {
        Some(Overlay::Pick(picker)) => tried.extend(match picker.kind {
            PickerKind::Palette | PickerKind::Lobby(_) => Some(TourStep::Rooms),
            PickerKind::Search(_) => Some(TourStep::Search),
            PickerKind::Themes { .. } => Some(TourStep::Themes),
            PickerKind::Mentions(_)
            | PickerKind::Links(_)
            | PickerKind::Requests
            | PickerKind::Bans { .. } => None,
        }),
        Some(Overlay::Help { .. }) => tried.push(TourStep::Help),
        _ => {}
    }
    let now = state.screen.now.instant;
    let is_over = state.screen.guide.as_mut().is_some_and(|guide| {
        for tour_step in tried {
            guide.tried(tour_step);
        }
        !guide.advance(now)
    });
    if is_over {
        state.screen.guide = None;
    }
}

/// The tour step that a sent message completes: the one for public or the one for private messages.
fn completed_step(state: &State, effect: &Effect) -> Option<TourStep> {
    let Effect::Client(Command::Post { post, .. }) = effect else {
        return None;
    };
    let is_public = match post.to {
        Recipient::Room(id) => !state.room(id).is_some_and(Room::is_conversation),
        Recipient::Person(_) | Recipient::Name(_) => false,
    };
    let tour_step = if is_public {
        TourStep::Say
    } else {
        TourStep::Whisper
    };
    post.body.is_message().then_some(tour_step)
}
