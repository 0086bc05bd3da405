//! A proxy between client and server that simulates a bad network. Its faults are derived from a seed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// The faults of the network. Probabilities are per chunk, in thousandths.
#[derive(Clone, Copy, Debug, Default)]
pub struct NetworkFaults {
    pub latency: Duration,
    /// The maximum extra latency, chosen at random for each chunk.
    pub jitter: Duration,
    /// Bytes per second; 0: unlimited.
    pub bandwidth: u64,
    /// Maximum bytes per write; 0: unlimited.
    pub slice: usize,
    /// The probability of a pause, and its length.
    pub stall: (u64, Duration),
    /// The probability that only half of the chunk is forwarded and the connection is then closed.
    pub truncate: u64,
    /// The probability that one bit is flipped.
    pub flip: u64,
    /// The probability that the chunk is sent twice.
    pub duplicate: u64,
}

/// A deterministic pseudo-random number generator (splitmix64).
#[derive(Debug)]
struct Dice(AtomicU64);

impl Dice {
    fn roll(&self) -> u64 {
        let mut z = self
            .0
            .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
            .wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&self, limit: u64) -> u64 {
        self.roll() % limit.max(1)
    }

    fn happens(&self, in_a_thousand: u64) -> bool {
        self.below(1000) < in_a_thousand
    }
}

struct Inner {
    target: u16,
    faults: Mutex<NetworkFaults>,
    dice: Dice,
    /// The number of connections accepted so far.
    accepted: AtomicU64,
    /// Cancelled to cut every current connection.
    cut: Mutex<CancellationToken>,
    /// Cancelled to leave every current connection open without passing any data.
    half_open: Mutex<CancellationToken>,
}

/// The proxy. It stops when it is dropped.
pub struct Chaos {
    pub port: u16,
    inner: Arc<Inner>,
    _runtime: Runtime,
}

/// Returns a listener on a free port of this machine, and the runtime of a proxy.
pub fn socket(port: u16) -> (Runtime, TcpListener) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", port)));
    (runtime, listener.unwrap())
}

impl Chaos {
    /// Starts a proxy for a port of this machine.
    pub fn before(target: u16, seed: u64, faults: NetworkFaults) -> Self {
        let (runtime, listener) = socket(0);
        let port = listener.local_addr().unwrap().port();
        let inner = Arc::new(Inner {
            target,
            faults: Mutex::new(faults),
            dice: Dice(AtomicU64::new(seed)),
            accepted: AtomicU64::new(0),
            cut: Mutex::default(),
            half_open: Mutex::default(),
        });
        let accepting = Arc::clone(&inner);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.accepted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(carry(Arc::clone(&accepting), stream));
            }
        });
        Self {
            port,
            inner,
            _runtime: runtime,
        }
    }

    /// The number of connections accepted so far.
    pub fn accepted(&self) -> u64 {
        self.inner.accepted.load(Ordering::SeqCst)
    }

    pub fn faults(&self, weather: NetworkFaults) {
        *self.inner.faults.lock().unwrap() = weather;
    }

    /// Cuts every current connection.
    pub fn cuts(&self) {
        std::mem::take(&mut *self.inner.cut.lock().unwrap()).cancel();
    }

    /// Leaves every current connection open and passes no more data through it.
    pub fn half_opens(&self) {
        std::mem::take(&mut *self.inner.half_open.lock().unwrap()).cancel();
    }
}

async fn carry(inner: Arc<Inner>, client: TcpStream) {
    let cut = inner.cut.lock().unwrap().clone();
    let half_open = inner.half_open.lock().unwrap().clone();
    let carried = async {
        let Ok(server) = TcpStream::connect(("127.0.0.1", inner.target)).await else {
            return;
        };
        let _slow = (client.set_nodelay(true), server.set_nodelay(true));
        let (client_in, client_out) = client.into_split();
        let (server_in, server_out) = server.into_split();
        // When one direction ends, the whole connection ends.
        tokio::select! {
            () = pump(&inner, client_in, server_out, &half_open) => {}
            () = pump(&inner, server_in, client_out, &half_open) => {}
        }
    };
    tokio::select! {
        () = carried => {}
        () = cut.cancelled() => {}
    }
}

async fn pump(
    inner: &Inner,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    half_open: &CancellationToken,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if half_open.is_cancelled() {
            std::future::pending::<()>().await;
        }
        let faults = *inner.faults.lock().unwrap();
        let (dice, chunk) = (&inner.dice, &mut buffer[..read]);
        let jitter = u64::try_from(faults.jitter.as_micros()).unwrap_or(0);
        sleep(faults.latency + Duration::from_micros(dice.below(jitter + 1))).await;
        if dice.happens(faults.stall.0) {
            sleep(faults.stall.1).await;
        }
        if dice.happens(faults.flip) {
            let place = usize::try_from(dice.below(read as u64)).unwrap_or(0);
            chunk[place] ^= 1 << dice.below(8);
        }
        let is_torn = dice.happens(faults.truncate);
        let length = if is_torn { read / 2 } else { read };
        let times = 1 + usize::from(dice.happens(faults.duplicate));
        for _ in 0..times {
            if write(&mut to, &chunk[..length], faults).await.is_err() {
                return;
            }
        }
        if is_torn {
            return;
        }
    }
}

async fn write(
    to: &mut OwnedWriteHalf,
    bytes: &[u8],
    faults: NetworkFaults,
) -> std::io::Result<()> {
    let slice = if faults.slice == 0 {
        bytes.len().max(1)
    } else {
        faults.slice
    };
    for part in bytes.chunks(slice) {
        to.write_all(part).await?;
        if faults.slice > 0 {
            // Send each part as its own packet.
            tokio::task::yield_now().await;
        }
        if let Some(micros) = (part.len() as u64 * 1_000_000).checked_div(faults.bandwidth) {
            sleep(Duration::from_micros(micros)).await;
        }
    }
    Ok(())
}
