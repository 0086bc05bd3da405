//! Compiles the protocol files with protox, so that the machine needs no protoc, and writes the list of emoji names.
//!
//! The client is generated from the service in `chat.proto`. The server's `Chat` method sends frames that are already encoded (one batch
//! for a whole room). The generator does not support that, so the server's side is described here instead.

use std::error::Error;
use std::path::{Path, PathBuf};

use prost::Message;

const PROTOS: [&str; 3] = [
    "tchat/v1/chat.proto",
    "tchat/v1/frames.proto",
    "tchat/admin/v1/admin.proto",
];
/// The unary calls of `tchat.v1`.
const UNARY: [(&str, &str); 10] = [
    ("list_rooms", "ListRooms"),
    ("get_history", "GetHistory"),
    ("list_mentions", "ListMentions"),
    ("list_moderation", "ListModeration"),
    ("list_sanctions", "ListSanctions"),
    ("search", "Search"),
    ("list_devices", "ListDevices"),
    ("add_device", "AddDevice"),
    ("revoke_device", "RevokeDevice"),
    ("delete_account", "DeleteAccount"),
];
/// The calls of `tchat.admin.v1`.
const ADMIN: [(&str, &str); 20] = [
    ("create_invite", "CreateInvite"),
    ("list_invites", "ListInvites"),
    ("revoke_invite", "RevokeInvite"),
    ("list_accounts", "ListAccounts"),
    ("set_role", "SetRole"),
    ("rename_account", "RenameAccount"),
    ("remove_account", "RemoveAccount"),
    ("relink", "Relink"),
    ("create_bot", "CreateBot"),
    ("list_account_devices", "ListAccountDevices"),
    ("revoke_account_device", "RevokeAccountDevice"),
    ("ban", "Ban"),
    ("unban", "Unban"),
    ("list_bans", "ListBans"),
    ("kick", "Kick"),
    ("list_sessions", "ListSessions"),
    ("get_status", "GetStatus"),
    ("list_limits", "ListLimits"),
    ("moderate_room", "ModerateRoom"),
    ("list_audit", "ListAudit"),
];
/// The protocols of `proto/bridge`: package, service, and the methods that stream in both directions.
const BRIDGES: [(&str, &str, &[&str]); 4] = [
    ("user", "UserService", &["Chat"]),
    ("gochat", "ChatService", &["Chat"]),
    ("chat", "ChatService", &["Chat"]),
    ("service.v1", "Service", &["Chat", "ChatStream"]),
];
const BRIDGE_PROTOS: [&str; 5] = [
    "bridge/user.proto",
    "bridge/gochat.proto",
    "bridge/chat.proto",
    "bridge/service.proto",
    "bridge/websocket.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(PROTOS, ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("tchat.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        .compile_fds(descriptors)?;

    let chat = tonic_build::manual::Method::builder()
        .name("chat")
        .route_name("Chat")
        .input_type("crate::wire::proto::ChatRequest")
        .output_type("crate::wire::Frame")
        .codec_path("crate::wire::FrameCodec")
        .client_streaming()
        .server_streaming()
        .build();
    let mut service = tonic_build::manual::Service::builder()
        .package("tchat.v1")
        .name("ChatService")
        .method(chat);
    for call in UNARY {
        service = service.method(unary("crate::wire::proto", call));
    }
    let service = service.build();
    let mut admin = tonic_build::manual::Service::builder()
        .package("tchat.admin.v1")
        .name("AdminService");
    for call in ADMIN {
        admin = admin.method(unary("crate::wire::admin_proto", call));
    }
    let server = out.join("server");
    std::fs::create_dir_all(&server)?;
    let mut services = vec![service, admin.build()];
    services.extend(bridges(&out)?);
    tonic_build::manual::Builder::new()
        .build_client(false)
        .out_dir(server)
        .compile(&services);
    std::fs::write(out.join("emoji.txt"), emoji())?;
    Ok(())
}

/// Returns a call with one request and one response, whose types are in a module.
fn unary(module: &str, (name, route): (&str, &str)) -> tonic_build::manual::Method {
    tonic_build::manual::Method::builder()
        .name(name)
        .route_name(route)
        .input_type(format!("{module}::{route}Request"))
        .output_type(format!("{module}::{route}Response"))
        .codec_path("tonic_prost::ProstCodec")
        .build()
}

/// Returns a line for each short name of an emoji: the name, the emoji and its description, separated by tabs.
fn emoji() -> String {
    let lines = emojis::iter().flat_map(|emoji| {
        let names = emoji.shortcodes();
        names.map(move |name| format!("{name}\t{emoji}\t{}\n", emoji.name()))
    });
    lines.collect()
}

/// Generates the messages of the foreign protocols and returns their services. Frames in their streams are passed on unchanged.
fn bridges(out: &Path) -> Result<Vec<tonic_build::manual::Service>, Box<dyn Error>> {
    let descriptors = protox::compile(BRIDGE_PROTOS, ["proto"])?;
    for (package, ..) in BRIDGES {
        // Each protocol has its own descriptor set, because each can be switched off.
        let name = format!(
            "bridge/{}.proto",
            package.split('.').next().unwrap_or(package)
        );
        let package_descriptors = protox::compile([name], ["proto"])?;
        std::fs::write(
            out.join(format!("{package}.bin")),
            package_descriptors.encode_to_vec(),
        )?;
    }
    prost_build::Config::new().compile_fds(descriptors)?;
    let services = BRIDGES.iter().map(|(package, name, streams)| {
        let mut service = tonic_build::manual::Service::builder()
            .package(*package)
            .name(*name);
        for route in *streams {
            let method = tonic_build::manual::Method::builder()
                .name(if *route == "Chat" {
                    "chat"
                } else {
                    "chat_stream"
                })
                .route_name(*route)
                .input_type("crate::wire::Frame")
                .output_type("crate::wire::Frame")
                .codec_path("crate::wire::RawCodec")
                .client_streaming()
                .server_streaming();
            service = service.method(method.build());
        }
        if *package == "chat" {
            for (name, route) in [
                ("list_rooms", "ListRooms"),
                ("check_username", "CheckUsername"),
            ] {
                let method = tonic_build::manual::Method::builder()
                    .name(name)
                    .route_name(route)
                    .input_type(format!(
                        "crate::server::bridge::proto::chat::{route}Request"
                    ))
                    .output_type(format!(
                        "crate::server::bridge::proto::chat::{route}Response"
                    ))
                    .codec_path("tonic_prost::ProstCodec");
                service = service.method(method.build());
            }
        }
        service.build()
    });
    Ok(services.collect())
}
