//! The words about requests of strangers, and about blocked people.

words! {
    /// What the screen says about requests of strangers and blocked people.
    Requests {
        /// The title of the list. `{0}` is the number of requests.
        title,
        /// The number of requests, in the status line.
        count,
        none,
        /// The keys of the list.
        list_hint,
        /// Shown above the composer of a request. `{0}` is the person.
        incoming,
        /// The same for a narrow screen.
        incoming_short,
        /// Shown above the composer until the other person has accepted. `{0}` is the person.
        outgoing,
        outgoing_short,
        /// A line of plain mode. `{0}` is the person, `{1}` their message.
        arrived,
        accepted,
        /// The other person has accepted.
        was_accepted,
        declined,
        /// There is no request of this person.
        unknown,
        /// What a request is called in the list of rooms to choose from.
        mark,
        blocked,
        /// Written after the name of a blocked person in the list of ignored people.
        blocked_mark,
        about_answer,
    }
}

pub static ENGLISH: Requests = Requests {
    title: "REQUESTS {0}",
    count: "requests {0}",
    none: "No message requests",
    list_hint: "Enter read · then /accept, /decline or /block",
    incoming: "{0} wants to message you · reply or /accept · /decline · /block {0}",
    incoming_short: "Reply, /accept, /decline or /block",
    outgoing: "{0} has to accept your first message before you can send more",
    outgoing_short: "{0} has not accepted yet",
    arrived: "message request from {0}: {1} · /accept {0} · /decline {0} · /block {0}",
    accepted: "You can now message each other",
    was_accepted: "{0} accepted your message",
    declined: "Declined; {0} cannot message you",
    unknown: "There is no message request from '{0}'; /requests lists them",
    mark: "message request",
    blocked: "{0} is blocked and cannot contact you; /unblock {0} undoes it",
    blocked_mark: "blocked",
    about_answer: "answer the request",
};

pub static CHINESE: Requests = Requests {
    title: "消息请求 {0}",
    count: "请求 {0}",
    none: "没有消息请求",
    list_hint: "Enter 查看 · 然后用 /accept、/decline 或 /block",
    incoming: "{0} 想给你发消息 · 回复或 /accept 接受 · /decline 拒绝 · /block {0} 拉黑",
    incoming_short: "回复或 /accept · /decline · /block",
    outgoing: "{0} 接受你的第一条消息后，你才能继续发送",
    outgoing_short: "{0} 还没有接受",
    arrived: "{0} 的消息请求：{1} · /accept {0} 接受 · /decline {0} 拒绝 · /block {0} 拉黑",
    accepted: "你们现在可以互发消息了",
    was_accepted: "{0} 接受了你的消息",
    declined: "已拒绝；{0} 不能给你发消息",
    unknown: "没有来自“{0}”的消息请求；用 /requests 查看",
    mark: "消息请求",
    blocked: "已拉黑 {0}，对方无法联系你；用 /unblock {0} 取消",
    blocked_mark: "已拉黑",
    about_answer: "处理这个请求",
};
