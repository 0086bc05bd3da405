//! WebSocket connections of the bridge: passes messages between the socket and its call, and pings the client.
//!
//! Its clients send protobuf in text frames, so payloads must not be checked for UTF-8. Frames are therefore read with soketto's base
//! codec, which does not look into them.

mod frames;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{HOST, HeaderMap, ORIGIN};
use hyper_util::rt::TokioIo;
use soketto::base::OpCode;
use soketto::handshake::http::Server as Handshake;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, interval_at, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;

use self::frames::{Frame, FrameError, Incoming, Outgoing};
use super::action::Ending;
use super::call::{self, FromClient, ToClient};
use super::protocol::Protocol;
use crate::server::allowed_hosts::AllowedHosts;
use crate::server::hub::Hub;
use crate::server::listen::Connection;

/// The header with the user's name. Its value is read as bytes, because names are not only ASCII.
const USERNAME: &str = "username";
/// How often a client is pinged, and how long a pong may take. Other frames do not count as a pong.
pub const PING_EVERY: Duration = Duration::from_secs(54);
pub const PONG_WITHIN: Duration = Duration::from_mins(1);
/// Time limit for the client's answer to a close frame.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);
/// Time limit for joining the room. Longer than the wait for a name that is about to become free.
const ENTER_WITHIN: Duration = Duration::from_secs(5);

/// Starts the call, and completes the handshake once the client has joined its room. So the client receives every message posted after
/// the 101 response, and is in every user list. A client that is not admitted receives the reason as its first message, and is then
/// closed with 1008.
pub async fn upgrade(hub: Arc<Hub>, hosts: AllowedHosts, mut request: Request) -> Response {
    let Some(connection) = request.extensions().get::<Connection>().cloned() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let Some(reach) = call::reach(&hub, &connection) else {
        return (StatusCode::FORBIDDEN, "cannot connect from this network").into_response();
    };
    if !may_connect(&hosts, &request) {
        return (StatusCode::FORBIDDEN, "cannot connect from another origin").into_response();
    }
    let Ok(response) = Handshake::new().receive_request(&request) else {
        return (StatusCode::BAD_REQUEST, "expected a WebSocket handshake").into_response();
    };
    let name = request.headers().get(USERNAME);
    // Invalid UTF-8 becomes an invalid name. It is refused as such, so that the user sees why.
    let name = name.map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
    let upgrading = hyper::upgrade::on(&mut request);
    let (hears, heard) = mpsc::channel(1);
    let (entered, answer) = oneshot::channel();
    let handshake = call::Handshake {
        name: name.unwrap_or_default(),
        reply: entered,
    };
    let said = call::begin(
        &hub,
        (connection.clone(), reach),
        Protocol::WebSocket,
        Some(handshake),
        ReceiverStream::new(heard),
    );
    // Clients of this bridge show only messages, so the reason for a refusal is sent as one. It waits in `said`.
    let answer = timeout(ENTER_WITHIN, answer).await;
    if !answer.is_ok_and(|answer| answer.is_ok()) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the room did not answer").into_response();
    }
    connection.spawn_upgraded(async move {
        let Ok(upgraded) = upgrading.await else {
            return;
        };
        Socket::new(TokioIo::new(upgraded), hears, said).run().await;
    });
    response.map(|()| Body::empty())
}

/// Whether a request may connect. A web page may connect only if it comes from this server. Other programs send no
/// `Origin` and may always connect.
fn may_connect(hosts: &AllowedHosts, request: &Request) -> bool {
    let is_page = request.headers().contains_key(ORIGIN);
    // With DNS rebinding a foreign page has the same origin, but its host name is not a name of this server.
    !is_page || (is_same_origin(request.headers()) && hosts.check(request).is_ok())
}

/// Whether `Origin` and `Host` name the same server. True without an `Origin`, which only browsers send.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let host = headers.get(HOST).map(http::HeaderValue::as_bytes);
    let origin = origin.to_str().ok();
    let origin = origin.and_then(|it| it.split_once("://"));
    origin.is_some_and(|(_, from)| host.is_some_and(|to| to.eq_ignore_ascii_case(from.as_bytes())))
}

struct Socket<S> {
    incoming: Incoming<S>,
    outgoing: Outgoing<S>,
    to_call: mpsc::Sender<FromClient>,
    from_call: mpsc::Receiver<ToClient>,
    /// The last message was a binary frame, so the client is sent binary frames too.
    is_binary: bool,
    /// When the next pong is due.
    pong_by: Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    fn new(io: S, to_call: mpsc::Sender<FromClient>, from_call: mpsc::Receiver<ToClient>) -> Self {
        let (incoming, outgoing) = frames::split(io);
        Self {
            incoming,
            outgoing,
            to_call,
            from_call,
            is_binary: false,
            pong_by: Instant::now() + PONG_WITHIN,
        }
    }

    /// Runs until the call ends, the client disconnects or a pong is missing.
    async fn run(mut self) {
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let hears = self.to_call.clone();
        let code = loop {
            // While the call is busy nothing is read from the client, and no pong is expected.
            let is_ready = hears.capacity() > 0;
            let since = Instant::now();
            let event = tokio::select! {
                frame = self.incoming.next(), if is_ready => SocketEvent::Frame(frame),
                permit = hears.reserve(), if !is_ready => {
                    drop(permit);
                    SocketEvent::Ready
                }
                said = self.from_call.recv() => SocketEvent::ToClient(said),
                _ = pings.tick() => SocketEvent::Ping,
                () = sleep_until(self.pong_by), if is_ready => return,
            };
            if !is_ready {
                // A pong may have arrived without being read, so its deadline is extended by this time.
                self.pong_by += since.elapsed();
            }
            let done = match event {
                SocketEvent::Ready => Ok(()),
                SocketEvent::Frame(Ok(frame)) => self.on_frame(frame).await,
                SocketEvent::Frame(Err(broken)) => Err(Some(broken.close_code())),
                SocketEvent::ToClient(said) => self.send(said).await,
                SocketEvent::Ping => self.send_frame(OpCode::Ping, &[]).await,
            };
            match done {
                Ok(()) => {}
                Err(Some(code)) => break code,
                Err(None) => return,
            }
        };
        self.close(code).await;
    }

    async fn on_frame(&mut self, frame: Frame) -> Result<(), Option<u16>> {
        match frame {
            Frame::Message { is_binary, payload } => {
                self.is_binary = is_binary;
                // Does not block: the queue had room before the frame was read. An error means that the call has ended;
                // `from_call` still has its last messages.
                drop(self.to_call.send(FromClient::Message(payload)).await);
                Ok(())
            }
            Frame::Ping(payload) => self.send_frame(OpCode::Pong, &payload).await,
            Frame::Pong => {
                self.pong_by = Instant::now() + PONG_WITHIN;
                Ok(())
            }
            Frame::Close => Err(Some(frames::NORMAL)),
        }
    }

    async fn send(&mut self, said: Option<ToClient>) -> Result<(), Option<u16>> {
        match said {
            Some(ToClient::Message(message)) => {
                let is_text = !self.is_binary && std::str::from_utf8(&message).is_ok();
                let code = if is_text {
                    OpCode::Text
                } else {
                    OpCode::Binary
                };
                self.send_frame(code, &message).await
            }
            Some(ToClient::End(ending)) => Err(Some(close_code(&ending))),
            None => Err(Some(frames::AWAY)),
        }
    }

    async fn send_frame(&mut self, code: OpCode, payload: &[u8]) -> Result<(), Option<u16>> {
        // A client that does not read in this time would not answer a ping either.
        let sent = timeout(PONG_WITHIN, self.outgoing.send(code, payload)).await;
        sent.map_or(Err(None), |sent| sent.map_err(|_| None))
    }

    /// Sends a close frame and waits a moment for the answer, so that the client reads the messages before it.
    async fn close(mut self, code: u16) {
        // Tells the call that the client is gone.
        self.from_call.close();
        let closing = async {
            let sent = self.outgoing.send(OpCode::Close, &code.to_be_bytes()).await;
            if sent.is_ok() && code != frames::NORMAL {
                let last = loop {
                    match self.incoming.next().await {
                        Ok(Frame::Close) => break None,
                        Ok(_) => {}
                        Err(broken) => break Some(broken),
                    }
                };
                if last.is_some_and(|broken| broken != FrameError::Lost) {
                    // If received data stayed unread, the system would reset the connection and the close frame could be lost.
                    self.incoming.discard().await;
                }
            }
            self.outgoing.shutdown().await;
        };
        // A client that does not answer in time is closed anyway.
        drop(timeout(CLOSE_WITHIN, closing).await);
    }
}

enum SocketEvent {
    /// The call can take messages again.
    Ready,
    Frame(Result<Frame, FrameError>),
    ToClient(Option<ToClient>),
    Ping,
}

/// Returns the close code for an ending (RFC 6455, 7.4.1).
fn close_code(ending: &Ending) -> u16 {
    match ending {
        Ending::Done | Ending::Eof => frames::NORMAL,
        Ending::Stopping => frames::AWAY,
        Ending::Malformed | Ending::Failed(..) => frames::NOT_READABLE,
        Ending::Refused => frames::POLICY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "chat.example.org:9000".parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_pages_of_this_server_may_connect() {
        assert!(is_same_origin(&headers(None)));
        assert!(is_same_origin(&headers(Some(
            "http://chat.example.org:9000"
        ))));
        assert!(is_same_origin(&headers(Some(
            "http://CHAT.example.org:9000"
        ))));
        for other in ["http://evil.example.org", "http://chat.example.org", "null"] {
            assert!(!is_same_origin(&headers(Some(other))), "{other}");
        }
    }
}
