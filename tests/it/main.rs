//! Every test that looks at tchat from outside, in one binary.

#![allow(clippy::unwrap_used)] // In tests a panic is the report.

mod architecture;
mod bus;
mod fixtures;
mod frames;
mod hostile;
mod model;
mod people;
mod process;
mod pty;
mod room;
mod scenarios;
mod screens;
mod scripts;
mod store;
mod support;
