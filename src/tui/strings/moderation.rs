//! The words about a room's rules, the log of its moderators, and its bans and mutes.

words! {
    /// What the screen says about keeping order in a room.
    Moderation {
        /// An entry: `{0}` set the rules to `{1}`.
        rules_are,
        everyone,
        /// `{0}` is the time between two messages.
        slow,
        moderators,
        /// Shown above the composer of somebody who may not write.
        read_only_hint,
        /// The title of the list; `{0}` is the room.
        log_title,
        log_empty,
        /// The title of the list of bans; `{0}` is the room.
        bans_title,
        bans_empty,
        /// The list has arrived while the user was typing something else.
        bans_ready,
        bans_hint,
        banned,
        muted,
        /// `{0}` is the end.
        until,
        for_ever,
        /// `{0}` is the person who made it.
        by,
        about,
    }
}

pub static ENGLISH: Moderation = Moderation {
    rules_are: "{0}: {1}",
    everyone: "everyone can write",
    slow: "one message every {0}",
    moderators: "only moderators can write",
    read_only_hint: "Only moderators can write here",
    log_title: "What moderators did in {0}",
    log_empty: "Nothing yet",
    bans_title: "Bans and mutes in {0}",
    bans_empty: "There are no bans or mutes in this room",
    bans_ready: "The list of bans has arrived; /bans shows it",
    bans_hint: "Enter lift · Esc close",
    banned: "banned",
    muted: "muted",
    until: "until {0}",
    for_ever: "until it is lifted",
    by: "by {0}",
    about: "show this",
};

pub static CHINESE: Moderation = Moderation {
    rules_are: "{0}：{1}",
    everyone: "所有人都可以发言",
    slow: "每 {0}可发一条消息",
    moderators: "只有管理员可以发言",
    read_only_hint: "只有管理员可以在这里发言",
    log_title: "{0} 的管理记录",
    log_empty: "还没有记录",
    bans_title: "{0} 的封禁和禁言",
    bans_empty: "这里没有人被封禁或禁言",
    bans_ready: "封禁列表已收到，用 /bans 查看",
    bans_hint: "Enter 解除 · Esc 关闭",
    banned: "封禁",
    muted: "禁言",
    until: "直到 {0}",
    for_ever: "直到解除",
    by: "由 {0}",
    about: "显示这些内容",
};
