//! What services there are, for tools that ask (`grpc.reflection.v1` and its older form).

use tonic::service::Routes;
use tonic_reflection::server::Builder;

use crate::chat::Bridges;

/// A set of file descriptors the build script made.
macro_rules! set {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name))
    };
}

/// Adds reflection of what is served.
pub fn add(routes: Routes, bridges: Bridges) -> Routes {
    let served = [
        (true, &set!("tchat.bin")[..]),
        (true, tonic_health::pb::FILE_DESCRIPTOR_SET),
        (bridges.user, set!("user.bin")),
        (bridges.gochat, set!("gochat.bin")),
        (bridges.chat, set!("chat.bin")),
        (bridges.service, set!("service.v1.bin")),
    ];
    let sets = || served.iter().filter(|(is_served, _)| *is_served);
    let builder = || {
        sets().fold(Builder::configure(), |builder, (_, set)| {
            builder.register_encoded_file_descriptor_set(set)
        })
    };
    match (builder().build_v1(), builder().build_v1alpha()) {
        (Ok(present), Ok(older)) => routes.add_service(present).add_service(older),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "reflection is off: a description cannot be read");
            routes
        }
    }
}
