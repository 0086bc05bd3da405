//! What a flood by strangers costs the others: 100 people chat while strangers do one thing as fast as they can, over one address or over 64.
//!
//! The server has its default limits. Each figure is printed beside that of the same chat without a flood, measured just before it. The
//! strangers share the processor with the server and with the people, so on a machine with few cores a part of each ratio is their own work.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tchat::chat::{Body, ClientId, InstanceId, NewRoom, Recipient, RoomId, RoomKind, Transport};
use tchat::client::boxed_stream;
use tchat::wire::proto::chat_service_client::ChatServiceClient;
use tchat::wire::{JoinTarget, PersonTarget, Request, proto};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};

use super::medium::{Medium, Place, channel_over};
use super::member::{Readers, ask, try_sign_in};
use super::{Figures, set_up};

const PEOPLE: usize = 100;
/// Messages a second of all people together.
const RATE: u64 = 80;
const MESSAGES: u64 = RATE * 6;
/// Connections of one stranger.
const CONNECTIONS: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flood {
    Posts,
    Accounts,
    Conversations,
    Rooms,
    Searches,
    UnreadAnswers,
    SilentSockets,
}

const FLOODS: [Flood; 7] = [
    Flood::Posts,
    Flood::Accounts,
    Flood::Conversations,
    Flood::Rooms,
    Flood::Searches,
    Flood::UnreadAnswers,
    Flood::SilentSockets,
];

/// Measures all floods and prints a row for each.
#[allow(clippy::cast_precision_loss)] // The results are only read by people.
pub async fn compare() {
    println!(
        "{:<34}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>10}",
        "floods", "p50 ms", "p99 ms", "p99 x", "CPU x", "MiB", "disk KiB", "skipped", "tries/s"
    );
    for addresses in [1, 64] {
        for flood in FLOODS {
            let mut bench = set_up("guard", PEOPLE, Medium::Socket, Readers::AllRead).await;
            let place = bench.server.place();
            let size = || {
                let files = ["tchat.db", "tchat.db-wal"];
                let sizes = files.map(|file| std::fs::metadata(place.directory.join(file)));
                sizes.into_iter().flatten().map(|it| it.len()).sum::<u64>()
            };
            let calm = bench.chat(0, MESSAGES, RATE).await;
            let (memory, disk) = (bench.server.memory(), size());
            let tries = Arc::new(AtomicU64::new(0));
            let mut strangers = JoinSet::new();
            for n in 0..addresses * CONNECTIONS {
                let (place, tries) = (place.clone(), Arc::clone(&tries));
                strangers.spawn(run(flood, place, n, (addresses, bench.room), tries));
            }
            // Until all strangers have begun.
            tokio::time::sleep(Duration::from_secs(1)).await;
            let before = tries.load(Ordering::Relaxed);
            let began = Instant::now();
            let flooded = bench.chat(MESSAGES, MESSAGES, RATE).await;
            let tried = tries.load(Ordering::Relaxed) - before;
            let rate = tried as f64 / began.elapsed().as_secs_f64();
            let grown = bench.server.memory().saturating_sub(memory) as f64 / 1024.0;
            let written = size().saturating_sub(disk) / 1024;
            strangers.shutdown().await;
            report(flood, addresses, &calm, &flooded, (grown, written, rate));
        }
    }
}

fn report(
    flood: Flood,
    addresses: usize,
    calm: &Figures,
    flooded: &Figures,
    (memory, disk, rate): (f64, u64, f64),
) {
    let skipped = MESSAGES.saturating_sub(flooded.latencies.len() as u64);
    println!(
        "{:<34}{:>9.2}{:>9.2}{:>9.2}{:>9.2}{memory:>9.1}{disk:>9}{skipped:>9}{rate:>10.0}",
        format!("  {flood:?} from {addresses}"),
        flooded.percentile(0.5),
        flooded.percentile(0.99),
        flooded.percentile(0.99) / calm.percentile(0.99),
        flooded.cpu() / calm.cpu(),
    );
}

/// Does one thing as fast as possible, for ever.
async fn run(
    flood: Flood,
    place: Place,
    n: usize,
    (addresses, room): (usize, RoomId),
    tries: Arc<AtomicU64>,
) {
    let last = u8::try_from(n % addresses + 2).unwrap_or(2);
    let address = IpAddr::from(Ipv4Addr::new(127, 0, 0, last));
    match flood {
        Flood::SilentSockets => silent(&place, address, &tries).await,
        Flood::Accounts => {
            for account in 0.. {
                let name = 1_000_000 * (n + 1) + account;
                tries.fetch_add(1, Ordering::Relaxed);
                if let Some(channel) = open(&place, address).await {
                    try_sign_in((channel, Transport::ClearText), name).await;
                }
            }
        }
        _ => loop {
            let Some(channel) = open(&place, address).await else {
                continue;
            };
            as_account(flood, channel, (n, room), &tries).await;
        },
    }
}

/// Opens connections and sends nothing.
async fn silent(place: &Place, address: IpAddr, tries: &AtomicU64) {
    let mut open = Vec::new();
    loop {
        tries.fetch_add(1, Ordering::Relaxed);
        match dial(place, address).await {
            Some(stream) => open.push(stream),
            None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
        if open.len() > 200 {
            open.remove(0);
        }
    }
}

/// Signs in with an account of its own, and does one thing until the connection ends.
async fn as_account(flood: Flood, channel: Channel, (n, room): (usize, RoomId), tries: &AtomicU64) {
    let name = 500_000 + n;
    let signed_in = try_sign_in((channel.clone(), Transport::ClearText), name).await;
    let Some(mut member) = signed_in else {
        tokio::time::sleep(Duration::from_millis(20)).await;
        return;
    };
    let (frames, token) = (member.frames.clone(), member.token.clone());
    let general = Request::Join(JoinTarget::Name("general".into()));
    ask(&frames, 0, general).await;
    let reading =
        tokio::spawn(async move { while let Ok(Some(_)) = member.stream.message().await {} });
    let mut service = ChatServiceClient::new(channel);
    for counter in 1.. {
        tries.fetch_add(1, Ordering::Relaxed);
        let asked = match flood {
            Flood::Posts => Request::Post {
                client_id: ClientId {
                    instance: InstanceId::new([9; 16]),
                    counter,
                },
                to: Recipient::Room(room),
                body: Body::Text("x".repeat(8000)),
            },
            Flood::Conversations => {
                Request::Open(PersonTarget::Name(format!("member{}", counter % 100)))
            }
            Flood::Rooms => Request::Create(NewRoom {
                name: format!("room-{n}-{counter}"),
                kind: RoomKind::Public,
                topic: "x".repeat(300),
                capacity: 0,
            }),
            _ => {
                call(flood, &mut service, &token).await;
                continue;
            }
        };
        if frames.is_closed() || reading.is_finished() {
            return;
        }
        ask(&frames, 0, asked).await;
    }
}

/// Makes a call outside the stream.
async fn call(flood: Flood, service: &mut ChatServiceClient<Channel>, token: &[u8]) {
    fn authorised<T>(message: T, token: &[u8]) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        let value = format!("Bearer {}", hex::encode(token));
        let value = value.parse().expect("a header");
        request.metadata_mut().insert("authorization", value);
        request
    }
    if flood == Flood::Searches {
        let asked = proto::SearchRequest {
            phrases: vec!["x".into()],
            open: true,
            ..Default::default()
        };
        drop(service.search(authorised(asked, token)).await);
    } else {
        let asked = proto::ListRoomsRequest::default();
        drop(service.list_rooms(authorised(asked, token)).await);
    }
}

async fn dial(place: &Place, address: IpAddr) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind(SocketAddr::from((address, 0))).ok()?;
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, place.port));
    socket.connect(server).await.ok()
}

async fn open(place: &Place, address: IpAddr) -> Option<Channel> {
    let stream = dial(place, address).await?;
    let endpoint = Endpoint::from_static("http://tchat").connect_timeout(Duration::from_secs(2));
    channel_over(endpoint, boxed_stream(stream)).await
}
