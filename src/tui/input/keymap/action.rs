//! Actions: everything a key can do, under the name that the config file uses.

use super::{Context, Preset, presets};

macro_rules! actions {
    ($($name:ident = $text:literal),* $(,)?) => {
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Action { $($name),* }

        impl Action {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name of the action in the config file.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

actions! {
    Send = "send",
    Newline = "newline",
    Complete = "complete",
    Left = "left",
    Right = "right",
    Up = "up",
    Down = "down",
    WordLeft = "word-left",
    WordRight = "word-right",
    Home = "home",
    End = "end",
    DeleteBack = "delete-back",
    DeleteForward = "delete-forward",
    KillToStart = "kill-to-start",
    KillToEnd = "kill-to-end",
    KillWord = "kill-word",
    Yank = "yank",
    Undo = "undo",
    Redo = "redo",
    SentBefore = "sent-before",
    SentAfter = "sent-after",
    PageUp = "page-up",
    PageDown = "page-down",
    Oldest = "oldest",
    Newest = "newest",
    RoomBefore = "room-before",
    RoomAfter = "room-after",
    Room1 = "room-1",
    Room2 = "room-2",
    Room3 = "room-3",
    Room4 = "room-4",
    Room5 = "room-5",
    Room6 = "room-6",
    Room7 = "room-7",
    Room8 = "room-8",
    Room9 = "room-9",
    Retry = "retry",
    EditFailed = "edit-failed",
    Lobby = "lobby",
    Palette = "palette",
    Mentions = "mentions",
    Search = "search",
    NextUnread = "next-unread",
    ToNew = "to-new",
    Select = "select",
    SelectUp = "select-up",
    SelectDown = "select-down",
    Reply = "answer",
    EditSelected = "edit-selected",
    DeleteSelected = "delete-selected",
    ReactSelected = "react-selected",
    CopySelected = "copy-selected",
    OpenSelected = "open-selected",
    ToOriginal = "to-original",
    WhoReacted = "who-reacted",
    TurnFold = "turn-fold",
    NextHit = "next-hit",
    HitBefore = "hit-before",
    Help = "help",
    Link = "link",
    Panes = "panes",
    Quit = "quit",
    PopupUp = "popup-up",
    PopupDown = "popup-down",
    PopupTake = "popup-take",
    Close = "close",
    OverlayUp = "overlay-up",
    OverlayDown = "overlay-down",
    OverlayPageUp = "overlay-page-up",
    OverlayPageDown = "overlay-page-down",
    OverlayHome = "overlay-home",
    OverlayEnd = "overlay-end",
    Editor = "editor",
    Transpose = "transpose",
    Themes = "themes",
    Redraw = "redraw",
    ClearDraft = "clear-draft",
}

impl Action {
    /// Whether a preset binds a key to this action in a context.
    pub fn is_bound_in(self, context: Context) -> bool {
        let mut presets = Preset::ALL.into_iter();
        presets.any(|(_, preset)| {
            let mut rows = presets::bindings(preset);
            rows.any(|(known, _, action)| known == context && action == self)
        })
    }

    /// Whether this action edits a text field, redraws the screen, or controls a popup or an overlay. Plain mode,
    /// which has no screen, does not offer such actions.
    pub const fn needs_screen(self) -> bool {
        matches!(
            self,
            Self::Newline
                | Self::Complete
                | Self::Left
                | Self::Right
                | Self::Up
                | Self::Down
                | Self::WordLeft
                | Self::WordRight
                | Self::Home
                | Self::End
                | Self::DeleteBack
                | Self::DeleteForward
                | Self::KillToStart
                | Self::KillToEnd
                | Self::KillWord
                | Self::Yank
                | Self::Undo
                | Self::Redo
                | Self::Transpose
                | Self::ClearDraft
                | Self::Redraw
                | Self::PopupUp
                | Self::PopupDown
                | Self::PopupTake
                | Self::OverlayUp
                | Self::OverlayDown
                | Self::OverlayPageUp
                | Self::OverlayPageDown
                | Self::OverlayHome
                | Self::OverlayEnd
        )
    }

    /// Whether this action edits or sends the text in the composer. The palette leaves such actions out, because they
    /// are only useful while typing.
    pub const fn edits_composer(self) -> bool {
        matches!(self, Self::Send | Self::SentBefore | Self::SentAfter)
            || (self.needs_screen() && !matches!(self, Self::Redraw))
    }

    /// Whether the palette offers this action. Actions that go to a room are left out, because rooms have their own
    /// rows there.
    pub fn is_offered(self) -> bool {
        !self.edits_composer() && self.room().is_none()
    }

    /// The index of the room that this action goes to, counted from 0 in the room list.
    pub fn room(self) -> Option<usize> {
        let rooms = [
            Self::Room1,
            Self::Room2,
            Self::Room3,
            Self::Room4,
            Self::Room5,
            Self::Room6,
            Self::Room7,
            Self::Room8,
            Self::Room9,
        ];
        rooms.iter().position(|known| *known == self)
    }

    pub fn of(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|action| action.name() == name)
    }
}
