//! `GET /helloworld/{name}`: five requests go through the greeting stream, and once all have come back so does a greeting.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::StatusCode;
use prost::Message;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::call::{self, Heard, Said};
use super::proto::service::ChatReq;
use super::service::Service;
use super::tongue::Tongue;
use crate::server::hub::Hub;
use crate::server::listen::Connection;

/// Requests sent through the stream, and how long their answers may take.
const REQUESTS: usize = 5;
const WITHIN: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Greeting {
    message: String,
}

/// An error in the form its clients know.
#[derive(Serialize)]
struct Failure {
    code: u16,
    reason: &'static str,
    message: &'static str,
    metadata: Metadata,
}

/// Always empty.
#[derive(Serialize)]
struct Metadata {}

/// Answers with a greeting; `hub` is absent where the stream is not served.
pub async fn greet(hub: Option<Arc<Hub>>, Path(name): Path<String>, request: Request) -> Response {
    let connection = request.extensions().get::<Connection>().cloned();
    let (Some(hub), Some(connection)) = (hub, connection) else {
        return unavailable();
    };
    if hub.draining.is_cancelled() {
        return unavailable();
    }
    let requests = (0..REQUESTS).map(|n| {
        let name = format!("hello:{n}");
        Heard::Message(Bytes::from(ChatReq { name }.encode_to_vec()))
    });
    let tongue = Tongue::Service(Service::default());
    let heard = stream::iter(requests.collect::<Vec<_>>());
    let said = call::begin(&hub, connection, tongue, None, heard);
    match timeout(WITHIN, answers(said)).await {
        Ok(REQUESTS) => Json(Greeting {
            message: format!("Hello {name}"),
        })
        .into_response(),
        Ok(_) => unavailable(),
        Err(_) => failure(
            StatusCode::GATEWAY_TIMEOUT,
            "the service did not answer in time",
        ),
    }
}

/// How many answers there are until the stream ends or all have come.
async fn answers(mut said: mpsc::Receiver<Said>) -> usize {
    let mut count = 0;
    while count < REQUESTS
        && let Some(Said::Message(_)) = said.recv().await
    {
        count += 1;
    }
    // The rest of the call is posting, which nobody here waits for.
    count
}

fn unavailable() -> Response {
    failure(
        StatusCode::SERVICE_UNAVAILABLE,
        "the service is not reachable",
    )
}

fn failure(status: StatusCode, message: &'static str) -> Response {
    let body = Failure {
        code: status.as_u16(),
        reason: "",
        message,
        metadata: Metadata {},
    };
    (status, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn answers_that_do_not_come_within_a_second_are_given_up() {
        let (said, silent) = mpsc::channel(1);
        assert!(timeout(WITHIN, answers(silent)).await.is_err());
        drop(said);
    }
}
