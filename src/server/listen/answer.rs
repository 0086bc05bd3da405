//! The answers to unary calls while clients read them. An answer that is not read counts against its caller, and in the end drops the connection.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame};
use tokio::time::Instant;
use tonic::body::Body;

use crate::server::hub::charging::Occupied;

/// An answer is passed to HTTP/2 in pieces of this many bytes, so that what the client has not read stays here, where it is measured.
const PIECE: usize = 16 * 1024;

/// Marks a response as the answer to a unary call. Its caller is charged until the client has read it.
#[derive(Clone, Debug)]
pub struct UnreadAnswer(pub Arc<Occupied>);

/// When a client last read a piece of an answer.
#[derive(Debug)]
pub(super) struct Progress(Mutex<Instant>);

impl Progress {
    fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Returns how long the client has read nothing.
    pub fn stalled_for(&self) -> Duration {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.elapsed()
    }
}

/// The body of an answer, in pieces.
struct MeasuredBody {
    inner: Body,
    /// The part of the current frame that was not passed on yet.
    rest: Bytes,
    progress: Arc<Progress>,
    /// Released when the client has read everything, or is gone.
    _charged: Arc<Occupied>,
}

/// Measures how a client reads an answer.
pub(super) fn measured(body: Body, charged: UnreadAnswer) -> (Body, Arc<Progress>) {
    let progress = Arc::new(Progress::new());
    let body = MeasuredBody {
        inner: body,
        rest: Bytes::new(),
        progress: Arc::clone(&progress),
        _charged: charged.0,
    };
    (Body::new(body), progress)
}

impl HttpBody for MeasuredBody {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        loop {
            if !self.rest.is_empty() {
                let piece = self.rest.len().min(PIECE);
                let piece = self.rest.split_to(piece);
                self.progress.note();
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            let inner = Pin::new(&mut self.inner).poll_frame(context);
            match std::task::ready!(inner) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return Poll::Ready(other),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::chat::{IdentityId, Limit};
    use crate::server::hub::charging::Slots;

    #[tokio::test(start_paused = true)]
    async fn an_answer_counts_until_its_last_piece_is_read() {
        let slots = Arc::new(Slots::default());
        let who = IdentityId::new([7; 16]);
        let charged = slots.occupy(Limit::UnreadAnswers, who, 1).unwrap();
        let answer = Bytes::from(vec![7; 3 * PIECE + 1]);
        let body = Body::new(axum::body::Body::from(answer));
        let (mut body, progress) = measured(body, UnreadAnswer(Arc::new(charged)));
        for expected in [PIECE, PIECE, PIECE, 1] {
            tokio::time::advance(Duration::from_secs(29)).await;
            assert_eq!(progress.stalled_for(), Duration::from_secs(29));
            assert!(slots.occupy(Limit::UnreadAnswers, who, 1).is_none());
            let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
            let frame = frame.unwrap().unwrap().into_data().unwrap();
            assert_eq!(frame.len(), expected);
            assert_eq!(progress.stalled_for(), Duration::ZERO);
        }
        let end = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        assert!(end.is_none());
        drop(body);
        assert!(slots.occupy(Limit::UnreadAnswers, who, 1).is_some());
    }
}
