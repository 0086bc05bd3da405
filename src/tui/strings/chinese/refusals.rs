//! Chinese: why a request was refused.

use crate::chat::RefusalCode;

pub(super) fn refusal(code: RefusalCode, [first, second]: [&str; 2]) -> &'static str {
    match code {
        RefusalCode::Malformed => "服务器无法识别“{0}”；其中一方可能需要更新 tchat",
        RefusalCode::Protocol if second == "1" => "服务器的版本比这个 tchat 旧，需要先更新服务器",
        RefusalCode::Protocol => "这个 tchat 太旧，服务器使用协议 {1}；请更新 tchat",
        RefusalCode::NameTaken if second.is_empty() => "名字 {0} 已被使用",
        RefusalCode::NameTaken => "名字 {0} 已被使用；{1} 可以用",
        RefusalCode::NumberTaken => "编号 {0} 已被使用",
        RefusalCode::NameInvalid => match second {
            "empty" => "名字至少要有一个汉字、字母或数字",
            "length" => "名字最多 32 个字符",
            _ => "“{0}”不能用作名字：可以用汉字、任何语言的字母、数字，以及 _ - 和 .",
        },
        RefusalCode::NameReserved if second == "operator" => {
            "“{0}”是留给服务器管理者的名字；请换一个名字，或向所有者要一个邀请"
        }
        RefusalCode::NameReserved => "“{0}”是保留名；请换一个名字",
        RefusalCode::RoomUnknown => "没有房间“{0}”；/rooms 列出所有房间",
        RefusalCode::RoomFull => "#{0} 已满（{1}/{2}）；等有人离开再试",
        RefusalCode::NotAMember => "你不在这个房间里；先用 /join 加入",
        RefusalCode::PersonUnknown => "这里没有人叫 {0}",
        RefusalCode::PersonAmbiguous => "有几个人用过名字 {0}，现在都不在",
        RefusalCode::ToSelf => "那是你自己",
        RefusalCode::BodyEmpty => "没有可以发送的内容",
        RefusalCode::BodyTooLong => "太长：{0} 字节，上限 {1} 字节",
        RefusalCode::BodyTooManyLines => "行数太多：{0} 行，上限 {1} 行",
        RefusalCode::BodyControl => "不能使用控制字符 {0}",
        RefusalCode::RateLimited => "发送太频繁",
        RefusalCode::AfterRefused => "请先发送前面的那条消息",
        RefusalCode::Draining => "服务器正在关闭",
        RefusalCode::EpochChanged => "这个房间的聊天记录已被替换",
        RefusalCode::Unauthenticated => unauthenticated(first),
        RefusalCode::InviteNeeded => {
            "这个服务器只接受受邀的人；请向管理员要一个链接，运行 `tchat join` 并粘贴它"
        }
        RefusalCode::InviteInvalid => "链接中的邀请已过期、已用完或已被撤回；请要一个新的链接",
        RefusalCode::RegistrationClosed => "这个服务器不再接受新成员",
        RefusalCode::TooManyRooms => "你已在 {0} 个房间里，达到上限",
        RefusalCode::CannotLeave => "所有人一开始都在这个房间，不能离开或关闭它",
        RefusalCode::StorageFull => "服务器的磁盘满了",
        RefusalCode::PersonGone => "对方用的是旧客户端，已经离开，无法联系",
        RefusalCode::NotAllowed => not_allowed(first, second),
        RefusalCode::Outranked => "{0} 在这里的权限不低于你",
        RefusalCode::Muted if first.is_empty() => "你在这个房间被禁言了",
        RefusalCode::Muted => "你在这个房间被禁言，直到 {0}",
        RefusalCode::Banned if second.is_empty() => "你被 #{0} 封禁了",
        RefusalCode::Banned => "你被 #{0} 封禁，直到 {1}",
        RefusalCode::NotInvited => "#{0} 需要邀请；请找它的管理员",
        RefusalCode::NoEffect => "对 {0} 来说没有变化",
        RefusalCode::Word => "这个服务器上不允许“{0}”",
        RefusalCode::TooMany => too_many(first),
        RefusalCode::SlowMode => "慢速模式：每 {1} 秒可发一条消息；{0} 秒后可以再发",
        RefusalCode::ReadOnly => "只有管理员可以在 #{0} 发言",
        RefusalCode::NotAccepting
        | RefusalCode::RequestPending
        | RefusalCode::RequestsFull
        | RefusalCode::PersonBlocked => not_reachable(code),
        RefusalCode::ServerBanned => match (first.is_empty(), second.is_empty()) {
            (true, true) => "你已被这个服务器封禁",
            (true, false) => "你已被这个服务器封禁：{1}",
            (false, true) => "你已被这个服务器封禁，直到 {0}",
            (false, false) => "你已被这个服务器封禁，直到 {0}：{1}",
        },
        RefusalCode::LimitReached => limit_reached(first),
        RefusalCode::RoomExists => "已有房间 #{0}，或看起来相似的房间",
        RefusalCode::RoomNameInvalid => match second {
            "empty" => "房间名至少要有一个汉字、字母或数字",
            "length" => "房间名最多 64 个字符",
            _ => "“{0}”不能用作房间名：可以用汉字、任何语言的字母、数字，以及 _ - 和 .",
        },
        RefusalCode::TooLong if first == "slow" => "慢速模式最长为 6 小时",
        RefusalCode::TooLong => "{0} 太长：{1} 个字符，上限 {2}",
        RefusalCode::TargetUnknown => "那条消息已经不在了",
        RefusalCode::NotYours => "只能编辑自己的消息",
        RefusalCode::EmojiInvalid => "那不是一个表情",
        RefusalCode::TooManyReactions => "那条消息的表情回复已达上限",
        RefusalCode::RoomClosed => "#{0} 已关闭",
        RefusalCode::Offline => "现在没有连接",
        RefusalCode::Unknown => "服务器拒绝了，但这个版本的 tchat 不认识原因",
    }
}

/// Which role something in a room needs.
fn not_allowed(what: &str, role: &str) -> &'static str {
    match (what, role) {
        ("topic", "moderator") => "只有这个房间的管理员可以设置话题",
        ("rules", "moderator") => "只有这个房间的管理员可以修改发言规则",
        ("log", "moderator") => "只有这个房间的管理员可以查看",
        ("invite", "moderator") => "只有这个房间的管理员可以邀请别人",
        ("kick", "moderator") => "只有这个房间的管理员可以移出别人",
        ("ban", "moderator") => "只有这个房间的管理员可以封禁别人",
        ("mute", "moderator") => "只有这个房间的管理员可以禁言别人",
        ("role", "owner") => "只有这个房间的房主可以任命管理员",
        ("erase", "moderator") => "只有这个房间的管理员可以删除别人的消息",
        ("close", "owner") => "只有这个房间的房主可以关闭它",
        _ => "这需要权限“{0}”，这个房间的 {1} 才有",
    }
}

/// Why a person cannot be written to.
const fn not_reachable(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::NotAccepting => "{0} 不接收你的消息和邀请",
        RefusalCode::RequestPending => "{0} 还没有接受你的第一条消息；对方接受后才能继续发送",
        RefusalCode::RequestsFull => "{0} 未处理的消息请求已达上限（{1} 条），请稍后再试",
        _ => "你已拉黑 {0}；如需发消息，请先输入 /unblock {0}",
    }
}

/// Why a sign-in failed.
fn unauthenticated(why: &str) -> &'static str {
    match why {
        "clear_text" => "服务器不接受未加密的登录；请去掉 --insecure 再连接",
        "owner" => "这个账号拥有房间；请先在服务器所在的机器上登录一次，之后这里就可以用了",
        "revoked" => "这台设备已从账号中移除；请用另一台设备上的链接重新添加，或联系服务器的管理员",
        _ => "服务器无法验证这台设备；你和服务器之间可能有其他程序",
    }
}

/// What there is too much of.
fn too_many(what: &str) -> &'static str {
    match what {
        "ignored" => "你已屏蔽 {1} 人，达到上限",
        "devices" => "这个账号已有 {1} 台设备；请先用 /devices 移除一台",
        "sessions" => "这个账号已有 {1} 个连接，达到上限",
        "renames" => "每天最多改名 {1} 次",
        _ => "最多可以设置 {1} 个关键词",
    }
}

/// Which limit of the server is reached.
fn limit_reached(limit: &str) -> &'static str {
    match limit {
        "accounts_per_address" => "同一地址每小时最多注册 {1} 个账号；使用邀请链接不受此限制",
        "accounts" | "accounts_on_loopback" => "这个服务器每小时最多注册 {1} 个账号",
        "failed_invites" => "同一地址每小时最多使用 {1} 次无效邀请",
        "sessions_in_all" => "服务器已满：已有 {1} 个连接",
        "stranger_mib" => "未受邀请的用户在同一地址每天最多发送 {1} MiB",
        "topics" => "每分钟最多设置 {1} 次话题",
        "statuses" => "每分钟最多更改 {1} 次状态",
        "reactions" => "每分钟最多回应 {1} 次表情",
        "rooms_owned" => "你已拥有 {1} 个房间，达到上限；请先关闭一个",
        "rooms" => "服务器已有 {1} 个房间，达到上限",
        "conversations" => "每小时最多发起 {1} 个私聊",
        "searches" | "searches_at_once" => "搜索太频繁",
        _ => "太频繁：服务器的限制“{0}”是 {1}",
    }
}
