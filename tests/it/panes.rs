//! The side panes: what they show for each person.

use tchat::chat::{IdentityId, Person, Presence, Role, Via};
use tchat::client::Event as ClientEvent;

use crate::support::screen::{ANN, GENERAL, LI, Screen, author};

/// The row of a person with this role and status in the people pane.
fn row(screen: &mut Screen, id: IdentityId, role: Role, status: &str) -> String {
    let name = author(id).name;
    let person = Person {
        id,
        name: name.clone(),
        presence: Presence::Online,
        role,
        via: Via::Tchat,
        status: status.into(),
    };
    screen.receives(ClientEvent::RosterDelta {
        room: GENERAL,
        updated: vec![person],
        removed: Vec::new(),
    });
    let rows = screen.rows();
    let rows = rows.iter().filter_map(|row| row.split_once("● "));
    let (_, found) = rows
        .into_iter()
        .find(|(_, row)| row.contains(&name))
        .unwrap();
    found.trim().to_owned()
}

#[test]
fn our_own_row_is_marked_whatever_our_role_and_status() {
    let mut screen = Screen::online(120, 24);
    for (role, status, end) in [
        (Role::Member, "", "ann         you"),
        (Role::Owner, "", "ann   you owner"),
        (Role::Member, "lunch", "ann   you lunch"),
        (Role::Owner, "lunch", "ann   you lunch"),
        (Role::Moderator, "", "ann  you moder…"),
        (Role::Member, "at lunch until two", "ann  you at lu…"),
    ] {
        let row = row(&mut screen, ANN, role, status);
        assert!(row.ends_with(end), "{role:?} '{status}': {row}");
    }
    screen.state.preferences.strings = &tchat::tui::strings::CHINESE;
    let row = row(&mut screen, ANN, Role::Owner, "");
    assert!(row.ends_with("你 房主"), "{row}");
}

#[test]
fn the_rows_of_others_are_not_marked() {
    let mut screen = Screen::online(120, 24);
    for (role, status, end) in [
        (Role::Member, "", "李四"),
        (Role::Owner, "", "owner"),
        (Role::Owner, "lunch", "lunch"),
    ] {
        let row = row(&mut screen, LI, role, status);
        assert!(row.ends_with(end) && !row.contains("you"), "{row}");
    }
}
