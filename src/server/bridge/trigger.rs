//! The trigger, `GET /helloworld/{name}`: sends five requests through the greeting stream and returns a greeting once all are answered.
//!
//! In the home room, a request adds at most one line and causes no join or leave. It needs no name and no secret, so
//! the lines are rate-limited. Greetings beyond the limit share one line per second, which counts all of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
use tokio::time::{Instant, sleep, timeout};

use super::call::{self, FromClient, ToClient};
use super::proto::service::ChatReq;
use super::protocol::Protocol;
use super::service::Service;
use crate::server::hub::Hub;
use crate::server::listen::Connection;
use crate::server::rate_limit::{Bucket, Rate};
use crate::text;

/// Number of requests sent through the stream, and the time limit for all answers and the line in the room.
const REQUESTS: usize = 5;
const TIME_LIMIT: Duration = Duration::from_secs(1);
/// Author of the lines. A reserved name.
const AUTHOR: &str = "stream";
/// Minimum burst of single lines, if the server has a rate limit at all.
const BURST: u32 = 128;
/// How long greetings beyond the rate limit wait to share a line, and how many names that line shows.
const SHARED_EVERY: Duration = Duration::from_secs(1);
const NAMES_PER_LINE: usize = 8;
/// Maximum width of a name in a line, in columns.
const NAME_COLUMNS: usize = 64;

#[derive(Serialize)]
struct Greeting {
    message: String,
}

/// An error, in the JSON form that clients of the trigger expect.
#[derive(Serialize)]
struct Failure {
    code: u16,
    reason: &'static str,
    message: &'static str,
    metadata: Metadata,
}

/// The metadata of an error. Always empty.
#[derive(Serialize)]
struct Metadata {}

/// The state of the trigger: access to the stream, and the lines to show in the room.
#[derive(Debug)]
pub struct Trigger {
    hub: Arc<Hub>,
    lines: Mutex<Lines>,
}

/// The rate limit for lines, and the greetings that wait for a shared line.
#[derive(Debug)]
struct Lines {
    /// `None`: lines are not limited.
    bucket: Option<(Rate, Bucket)>,
    waiting: SharedGreeting,
}

/// Greetings that share a line: the first names, and the number of the others.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct SharedGreeting {
    names: Vec<String>,
    more: usize,
}

/// How a greeting is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum GreetingPlacement {
    /// In a line of its own.
    Own,
    /// First in a shared line, which later greetings join.
    NewShared,
    /// In a shared line that already waits.
    WaitingShared,
}

impl Lines {
    fn place_greeting(&mut self, name: &str, now: Instant) -> GreetingPlacement {
        let is_first = self.waiting.names.is_empty();
        let mut may_have_own = || match &mut self.bucket {
            Some((rate, bucket)) => bucket.take(*rate, now.into_std()).is_ok(),
            None => true,
        };
        if is_first && may_have_own() {
            return GreetingPlacement::Own;
        }
        self.waiting.add(name);
        if is_first {
            GreetingPlacement::NewShared
        } else {
            GreetingPlacement::WaitingShared
        }
    }
}

impl SharedGreeting {
    fn add(&mut self, name: &str) {
        if self.names.len() < NAMES_PER_LINE {
            self.names.push(name.to_owned());
        } else {
            self.more += 1;
        }
    }

    fn line(&self) -> String {
        let names = self.names.join(", ");
        match self.more {
            0 => format!("Hello {names}"),
            more => format!("Hello {names} and {more} more"),
        }
    }
}

impl Trigger {
    pub fn new(hub: Arc<Hub>) -> Self {
        let rate = Rate::of_posts(&hub.limits).map(|rate| Rate {
            burst: rate.burst.max(BURST),
            ..rate
        });
        let bucket = rate.map(|rate| (rate, Bucket::full(rate, Instant::now().into_std())));
        let lines = Lines {
            bucket,
            waiting: SharedGreeting::default(),
        };
        Self {
            hub,
            lines: Mutex::new(lines),
        }
    }

    /// Shows a greeting in the home room.
    async fn show(self: &Arc<Self>, name: &str) {
        let name = text::cut(text::line(name).as_str(), NAME_COLUMNS);
        let shown = self.lines().place_greeting(&name, Instant::now());
        match shown {
            GreetingPlacement::Own => {
                let mut greeted = SharedGreeting::default();
                greeted.add(&name);
                self.hub.announce(AUTHOR, greeted.line()).await;
            }
            GreetingPlacement::NewShared => drop(tokio::spawn(Arc::clone(self).show_shared())),
            GreetingPlacement::WaitingShared => {}
        }
    }

    /// Shows all waiting greetings in one line after [`SHARED_EVERY`], or at once when the server stops.
    async fn show_shared(self: Arc<Self>) {
        tokio::select! {
            () = sleep(SHARED_EVERY) => {}
            () = self.hub.draining.cancelled() => {}
        }
        let greeted = std::mem::take(&mut self.lines().waiting);
        self.hub.announce(AUTHOR, greeted.line()).await;
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers `GET /helloworld/{name}`. `trigger` is `None` if the `service` bridge is off.
pub async fn greet(
    trigger: Option<Arc<Trigger>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let connection = request.extensions().get::<Connection>().cloned();
    let (Some(trigger), Some(connection)) = (trigger, connection) else {
        return unavailable();
    };
    if trigger.hub.draining.is_cancelled() {
        return unavailable();
    }
    let Some(reach) = call::reach(&trigger.hub, &connection) else {
        return failure(
            StatusCode::FORBIDDEN,
            "this server does not serve clients from this network",
        );
    };
    let requests = (0..REQUESTS).map(|n| {
        let name = format!("hello:{n}");
        FromClient::Message(Bytes::from(ChatReq { name }.encode_to_vec()))
    });
    let protocol = Protocol::Service(Service::hidden());
    let heard = stream::iter(requests.collect::<Vec<_>>());
    let said = call::begin(&trigger.hub, (connection, reach), protocol, None, heard);
    let greeted = async {
        let count = count_answers(said).await;
        if count == REQUESTS {
            trigger.show(&name).await;
        }
        count
    };
    match timeout(TIME_LIMIT, greeted).await {
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

/// Counts the answers until all have arrived or the stream ends.
async fn count_answers(mut said: mpsc::Receiver<ToClient>) -> usize {
    let mut count = 0;
    while count < REQUESTS
        && let Some(ToClient::Message(_)) = said.recv().await
    {
        count += 1;
    }
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
    async fn answers_later_than_a_second_are_not_waited_for() {
        let (said, silent) = mpsc::channel(1);
        assert!(timeout(TIME_LIMIT, count_answers(silent)).await.is_err());
        drop(said);
    }

    #[test]
    fn greetings_beyond_the_rate_share_a_line_and_none_is_left_out() {
        let rate = Rate {
            burst: 2,
            ..Rate::per(Duration::from_secs(1), 1)
        };
        let now = Instant::now();
        let mut lines = Lines {
            bucket: Some((rate, Bucket::full(rate, now.into_std()))),
            waiting: SharedGreeting::default(),
        };
        let shown: Vec<GreetingPlacement> = (0..4)
            .map(|n| lines.place_greeting(&n.to_string(), now))
            .collect();
        assert_eq!(
            shown,
            [
                GreetingPlacement::Own,
                GreetingPlacement::Own,
                GreetingPlacement::NewShared,
                GreetingPlacement::WaitingShared
            ]
        );
        // A later greeting does not overtake those that wait.
        let later = now + SHARED_EVERY;
        assert_eq!(
            lines.place_greeting("4", later),
            GreetingPlacement::WaitingShared
        );
        assert_eq!(lines.waiting.line(), "Hello 2, 3, 4");
        for n in 5..20 {
            lines.place_greeting(&n.to_string(), later);
        }
        assert_eq!(
            lines.waiting.line(),
            "Hello 2, 3, 4, 5, 6, 7, 8, 9 and 10 more"
        );
    }
}
