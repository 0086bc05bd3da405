//! A WebSocket and the call behind it: frames in, frames out, pings between.
//!
//! Its clients send protobuf in text frames, so no payload is taken for text: frames are read by soketto's base codec, which does not
//! look into them.

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
use super::call::{self, FromClient, ToClient};
use super::exchange::Ending;
use super::protocol::Protocol;
use crate::server::allowed_hosts::Hosts;
use crate::server::hub::Hub;
use crate::server::listen::Connection;

/// The header that says who shakes hands. Bytes, because names are not only ASCII.
const USERNAME: &str = "username";
/// How often a client is pinged, and how long a pong may take. Nothing but a pong counts as one.
pub const PING_EVERY: Duration = Duration::from_secs(54);
pub const PONG_WITHIN: Duration = Duration::from_mins(1);
/// A client has this long to answer a close.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);
/// A room has this long to let a client in: longer than a name that is just becoming free may take.
const ENTER_WITHIN: Duration = Duration::from_secs(5);

/// Begins the call, and completes the handshake once the client is in its room: whatever is said after the 101 reaches it, and it is in
/// every list of users. A client that is not let in is told why by its first message, and is then closed with 1008.
pub async fn upgrade(hub: Arc<Hub>, hosts: Hosts, mut request: Request) -> Response {
    let Some(connection) = request.extensions().get::<Connection>().cloned() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if !may_connect(&hosts, &request) {
        return (StatusCode::FORBIDDEN, "cannot connect from another origin").into_response();
    }
    let Ok(response) = Handshake::new().receive_request(&request) else {
        return (StatusCode::BAD_REQUEST, "this is a WebSocket").into_response();
    };
    let name = request.headers().get(USERNAME);
    // What is no UTF-8 is no name either; it is refused as one, so that its user hears of it.
    let name = name.map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
    let upgrading = hyper::upgrade::on(&mut request);
    let (hears, heard) = mpsc::channel(1);
    let (entered, answer) = oneshot::channel();
    let handshake = call::Handshake {
        name: name.unwrap_or_default(),
        entered,
    };
    let said = call::begin(
        &hub,
        connection.clone(),
        Protocol::WebSocket,
        Some(handshake),
        ReceiverStream::new(heard),
    );
    // Its clients show what comes in frames and nothing else, so the reason of a refusal waits in `said`.
    let answer = timeout(ENTER_WITHIN, answer).await;
    if !answer.is_ok_and(|answer| answer.is_ok()) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the room does not answer").into_response();
    }
    connection.go_on(async move {
        let Ok(upgraded) = upgrading.await else {
            return;
        };
        Socket::new(TokioIo::new(upgraded), hears, said).run().await;
    });
    response.map(|()| Body::empty())
}

/// Whether a browser's page may connect: one of this server's own. Other programs name no origin and may always.
fn may_connect(hosts: &Hosts, request: &Request) -> bool {
    let is_page = request.headers().contains_key(ORIGIN);
    // A page whose name was made to stand for this machine has the same origin, but not a name of this server.
    !is_page || (is_same_origin(request.headers()) && hosts.check(request).is_ok())
}

/// A browser says where its page comes from; only this server's own pages may connect. Others say nothing.
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
    hears: mpsc::Sender<FromClient>,
    said: mpsc::Receiver<ToClient>,
    /// The client sends binary frames, so it gets them.
    is_binary: bool,
    /// Until when the next pong has to come.
    pong_by: Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    fn new(io: S, hears: mpsc::Sender<FromClient>, said: mpsc::Receiver<ToClient>) -> Self {
        let (incoming, outgoing) = frames::split(io);
        Self {
            incoming,
            outgoing,
            hears,
            said,
            is_binary: false,
            pong_by: Instant::now() + PONG_WITHIN,
        }
    }

    /// Until the call ends, the client goes or nothing is heard of it.
    async fn run(mut self) {
        let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let hears = self.hears.clone();
        let code = loop {
            // A call that is busy is not read for; whoever waits for it is not waited for.
            let is_ready = hears.capacity() > 0;
            let since = Instant::now();
            let event = tokio::select! {
                frame = self.incoming.next(), if is_ready => SocketEvent::Came(frame),
                permit = hears.reserve(), if !is_ready => {
                    drop(permit);
                    SocketEvent::Ready
                }
                said = self.said.recv() => SocketEvent::ToClient(said),
                _ = pings.tick() => SocketEvent::Ping,
                () = sleep_until(self.pong_by), if is_ready => return,
            };
            if !is_ready {
                // A pong may have come meanwhile, and was not looked for.
                self.pong_by += since.elapsed();
            }
            let done = match event {
                SocketEvent::Ready => Ok(()),
                SocketEvent::Came(Ok(frame)) => self.take(frame).await,
                SocketEvent::Came(Err(broken)) => Err(Some(broken.close_code())),
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

    async fn take(&mut self, frame: Frame) -> Result<(), Option<u16>> {
        match frame {
            Frame::Message { is_binary, payload } => {
                self.is_binary = is_binary;
                // There is room: it was looked at before the frame was read. A call that has ended still has its last words to say.
                drop(self.hears.send(FromClient::Message(payload)).await);
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
        // Whoever does not read does not pong either.
        let sent = timeout(PONG_WITHIN, self.outgoing.send(code, payload)).await;
        sent.map_or(Err(None), |sent| sent.map_err(|_| None))
    }

    /// Says goodbye and waits a moment for the answer, so that what was said before is read.
    async fn close(mut self, code: u16) {
        // The call hears that the client has gone.
        self.said.close();
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
                    // What was not read would take the close with it.
                    self.incoming.discard().await;
                }
            }
            self.outgoing.shutdown().await;
        };
        // Whoever does not answer is closed all the same.
        drop(timeout(CLOSE_WITHIN, closing).await);
    }
}

enum SocketEvent {
    /// The call has time again.
    Ready,
    Came(Result<Frame, FrameError>),
    ToClient(Option<ToClient>),
    Ping,
}

/// The close code of an ending (RFC 6455, 7.4.1).
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
