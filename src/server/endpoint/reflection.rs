//! gRPC reflection: lists the services for tools like grpcurl (`grpc.reflection.v1` and `v1alpha`).

use tonic::service::Routes;
use tonic_reflection::server::Builder;

use crate::chat::{Bridge, Bridges};

/// A file descriptor set made by the build script.
macro_rules! set {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name))
    };
}

/// Adds reflection of the services that are switched on.
pub fn add(routes: Routes, bridges: Bridges) -> Routes {
    let of_bridge = |bridge| match bridge {
        Bridge::User => Some(&set!("user.bin")[..]),
        Bridge::Gochat => Some(&set!("gochat.bin")[..]),
        Bridge::Chat => Some(&set!("chat.bin")[..]),
        Bridge::Service => Some(&set!("service.v1.bin")[..]),
        Bridge::WebSocket | Bridge::Trigger => None,
    };
    let own = [
        &set!("tchat.bin")[..],
        tonic_health::pb::FILE_DESCRIPTOR_SET,
    ];
    let sets = || own.into_iter().chain(bridges.iter().filter_map(of_bridge));
    let builder = || {
        sets().fold(Builder::configure(), |builder, set| {
            builder.register_encoded_file_descriptor_set(set)
        })
    };
    match (builder().build_v1(), builder().build_v1alpha()) {
        (Ok(present), Ok(older)) => routes.add_service(present).add_service(older),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "reflection is off: cannot read a file descriptor set");
            routes
        }
    }
}
