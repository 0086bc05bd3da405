//! The places for connections that have not signed in, so that one address cannot take those of all others.
//!
//! An address has few places, or more if somebody has signed in from there before. Some of all places are only for such addresses. A connection
//! that gets no place waits for one for a while. Meanwhile, connections that have sent no request after [`IDLE`] give theirs up.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::ConnectionLimits;

/// How long a connection waits for a place.
const PLACE_WITHIN: Duration = Duration::from_secs(10);
/// A connection that has sent no request for this long gives up its place if another one waits.
const IDLE: Duration = Duration::from_secs(3);
/// How often a waiting connection looks for such a place.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The most connections that wait, of one address and of all.
const WAITING_PER_ADDRESS: usize = 256;
const WAITING: usize = 2048;
/// The most addresses that are remembered because somebody signed in from there.
pub(crate) const KNOWN: usize = 4096;

/// All places.
#[derive(Clone, Debug)]
pub(super) struct StrangerPlaces {
    state: Arc<Mutex<Places>>,
    limits: ConnectionLimits,
}

#[derive(Debug, Default)]
struct Places {
    taken: HashMap<u64, Holder>,
    by_address: HashMap<IpAddr, usize>,
    waiting: VecDeque<(IpAddr, oneshot::Sender<StrangerPlace>)>,
    /// Where somebody has signed in, and when: a number that rises.
    known: HashMap<IpAddr, u64>,
    next: u64,
}

/// A connection that has a place.
#[derive(Debug)]
struct Holder {
    address: IpAddr,
    since: Instant,
    kill: CancellationToken,
    has_request: Arc<AtomicBool>,
}

/// A place, until this is dropped.
#[derive(Debug)]
pub(super) struct StrangerPlace {
    places: Option<(StrangerPlaces, u64, IpAddr)>,
    /// Drops the connection.
    pub kill: CancellationToken,
    /// The connection has sent a complete request.
    pub has_request: Arc<AtomicBool>,
}

impl StrangerPlaces {
    pub fn new(limits: ConnectionLimits, known: impl IntoIterator<Item = IpAddr>) -> Self {
        let places = Self {
            state: Arc::default(),
            limits,
        };
        for address in known {
            places.remember(address);
        }
        places
    }

    /// Takes a place for a connection, and waits for it if there is none. `None`: there was none in time, or too many wait. A connection
    /// without an address always gets one.
    pub async fn take(&self, address: Option<IpAddr>) -> Option<StrangerPlace> {
        let Some(address) = address else {
            return Some(StrangerPlace {
                places: None,
                kill: CancellationToken::new(),
                has_request: Arc::default(),
            });
        };
        let mut given = {
            let mut state = self.lock();
            if let Some(place) = self.try_take(&mut state, address) {
                return Some(place);
            }
            state.waiting.retain(|(_, waiting)| !waiting.is_closed());
            let waiting = state.waiting.iter();
            let of_address = waiting.filter(|(other, _)| *other == address).count();
            if of_address >= WAITING_PER_ADDRESS || state.waiting.len() >= WAITING {
                return None;
            }
            let (give, given) = oneshot::channel();
            state.waiting.push_back((address, give));
            given
        };
        let wait = async {
            loop {
                tokio::select! {
                    place = &mut given => return place.ok(),
                    () = sleep(LOOK_EVERY) => self.end_idle(address),
                }
            }
        };
        timeout(PLACE_WITHIN, wait).await.ok().flatten()
    }

    /// Remembers that somebody has signed in from an address.
    pub fn remember(&self, address: IpAddr) {
        let mut state = self.lock();
        state.next += 1;
        let now = state.next;
        state.known.insert(address, now);
        if state.known.len() > KNOWN {
            let oldest = state.known.iter().min_by_key(|(_, at)| **at);
            if let Some(oldest) = oldest.map(|(address, _)| *address) {
                state.known.remove(&oldest);
            }
        }
    }

    fn try_take(&self, state: &mut Places, address: IpAddr) -> Option<StrangerPlace> {
        if !self.has_place(state, address) {
            return None;
        }
        state.next += 1;
        let number = state.next;
        let (kill, has_request) = (CancellationToken::new(), Arc::default());
        let holder = Holder {
            address,
            since: Instant::now(),
            kill: kill.clone(),
            has_request: Arc::clone(&has_request),
        };
        state.taken.insert(number, holder);
        *state.by_address.entry(address).or_default() += 1;
        Some(StrangerPlace {
            places: Some((self.clone(), number, address)),
            kill,
            has_request,
        })
    }

    fn has_place(&self, state: &Places, address: IpAddr) -> bool {
        let limits = &self.limits;
        let is_known = state.known.contains_key(&address);
        let (of_address, of_all) = if is_known {
            (limits.strangers_per_known_address, limits.strangers)
        } else {
            let of_all = limits.strangers.saturating_sub(limits.strangers_reserved);
            (limits.strangers_per_address, of_all)
        };
        let taken = state.by_address.get(&address).copied().unwrap_or_default();
        taken < of_address && state.taken.len() < of_all
    }

    /// Ends one connection that has sent no request for a while, for one from this address that waits: of the same address if that has all its
    /// places, otherwise of the address with the most.
    fn end_idle(&self, address: IpAddr) {
        let state = self.lock();
        let is_known = state.known.contains_key(&address);
        let of_address = if is_known {
            self.limits.strangers_per_known_address
        } else {
            self.limits.strangers_per_address
        };
        let count = |address: &IpAddr| state.by_address.get(address).copied().unwrap_or_default();
        let from = if count(&address) >= of_address {
            Some(address)
        } else {
            state.by_address.keys().copied().max_by_key(count)
        };
        let idle = state.taken.values().filter(|it| {
            Some(it.address) == from
                && it.since.elapsed() >= IDLE
                && !it.has_request.load(Ordering::Relaxed)
                && !it.kill.is_cancelled()
        });
        if let Some(oldest) = idle.min_by_key(|it| it.since) {
            oldest.kill.cancel();
        }
    }

    /// Frees a place, and gives places to connections that wait.
    fn free(&self, number: u64, address: IpAddr) {
        let mut given = Vec::new();
        {
            let mut state = self.lock();
            state.taken.remove(&number);
            if let Some(count) = state.by_address.get_mut(&address) {
                *count -= 1;
                if *count == 0 {
                    state.by_address.remove(&address);
                }
            }
            let next = {
                let mut waiting = state.waiting.iter();
                waiting.position(|(address, waiting)| {
                    !waiting.is_closed() && self.has_place(&state, *address)
                })
            };
            if let Some((address, give)) = next.and_then(|next| state.waiting.remove(next))
                && let Some(place) = self.try_take(&mut state, address)
            {
                given.push((give, place));
            }
        }
        // If nobody waits any longer, the place is dropped, which frees it again and locks. So it happens after this lock is released.
        for (give, place) in given {
            let _freed_again = give.send(place);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StrangerPlace {
    fn drop(&mut self) {
        if let Some((places, number, address)) = self.places.take() {
            places.free(number, address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(known: &[u8]) -> StrangerPlaces {
        StrangerPlaces::new(ConnectionLimits::default(), known.iter().map(|n| ip(*n)))
    }

    fn ip(n: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, n])
    }

    /// Takes as many places as there are without waiting, up to `most`.
    fn take_all(places: &StrangerPlaces, n: u8, most: usize) -> Vec<StrangerPlace> {
        let take = || places.try_take(&mut places.lock(), ip(n));
        std::iter::from_fn(take).take(most).collect()
    }

    #[test]
    fn an_address_has_few_places_and_a_known_one_more() {
        let places = places(&[9]);
        assert_eq!(take_all(&places, 1, 999).len(), 16);
        assert_eq!(take_all(&places, 9, 999).len(), 128);
        // All are free again.
        assert_eq!(take_all(&places, 1, 999).len(), 16);
    }

    #[test]
    fn the_last_places_are_for_known_addresses() {
        let places = places(&[99]);
        let mut held = Vec::new();
        for n in 1..=64 {
            held.extend(take_all(&places, n, 999));
        }
        assert_eq!(held.len(), 256 - 64);
        assert_eq!(take_all(&places, 99, 999).len(), 64);
        assert!(take_all(&places, 98, 999).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_gets_a_place_that_becomes_free_in_turn() {
        let places = places(&[]);
        let mut held = take_all(&places, 1, 16);
        let waits = |n| {
            let places = places.clone();
            tokio::spawn(async move { places.take(Some(ip(n))).await })
        };
        let first = waits(1);
        tokio::task::yield_now().await;
        let second = waits(1);
        tokio::task::yield_now().await;
        // Another address does not wait for them.
        assert!(places.take(Some(ip(2))).await.is_some());
        held.pop();
        let first = first.await.unwrap();
        assert!(first.is_some());
        assert!(!second.is_finished());
        drop(first);
        assert!(second.await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever_and_few_wait_at_all() {
        let places = places(&[]);
        let held = take_all(&places, 1, 16);
        for place in &held {
            place.has_request.store(true, Ordering::Relaxed);
        }
        let began = Instant::now();
        assert!(places.take(Some(ip(1))).await.is_none());
        assert_eq!(began.elapsed(), PLACE_WITHIN);
        let waiting: Vec<_> = (0..=WAITING_PER_ADDRESS)
            .map(|_| {
                let places = places.clone();
                tokio::spawn(async move { places.take(Some(ip(1))).await.is_some() })
            })
            .collect();
        sleep(Duration::from_secs(1)).await;
        let refused = waiting.iter().filter(|it| it.is_finished()).count();
        assert_eq!(refused, 1);
        assert!(held.iter().all(|place| !place.kill.is_cancelled()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_gives_up_its_place_to_one_that_waits() {
        let places = places(&[]);
        let mut held = take_all(&places, 1, 16);
        held[0].has_request.store(true, Ordering::Relaxed);
        sleep(IDLE).await;
        let waiting = {
            let places = places.clone();
            tokio::spawn(async move { places.take(Some(ip(1))).await.is_some() })
        };
        sleep(LOOK_EVERY * 3 / 2).await;
        let ended: Vec<bool> = held.iter().map(|it| it.kill.is_cancelled()).collect();
        assert!(!ended[0], "it has sent a request");
        assert_eq!(ended.iter().filter(|it| **it).count(), 1);
        held.retain(|it| !it.kill.is_cancelled());
        assert!(waiting.await.unwrap());
    }

    #[test]
    fn the_number_of_known_addresses_is_bounded() {
        let places = places(&[]);
        let address = |n: usize| IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
        for n in 0..=KNOWN {
            places.remember(address(n));
        }
        let state = places.lock();
        assert_eq!(state.known.len(), KNOWN);
        assert!(!state.known.contains_key(&address(0)));
        assert!(state.known.contains_key(&address(KNOWN)));
    }
}
