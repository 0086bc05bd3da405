//! Handles client events about people, lists and the user's own settings. The other events are handled in `client`.

use super::{
    account, invites, link_details, moderation, notify, personal, picker, reading, search,
};
use crate::chat::{Author, IdentityId, Person, RoomId};
use crate::client::Event;
use crate::text;
use crate::tui::event::Effect;
use crate::tui::state::{State, Tone};
use crate::tui::strings::fill;

pub(super) fn handle(state: &mut State, event: Event) -> Vec<Effect> {
    match event {
        Event::ReadPositionChanged {
            room,
            epoch,
            last,
            unread,
        } => return reading::read_position_changed(state, room, epoch, last, unread),
        Event::Settings(settings) => return personal::changed(state, settings),
        Event::Roster {
            room,
            is_first,
            people,
        } => {
            if let Some(room) = state.room_mut(room).filter(|_| is_first) {
                room.roster.clear();
            }
            people_changed(state, room, people, &[]);
        }
        Event::RosterDelta {
            room,
            updated: came,
            removed: went,
        } => people_changed(state, room, came, &went),
        Event::Typing { room, person } => notify::show_typing(state, room, person),
        Event::NameChanged(you) => name_changed(state, you),
        Event::Status(status) => personal::status(state, status),
        Event::Profile(profile) => personal::profile(state, &profile),
        Event::Admin(answer) => return invites::answered(state, answer),
        Event::Account(answer) => return account::answered(state, answer),
        Event::DeviceAdded { name, from } => account::device_added(state, &name, &from),
        Event::Invited { room, by } => personal::invited(state, &room, by.as_ref()),
        Event::Moderation { room, entries } => moderation::set_log(state, room, &entries),
        Event::Sanctions { room, sanctions } => moderation::set_bans(state, room, sanctions),
        Event::Mentions(entries) => picker::set_mentions(state, entries),
        Event::SearchResults {
            id,
            scope: among,
            results: found,
        } => search::set_results(state, id, among, found),
        Event::Report(report) => link_details::set_report(state, report),
        Event::Directory(rooms) => state.rooms.directory = rooms,
        Event::Rooms(rooms) => picker::set_rooms(state, rooms),
        // All other events are handled in `client`.
        _ => {}
    }
    Vec::new()
}

fn name_changed(state: &mut State, you: Author) {
    if state
        .me
        .account
        .as_ref()
        .is_some_and(|me| me.name != you.name)
    {
        let words = fill(state.preferences.strings.named, &[&text::line(&you.name)]);
        state.show_notice(Tone::Info, words);
    }
    state.me.account = Some(you);
}

fn people_changed(state: &mut State, room: RoomId, came: Vec<Person>, went: &[IdentityId]) {
    let Some(room) = state.room_mut(room) else {
        return;
    };
    for id in went {
        room.roster.remove(*id);
    }
    for mut person in came {
        // For people who are offline the server sends only what has changed.
        if let Some(known) = room.roster.find(person.id)
            && !person.presence.is_here()
        {
            person.via = known.via;
            if person.status.is_empty() {
                person.status.clone_from(&known.status);
            }
        }
        room.roster.put(person);
    }
}
