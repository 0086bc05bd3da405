//! Every text of the interface, in one table per language. In a template, `{0}`, `{1}` … stand for the arguments.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

/// Defines a table of texts about one subject. In tests, `named` lists them with their field names.
macro_rules! words {
    ($(#[$about:meta])* $table:ident { $($(#[$doc:meta])* $name:ident),* $(,)? }) => {
        $(#[$about])*
        #[derive(Debug)]
        pub struct $table {
            $($(#[$doc])* pub $name: &'static str,)*
        }

        #[cfg(test)]
        impl $table {
            pub(super) fn named(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name)),*]
            }
        }
    };
}

mod accounts;
mod admin;
mod administration;
mod chinese;
mod command_line;
mod demo;
mod doctor;
mod english;
mod lookup;
mod moderation;
mod pipes;
mod requests;
mod trust;

use jiff::civil::Date;

pub use self::accounts::Accounts;
pub use self::admin::Admin;
pub use self::administration::Administration;
pub use self::chinese::CHINESE;
pub use self::command_line::CommandLine;
pub use self::demo::Demo;
pub use self::doctor::Doctor;
pub use self::english::ENGLISH;
pub use self::moderation::Moderation;
pub use self::pipes::Pipes;
pub use self::requests::Requests;
pub use self::trust::Trust;
use super::input::command::CommandName;
use super::input::keymap::Action;
use super::settings::Setting;
use crate::chat::{Presence, Refusal, RefusalCode, Role, Via};
use crate::client::{DisconnectReason, RemovalReason, RequestKind, Unreachable};

/// The supported languages, by the value of the `lang` setting.
pub const LANGUAGES: [(&str, &Strings); 2] = [("en", &ENGLISH), ("zh-CN", &CHINESE)];

/// Returns the texts for a locale like `zh-CN`; English if there is no such language.
pub fn of(locale: &str) -> &'static Strings {
    known(locale).unwrap_or(&ENGLISH)
}

/// Returns the texts for a language as people write it (`zh`, `zh_CN.UTF-8`, `ZH-cn`), or `None` if it is not supported.
pub fn known(language: &str) -> Option<&'static Strings> {
    let first = |tag: &str| {
        tag.split(['-', '_', '.'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let wanted = first(language);
    let mut all = LANGUAGES.into_iter();
    let found = all.find(|(name, _)| first(name).eq_ignore_ascii_case(&wanted));
    found.map(|(_, strings)| strings)
}

/// How a command is written, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct CommandHelp {
    pub usage: &'static str,
    pub about: &'static str,
}

macro_rules! table {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// The texts of one language.
        #[derive(Debug)]
        pub struct Strings {
            /// The value of the `lang` setting: `en`.
            pub language: &'static str,
            $($(#[$doc])* pub $name: &'static str,)*
            pub lobby_heads: [&'static str; 5],
            pub link_heads: [&'static str; 5],
            /// The texts of the demo.
            pub demo: &'static Demo,
            /// The texts of `tchat doctor`.
            pub doctor: &'static Doctor,
            pub pipes: &'static Pipes,
            pub moderation: &'static Moderation,
            pub requests: &'static Requests,
            pub trust: &'static Trust,
            pub admin: &'static Admin,
            pub accounts: &'static Accounts,
            pub administration: &'static Administration,
            pub command_line: &'static CommandLine,
            pub help_sending: &'static [&'static str],
            /// The help for search queries.
            pub help_search: &'static [&'static str],
            /// Monday first.
            pub weekdays: [&'static str; 7],
            /// How a command is written, and what it does.
            pub commands: fn(CommandName) -> (&'static str, &'static str),
            /// What a setting does.
            pub settings: fn(Setting) -> &'static str,
            /// What an action does, for the help; `None` for keys that every editor has.
            pub actions: fn(Action) -> Option<&'static str>,
            /// Why a request was refused, given the first two arguments of the refusal.
            pub refusals: fn(RefusalCode, [&str; 2]) -> &'static str,
        }

        #[cfg(test)]
        impl Strings {
            fn named(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name)),*]
            }
        }
    };
}

table! {
    rooms,
    private,
    people,
    you,
    owner,
    /// How a person who uses a bridge is connected.
    via_user,
    via_gochat,
    via_chat,
    via_service,
    via_websocket,
    privately_to_you,
    privately_to,
    in_room,
    in_unknown_former_room,
    in_former_room,
    privately,
    privately_unencrypted,
    joined,
    left,
    renamed,
    created,
    unknown_body,
    damaged_body,
    closed,
    /// Somebody has a new key. `{0}` is their name.
    new_key,
    topic_is,
    topic_cleared,
    invited,
    role_given,
    kicked,
    banned,
    banned_until,
    unbanned,
    muted,
    muted_until,
    unmuted,
    edited_to,
    deleted_seq,
    reacted,
    reaction_removed,
    deleted,
    edited,
    quote,
    quote_unknown,
    nothing_to_edit,
    nothing_to_reply_to,
    not_found_in_last,
    only_yours,
    delete_confirm,
    copied,
    react_title,
    react_hint,
    no_such_emoji,
    selection_hint,
    editing_prompt,
    reply_prompt,
    reply_prompt_unencrypted,
    by_invitation,
    private_mark,
    secret_mark,
    private_mark_of_people,
    just_now,
    /// `{0}` is the number.
    seconds,
    /// Why something was refused (`{0}`), and after what time it may be tried again.
    try_again_in,
    /// The same for a message that is sent again by itself.
    sent_again_in,
    minutes,
    hours,
    days,
    lobby_title,
    lobby_filter,
    lobby_hint,
    palette_hint,
    nothing_matches,
    mentions_title,
    mentions_hint,
    no_mentions,
    search_title,
    search_label,
    search_hint,
    search_more,
    search_waiting,
    search_offline,
    search_nothing,
    search_no_room,
    search_no_date,
    search_no_has,
    no_older_hit,
    no_newer_hit,
    hits_hint,
    folded,
    no_text,
    no_draft,
    draft_is,
    react_by_line,
    draft_of_lines,
    not_all_sent,
    line_cut,
    draft_dropped,
    actions_title,
    no_such_action,
    nothing_selected,
    no_such_number,
    nothing_to_pick,
    nothing_changed,
    nothing_older,
    nothing_newer,
    cleared,
    pick_hint,
    waits_for_link,
    selected,
    name_by_line,
    edit_by_line,
    as_written,
    no_such_keys,
    settings_title,
    setting_is,
    setting_unknown,
    setting_values,
    setting_quote,
    setting_pattern,
    setting_saved,
    setting_set,
    from_default,
    from_file,
    from_flag,
    from_now,
    themes_hint,
    theme_current,
    snippet_title,
    snippet_hint,
    snippet_prompt,
    paste_too_long,
    selection_hint_short,
    hits_hint_short,
    search_no_words,
    nothing_folds,
    loading,
    new_line,
    message_unavailable,
    nothing_unread,
    unread_counts,
    mention_counts,
    typing_one,
    typing_two,
    typing_many,
    typing_is,
    joined_and_left,
    two_names,
    joined_and,
    left_and,
    joined_and_left_and,
    notification,
    online_word,
    away_word,
    just_disconnected_word,
    offline_word,
    seen_at,
    status_is,
    connected_through,
    identity_is,
    whois_title,
    away_now,
    away_because,
    online_now,
    status_now,
    ignored_title,
    ignored_none,
    ignored_now,
    unignored,
    saved_for_account,
    notify_is,
    keywords_are,
    keywords_none,
    invited_by,
    invited_to,
    invites_you,
    you_are_invited,
    reacted_title,
    nobody_reacted,
    room_gone,
    not_a_reply,
    nothing_to_open,
    opening,
    link_copied,
    links_title,
    links_hint,
    no_nth_room,
    more_above,
    more_below,
    close_confirm,
    you_were_kicked,
    you_were_banned,
    room_was_closed,
    not_now,
    moderator,
    member,
    new_below,
    new_above,
    all_read,
    connecting,
    cannot_reach,
    cannot_join,
    reconnecting,
    reconnecting_short,
    offline,
    hosting_here,
    help_key,
    help_title,
    help_selection,
    help_commands,
    close_hint,
    name_title,
    name_first_title,
    name_question,
    name_takes,
    name_needed,
    name_prompt,
    in_this_room,
    in_another_room,
    private_conversation,
    private_text_missing,
    unknown_command,
    unknown_command_nearest,
    usage,
    /// What a command does, and its other names.
    aliases,
    not_in_a_room,
    no_connection_yet,
    failed,
    failed_plain,
    waits_for_space,
    nothing_failed,
    failed_elsewhere,
    failed_gone,
    failed_cut,
    composer_in_use,
    lines_of,
    snippet_too_long,
    not_kept,
    cache_damaged,
    other_history,
    link_title,
    link_online,
    link_measuring,
    link_connecting,
    link_counts,
    link_behind,
    requested_again,
    gap,
    gap_gone,
    who_title,
    themes_title,
    too_long,
    too_many_lines,
    command_running,
    too_busy,
    too_many_pending,
    name_has_new_owner,
    named,
    cannot,
    no_such_room_here,
    disconnected,
    conversation_hidden,
    no_server,
    no_response,
    no_route,
    unknown_host,
    connected_no_answer,
    not_tchat,
    not_tchat_because,
    link_lost,
    restarting,
    too_slow,
    revoked,
    /// We were banned from the server, or an administrator ended our session.
    you_are_banned,
    session_ended,
    about_join_first,
    about_join,
    about_leave,
    about_open,
    about_set_name,
    about_create,
    about_follow,
    about_list,
    about_status,
    about_whois,
    about_settings,
    about_mentions,
    /// In `strftime` format; `{0}` is the day of the week.
    date_line,
    date_time,
}

/// Fills in a template. The arguments themselves are never read as templates.
pub fn fill(template: &str, arguments: &[&dyn std::fmt::Display]) -> String {
    let mut text = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((number, behind)) = after.split_once('}') else {
            rest = after;
            continue;
        };
        if let Some(argument) = number.parse::<usize>().ok().and_then(|n| arguments.get(n)) {
            text.push_str(&argument.to_string());
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests;
