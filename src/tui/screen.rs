//! Where things are on the screen: the regions it is divided into, and what was drawn at each place.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod hit_map;
pub mod regions;
