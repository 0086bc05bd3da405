//! Endpoints: turn frames into requests and outbox items into frames, and serve plain HTTP. They contain no chat rules.

pub(crate) mod admin;
pub(crate) mod caller;
pub mod grpc;
pub(crate) mod http;
pub(crate) mod reflection;
pub mod shared_link;
