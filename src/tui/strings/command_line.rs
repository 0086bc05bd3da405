//! The help of the command line, and its errors. The English help of most options is where the options are defined.

/// The texts of one language. Commands are identified by name; `tchat` itself has an empty name.
#[derive(Debug)]
pub struct CommandLine {
    /// The layout of the help, if clap's own English headings do not fit the language.
    pub template: Option<&'static str>,
    /// The headings of the commands, the options and the arguments.
    pub headings: Option<[&'static str; 3]>,
    /// What a command does.
    pub about: fn(&str) -> Option<&'static str>,
    /// The usage line of a command.
    pub usage: fn(&str) -> Option<&'static str>,
    /// What an option or an argument of a command does.
    pub help: fn(&str, &str) -> Option<&'static str>,
    /// The text below the help of a command.
    pub after: fn(&str) -> Option<&'static str>,
    pub errors: &'static Errors,
}

words! {
    /// The errors of a command line.
    Errors {
        unknown_option,
        unknown_command,
        value_missing,
        value_wrong,
        option_missing,
        conflict,
        too_many,
        wrong,
        did_you_mean,
        see_help,
        bridges_need_serve,
    }
}

pub(super) static ENGLISH: CommandLine = CommandLine {
    template: None,
    headings: None,
    about: |_| None,
    usage: |_| None,
    help: english,
    after: |_| None,
    errors: &Errors {
        unknown_option: "there is no option '{0}' here",
        unknown_command: "there is no command '{0}'",
        value_missing: "{0} needs a value",
        value_wrong: "{0} cannot be '{1}'",
        option_missing: "{0} is missing",
        conflict: "{0} cannot be used together with {1}",
        too_many: "there are too many values for {0}",
        wrong: "cannot understand this command line",
        did_you_mean: "did you mean '{0}'?",
        see_help: "see `--help`",
        bridges_need_serve: "--bridges is for a server: use it with --serve",
    },
};

const ERROR_LANGUAGE: &str = "The language of errors, en or zh-CN; that of the locale by default";

/// Whether a command works on the data directory of a server.
fn is_for_a_server(command: &str) -> bool {
    matches!(command, "backup" | "restore" | "stop") || is_administration(command)
}

/// Whether this is `tchat admin` or a command below it.
fn is_administration(command: &str) -> bool {
    let below = [
        "invite", "invites", "revoke", "accounts", "role", "account", "rename", "remove",
        "devices", "relink", "bot", "audit", "status", "who", "ban", "unban", "bans", "kick",
        "room", "close", "topic", "own", "erase", "limits",
    ];
    command == "admin" || below.contains(&command)
}

/// Returns what a shared option means for one command.
fn english(command: &str, option: &str) -> Option<&'static str> {
    Some(match (command, option) {
        ("send", "name") => "The name to send as; the login name by default",
        ("tail", "name") => "The name to read as; the login name by default",
        ("send", "room") => "The room to send it to; the first one by default",
        ("tail", "room") => "The room to print; the first one by default",
        ("send" | "tail" | "doctor", "server") => "The server",
        ("send" | "tail" | "doctor", "port") => "The server's port",
        ("send" | "tail", "data") => "Where profiles are stored",
        (command, "data") if is_for_a_server(command) => "The server's data directory",
        ("send" | "tail" | "doctor", "lang") => ERROR_LANGUAGE,
        (command, "lang") if is_for_a_server(command) => ERROR_LANGUAGE,
        _ => return None,
    })
}

pub(super) static CHINESE: CommandLine = CommandLine {
    template: Some("{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}"),
    headings: Some(["命令", "选项", "参数"]),
    about: chinese_about,
    usage: chinese_usage,
    help: chinese,
    after: |command| {
        (command == "send").then_some(
            "退出码：0 已保存，1 被拒绝，2 用法不对，75 没有及时得到响应或没有连接，消息可能没有发送。",
        )
    },
    errors: &Errors {
        unknown_option: "这里没有选项“{0}”",
        unknown_command: "没有命令“{0}”",
        value_missing: "{0} 需要一个值",
        value_wrong: "{0} 不能是“{1}”",
        option_missing: "缺少 {0}",
        conflict: "{0} 不能和 {1} 一起使用",
        too_many: "{0} 的值太多",
        wrong: "无法理解这条命令",
        did_you_mean: "是不是“{0}”？",
        see_help: "用 `--help` 查看所有选项",
        bridges_need_serve: "--bridges 是服务器的选项：请和 --serve 一起使用",
    },
};

fn chinese_about(command: &str) -> Option<&'static str> {
    Some(match command {
        "" => "终端里的聊天程序：既能加入聊天，也能运行服务器。",
        "send" => "发送一条消息；退出码说明结果",
        "tail" => "显示一个房间的消息",
        "backup" => "备份服务器的数据，运行中也可以",
        "restore" => "恢复备份；要先停止服务器",
        "doctor" => "检查终端、配置和服务器，并告诉你怎么解决；一切正常时退出码是 0，否则是 1",
        "admin" => "管理本机上运行的服务器",
        "invite" => "生成邀请，并显示要发给新人的链接",
        "invites" => "列出还能使用的邀请",
        "revoke" => "撤回邀请；已经用它加入的人不受影响",
        "accounts" => "列出账号",
        "role" => "设置账号的角色：member、admin 或 owner",
        "account" => "给账号改名，或删除账号",
        "rename" => "给账号改名",
        "remove" => "删除账号：它的设备失效，名字释放，消息保留",
        "devices" => "列出一个账号的设备，或移除其中一台",
        "relink" => "给丢失了所有设备的人生成链接；使用它的设备会取代它们",
        "bot" => "为程序创建账号，并显示它的凭据",
        "audit" => "显示操作记录：管理员做过的事",
        "status" => "显示服务器的状态",
        "who" => "列出谁在线、从哪里、从何时起",
        "ban" => "封禁账号，或封禁来自某个地址或网段的新人和旧客户端",
        "unban" => "解除封禁",
        "bans" => "列出封禁",
        "kick" => "断开一个人的连接；对方可以再连接",
        "room" => "关闭公开房间，设置话题，或更换所有者",
        "close" => "关闭房间",
        "topic" => "设置房间的话题",
        "own" => "让房间的一位成员成为所有者",
        "erase" => "为所有人删除公开房间里的一条消息",
        "limits" => "列出服务器的限制和当前的值",
        "stop" => "停止在后台运行的服务器",
        "join" => "粘贴链接（或从标准输入读取链接），加入服务器",
        "trust" => "从现在起信任一台服务器的密钥",
        "help" => "显示帮助，或某个命令的帮助",
        _ => return None,
    })
}

fn chinese_usage(command: &str) -> Option<&'static str> {
    Some(match command {
        "" => "tchat [选项] [命令|链接]",
        "send" => "tchat send [选项] [内容]...",
        "tail" => "tchat tail [选项]",
        "backup" => "tchat backup [选项] <FILE>",
        "restore" => "tchat restore [选项] <FILE>",
        "doctor" => "tchat doctor [选项]",
        "admin" => "tchat admin [选项] <命令>",
        "invite" => "tchat admin invite [选项]",
        "invites" => "tchat admin invites [选项]",
        "revoke" => "tchat admin revoke [选项] <ID>",
        "accounts" => "tchat admin accounts [选项]",
        "role" => "tchat admin role [选项] <NAME> <ROLE>",
        "account" => "tchat admin account [选项] <命令>",
        "rename" => "tchat admin account rename [选项] <NAME> <NEW_NAME>",
        "remove" => "tchat admin account remove [选项] <NAME>",
        "devices" => "tchat admin devices [选项] <NAME>",
        "relink" => "tchat admin relink [选项] <NAME>",
        "bot" => "tchat admin bot [选项] <NAME>",
        "audit" => "tchat admin audit [选项]",
        "status" => "tchat admin status [选项]",
        "who" => "tchat admin who [选项]",
        "ban" => "tchat admin ban [选项] <NAME|ADDRESS> [TIME] [REASON]",
        "unban" => "tchat admin unban [选项] <NAME|ADDRESS>",
        "bans" => "tchat admin bans [选项]",
        "kick" => "tchat admin kick [选项] <NAME> [REASON]...",
        "room" => "tchat admin room [选项] <命令>",
        "close" => "tchat admin room close [选项] <ROOM>",
        "topic" => "tchat admin room topic [选项] <ROOM> [TOPIC]...",
        "own" => "tchat admin room own [选项] <ROOM> <NAME>",
        "erase" => "tchat admin erase [选项] <ROOM> <SEQ>",
        "limits" => "tchat admin limits [选项]",
        "stop" => "tchat stop [选项]",
        "join" => "tchat join [选项] [LINK]",
        "trust" => "tchat trust [选项] <HOST[:PORT]|LINK>",
        "help" => "tchat help [命令]",
        _ => return None,
    })
}

fn chinese(command: &str, option: &str) -> Option<&'static str> {
    Some(match (command, option) {
        ("send", "name") => "以谁的名字发送；不写就用登录名",
        ("send", "room") => "发到哪个房间；不写就发到第一个房间",
        ("send", "user") => "私下发给这个人，不发到房间",
        ("send", "id") => "这条消息的标识：用同一个标识再发一次，也只会出现一条",
        ("send", "timeout") => "等多久的响应，例如 10 或 1m；默认 10s",
        ("send", "text") => "要发送的内容；不写就读取标准输入",
        ("tail", "name") => "以谁的名字读取；不写就用登录名",
        ("tail", "room") => "显示哪个房间；不写就是第一个房间",
        ("tail", "last") => "先显示最新的多少条消息；默认 10",
        ("tail", "follow") => "继续显示之后的消息",
        ("tail", "json") => "每行一个 JSON 对象",
        ("send" | "tail" | "doctor", "server") | ("trust", "address") => "服务器",
        ("send" | "tail" | "doctor", "port") => "服务器的端口",
        ("send" | "tail", "data") => "存放个人资料的目录",
        (command, "data") if is_for_a_server(command) => "服务器的数据目录",
        ("invite", "uses") => "可以加入多少人；默认 1",
        ("invite", "expires") => "多久内有效，例如 12h 或 7d；默认 7d",
        ("revoke", "id") => "邀请的 ID，见 `tchat admin invites`",
        ("invite", "role") => "这些人的角色：member、admin 或 owner；默认 member",
        ("invite", "room") => "这些人一开始就在的公开房间；可以重复",
        ("bot", "room") => "它一开始就在的公开房间；可以重复",
        ("bot", "account") => "程序的名字",
        ("role", "role") => "角色：member、admin 或 owner",
        ("role" | "rename" | "remove" | "devices" | "relink" | "own", "account") => "账号的名字",
        ("rename", "to") => "新名字",
        ("devices", "revoke") => "移除这个 ID 的设备",
        ("join", "link") => "链接；不写就会询问，这样本机的其他用户看不到邀请",
        ("audit", "last") => "显示最新的多少条；默认 50",
        ("audit", "all") => "显示全部",
        ("audit", "head") => "只显示末端：最新一条的编号和哈希，请保存在别处",
        ("audit", "verify") => "检查到这个末端为止没有改动；末端是以前显示的",
        ("ban" | "unban", "target") => "账号的名字、地址，或 192.0.2.0/24 这样的网段",
        ("ban", "words") => "持续多久，例如 2h 或 7d（不写就直到解除），然后是原因",
        ("kick", "words") => "原因，写入操作记录",
        ("kick", "account") => "对方的名字",
        ("topic", "words") => "话题；不写就没有话题",
        ("erase", "seq") => "消息的编号，由 `tchat tail --json` 显示",
        (_, "in_room") => "房间的名字",
        (command, "json") if is_administration(command) => "以 JSON 显示结果",
        ("trust", "replace") => "替换现在信任的密钥",
        ("backup", "file") => "备份到哪个文件；它不能已经存在",
        ("restore", "file") => "`tchat backup` 生成的文件",
        ("send" | "tail" | "doctor", "lang") => "提示的语言，en 或 zh-CN；不写就跟随系统",
        (command, "lang") if is_for_a_server(command) => "提示的语言，en 或 zh-CN；不写就跟随系统",
        (_, "name") => "你的名字；不写就用登录名",
        (_, "server") => "要加入的服务器",
        (_, "credential") => "程序的凭据文件，由 `tchat admin bot` 生成，包含名字、服务器和密钥",
        (_, "room") => "一开始进入的房间",
        (_, "lang") => "界面的语言，en 或 zh-CN；不写就跟随系统",
        (_, "theme") => "主题；/theme 列出全部",
        (_, "config") => "配置文件",
        (_, "data") => "存放个人资料和服务器房间的目录",
        (_, "plain") => "逐行显示，不用全屏界面：适合读屏软件、管道和简单的终端",
        (_, "demo") => "演示：内存里的服务器、两个机器人和一分钟的导览；什么都不保存",
        (_, "serve") => "只运行服务器，没有界面",
        (_, "host") => {
            "和 --serve 一起使用时是监听的地址（`::` 表示本机的所有地址）；否则是要加入的主机"
        }
        (_, "port") => "监听的端口，或要加入的端口",
        (_, "here") => "加入本机的服务器（需要时启动它），而不是上次用链接加入的服务器",
        (_, "open") => "和 --serve 一起使用：所有能连接的人都可以注册，不需要邀请",
        (_, "insecure") => "连接时不加密，或允许别人不加密地连接",
        (_, "link") => "要加入的服务器的链接",
        (_, "bridges") => "同时支持五种旧聊天系统的客户端，另外监听端口 1234、9000、9011 和 8010",
        (_, "log_dir") => "服务器写日志的目录",
        (_, "log_messages") => "公开房间里的消息也写进日志",
        (_, "idle_exit") => "多久没有人连接就停止服务器，例如 5m",
        (_, "help") => "显示帮助",
        (_, "version") => "显示版本",
        _ => return None,
    })
}
