//! The texts of the demo: what the bots write, and the tour.

/// The texts of one language.
#[derive(Debug)]
pub struct Demo {
    /// The user's name in the demo if the configured name is not valid.
    pub you: &'static str,
    pub demo_cannot_connect: &'static str,
    pub saves_nothing: &'static str,
    pub welcome: &'static str,
    pub whisper: &'static str,
    /// The names of the bots. Only two of them write: a bot with the user's own name is left out.
    pub bots: [&'static str; 3],
    /// What they write: which bot, in which room, and the text.
    pub script: &'static [(usize, &'static str, &'static str)],
    pub topics: [&'static str; 3],
    pub replies: [&'static str; 3],
    /// The steps of the tour, in the order of [`crate::tui::content::tour::TourStep::ALL`].
    pub guide: [&'static str; 7],
    /// A step: its number, the count of steps, and its text.
    pub tour_step: &'static str,
}

pub(super) static ENGLISH: Demo = Demo {
    you: "you",
    demo_cannot_connect: "this is the demo; run tchat without --demo to connect",
    saves_nothing: "changed for now; the demo saves nothing",
    welcome: "welcome, @{0}! look around, nothing here is saved",
    whisper: "only you and I can see this, {0}; `@name text` works in every room",
    bots: ["ada", "lin", "grace"],
    script: &[
        (0, "general", "morning! the **new build** is green :)"),
        (1, "general", "早上好 👋 shall we ship it today?"),
        (
            0,
            "general",
            "yes. notes are at https://example.org/notes, `cargo test` takes a minute",
        ),
        (
            1,
            "tech",
            "```rust\nfn main() {\n    println!(\"search finds 关键 by a single character\");\n}\n```",
        ),
        (
            1,
            "general",
            "every message is stored before anyone sees it",
        ),
        (
            0,
            "general",
            "and what you write offline is sent when you are back online",
        ),
        (1, "tech", "long code is folded, with syntax highlighting"),
        (
            0,
            "random",
            "rooms with unread messages have a number in the list",
        ),
        (1, "general", "names line up in any script: 张三, ann, 👩🏽‍🚀"),
        (
            0,
            "general",
            "nothing on this screen moves unless something happens",
        ),
        (
            1,
            "general",
            "close the terminal and come back tomorrow: you are where you left off",
        ),
        (
            0,
            "general",
            "that was most of it. I'll be quiet now unless you write something",
        ),
    ],
    topics: [
        "everyone meets here",
        "machines and how to run them",
        "everything else",
    ],
    replies: [
        "good to hear from you",
        "right. press `Up` on an empty line to edit your last message",
        "noted 👍",
    ],
    guide: [
        "write something and press Enter: everyone here sees it",
        "start with @{0} and a space: only {0} sees that message",
        "go to the next room with {0}; find anything with {1}",
        "select a message with {0}: {1} replies, {2} reacts, {3} closes",
        "search all your rooms with {0}",
        "preview the themes with {0}",
        "see all keys with {0}, quit with {1}; then run tchat for real",
    ],
    tour_step: "tip {0}/{1}: {2}",
};

pub(super) static CHINESE: Demo = Demo {
    you: "你",
    demo_cannot_connect: "这是演示；要连接服务器，请运行不带 --demo 的 tchat",
    saves_nothing: "已临时更改；演示不会保存任何内容",
    welcome: "欢迎，@{0}！随便看看，这里什么都不会留下",
    whisper: "只有你我能看到，{0}；在任何房间都可以写“@名字 内容”",
    bots: ["小艾", "小林", "小格"],
    script: &[
        (0, "general", "早！**新版本**测试全过了 :)"),
        (1, "general", "早上好 👋 今天发布吗？"),
        (
            0,
            "general",
            "发。说明在 https://example.org/notes ，`cargo test` 一分钟就好",
        ),
        (
            1,
            "tech",
            "```rust\nfn main() {\n    println!(\"搜一个字就能找到：关键\");\n}\n```",
        ),
        (1, "general", "这里说的话先存好，别人才看得到"),
        (0, "general", "没有连接时写的，连上了就会发出去"),
        (1, "tech", "长代码会折叠，还有语法高亮"),
        (0, "random", "有新消息的房间，列表里会有数字"),
        (1, "general", "不管什么文字，名字都对得齐：张三、ann、👩🏽‍🚀"),
        (0, "general", "没有事情发生，屏幕就一动不动"),
        (1, "general", "关掉终端，明天再来：还在原来的地方"),
        (0, "general", "差不多就这些。你不说话，我也不说了"),
    ],
    topics: ["大家都在这里", "机器，以及怎么运行它们", "其他的一切"],
    replies: [
        "很高兴收到你的消息",
        "没错。在空行按 `Up` 可以改刚才说的话",
        "记下了 👍",
    ],
    guide: [
        "写点什么，按 Enter：这里的人都看得到",
        "以 @{0} 加空格开头：那条消息只有 {0} 看得到",
        "{0} 到下一个房间；{1} 找房间、人和命令",
        "{0} 选中一条消息：{1} 回复，{2} 回应，{3} 返回",
        "{0} 在你所有的房间里搜索消息",
        "{0} 预览主题",
        "{0} 列出所有按键，{1} 退出；然后直接运行 tchat，正式开始聊天",
    ],
    tour_step: "提示 {0}/{1}：{2}",
};
