//! Asks whether a tchat server is running, without saying who asks.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::dial;
use crate::client::{Connector, Why};

/// What is asked about.
const SERVICE: &str = "tchat.v1.ChatService";

/// A server of tchat that answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answers {
    /// From a question to its answer.
    pub rtt: Duration,
}

/// Dials and asks for the health of the chat service.
///
/// # Errors
/// Nobody is there, or somebody else is, or it is just ending.
pub async fn probe(connector: Connector) -> Result<Answers, Why> {
    let mut health = HealthClient::new(dial(connector, None).await?);
    let request = || HealthCheckRequest {
        service: SERVICE.into(),
    };
    let not_tchat = |status: &tonic::Status| match status.code() {
        // It speaks gRPC, and knows no such service.
        Code::NotFound | Code::Unimplemented => Why::NotTchat(String::new()),
        _ => Why::NotTchat(status.message().to_owned()),
    };
    // The first answer comes behind the greetings of the connection.
    let answer = health.check(request()).await.map_err(|it| not_tchat(&it))?;
    if answer.into_inner().status() != ServingStatus::Serving {
        return Err(Why::Draining);
    }
    let asked = Instant::now();
    health.check(request()).await.map_err(|it| not_tchat(&it))?;
    Ok(Answers {
        rtt: asked.elapsed(),
    })
}
