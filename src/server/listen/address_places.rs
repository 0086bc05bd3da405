//! The limit for the connections of one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The number of connections that are charged to each address.
#[derive(Clone, Debug)]
pub(super) struct AddressPlaces {
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
    /// The limit for one address, and the one for this machine.
    most: usize,
    most_on_loopback: usize,
}

impl AddressPlaces {
    pub(super) fn new(most: usize, most_on_loopback: usize) -> Self {
        Self {
            counts: Arc::default(),
            most,
            most_on_loopback,
        }
    }

    /// Takes a place for a connection. Returns `None` if its address has reached the limit. With an `address` of
    /// `None`, there is always a place.
    pub(super) fn take(&self, address: Option<IpAddr>) -> Option<AddressPlace> {
        if let Some(address) = address {
            let mut counts = self.lock();
            let count = counts.entry(address).or_default();
            let most = if address.is_loopback() {
                self.most_on_loopback
            } else {
                self.most
            };
            if *count >= most {
                return None;
            }
            *count += 1;
        }
        Some(AddressPlace {
            places: self.clone(),
            address,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of the places of an address. It is free again when this is dropped.
#[derive(Debug)]
pub(super) struct AddressPlace {
    places: AddressPlaces,
    address: Option<IpAddr>,
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut counts = self.places.lock();
        if let Some(count) = counts.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&address);
            }
        }
    }
}
