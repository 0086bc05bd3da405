//! Private lines and mentions over the bridges.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_line_that_begins_with_a_name_is_private_over_every_bridge() {
    for protocol in ALL.into_iter().filter(|it| it.is_bridge()) {
        let server = Server::start();
        let mut ann = server.joins("ann").await;
        let mut dotted = server.joins("j.r.").await;
        let mut watcher = AnyClient::connects(&server, Protocol::WebSocket, "watcher").await;
        let mut one = AnyClient::connects(&server, protocol, protocol.name()).await;
        let from = format!("@{}", protocol.name());
        one.sends("@ann =1").await;
        ann.sees(&from, "=1").await;
        ann.accepts(&from).await;
        for text in [
            "@ANN =2",
            "＠ann =3",
            "@ann\t=4",
            "@ann\n=5",
            "@ann\u{3000}=6",
            "@ann   =7  \r\n",
            "\u{feff}@ann =8",
            "@ann\u{200b} =9",
            "@j.r. =10",
        ] {
            one.sends(text).await;
        }
        one.sends("=public").await;
        assert_eq!(watcher.receives(1).await[0].1, "=public", "{protocol:?}");
        for n in 2..=9 {
            ann.sees(&from, &format!("={n}")).await;
        }
        dotted.sees(&from, "=10").await;
        assert_eq!(server.log("general").await, ["=public"], "{protocol:?}");
        // The sender sees that the line was private, if the protocol shows senders their own messages.
        if protocol.has_echo() {
            let sent = one.waits_for_text("=1").await;
            let expected = (protocol.name().to_owned(), "[私聊 → ann] =1".to_owned());
            assert_eq!(sent, expected, "{protocol:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_private_line_that_cannot_be_delivered_is_refused_and_never_public() {
    for protocol in ALL.into_iter().filter(|it| it.is_bridge()) {
        let server = Server::start();
        let _ann = server.joins("ann").await;
        let gone = AnyClient::connects(&server, Protocol::User, "gone").await;
        let lobby = channel(&server).await;
        are_here(&lobby, |count| count >= 2).await;
        drop(gone);
        are_here(&lobby, |count| count <= 1).await;
        let mut one = AnyClient::connects(&server, protocol, protocol.name()).await;
        let own = format!("@{} =5", protocol.name());
        let long = format!("@{} =7", "x".repeat(40));
        for (text, words) in [
            ("@nobody =1", "用户 nobody 不在线"),
            ("＠nobody\t=2", "用户 nobody 不在线"),
            ("@gone =3", "用户 gone 不在线"),
            ("@admin =4", "用户 admin 不在线"),
            (own.as_str(), "不能给自己发私聊"),
            ("@аnn =6", "用户 аnn 不在线"),
            (long.as_str(), "不在线"),
            ("@ann ", "请在 @ann 后面输入私聊内容"),
            ("@ann", "请在 @ann 后面输入私聊内容"),
        ] {
            one.sends(text).await;
            let told = one.waits_for_text(words).await;
            assert_eq!(told.0, "系统", "{protocol:?} {text:?}");
        }
        assert!(server.log("general").await.is_empty(), "{protocol:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mention_is_public_over_every_bridge() {
    for protocol in ALL.into_iter().filter(|it| it.is_bridge()) {
        let server = Server::start();
        let mut ann = server.joins("ann").await;
        let mut one = AnyClient::connects(&server, protocol, protocol.name()).await;
        let texts = [
            "@ann, =1",
            "@ann: =2",
            "@ann. =3",
            "@ann， =4",
            " @ann =5",
            "\\@ann =6",
            "@here =7",
            "@Everyone =8",
            "@所有人 =9",
            "@张三你好",
            "= for @ann",
        ];
        for text in texts {
            one.sends(text).await;
        }
        for text in texts {
            ann.sees("general", text).await;
        }
        assert_eq!(server.log("general").await, texts, "{protocol:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn guests_of_different_protocols_can_exchange_private_messages() {
    let server = Server::start();
    let mut all = everybody(&server).await;
    let (_, mut web) = all.pop().unwrap();
    let (_, mut chat) = all.pop().unwrap();
    chat.sends("@web =psst").await;
    assert_eq!(
        web.waits_for_text("=psst").await,
        ("chat".to_owned(), "[私聊] =psst".to_owned())
    );
    web.sends("@chat =yes?").await;
    assert_eq!(
        chat.waits_for_text("=yes?").await,
        ("web".to_owned(), "[私聊] =yes?".to_owned())
    );
    assert!(server.log("general").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_guest_who_is_refused_is_told_why() {
    for protocol in ALL.into_iter().filter(|it| it.is_bridge()) {
        let mut config = config();
        config.hub.presets[0].capacity = 2;
        let words = tchat::text::Keywords::new(["spam"]);
        let refuse = tchat::chat::FilterMode::Refuse;
        config.hub.filter.set(words, refuse);
        let server = Server::with(config, memory());
        let _ann = server.joins("ann").await;
        // The name contains a filtered word.
        let mut named = AnyClient::connects(&server, protocol, "spam").await;
        let told = named.next().await.expect("a reason");
        assert!(told.0 == "系统" && told.1.contains("'spam'"), "{told:?}");
        assert_eq!(named.next().await, None, "{protocol:?}");
        let mut one = AnyClient::connects(&server, protocol, protocol.name()).await;
        one.sends("buy spam").await;
        let told = one.waits_for_text("'spam'").await;
        assert_eq!(told.0, "系统", "{protocol:?}");
        // The room has no place left.
        let mut late = AnyClient::connects(&server, protocol, "late").await;
        let told = late.next().await.expect("a reason");
        assert_eq!(
            told,
            ("系统".to_owned(), "房间 'general' 已满 (2/2)".to_owned())
        );
        assert_eq!(late.next().await, None, "{protocol:?}: stream ends");
        assert!(server.log("general").await.is_empty());
    }
}
