//! Limits for calls beside the stream: lists, history, searches, and answers that nobody reads.

use super::*;

/// Calls until a limit is reached; returns how many calls were answered, and the refusal.
async fn calls_until<T, F>(mut call: impl FnMut() -> F) -> (u32, Refusal)
where
    F: Future<Output = Result<T, tonic::Status>>,
{
    for n in 0..100 {
        if let Err(status) = call().await {
            return (n, limit_refusal(&status).expect("a limit"));
        }
    }
    panic!("no limit")
}

#[tokio::test(start_paused = true)]
async fn lists_history_and_searches_are_limited_by_the_second() {
    let mut config = config();
    config.hub.quotas.set(Limit::Calls, 5);
    config.hub.quotas.set(Limit::Searches, 2);
    let server = Server::with(config, memory());
    let (ann, room) = Raw::join(&server, "ann", "general").await;
    let rooms = || {
        let (mut service, asked) = (
            ann.service.clone(),
            ann.authorised(proto::ListRoomsRequest::default()),
        );
        async move { service.list_rooms(asked).await }
    };
    let (answered, over) = calls_until(rooms).await;
    assert_eq!(answered, 5);
    assert_limit(&over, Limit::Calls, 5);
    let history = proto::GetHistoryRequest {
        room: room.bytes().to_vec(),
        ..Default::default()
    };
    let mut service = ann.service.clone();
    let refused = service.get_history(ann.authorised(history)).await;
    assert!(limit_refusal(&refused.unwrap_err()).is_some());
    let search = || {
        let (mut service, asked) = (
            ann.service.clone(),
            ann.authorised(proto::SearchRequest::default()),
        );
        async move { service.search(asked).await }
    };
    let (answered, over) = calls_until(search).await;
    assert_eq!(answered, 2);
    assert_limit(&over, Limit::Searches, 2);
    // The client waits by itself.
    let mut ben = Person::start(server.connector(), "ben");
    ben.is_in("general").await;
    for _ in 0..12 {
        ben.client.send(tchat::client::Command::ListRooms).unwrap();
    }
    for _ in 0..12 {
        while !matches!(ben.next().await, tchat::client::Event::Rooms(_)) {}
    }
}

/// A client that calls, answers pings, and reads no answer.
struct Deaf {
    calls: h2::client::SendRequest<Bytes>,
    answers: Vec<h2::client::ResponseFuture>,
    connection: JoinHandle<()>,
}

impl Deaf {
    async fn connects(server: &Server) -> Self {
        let mut builder = h2::client::Builder::new();
        let pipe = server.dial().await;
        let (calls, connection) = builder
            .initial_window_size(100)
            .handshake(pipe)
            .await
            .unwrap();
        Self {
            calls,
            answers: Vec::new(),
            connection: tokio::spawn(async { drop(connection.await) }),
        }
    }

    fn asks<M: Message>(&mut self, path: &str, call: &tonic::Request<M>) {
        let token = call.metadata().get("authorization").unwrap();
        let request = http::Request::post(format!("http://tchat{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", token.to_str().unwrap())
            .body(())
            .unwrap();
        let message = call.get_ref().encode_to_vec();
        let mut framed = vec![0];
        framed.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        framed.extend(message);
        let (answer, mut body) = self.calls.send_request(request, false).unwrap();
        body.send_data(framed.into(), true).unwrap();
        self.answers.push(answer);
    }

    /// Waits until the server has dropped the connection.
    async fn ends(self) {
        self.connection.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_nobody_reads_are_limited_and_end_their_connection() {
    let server = with_limit(Limit::UnreadAnswers, 3);
    let (mut ann, room) = Raw::join(&server, "ann", "general").await;
    for n in 1..=40 {
        let long = Body::Text("x".repeat(8000));
        assert_eq!(posts(&mut ann, room, n, long).await, None);
    }
    // A second connection of hers asks for pages and reads none of them: its pipe is much smaller than they are.
    let history = proto::GetHistoryRequest {
        room: room.bytes().to_vec(),
        ..Default::default()
    };
    let mut deaf = Deaf::connects(&server).await;
    for _ in 0..3 {
        deaf.asks(
            "/tchat.v1.ChatService/GetHistory",
            &ann.authorised(history.clone()),
        );
    }
    sleep(Duration::from_secs(1)).await;
    let mut service = ann.service.clone();
    let refused = service.get_history(ann.authorised(history.clone())).await;
    let refusal = limit_refusal(&refused.unwrap_err()).expect("a limit");
    assert_eq!(refusal.arguments, ["unread_answers", "3"]);
    // Then its connection ends, although it answers pings, and she can read again.
    let began = Instant::now();
    deaf.ends().await;
    assert!(began.elapsed() <= STALLED * 2, "{:?}", began.elapsed());
    sleep(Duration::from_secs(1)).await;
    let read = service.get_history(ann.authorised(history)).await;
    assert_eq!(read.unwrap().into_inner().entries.len(), 32);
}

#[tokio::test(start_paused = true)]
async fn a_long_list_of_rooms_comes_in_pages_and_the_client_shows_all_of_it() {
    let mut config = config();
    config.hub.quotas.set(Limit::RoomsOwned, 0);
    let server = Server::with(config, memory());
    let (mut ann, _) = Raw::enter(&server, "ann").await;
    for n in 0..450 {
        let create = Request::Create(NewRoom {
            name: format!("room{n}"),
            topic: format!("about {n}"),
            kind: RoomKind::Public,
            capacity: 0,
        });
        assert_eq!(asks(&mut ann, create).await, None);
    }
    let (mut sizes, mut names) = (Vec::new(), Vec::new());
    let mut asked = proto::ListRoomsRequest::default();
    loop {
        let call = ann.authorised(asked.clone());
        let page = ann.service.list_rooms(call).await.unwrap().into_inner();
        sizes.push(page.rooms.len());
        names.extend(page.rooms.into_iter().map(|room| room.name));
        asked.page = page.next_page;
        if asked.page.is_empty() {
            break;
        }
    }
    assert_eq!(sizes, [200, 200, 53]);
    assert_eq!(names[..3], ["general", "tech", "random"]);
    let mut expected: Vec<String> = (0..450).map(|n| format!("room{n}")).collect();
    expected.sort();
    assert_eq!(names[3..], expected);
    let mut ben = Person::start(server.connector(), "ben");
    let directory = ben.until("the rooms", |_, event| match event {
        tchat::client::Event::Directory(rooms) => Some(rooms.len()),
        _ => None,
    });
    assert_eq!(directory.await, 453);
}
