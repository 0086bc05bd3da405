//! The doors of tchat's own protocol: frames to requests, items to frames, and nothing else.

pub mod grpc;
