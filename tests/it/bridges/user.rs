//! The `user.UserService` bridge.

use std::time::Duration;

use tchat::chat::{Recipient, RequestDirection};
use tchat::client::{Command, Event as ClientEvent, PersonRef};
use tonic::Code;

use crate::support::bridge_clients::Call;
use crate::support::bridge_clients::user::{ChatMessage, ChatRequest, ChatResponse};
use crate::support::person::Person;
use crate::support::raw_client::channel;
use crate::support::server::Server;

pub const PATH: &str = "/user.UserService/Chat";

pub type Client = Call<ChatRequest, ChatResponse>;

pub fn request(id: i64, name: &str, action: &str, content: &str) -> ChatRequest {
    ChatRequest {
        user_id: id,
        username: name.into(),
        content: content.into(),
        action: action.into(),
    }
}

/// A client that has joined and read its welcome.
pub async fn joins(server: &Server, id: i64, name: &str) -> Client {
    let mut client = Client::open(server, PATH).await;
    client.send(request(id, name, "join", "")).await;
    let welcome = client.receives().await;
    assert_eq!(welcome.status, "joined", "{welcome:?}");
    client
}

fn message(response: &ChatResponse) -> &ChatMessage {
    response
        .message
        .as_ref()
        .expect("the message is always set")
}

/// All fields of a response except the timestamp, which must be about now.
fn of(response: &ChatResponse) -> (i64, &str, &str, &str, &str, i32) {
    let message = message(response);
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let at = u64::try_from(message.timestamp).unwrap();
    assert!(now.abs_diff(at) < 100, "seconds: {at}");
    (
        message.user_id,
        &message.username,
        &message.content,
        &message.message_type,
        &response.status,
        response.online_users,
    )
}

#[tokio::test(start_paused = true)]
async fn a_join_is_welcomed_and_announced_to_the_others() {
    let server = Server::start();
    let mut zhang = Client::open(&server, PATH).await;
    zhang.send(request(7, "张三", "join", "")).await;
    let welcome = zhang.receives().await;
    let words = "欢迎 张三 加入聊天室！";
    assert_eq!(of(&welcome), (0, "系统", words, "system", "joined", 1));

    let mut li = Client::open(&server, PATH).await;
    li.send(request(8, "李四", "join", "")).await;
    let welcome = li.receives().await;
    assert_eq!(of(&welcome).5, 2, "the joiner is counted");
    let told = zhang.receives().await;
    let words = "李四 加入了聊天室";
    assert_eq!(of(&told), (8, "李四", words, "join", "broadcast", 2));
    assert!(li.is_quiet().await, "nobody is notified of their own join");
}

#[tokio::test(start_paused = true)]
async fn a_message_goes_to_all_and_its_author_cannot_be_forged() {
    let server = Server::start();
    let mut zhang = joins(&server, 7, "张三").await;
    let mut li = joins(&server, 8, "李四").await;
    zhang.receives().await;
    li.send(request(7, "张三", "message", "大家好")).await;
    for client in [&mut zhang, &mut li] {
        let said = client.receives().await;
        assert_eq!(of(&said), (8, "李四", "大家好", "text", "broadcast", 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_before_the_join_gets_a_notice_and_the_stream_continues() {
    let server = Server::start();
    let mut zhang = Client::open(&server, PATH).await;
    zhang.send(request(7, "张三", "message", "hello")).await;
    let notice = zhang.receives().await;
    let words = "请先加入聊天室";
    assert_eq!(of(&notice), (0, "系统", words, "system", "error", 0));
    zhang.send(request(7, "张三", "dance", "")).await;
    zhang.send(request(7, "张三", "join", "")).await;
    assert_eq!(zhang.receives().await.status, "joined");
    zhang.send(request(9, "王五", "join", "")).await;
    assert_eq!(
        zhang.receives().await.status,
        "error",
        "one name per stream"
    );
    assert!(server.log("general").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_leave_a_cancel_and_a_half_close_are_announced_alike() {
    let server = Server::start();
    let mut zhang = joins(&server, 7, "张三").await;
    let mut li = joins(&server, 8, "李四").await;
    zhang.receives().await;
    let words = "李四 离开了聊天室";
    let left = (8, "李四", words, "leave", "broadcast", 1);

    li.send(request(8, "李四", "leave", "")).await;
    assert_eq!(li.ends().await.code(), Code::Ok, "without another message");
    assert_eq!(of(&zhang.receives().await), left);

    // A cancel: the original client always ends like this.
    let li = joins(&server, 8, "李四").await;
    zhang.receives().await;
    drop(li);
    assert_eq!(of(&zhang.receives().await), left);

    let mut li = joins(&server, 8, "李四").await;
    zhang.receives().await;
    li.half_closes();
    let status = li.ends().await;
    assert_eq!((status.code(), status.message()), (Code::Unknown, "EOF"));
    assert_eq!(of(&zhang.receives().await), left);
}

#[tokio::test(start_paused = true)]
async fn a_taken_name_or_user_id_is_refused_and_its_holder_keeps_it() {
    let server = Server::start();
    let mut zhang = joins(&server, 7, "张三").await;
    for (id, name, reason) in [
        (7, "李四", "用户 ID 7 已被占用"),
        (8, "张三", "用户名 '张三' 已被占用"),
        (9, "系统", "用户名 '系统' 是保留名称"),
        (10, "a b", "用户名 'a b' 无效"),
        (11, "", "用户名 '' 无效"),
        // Both are taken: the user id is reported, because the client cannot change it by choosing another name.
        (7, "张三", "用户 ID 7 已被占用"),
    ] {
        let mut second = Client::open(&server, PATH).await;
        second.send(request(id, name, "join", "")).await;
        let refused = second.receives().await;
        let (_, by, words, kind, status, _) = of(&refused);
        assert_eq!((by, kind, status), ("系统", "system", "error"), "{name}");
        assert!(words.contains(reason), "{words}");
        assert_eq!(second.ends().await.code(), Code::Ok);
    }
    zhang
        .send(request(7, "张三", "message", "still here"))
        .await;
    assert_eq!(of(&zhang.receives().await).2, "still here");
    drop(zhang);
    // Both are free again as soon as the guest has left.
    let mut watcher = joins(&server, 1, "watcher").await;
    let mut zhang = joins(&server, 7, "张三").await;
    assert_eq!(of(&watcher.receives().await).0, 7);
    zhang.send(request(7, "张三", "leave", "")).await;
    zhang.ends().await;
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_the_call_ends_the_stream_and_leaves_the_room() {
    let server = Server::start();
    let mut watcher = joins(&server, 1, "watcher").await;
    let channel = channel(&server).await;
    let within = Some(Duration::from_secs(30));
    let mut zhang = Client::on(channel, PATH, within).await;
    let began = tokio::time::Instant::now();
    zhang.send(request(7, "张三", "join", "")).await;
    zhang.receives().await;
    watcher.receives().await;
    // The client's own timer may end the call first, so two codes are possible.
    let ended = zhang.ends().await;
    assert!(
        matches!(ended.code(), Code::DeadlineExceeded | Code::Cancelled),
        "{ended}"
    );
    assert_eq!(began.elapsed().as_secs(), 30);
    assert_eq!(of(&watcher.receives().await).3, "leave");
}

#[tokio::test(start_paused = true)]
async fn a_private_message_is_marked_and_people_of_other_protocols_get_a_user_id() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let mut zhang = joins(&server, 7, "张三").await;
    let room = ann.room("general").unwrap();
    ann.posts(Recipient::Room(room), "to all");
    let said = zhang.receives().await;
    let number = of(&said).0;
    assert!(number > 0, "{number}");
    assert_eq!(of(&said), (number, "ann", "to all", "text", "broadcast", 2));
    ann.whispers("张三", "the token");
    let whispered = zhang.receives().await;
    let words = "[私聊] the token";
    assert_eq!(
        of(&whispered),
        (number, "ann", words, "text", "broadcast", 2)
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_private_message_of_a_guest_is_a_request() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let mut zhang = joins(&server, 7, "张三").await;
    let writes = async |zhang: &mut Client, text: &str| {
        zhang.send(request(7, "张三", "message", text)).await;
        let answer = zhang.receives().await;
        let (_, _, said, _, status, _) = of(&answer);
        (status.to_owned(), said.to_owned())
    };
    let (status, said) = writes(&mut zhang, "@ann 你好").await;
    assert_eq!(said, "[私聊 → ann] 你好", "{status}");
    let is_request = |_: &Person, event: &ClientEvent| match event {
        ClientEvent::Room { room, .. } => {
            (room.request == Some(RequestDirection::Incoming)).then_some(())
        }
        _ => None,
    };
    ann.until("a request", is_request).await;
    let (status, said) = writes(&mut zhang, "@ann 在吗").await;
    assert_eq!(status, "error");
    assert_eq!(said, "ann 还没有接受您的第一条私聊，接受之前不能继续发送");
    ann.accepts("@张三").await;
    let (_, said) = writes(&mut zhang, "@ann 谢谢").await;
    assert_eq!(said, "[私聊 → ann] 谢谢");
    let block = Command::Block {
        person: PersonRef::Name("张三".into()),
        is_on: true,
    };
    ann.client.send(block).unwrap();
    let is_blocked = |_: &Person, event: &ClientEvent| match event {
        ClientEvent::Settings(settings) => (!settings.blocked.is_empty()).then_some(()),
        _ => None,
    };
    ann.until("a blocked guest", is_blocked).await;
    let (status, said) = writes(&mut zhang, "@ann 为什么").await;
    assert_eq!(status, "error");
    assert_eq!(said, "ann 现在不接收您的私聊，消息没有发送");
}

#[tokio::test(start_paused = true)]
async fn an_invalid_message_is_refused_in_chinese_and_not_stored() {
    let server = Server::start();
    let mut zhang = joins(&server, 7, "张三").await;
    let long = "x".repeat(8193);
    for (text, words) in [
        ("", "消息不能为空"),
        (long.as_str(), "消息太长"),
        ("\u{1b}[2J", "控制字符"),
    ] {
        zhang.send(request(7, "张三", "message", text)).await;
        let refused = zhang.receives().await;
        let (_, by, said, _, status, _) = of(&refused);
        assert!(
            by == "系统" && status == "error" && said.contains(words),
            "{said}"
        );
    }
    let most = "x".repeat(8192);
    zhang.send(request(7, "张三", "message", &most)).await;
    assert_eq!(of(&zhang.receives().await).2, most);
    assert_eq!(server.log("general").await, [most]);
}
