//! What a connection costs the server: its handshake with the sign-in, and its memory while nothing happens.

use std::time::{Duration, Instant};

use futures::StreamExt;
use tonic::transport::Endpoint;

use super::Server;
use super::medium::{Medium, connect};
use super::member::sign_in;

/// How many people sign in, and how many of them at the same time.
const PEOPLE: usize = 500;
const AT_ONCE: usize = 8;

pub struct Cost {
    /// Sign-ins per second of people who are new, and of the same people again.
    pub new_per_second: f64,
    pub known_per_second: f64,
    /// The server's CPU time for the sign-in of a person who is known.
    pub cpu: Duration,
    /// The server's memory for each connection, in KiB.
    pub memory: f64,
}

/// Signs people in, twice, and keeps their connections open.
#[allow(clippy::cast_precision_loss)] // The results are only read by people.
pub async fn measure(medium: Medium) -> Cost {
    let server = Server::start("serve").await;
    let sign_in_all = async || {
        let began = Instant::now();
        let signing_in = futures::stream::iter(0..PEOPLE).map(|n| {
            let place = server.place();
            async move {
                let endpoint = Endpoint::from_static("http://tchat");
                let connected = connect(endpoint, &place, medium).await;
                sign_in(connected, n).await
            }
        });
        let all: Vec<_> = signing_in.buffer_unordered(AT_ONCE).collect().await;
        (all, PEOPLE as f64 / began.elapsed().as_secs_f64())
    };
    let (first, new_per_second) = sign_in_all().await;
    drop(first);
    // The server's work for those who leave is not part of the figures.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (memory, cpu) = (server.memory(), server.cpu());
    let (all, known_per_second) = sign_in_all().await;
    let cpu = server.cpu().saturating_sub(cpu) / u32::try_from(PEOPLE).expect("a small number");
    let memory = server.memory().saturating_sub(memory) as f64 / PEOPLE as f64;
    drop(all);
    Cost {
        new_per_second,
        known_per_second,
        cpu,
        memory,
    }
}
