//! Texts for the users of foreign protocols, in the language of their clients: Chinese, and English for gochat's joins and leaves.

use crate::chat::{Body, Entry, Refusal, RefusalCode};
use crate::wire::UnfollowReason;

/// The author name of messages from the server.
pub const SYSTEM: &str = "系统";
/// The texts for joining and leaving, as gochat's own clients write them.
pub const GOCHAT_JOINED: &str = "has joined the chat";
pub const GOCHAT_LEFT: &str = "has left the chat";
pub const NAME_FREE: &str = "用户名可用";
pub const JOIN_FIRST: &str = "请先加入聊天室";
pub const JOINED_ALREADY: &str = "您已经加入聊天室";
pub const UNKNOWN_TYPE: &str = "无法识别的消息类型";

pub fn welcome(name: &str) -> String {
    format!("欢迎 {name} 加入聊天室！")
}

pub fn room_welcome(room: &str, count: i32) -> String {
    format!("欢迎来到房间 '{room}'！当前在线人数: {count}")
}

pub fn joined(name: &str) -> String {
    format!("{name} 加入了聊天室")
}

pub fn left(name: &str) -> String {
    format!("{name} 离开了聊天室")
}

pub fn skipped(count: u64) -> String {
    format!("您的网络太慢，跳过了 {count} 条消息")
}

/// Returns why a person was removed from a room; nothing if they left by themselves.
pub fn removal(why: &UnfollowReason) -> Option<String> {
    let (words, reason) = match why {
        UnfollowReason::Requested | UnfollowReason::Left => return None,
        UnfollowReason::Kicked { by, reason } => (format!("您被 {by} 移出了房间"), reason.as_str()),
        UnfollowReason::Banned { by, reason } => {
            (format!("您被 {by} 禁止进入房间"), reason.as_str())
        }
        UnfollowReason::Closed => ("房间已关闭".to_owned(), ""),
    };
    Some(if reason.is_empty() {
        words
    } else {
        format!("{words}：{reason}")
    })
}

pub fn name_taken(name: &str) -> String {
    format!("用户名 '{name}' 已被占用")
}

/// Marks a received private message, for protocols without private messages.
pub fn private(text: &str) -> String {
    format!("[私聊] {text}")
}

/// Marks a private message for its sender.
pub fn private_to(name: &str, text: &str) -> String {
    format!("[私聊 → {name}] {text}")
}

/// The notice for a line that is only `@name`.
pub fn private_text_missing(name: &str) -> String {
    format!("请在 @{name} 后面输入私聊内容")
}

/// Returns the author and text of an entry; nothing for entries that are shown in another form or not at all.
pub fn message_of(entry: &Entry) -> Option<(&str, String)> {
    let name = entry.author.name.as_str();
    match &entry.body {
        Body::Text(text) | Body::Reply { text, .. } => Some((name, text.clone())),
        Body::Action(text) => Some((name, format!("* {text}"))),
        Body::Topic(topic) => Some((SYSTEM, format!("{name} 将话题改为：{topic}"))),
        Body::Renamed(to) => Some((SYSTEM, format!("{name} 改名为 {to}"))),
        _ => None,
    }
}

/// Returns the text of a refusal for `chat`, where names are letters and digits.
pub fn room_refusal(refused: &Refusal) -> String {
    match refused.code {
        RefusalCode::NameInvalid => {
            let name = refused.arguments.first().map_or("", String::as_str);
            format!("用户名 '{name}' 无效：只能是 1 到 20 个字母、数字或汉字")
        }
        _ => refusal(refused),
    }
}

pub fn refusal(refusal: &Refusal) -> String {
    let argument = |n: usize| refusal.arguments.get(n).map_or("", String::as_str);
    let first = argument(0);
    match refusal.code {
        RefusalCode::NameTaken => name_taken(first),
        RefusalCode::NameInvalid => {
            format!(
                "用户名 '{first}' 无效：请使用字母、数字、汉字或 _ - .，不能有空格，最多 32 个字"
            )
        }
        RefusalCode::NameReserved => format!("用户名 '{first}' 是保留名称"),
        RefusalCode::NumberTaken => format!("用户 ID {first} 已被占用，请换一个 ID"),
        RefusalCode::RoomUnknown => format!("房间 '{first}' 不存在"),
        RefusalCode::RoomFull => format!("房间 '{first}' 已满 ({}/{})", argument(1), argument(2)),
        RefusalCode::PersonUnknown => format!("用户 {first} 不在线"),
        RefusalCode::PersonAmbiguous => format!("用户 {first} 不在线，而且不止一人用过这个名字"),
        RefusalCode::PersonGone => "对方已经离开".into(),
        RefusalCode::ToSelf => "不能给自己发私聊".into(),
        RefusalCode::BodyEmpty => "消息不能为空".into(),
        RefusalCode::BodyTooLong => {
            format!("消息太长：{first} 字节，最多 {} 字节", argument(1))
        }
        RefusalCode::BodyTooManyLines => format!("消息太长：{first} 行，最多 {} 行", argument(1)),
        RefusalCode::BodyControl => format!("消息含有不允许的控制字符 {first}"),
        RefusalCode::StorageFull => "服务器磁盘已满，消息没有发送，请稍后再试".into(),
        RefusalCode::Draining => "服务器正在停止，消息没有发送".into(),
        RefusalCode::Muted => "您在这个房间被禁言，消息没有发送".into(),
        RefusalCode::SlowMode => format!("这个房间开启了慢速模式，请在 {first} 秒后再发送"),
        RefusalCode::ReadOnly => "只有管理员可以在这个房间发言".into(),
        RefusalCode::NotAccepting | RefusalCode::RequestsFull => {
            format!("{first} 现在不接收您的私聊，消息没有发送")
        }
        RefusalCode::RequestPending => {
            format!("{first} 还没有接受您的第一条私聊，接受之前不能继续发送")
        }
        RefusalCode::ServerBanned => "您被禁止使用这个服务器".into(),
        RefusalCode::Banned => format!("您被禁止进入房间 '{first}'"),
        RefusalCode::NotInvited => format!("房间 '{first}' 需要邀请才能加入"),
        RefusalCode::NotAMember => "您不在这个房间".into(),
        RefusalCode::Word => format!("含有这里不允许的词 '{first}'，请修改后再试"),
        RefusalCode::RateLimited | RefusalCode::AfterRefused | RefusalCode::LimitReached => {
            "发送得太快，消息没有发送，请稍后再试".into()
        }
        RefusalCode::TooManyRooms => format!("您的房间和私聊数量已达上限（{first} 个）"),
        RefusalCode::RoomClosed => format!("房间 '{first}' 已关闭"),
        RefusalCode::CannotLeave => "不能离开这个房间".into(),
        RefusalCode::NotAllowed | RefusalCode::Outranked => "您没有权限执行此操作".into(),
        RefusalCode::TooLong => format!("太长：{} 个字符，最多 {} 个", argument(1), argument(2)),
        // No bridge sends a request that gets one of these refusals. A general text covers them anyway.
        RefusalCode::Malformed
        | RefusalCode::Protocol
        | RefusalCode::EpochChanged
        | RefusalCode::Unauthenticated
        | RefusalCode::InviteNeeded
        | RefusalCode::InviteInvalid
        | RefusalCode::RegistrationClosed
        | RefusalCode::NoEffect
        | RefusalCode::PersonBlocked
        | RefusalCode::RoomExists
        | RefusalCode::RoomNameInvalid
        | RefusalCode::TargetUnknown
        | RefusalCode::NotYours
        | RefusalCode::EmojiInvalid
        | RefusalCode::TooManyReactions
        | RefusalCode::TooMany
        | RefusalCode::Offline
        | RefusalCode::Unknown => "服务器没有接受这个请求".into(),
    }
}
