//! The baseline: a TCP server that reads lines and sends all lines that arrived together to everyone in one write. It stores nothing,
//! encodes nothing and checks nothing, so no chat server can be faster.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, broadcast, mpsc};

use super::{Figures, IN_FLIGHT, SENDERS, Server, text};

/// The bytes of one write.
const BATCH: usize = 64 * 1024;

pub async fn serve(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .expect("a port");
    let (posts, mut posted) = mpsc::channel::<Vec<u8>>(1024);
    let (batches, _) = broadcast::channel::<Bytes>(4096);
    let sender = batches.clone();
    tokio::spawn(async move {
        while let Some(first) = posted.recv().await {
            let mut batch = first;
            while batch.len() < BATCH
                && let Ok(next) = posted.try_recv()
            {
                batch.extend_from_slice(&next);
            }
            // Without receivers there is nothing to send.
            let _alone = sender.send(batch.into());
        }
    });
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).expect("a socket");
        let (reading, mut writing) = stream.into_split();
        let (posts, mut batches) = (posts.clone(), batches.subscribe());
        tokio::spawn(async move {
            while let Ok(batch) = batches.recv().await {
                if writing.write_all(&batch).await.is_err() {
                    return;
                }
            }
        });
        tokio::spawn(async move {
            let mut lines = BufReader::new(reading);
            let mut line = Vec::new();
            while lines
                .read_until(b'\n', &mut line)
                .await
                .is_ok_and(|read| read > 0)
            {
                if posts.send(std::mem::take(&mut line)).await.is_err() {
                    return;
                }
            }
        });
    }
}

#[allow(clippy::naive_bytecount)] // A faster count would need a crate that tchat does not use.
pub async fn saturated(members: usize) -> Figures {
    let server = Server::start("peer").await;
    let delivered = Arc::new(AtomicU64::new(0));
    let permits = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut senders = Vec::new();
    for n in 0..members {
        let stream = TcpStream::connect(("127.0.0.1", server.port))
            .await
            .expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let (mut reading, writing) = stream.into_split();
        senders.push(writing);
        let (delivered, permits) = (Arc::clone(&delivered), Arc::clone(&permits));
        tokio::spawn(async move {
            let mut buffer = vec![0; BATCH];
            while let Ok(read @ 1..) = reading.read(&mut buffer).await {
                let lines = buffer[..read].iter().filter(|byte| **byte == b'\n').count();
                delivered.fetch_add(lines as u64, Ordering::Relaxed);
                if n == 0 {
                    permits.add_permits(lines);
                }
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (began, cpu) = (Instant::now(), server.cpu());
    let mut n = 0;
    while began.elapsed() < Duration::from_secs(5) {
        permits.acquire().await.expect("open").forget();
        let line = text(Duration::ZERO, n) + "\n";
        let sender = &mut senders[usize::try_from(n).unwrap_or(0) % SENDERS];
        sender
            .write_all(line.as_bytes())
            .await
            .expect("a connection");
        n += 1;
    }
    let all = n * members as u64;
    while delivered.load(Ordering::Relaxed) < all {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (over, cpu) = (began.elapsed(), server.cpu().saturating_sub(cpu));
    Figures {
        deliveries: all,
        over,
        cpu,
        latencies: Vec::new(),
    }
}
