//! Chinese: what the actions of keys do.

use crate::tui::input::keymap::Action;

pub(super) fn action(action: Action) -> Option<&'static str> {
    Some(match action {
        Action::Send => "发送，或执行命令",
        Action::Newline => "换行",
        Action::Complete => "补全名字、命令或房间",
        Action::WordLeft => "后退一个词",
        Action::WordRight => "前进一个词",
        Action::Home => "行首",
        Action::End => "行尾",
        Action::KillToStart => "删到行首",
        Action::KillToEnd => "删到行尾",
        Action::KillWord => "删除一个词",
        Action::Yank => "放回删除的内容",
        Action::Undo => "撤销",
        Action::Redo => "重做",
        Action::SentBefore => "上一条发过的内容",
        Action::SentAfter => "下一条发过的内容",
        Action::PageUp => "更早的消息",
        Action::PageDown => "较新的消息",
        Action::Oldest => "最早的消息",
        Action::Newest => "最新的消息；再按一次全部标为已读",
        Action::RoomBefore => "上一个房间",
        Action::RoomAfter => "下一个房间",
        Action::Room1
        | Action::Room2
        | Action::Room3
        | Action::Room4
        | Action::Room5
        | Action::Room6
        | Action::Room7
        | Action::Room8
        | Action::Room9 => "列表中的第 n 个房间",
        Action::Retry => "重发这里发送失败的消息",
        Action::EditFailed => "编辑这里发送失败的消息",
        Action::Palette => "查找房间、成员和命令",
        Action::Lobby => "所有的房间",
        Action::Mentions => "提到你的消息",
        Action::Search => "搜索消息",
        Action::NextUnread => "下一个有未读的房间，最后回到原处",
        Action::ToNew => "新消息开始的地方",
        Action::Select => "选择一条消息",
        Action::Editor => "用自己的编辑器编辑",
        Action::Transpose => "交换两个字符",
        Action::Themes => "更换主题",
        Action::Help => "本帮助",
        Action::Redraw => "重绘屏幕",
        Action::ClearDraft => "清空草稿",
        Action::Link => "连接详情",
        Action::Panes => "显示或隐藏侧栏",
        Action::Quit => "退出",
        Action::Reply => "回复",
        Action::EditSelected => "编辑（自己的消息）",
        Action::DeleteSelected => "撤回，所有人都看不到（按两次）",
        Action::ReactSelected => "添加或收回回应",
        Action::WhoReacted => "查看谁发了表情回复",
        Action::CopySelected => "复制文字",
        Action::OpenSelected => "打开链接，或所回复的原文",
        Action::ToOriginal => "转到所回复的原文",
        Action::TurnFold => "展开或折叠长文本",
        Action::NextHit => "下一条更早的搜索结果",
        Action::HitBefore => "下一条较新的搜索结果",
        Action::SelectUp => "上面一条消息",
        Action::SelectDown => "下面一条消息",
        _ => return None,
    })
}
