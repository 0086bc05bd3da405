//! The words for values: roles, commands, refusals, reasons and dates.

use super::{
    About, Action, CommandWords, Date, Name, Presence, PutOut, Refusal, Role, Strings, Unreachable,
    Via, Why, fill,
};

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
            Presence::Waiting => self.waiting_word,
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

    pub fn command(&self, name: Name) -> CommandWords {
        let (usage, about) = (self.commands)(name);
        CommandWords { usage, about }
    }

    /// What a command does, and its other names.
    pub fn about_command(&self, name: Name) -> String {
        let about = self.command(name).about;
        let others: Vec<String> = name.aliases().map(|alias| format!("/{alias}")).collect();
        if others.is_empty() {
            about.to_owned()
        } else {
            fill(self.also_called, &[&about, &others.join(", ")])
        }
    }

    /// What an action does, for the help; `None` for keys that every editor has.
    pub fn action(&self, action: Action) -> Option<&'static str> {
        (self.actions)(action)
    }

    /// Why a request was refused, and what to do about it.
    pub fn refusal(&self, refusal: &Refusal) -> String {
        let argument = |n: usize| refusal.arguments.get(n).map_or("", String::as_str);
        let template = (self.refusals)(refusal.code, [argument(0), argument(1)]);
        fill(template, &[&argument(0), &argument(1), &argument(2)])
    }

    /// The date line above the messages of a day.
    pub fn date(&self, date: Date) -> String {
        let day = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
        let weekday = self.weekdays.get(day).copied().unwrap_or_default();
        fill(&date.strftime(self.date_line).to_string(), &[&weekday])
    }

    /// Why there is no connection.
    pub fn why(&self, why: &Why) -> String {
        match why {
            Why::Unreachable(how) => match how {
                Unreachable::Refused => self.nobody_hosts.into(),
                Unreachable::NoAnswer => self.no_answer.into(),
                Unreachable::NoRoute => self.no_route.into(),
                Unreachable::UnknownHost => self.unknown_host.into(),
                Unreachable::Other(words) => words.clone(),
            },
            Why::Untrusted(untrusted) => self.untrusted(untrusted),
            Why::Silent => self.silent.into(),
            Why::NotTchat(reason) if reason.is_empty() => self.not_tchat.into(),
            Why::NotTchat(reason) => fill(self.not_tchat_because, &[reason]),
            Why::Lost => self.link_lost.into(),
            Why::Draining => self.restarting.into(),
            Why::TooSlow => self.too_slow.into(),
            Why::Disconnected => self.disconnected.into(),
            Why::Refused(refusal) => self.refusal(refusal),
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
            Distrust::ClearText => fill(self.trust.clear_text, &[server]),
            Distrust::Handshake(cause) => fill(self.trust.handshake, &[server, cause]),
        }
    }

    /// What was requested, to follow "cannot".
    pub fn about(&self, about: &About) -> String {
        match about {
            About::Join(room) if room.name.is_empty() => self.about_join_first.into(),
            About::Join(room) => fill(self.about_join, &[&room.name]),
            About::Leave(_) => self.about_leave.into(),
            About::Open(name) => fill(self.about_open, &[name]),
            About::SetName(name) => fill(self.about_set_name, &[name]),
            About::Create(name) => fill(self.about_create, &[name]),
            About::Follow(_) => self.about_follow.into(),
            About::ListRooms => self.about_list.into(),
            About::Status => self.about_status.into(),
            About::Whois => self.about_whois.into(),
            About::Settings => self.about_settings.into(),
            About::Mentions => self.about_mentions.into(),
        }
    }
}
