//! The tour sees what is tried.

use crate::chat::{Recipient, RoomId};
use crate::client::Command;
use crate::tui::content::tour::Lesson;
use crate::tui::event::Effect;
use crate::tui::state::Of;
use crate::tui::state::{Overlay, Room, State};

/// Notes after every event what was done in it. `before` is the room that was read then.
pub(super) fn note(state: &mut State, before: Option<RoomId>, effects: &[Effect]) {
    if state.lessons.is_none() {
        return;
    }
    let mut tried: Vec<Lesson> = effects.iter().filter_map(|it| said(state, it)).collect();
    if before.is_some() && state.current != before {
        tried.push(Lesson::Rooms);
    }
    if state.current().is_some_and(|room| room.selected.is_some()) {
        tried.push(Lesson::Select);
    }
    match &state.overlay {
        Some(Overlay::Pick(picker)) => tried.extend(match picker.of {
            Of::Palette | Of::Lobby(_) => Some(Lesson::Rooms),
            Of::Search(_) => Some(Lesson::Search),
            Of::Themes { .. } => Some(Lesson::Themes),
            Of::Mentions(_) | Of::Links(_) => None,
        }),
        Some(Overlay::Help { .. }) => tried.push(Lesson::Help),
        _ => {}
    }
    let now = state.now.instant;
    let is_over = state.lessons.as_mut().is_some_and(|lessons| {
        for lesson in tried {
            lessons.tried(lesson);
        }
        !lessons.goes_on(now)
    });
    if is_over {
        state.lessons = None;
    }
}

/// What was said to everybody, or to somebody.
fn said(state: &State, effect: &Effect) -> Option<Lesson> {
    let Effect::Client(Command::Post { post, .. }) = effect else {
        return None;
    };
    let is_public = match post.to {
        Recipient::Room(id) => !state.room(id).is_some_and(Room::is_conversation),
        Recipient::Person(_) | Recipient::Name(_) => false,
    };
    let lesson = if is_public {
        Lesson::Say
    } else {
        Lesson::Whisper
    };
    post.body.is_said().then_some(lesson)
}
