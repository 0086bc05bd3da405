//! What is said in the demo: the bots' lines, and the tour.

/// The words of one language.
#[derive(Debug)]
pub struct Demo {
    /// Whoever has no name.
    pub you: &'static str,
    pub only_here: &'static str,
    pub saves_nothing: &'static str,
    pub welcome: &'static str,
    pub whisper: &'static str,
    /// What the bots are called; two of them talk, whatever the person is called.
    pub bots: [&'static str; 3],
    /// Which of them says what in which room.
    pub say: &'static [(usize, &'static str, &'static str)],
    pub topics: [&'static str; 3],
    pub answers: [&'static str; 3],
    /// What there is to try, in the order of [`crate::tui::content::tour::TourStep::ALL`].
    pub guide: [&'static str; 7],
    /// Which of how many, and what.
    pub tour_step: &'static str,
}

pub(super) static ENGLISH: Demo = Demo {
    you: "you",
    only_here: "this is the demo; tchat without --demo connects",
    saves_nothing: "it is so now, and nothing of the demo is kept",
    welcome: "welcome, @{0}! look around, nothing here lasts",
    whisper: "only you and I read this, {0}; `@name text` works from every room",
    bots: ["ada", "lin", "grace"],
    say: &[
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
            "```rust\nfn main() {\n    println!(\"关键 is found by one character\");\n}\n```",
        ),
        (
            1,
            "general",
            "what is said here is stored before anybody sees it",
        ),
        (
            0,
            "general",
            "and what you write without a connection goes out when there is one",
        ),
        (1, "tech", "long code folds, its colours come by themselves"),
        (
            0,
            "random",
            "rooms with something new have a number in the list",
        ),
        (
            1,
            "general",
            "names line up whatever the script: 张三, ann, 👩🏽‍🚀",
        ),
        (
            0,
            "general",
            "nothing on this screen moves unless something happened",
        ),
        (
            1,
            "general",
            "close the terminal, come back tomorrow: you are where you were",
        ),
        (
            0,
            "general",
            "that was most of it. I'm quiet now unless you say something",
        ),
    ],
    topics: [
        "everybody meets here",
        "machines and what makes them go",
        "everything else",
    ],
    answers: [
        "good to hear from you",
        "indeed. try `Up` in an empty line to mend what you said",
        "noted 👍",
    ],
    guide: [
        "write something and press Enter: everybody here reads it",
        "begin with @{0} and a space: only {0} reads that line",
        "{0} is the next room; {1} finds rooms, people, commands",
        "{0} selects a message: {1} answers, {2} reacts, {3} leaves",
        "{0} finds what was said, in all your rooms",
        "{0} shows the themes while you choose",
        "{0} lists all keys, {1} leaves; tchat alone begins for real",
    ],
    tour_step: "try {0}/{1}: {2}",
};

pub(super) static CHINESE: Demo = Demo {
    you: "你",
    only_here: "这是演示；不带 --demo 的 tchat 才会连接",
    saves_nothing: "现在就是这样；演示中的一切都不保存",
    welcome: "欢迎，@{0}！随便看看，这里什么都不会留下",
    whisper: "只有你我能看到，{0}；在任何房间都可以写“@名字 内容”",
    bots: ["小艾", "小林", "小格"],
    say: &[
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
        (1, "tech", "长代码会折叠，颜色自己就有"),
        (0, "random", "有新消息的房间，列表里会有数字"),
        (1, "general", "不管什么文字，名字都对得齐：张三、ann、👩🏽‍🚀"),
        (0, "general", "没有事情发生，屏幕就一动不动"),
        (1, "general", "关掉终端，明天再来：还在原来的地方"),
        (0, "general", "差不多就这些。你不说话，我也不说了"),
    ],
    topics: ["大家都在这里", "机器，以及怎么让它们动起来", "其他的一切"],
    answers: [
        "很高兴听到你的声音",
        "没错。在空行按 `Up` 可以改刚才说的话",
        "记下了 👍",
    ],
    guide: [
        "写点什么，按 Enter：这里的人都看得到",
        "以 @{0} 加空格开头：那一行只有 {0} 看得到",
        "{0} 到下一个房间；{1} 找房间、人和命令",
        "{0} 选中一条消息：{1} 回复，{2} 回应，{3} 离开",
        "{0} 在你所有的房间里找说过的话",
        "{0} 一边看一边选主题",
        "{0} 列出所有按键，{1} 离开；直接运行 tchat 就正式开始",
    ],
    tour_step: "试试 {0}/{1}：{2}",
};
