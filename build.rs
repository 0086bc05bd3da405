//! Compiles the protocol with protox, so that no protoc is needed on the machine.
//!
//! The client is generated from the service in `chat.proto`. The server's `Chat` method sends frames that are encoded already
//! (one batch for a whole room), which the generator cannot know: the server's side is described here instead.

use std::error::Error;
use std::path::PathBuf;

const PROTOS: [&str; 2] = ["tchat/v1/chat.proto", "tchat/v1/frames.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(PROTOS, ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        .compile_fds(descriptors)?;

    let method = |name: &str, route: &str, input: &str, output: &str| {
        tonic_build::manual::Method::builder()
            .name(name)
            .route_name(route)
            .input_type(format!("crate::wire::proto::{input}"))
            .output_type(output)
    };
    let unary = "tonic_prost::ProstCodec";
    let service = tonic_build::manual::Service::builder()
        .package("tchat.v1")
        .name("ChatService")
        .method(
            method("chat", "Chat", "ChatRequest", "crate::wire::Frame")
                .codec_path("crate::wire::FrameCodec")
                .client_streaming()
                .server_streaming()
                .build(),
        )
        .method(
            method(
                "list_rooms",
                "ListRooms",
                "ListRoomsRequest",
                "crate::wire::proto::ListRoomsResponse",
            )
            .codec_path(unary)
            .build(),
        )
        .method(
            method(
                "get_history",
                "GetHistory",
                "GetHistoryRequest",
                "crate::wire::proto::GetHistoryResponse",
            )
            .codec_path(unary)
            .build(),
        )
        .build();
    let server = out.join("server");
    std::fs::create_dir_all(&server)?;
    tonic_build::manual::Builder::new()
        .build_client(false)
        .out_dir(server)
        .compile(&[service]);
    Ok(())
}
