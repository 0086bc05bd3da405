//! The words for values: roles, commands, refusals, reasons and dates.

use std::time::Duration;

use super::{
    Action, CommandHelp, CommandName, Date, DisconnectReason, Presence, Refusal, RemovalReason,
    RequestKind, Role, Strings, Unreachable, Via, fill,
};

use crate::chat::RefusalCode;
use crate::client::{Distrust, Protection, Untrusted};

impl Strings {
    /// How a person is connected; empty for tchat itself.
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
            Presence::Waiting => self.just_disconnected_word,
            Presence::Offline => self.offline_word,
        }
    }

    /// The name of a role for lists; empty for a member.
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

    /// Why we were removed from a room.
    pub fn removed_from_room(&self, how: &RemovalReason) -> String {
        let (template, by, reason) = match how {
            RemovalReason::Kicked { by, reason } => {
                (self.you_were_kicked, by.as_str(), reason.as_str())
            }
            RemovalReason::Banned { by, reason } => {
                (self.you_were_banned, by.as_str(), reason.as_str())
            }
            RemovalReason::Closed => (self.room_was_closed, "", ""),
        };
        let words = fill(template, &[&by]);
        if reason.is_empty() {
            words
        } else {
            format!("{words}: {reason}")
        }
    }

    pub fn command(&self, name: CommandName) -> CommandHelp {
        let (usage, about) = (self.commands)(name);
        CommandHelp { usage, about }
    }

    /// What a command does, and its other names.
    pub fn about_command(&self, name: CommandName) -> String {
        let about = self.command(name).about;
        let others: Vec<String> = name.aliases().map(|alias| format!("/{alias}")).collect();
        if others.is_empty() {
            about.to_owned()
        } else {
            fill(self.aliases, &[&about, &others.join(", ")])
        }
    }

    /// What an action does, for the help; `None` for keys that every editor has.
    pub fn action(&self, action: Action) -> Option<&'static str> {
        (self.actions)(action)
    }

    /// Why a request was refused, and what to do about it or when to try again.
    pub fn refusal(&self, refusal: &Refusal) -> String {
        let why = self.refusal_reason(refusal);
        match refusal.retry_after {
            Some(after) if refusal.code == RefusalCode::LimitReached => {
                fill(self.try_again_in, &[&why, &self.duration(after)])
            }
            _ => why,
        }
    }

    /// As [`Strings::refusal`], without the time.
    pub fn refusal_reason(&self, refusal: &Refusal) -> String {
        let argument = |n: usize| refusal.arguments.get(n).map_or("", String::as_str);
        let template = (self.refusals)(refusal.code, [argument(0), argument(1)]);
        fill(template, &[&argument(0), &argument(1), &argument(2)])
    }

    /// A duration in its largest unit, rounded to the nearest.
    pub fn duration(&self, time: Duration) -> String {
        let seconds = time.as_millis().div_ceil(1000);
        let minutes = (seconds + 30) / 60;
        let hours = (minutes + 30) / 60;
        if hours >= 48 {
            fill(self.days, &[&((hours + 12) / 24)])
        } else if minutes >= 120 {
            fill(self.hours, &[&hours])
        } else if seconds >= 60 {
            fill(self.minutes, &[&minutes])
        } else {
            fill(self.seconds, &[&seconds.max(1)])
        }
    }

    /// The date line above the messages of a day.
    pub fn date(&self, date: Date) -> String {
        let day = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
        let weekday = self.weekdays.get(day).copied().unwrap_or_default();
        fill(&date.strftime(self.date_line).to_string(), &[&weekday])
    }

    /// Why there is no connection.
    pub fn why(&self, why: &DisconnectReason) -> String {
        match why {
            DisconnectReason::Unreachable(how) => match how {
                Unreachable::Refused => self.no_server.into(),
                Unreachable::NoAnswer => self.no_response.into(),
                Unreachable::NoRoute => self.no_route.into(),
                Unreachable::UnknownHost => self.unknown_host.into(),
                Unreachable::Other(words) => words.clone(),
            },
            DisconnectReason::Untrusted(untrusted) => self.untrusted(untrusted),
            DisconnectReason::NoResponse => self.connected_no_answer.into(),
            DisconnectReason::NotTchat(reason) if reason.is_empty() => self.not_tchat.into(),
            DisconnectReason::NotTchat(reason) => fill(self.not_tchat_because, &[reason]),
            DisconnectReason::Lost => self.link_lost.into(),
            DisconnectReason::Draining => self.restarting.into(),
            DisconnectReason::TooSlow => self.too_slow.into(),
            DisconnectReason::Revoked => self.revoked.into(),
            DisconnectReason::Banned => self.you_are_banned.into(),
            DisconnectReason::Kicked => self.session_ended.into(),
            DisconnectReason::Disconnected => self.disconnected.into(),
            // The time zone is not known here.
            DisconnectReason::Refused(refusal) if refusal.code == RefusalCode::ServerBanned => {
                let reason = refusal.arguments.get(1).map_or("", String::as_str);
                let without_end = Refusal::new(refusal.code).with("").with(reason);
                self.refusal(&without_end)
            }
            DisconnectReason::Refused(refusal) => self.refusal(refusal),
        }
    }

    /// How a connection is protected, with the server's key to compare.
    pub fn protection(&self, protection: Protection) -> String {
        match protection {
            Protection::Local => self.trust.local.to_owned(),
            Protection::Pinned(pin) => fill(self.trust.pinned, &[&pin.groups()]),
            Protection::Certified => self.trust.certified.to_owned(),
            Protection::ClearText => self.trust.not_encrypted.to_owned(),
        }
    }

    /// Why a server was not recognised, and what to do about it.
    pub fn untrusted(&self, untrusted: &Untrusted) -> String {
        let server = &untrusted.server;
        match &untrusted.why {
            Distrust::Unknown(_) => fill(self.trust.unknown, &[server]),
            Distrust::Changed { .. } => fill(self.trust.changed, &[server]),
            Distrust::OtherThanLink(_) => fill(self.trust.other_than_link, &[server]),
            Distrust::LinkDiffers => fill(self.trust.link_differs, &[server]),
            Distrust::OtherServer => fill(self.trust.other_server, &[server]),
            Distrust::KnownByOtherKey => fill(self.trust.known_by_other_key, &[server]),
            Distrust::Time(cause) => fill(self.trust.time, &[server, cause]),
            Distrust::ClearText => fill(self.trust.clear_text, &[server]),
            Distrust::Handshake(cause) => fill(self.trust.handshake, &[server, cause]),
        }
    }

    /// What was requested, in words that follow "cannot".
    pub fn about(&self, about: &RequestKind) -> String {
        match about {
            RequestKind::Join(room) if room.name.is_empty() => self.about_join_first.into(),
            RequestKind::Join(room) => fill(self.about_join, &[&room.name]),
            RequestKind::Leave(_) => self.about_leave.into(),
            RequestKind::Open(name) => fill(self.about_open, &[name]),
            RequestKind::AnswerRequest(_) => self.requests.about_answer.into(),
            RequestKind::SetName(name) => fill(self.about_set_name, &[name]),
            RequestKind::Create(name) => fill(self.about_create, &[name]),
            RequestKind::Follow(_) => self.about_follow.into(),
            RequestKind::ListRooms => self.about_list.into(),
            RequestKind::Status => self.about_status.into(),
            RequestKind::Whois => self.about_whois.into(),
            RequestKind::Settings => self.about_settings.into(),
            RequestKind::Mentions => self.about_mentions.into(),
            RequestKind::Moderation(_) => self.moderation.about.into(),
        }
    }
}
