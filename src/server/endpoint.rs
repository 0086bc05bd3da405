//! The doors: frames to requests, items to frames, and nothing else; and what is served over plain HTTP.

pub mod grpc;
pub mod http;
pub mod reflection;
