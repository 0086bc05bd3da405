//! Checks whether a tchat server is running, without sending an identity.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::dial;
use crate::client::{Connector, DisconnectReason, Protection};

/// The service whose health is checked.
const SERVICE: &str = "tchat.v1.ChatService";

/// The answer of a tchat server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProbeResult {
    /// The time from a request to its answer.
    pub rtt: Duration,
    pub protection: Protection,
}

/// Connects and checks the health of the chat service.
///
/// # Errors
/// No server is running there, it is not a tchat server, or it is stopping.
pub async fn probe(connector: Connector) -> Result<ProbeResult, DisconnectReason> {
    let (channel, route) = dial(connector, None).await?;
    let mut health = HealthClient::new(channel);
    let request = || HealthCheckRequest {
        service: SERVICE.into(),
    };
    let not_tchat = |status: &tonic::Status| match status.code() {
        // It is a gRPC server without this service.
        Code::NotFound | Code::Unimplemented => DisconnectReason::NotTchat(String::new()),
        _ => DisconnectReason::NotTchat(status.message().to_owned()),
    };
    // The first answer includes the connection's handshakes, so only the second one is timed.
    let answer = health.check(request()).await.map_err(|it| not_tchat(&it))?;
    if answer.into_inner().status() != ServingStatus::Serving {
        return Err(DisconnectReason::Draining);
    }
    let asked = Instant::now();
    health.check(request()).await.map_err(|it| not_tchat(&it))?;
    Ok(ProbeResult {
        rtt: asked.elapsed(),
        protection: route.protection,
    })
}
