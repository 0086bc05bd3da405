//! Every word the interface says, one table per language. Templates carry `{0}`, `{1}` … for what is filled in.

mod actions;
mod refusals;

pub use self::actions::CommandWords;
use crate::chat::{Presence, Role, Via};
use crate::client::{About, PutOut, Why};

#[derive(Debug)]
pub struct Strings {
    pub rooms: &'static str,
    pub private: &'static str,
    pub people: &'static str,
    pub you: &'static str,
    pub owner: &'static str,
    /// How somebody is connected who came over a bridge.
    pub via_user: &'static str,
    pub via_gochat: &'static str,
    pub via_chat: &'static str,
    pub via_service: &'static str,
    pub via_websocket: &'static str,
    pub privately_to_you: &'static str,
    pub privately_to: &'static str,
    pub privately: &'static str,
    pub joined: &'static str,
    pub left: &'static str,
    pub renamed: &'static str,
    pub created: &'static str,
    pub unknown_body: &'static str,
    pub closed: &'static str,
    pub topic_is: &'static str,
    pub topic_cleared: &'static str,
    pub invited: &'static str,
    pub role_given: &'static str,
    pub kicked: &'static str,
    pub banned: &'static str,
    pub banned_until: &'static str,
    pub unbanned: &'static str,
    pub muted: &'static str,
    pub muted_until: &'static str,
    pub unmuted: &'static str,
    pub edited_to: &'static str,
    pub deleted_seq: &'static str,
    pub reacted: &'static str,
    pub reacted_no_more: &'static str,
    pub deleted: &'static str,
    pub edited: &'static str,
    pub quote: &'static str,
    pub quote_unknown: &'static str,
    pub nothing_to_edit: &'static str,
    pub nothing_to_answer: &'static str,
    pub not_found_in_last: &'static str,
    pub only_yours: &'static str,
    pub delete_again: &'static str,
    pub copied: &'static str,
    pub react_title: &'static str,
    pub react_hint: &'static str,
    pub selection_hint: &'static str,
    pub editing_prompt: &'static str,
    pub answer_prompt: &'static str,
    pub by_invitation: &'static str,
    pub private_mark: &'static str,
    pub secret_mark: &'static str,
    pub private_mark_of_people: &'static str,
    pub just_now: &'static str,
    pub minutes: &'static str,
    pub hours: &'static str,
    pub days: &'static str,
    pub lobby_title: &'static str,
    pub lobby_filter: &'static str,
    pub lobby_hint: &'static str,
    pub palette_hint: &'static str,
    pub nothing_matches: &'static str,
    pub mentions_title: &'static str,
    pub mentions_hint: &'static str,
    pub no_mentions: &'static str,
    pub loading: &'static str,
    pub new_line: &'static str,
    pub not_found: &'static str,
    pub nothing_unread: &'static str,
    pub unread_counts: &'static str,
    pub mention_counts: &'static str,
    pub typing_one: &'static str,
    pub typing_two: &'static str,
    pub typing_many: &'static str,
    pub typing_is: &'static str,
    pub passed_one: &'static str,
    pub two_names: &'static str,
    pub joined_and: &'static str,
    pub left_and: &'static str,
    pub passed_and: &'static str,
    pub notification: &'static str,
    pub online_word: &'static str,
    pub away_word: &'static str,
    pub waiting_word: &'static str,
    pub offline_word: &'static str,
    pub seen_at: &'static str,
    pub says_of_self: &'static str,
    pub comes_by: &'static str,
    pub identity_is: &'static str,
    pub whois_title: &'static str,
    pub away_now: &'static str,
    pub away_because: &'static str,
    pub here_now: &'static str,
    pub status_now: &'static str,
    pub ignored_title: &'static str,
    pub ignored_none: &'static str,
    pub ignored_now: &'static str,
    pub ignored_no_more: &'static str,
    pub noted: &'static str,
    pub notify_is: &'static str,
    pub keywords_are: &'static str,
    pub keywords_none: &'static str,
    pub invited_by: &'static str,
    pub invited_to: &'static str,
    pub reacted_title: &'static str,
    pub nobody_reacted: &'static str,
    pub room_gone: &'static str,
    pub lobby_heads: [&'static str; 5],
    pub close_again: &'static str,
    pub put_out_kicked: &'static str,
    pub put_out_banned: &'static str,
    pub put_out_closed: &'static str,
    pub not_now: &'static str,
    pub moderator: &'static str,
    pub member: &'static str,
    pub new_below: &'static str,
    pub connecting: &'static str,
    pub cannot_reach: &'static str,
    pub reconnecting: &'static str,
    pub reconnecting_short: &'static str,
    pub offline: &'static str,
    pub hosting_here: &'static str,
    pub help_key: &'static str,
    pub help_title: &'static str,
    pub help_commands: &'static str,
    pub help_sending: &'static [&'static str],
    pub close_hint: &'static str,
    pub name_title: &'static str,
    pub name_prompt: &'static str,
    pub in_this_room: &'static str,
    pub in_another_room: &'static str,
    pub private_conversation: &'static str,
    pub private_text_missing: &'static str,
    pub unknown_command: &'static str,
    pub unknown_command_nearest: &'static str,
    pub usage: &'static str,
    pub not_in_a_room: &'static str,
    pub no_connection_yet: &'static str,
    pub failed: &'static str,
    pub waits: &'static str,
    pub nothing_failed: &'static str,
    pub composer_in_use: &'static str,
    pub not_kept: &'static str,
    pub cache_damaged: &'static str,
    pub other_history: &'static str,
    pub link_title: &'static str,
    pub link_online: &'static str,
    pub link_measuring: &'static str,
    pub link_connecting: &'static str,
    pub link_counts: &'static str,
    pub link_heads: [&'static str; 5],
    pub link_behind: &'static str,
    pub link_repairs: &'static str,
    pub gap: &'static str,
    pub gap_gone: &'static str,
    pub who_title: &'static str,
    pub themes_title: &'static str,
    pub too_long: &'static str,
    pub too_many_lines: &'static str,
    pub too_many_pending: &'static str,
    pub name_changed_hands: &'static str,
    pub named: &'static str,
    pub cannot: &'static str,
    pub no_such_room_here: &'static str,
    pub disconnected: &'static str,
    pub conversation_put_away: &'static str,
}

pub static ENGLISH: Strings = Strings {
    rooms: "ROOMS",
    private: "PRIVATE",
    people: "PEOPLE {0}",
    you: "you",
    owner: "owner",
    via_user: "user",
    via_gochat: "gochat",
    via_chat: "chat",
    via_service: "service",
    via_websocket: "ws",
    privately_to_you: "privately to you",
    privately_to: "privately to {0}",
    privately: "@{0} privately",
    joined: "{0} joined",
    left: "{0} left",
    renamed: "{0} is now called {1}",
    created: "{0} opened this room",
    unknown_body: "needs a newer tchat",
    closed: "{0} closed this room",
    topic_is: "{0} set the topic: {1}",
    topic_cleared: "{0} cleared the topic",
    invited: "{0} invited {1}",
    role_given: "{0} made {1} a {2}",
    kicked: "{0} removed {1}",
    banned: "{0} banned {1}",
    banned_until: "{0} banned {1} until {2}",
    unbanned: "{0} lifted the ban on {1}",
    muted: "{0} muted {1}",
    muted_until: "{0} muted {1} until {2}",
    unmuted: "{0} let {1} speak again",
    edited_to: "{0} edited {1}: {2}",
    deleted_seq: "{0} deleted {1}",
    reacted: "{0} reacted to {1}: {2}",
    reacted_no_more: "{0} took back {2} from {1}",
    deleted: "this message was deleted",
    edited: "edited",
    quote: "{0}: {1}",
    quote_unknown: "an earlier message",
    nothing_to_edit: "you said nothing here that can be edited",
    nothing_to_answer: "there is nothing here to answer",
    not_found_in_last: "\"{0}\" is not in your last message",
    only_yours: "only your own messages can be edited",
    delete_again: "once more deletes it for everybody",
    copied: "copied",
    react_title: "React",
    react_hint: "a number, or type an emoji and Enter",
    selection_hint: "r answer · e edit · d delete · + react · w who · y copy · o open · Esc",
    editing_prompt: "edit",
    answer_prompt: "> {0}",
    by_invitation: "by invitation",
    private_mark: " ⚿",
    secret_mark: " ⚿",
    private_mark_of_people: "private",
    just_now: "now",
    minutes: "{0} min",
    hours: "{0} h",
    days: "{0} d",
    lobby_title: "LOBBY  {0}",
    lobby_filter: "filter:",
    lobby_hint: "Enter join · n new · Esc back",
    palette_hint: "Enter takes it · Esc back",
    nothing_matches: "nothing matches",
    mentions_title: "MENTIONS",
    mentions_hint: "Enter shows it where it was said · Esc back",
    no_mentions: "nobody has called you yet",
    loading: "asking the server",
    new_line: "new",
    not_found: "that message cannot be had",
    nothing_unread: "nothing is unread",
    unread_counts: "unread {0}",
    mention_counts: "mentions {0}",
    typing_one: "{0} is typing…",
    typing_two: "{0} and {1} are typing…",
    typing_many: "{0} people are typing…",
    typing_is: "who is typing: {0}",
    passed_one: "{0} came and went",
    two_names: "{0} and {1}",
    joined_and: "{0} and {1} others joined",
    left_and: "{0} and {1} others left",
    passed_and: "{0} and {1} others came and went",
    notification: "{0} in {1}",
    online_word: "here",
    away_word: "away",
    waiting_word: "lost the connection a moment ago",
    offline_word: "not here",
    seen_at: "last here {0}",
    says_of_self: "says: {0}",
    comes_by: "comes by {0}, without an identity that lasts",
    identity_is: "identity {0}",
    whois_title: "Who is {0}",
    away_now: "you are away; /back when you are not",
    away_because: "you are away: {0}; /back when you are not",
    here_now: "you are here",
    status_now: "your status: {0}",
    ignored_title: "Ignored",
    ignored_none: "nobody",
    ignored_now: "you do not see what {0} says any more; /unignore {0} undoes it",
    ignored_no_more: "you see what {0} says again",
    noted: "done, for all your terminals",
    notify_is: "notifications of this room: {0}",
    keywords_are: "words you are called by: {0}",
    keywords_none: "you have named no words",
    invited_by: "{0} invited you: /join {1}",
    invited_to: "you are invited: /join {0}",
    reacted_title: "Reactions",
    nobody_reacted: "nobody reacted to it",
    room_gone: "{0} is no more, or not yours any more",
    lobby_heads: ["room", "unread", "people", "last", ""],
    close_again: "Enter again closes this room for everybody and for good",
    put_out_kicked: "{0} removed you from this room",
    put_out_banned: "{0} banned you from this room",
    put_out_closed: "this room was closed",
    not_now: "there is no connection now; this is not done later by itself",
    moderator: "moderator",
    member: "member",
    new_below: "{0} new · Ctrl+End",
    connecting: "connecting to {0}",
    cannot_reach: "cannot reach {0}: {1}",
    reconnecting: "{0}: {1} · reconnecting in {2} s · Enter now",
    reconnecting_short: "in {0} s",
    offline: "offline · {0}",
    hosting_here: "hosting here",
    help_key: "F1 help",
    help_title: "Keys",
    help_commands: "Commands",
    help_sending: &[
        "@name text     says it privately to one person",
        " @name text    a space before it says it to the room",
        "//text         says a text that begins with a slash",
    ],
    close_hint: "Esc closes",
    name_title: "Another name",
    name_prompt: "name ›",
    in_this_room: "in this room",
    in_another_room: "in another room",
    private_conversation: "private conversation",
    private_text_missing: "write what @{0} is to read behind the name, or a space before it to say it to the room",
    unknown_command: "there is no command /{0}; F1 lists them, // begins a text with a slash",
    unknown_command_nearest: "there is no command /{0}; did you mean /{1}?",
    usage: "it is used so: {0}",
    not_in_a_room: "you are in no room; /rooms lists those there are",
    no_connection_yet: "there is no connection to {0} yet; this stays here until there is",
    failed: "{0} · {1} retry, {2} edit",
    waits: "{0}; what you write waits and is sent when there is room",
    nothing_failed: "nothing failed here",
    composer_in_use: "send or empty what is written here first",
    not_kept: "what you write is not kept on this disk: {0}",
    cache_damaged: "what was kept here is damaged and lies in {0} now; messages come from the server again",
    other_history: "the server has another history now; what stands above is kept only here",
    link_title: "Link",
    link_online: "online, {0} ms there and back",
    link_measuring: "online",
    link_connecting: "connecting",
    link_counts: "{0} reconnects · {1} waiting to be sent",
    link_heads: ["room", "last", "missing", "dropped", "waiting"],
    link_behind: "{0} more are on their way",
    link_repairs: "asked again for what was lost on the way: {0} holes, {1} ends",
    gap: "{0} messages not loaded",
    gap_gone: "{0} messages are no longer on the server",
    who_title: "In {0}",
    themes_title: "Themes",
    too_long: "too long: {0} of {1} bytes",
    too_many_lines: "too many lines: {0} of {1}",
    too_many_pending: "a thousand messages wait already; this one stays here until some are sent",
    name_changed_hands: "this {0} is not the one you wrote with before; Enter again writes to the one who is here now",
    named: "you are now called {0}",
    cannot: "cannot {0}: {1}",
    no_such_room_here: "you are not in {0}",
    disconnected: "/connect comes back",
    conversation_put_away: "put away; it comes back with the next message",
};

/// Fills a template in. What is filled in is never read as a template itself.
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

impl Strings {
    /// How somebody is connected, where it is not as everybody is.
    pub fn via(&self, via: Via) -> &'static str {
        match via {
            Via::Tchat => "",
            Via::User => self.via_user,
            Via::Gochat => self.via_gochat,
            Via::Chat => self.via_chat,
            Via::Service => self.via_service,
            Via::WebSocket => self.via_websocket,
        }
    }

    pub fn presence(&self, presence: Presence) -> &'static str {
        match presence {
            Presence::Online => self.online_word,
            Presence::Away => self.away_word,
            Presence::Waiting => self.waiting_word,
            Presence::Offline => self.offline_word,
        }
    }

    /// The mark of a role in lists; a member's is none.
    pub fn role(&self, role: Role) -> &'static str {
        match role {
            Role::Member => "",
            other => self.role_name(other),
        }
    }

    pub fn role_name(&self, role: Role) -> &'static str {
        match role {
            Role::Member => self.member,
            Role::Moderator => self.moderator,
            Role::Owner => self.owner,
        }
    }

    /// How we were made to leave a room.
    pub fn put_out(&self, how: &PutOut) -> String {
        let (template, by, reason) = match how {
            PutOut::Kicked { by, reason } => (self.put_out_kicked, by.as_str(), reason.as_str()),
            PutOut::Banned { by, reason } => (self.put_out_banned, by.as_str(), reason.as_str()),
            PutOut::Closed => (self.put_out_closed, "", ""),
        };
        let words = fill(template, &[&by]);
        if reason.is_empty() {
            words
        } else {
            format!("{words}: {reason}")
        }
    }

    /// Why there is no link.
    pub fn why(&self, why: &Why) -> String {
        match why {
            Why::Unreachable(reason) => reason.clone(),
            Why::NotTchat(reason) if reason.is_empty() => {
                "it answers, but not as a tchat server does".into()
            }
            Why::NotTchat(reason) => {
                format!("it does not answer as a tchat server does ({reason})")
            }
            Why::Lost => "the connection was lost".into(),
            Why::Draining => "the server is restarting".into(),
            Why::TooSlow => "the server gave up waiting for us to read".into(),
            Why::Disconnected => self.disconnected.into(),
            Why::Refused(refusal) => self.refusal(refusal),
        }
    }

    /// What was asked for, as the rest of "cannot …".
    pub fn about(&self, about: &About) -> String {
        match about {
            About::Join(room) if room.is_empty() => "join the first room".into(),
            About::Join(room) => format!("join #{room}"),
            About::Leave(_) => "leave this room".into(),
            About::Open(name) => format!("write to {name}"),
            About::SetName(name) => format!("take the name {name}"),
            About::Create(name) => format!("make #{name}"),
            About::Follow(_) => "read a room".into(),
            About::ListRooms => "list the rooms".into(),
            About::Status => "say how you are".into(),
            About::Whois => "find out who that is".into(),
            About::Settings => "change that".into(),
            About::Mentions => "list who called you".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Refusal, RefusalCode};

    #[test]
    fn templates_take_their_arguments() {
        assert_eq!(fill("{0} of {1}", &[&3, &"four"]), "3 of four");
        assert_eq!(fill("{0} and {1}", &[&"{1}", &"x"]), "{1} and x");
        assert_eq!(fill("plain", &[]), "plain");
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let refusal = Refusal::new(RefusalCode::NameTaken)
            .with("ann")
            .with("ann2");
        assert_eq!(
            ENGLISH.refusal(&refusal),
            "somebody here is called ann already; ann2 is free"
        );
    }
}
