//! The texts about invitations, for `/invite-link`, `tchat admin` and a server that starts.

words! {
    /// The texts of one language.
    Admin {
        /// The title and the lines about a new link: how many people it lets in, and for how long.
        link_title,
        for_one,
        for_many,
        send_it,
        how_to_join,
        link_copied,
        /// The title and the lines of the invitations that can still be used: id, uses left, time left, and the name
        /// of the person who created it.
        invites_title,
        no_invites,
        invite,
        by_host,
        /// Added to the line of an invitation: the role and the rooms that its accounts get.
        gives_role,
        gives_rooms,
        revoked,
        /// Why `tchat admin` failed.
        no_server,
        cannot_ask,
        no_socket,
    }
}

pub(super) static ENGLISH: Admin = Admin {
    link_title: "Invitation link",
    for_one: "For one person; expires in {0}.",
    for_many: "For up to {1} people; expires in {0}.",
    send_it: "Send it privately.",
    how_to_join: "They run `tchat join` and paste it.",
    link_copied: "Copied, if your terminal allows it",
    invites_title: "Invitations: ID, uses and time left, maker",
    no_invites: "No active invitations",
    invite: "{0}   {1}×   {2}   {3}",
    by_host: "the host",
    gives_role: "role {0}",
    gives_rooms: "rooms {0}",
    revoked: "Invitation {0} revoked",
    no_server: "no server is using the data directory '{0}'; start one with `tchat --serve`",
    cannot_ask: "cannot ask the server that uses '{0}'",
    no_socket: "the server that uses '{0}' has no local socket, which this command needs",
};

pub(super) static CHINESE: Admin = Admin {
    link_title: "邀请链接",
    for_one: "供一位新成员使用，{0}后过期。",
    for_many: "最多 {1} 位新成员，{0}后过期。",
    send_it: "请私下发送。",
    how_to_join: "对方运行 `tchat join` 并粘贴它。",
    link_copied: "已复制（如果终端允许）",
    invites_title: "邀请：ID、次数、时间、来自",
    no_invites: "没有还能使用的邀请",
    invite: "{0}   {1}×   {2}   {3}",
    by_host: "服务器管理员",
    gives_role: "角色 {0}",
    gives_rooms: "房间 {0}",
    revoked: "已撤回邀请 {0}",
    no_server: "没有服务器在使用数据目录“{0}”；用 `tchat --serve` 启动",
    cannot_ask: "无法访问使用“{0}”的服务器",
    no_socket: "“{0}”上的服务器没有本地套接字，这个命令需要它",
};
