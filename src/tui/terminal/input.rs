//! Terminal input: the stream of input events, queries to the terminal, and job control.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crossterm::event::Event;
use futures::Stream;

use crate::text::Ambiguous;
use crate::tui::theme::Background;

/// The terminal properties to query, because the configuration does not set them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Questions {
    pub ground: bool,
    pub ambiguous: bool,
}

/// The terminal's answers; `None` if there was no answer in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    pub ground: Option<Background>,
    pub ambiguous: Option<Ambiguous>,
}

/// The state of the only reader of the terminal. It reads nothing while another program is using the terminal.
#[derive(Debug, Default)]
struct ReaderState {
    is_paused: bool,
    /// Wakes the stream when it may read again.
    waker: Option<Waker>,
}

static READING: Mutex<ReaderState> = Mutex::new(ReaderState {
    is_paused: false,
    waker: None,
});

fn reading() -> MutexGuard<'static, ReaderState> {
    READING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether another program is using the terminal. Interrupts are then meant for that program.
pub fn is_paused() -> bool {
    reading().is_paused
}

/// Restores the terminal for another program; nothing is read until [`resume`].
pub(super) fn pause() {
    reading().is_paused = true;
    super::restore();
}

/// Takes the terminal over again after another program has ended. If the input stream was never read, as in plain mode,
/// the terminal is left as it is.
pub(super) fn resume() -> io::Result<()> {
    let waker = {
        let mut reading = reading();
        reading.is_paused = false;
        reading.waker.take()
    };
    let Some(waker) = waker else { return Ok(()) };
    waker.wake();
    super::take_over()
}

/// Whether reading is allowed now; if not, the task is woken when it is again.
fn may_read(context: &Context<'_>) -> bool {
    let mut reading = reading();
    reading.waker = Some(context.waker().clone());
    !reading.is_paused
}

#[cfg(unix)]
pub use self::unix::{Input, ask, suspend};

#[cfg(unix)]
mod unix {
    use std::collections::VecDeque;
    use std::io::{Stdin, stdin};
    use std::task::ready;
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{self, Signal as Kind};
    use tokio::io::unix::AsyncFd;
    use tokio::signal::unix::{Signal, SignalKind, signal};
    use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout_at};

    use super::{Answers, Context, Event, Pin, Poll, Questions, Stream, io, is_paused, may_read};
    use crate::text::{self, Ambiguous};
    use crate::tui::terminal::decode::{Answer, Awaited, Decoded, Decoder};
    use crate::tui::terminal::{restore, take_over};
    use crate::tui::theme::Background;

    /// How long the terminal may take to answer before the first frame is drawn; later answers are discarded.
    const ANSWERS_WITHIN: Duration = Duration::from_millis(300);
    /// How long after a query the program still waits for an answer before it ends, so that the answer does not reach the shell.
    const DRAINS_WITHIN: Duration = Duration::from_secs(2);
    /// How long to wait for more bytes after Esc. The bytes of a key arrive together, except over a slow link.
    const KEY: Duration = Duration::from_millis(50);
    /// The same while an answer is expected: Esc may be its first byte, and some terminals send one byte at a time.
    const KEY_OR_ANSWER: Duration = Duration::from_millis(100);
    /// How long to wait for the rest of a control sequence.
    const SEQUENCE: Duration = Duration::from_millis(500);
    /// The maximum number of answers stored until they are read; a terminal sends three.
    const ANSWERS: usize = 16;
    /// A paste without an end marker ends after this pause.
    const PASTE: Duration = Duration::from_secs(1);

    /// The input events of the process's own terminal. The stream ends when the terminal is disconnected.
    #[derive(Debug)]
    pub struct Input {
        tty: AsyncFd<Stdin>,
        decoder: Decoder,
        ready: VecDeque<Event>,
        answers: Vec<Answer>,
        /// The timer after which an incomplete sequence is decoded as it is.
        silence: Pin<Box<Sleep>>,
        is_timed: bool,
        /// When the unanswered queries were sent.
        queried_at: Option<Instant>,
        signals: [Signal; 3],
    }

    impl Input {
        /// Starts reading standard input and catching signals.
        ///
        /// # Errors
        /// Standard input cannot be polled, or signals cannot be caught.
        #[allow(deprecated)] // Its successor is unsafe for descriptors that may be closed; standard input is never closed.
        pub fn new() -> io::Result<Self> {
            let stop = SignalKind::from_raw(Kind::TSTP.as_raw());
            let go_on = SignalKind::from_raw(Kind::CONT.as_raw());
            Ok(Self {
                tty: AsyncFd::with_interest(stdin(), tokio::io::Interest::READABLE)?,
                decoder: Decoder::default(),
                ready: VecDeque::new(),
                answers: Vec::new(),
                silence: Box::pin(sleep(Duration::ZERO)),
                is_timed: false,
                queried_at: None,
                signals: [
                    signal(SignalKind::window_change())?,
                    signal(stop)?,
                    signal(go_on)?,
                ],
            })
        }

        /// Waits for answers that have not arrived yet, so that they do not reach the shell. Call it before the terminal is restored.
        pub async fn drain(&mut self) {
            if let Some(asked_at) = self.queried_at {
                // Other input that arrives meanwhile is discarded.
                let _late = timeout_at(asked_at + DRAINS_WITHIN, self.answered()).await;
            }
        }

        /// Waits until all queries are answered.
        async fn answered(&mut self) {
            std::future::poll_fn(|context| {
                while self.queried_at.is_some() {
                    if ready!(self.poll_bytes(context)).is_err() {
                        break;
                    }
                }
                Poll::Ready(())
            })
            .await;
        }

        /// Reads the available bytes and decodes them.
        fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            loop {
                let mut guard = ready!(self.tty.poll_read_ready(context))?;
                if !is_readable() {
                    guard.clear_ready();
                    continue;
                }
                let mut bytes = [0; 4096];
                let count = rustix::io::read(stdin(), &mut bytes)?;
                if count == 0 {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                self.decoder.feed(&bytes[..count]);
                self.is_timed = false;
                self.collect_decoded();
                return Poll::Ready(Ok(()));
            }
        }

        fn collect_decoded(&mut self) {
            while let Some(decoded) = self.decoder.pop() {
                match decoded {
                    Decoded::Event(event) => self.ready.push_back(event),
                    Decoded::Answer(answer) => {
                        if answer == Answer::Attributes {
                            self.queried_at = None;
                        }
                        if self.queried_at.is_some() && self.answers.len() < ANSWERS {
                            self.answers.push(answer);
                        }
                    }
                }
            }
        }

        /// Whether an incomplete sequence has ended because nothing followed for long enough.
        fn poll_silence(&mut self, context: &mut Context<'_>) -> bool {
            let Some(awaited) = self.decoder.awaited() else {
                return false;
            };
            if !self.is_timed {
                let patience = match awaited {
                    Awaited::Escape if self.queried_at.is_some() => KEY_OR_ANSWER,
                    Awaited::Escape => KEY,
                    Awaited::Sequence => SEQUENCE,
                    Awaited::Paste => PASTE,
                };
                self.silence.as_mut().reset(Instant::now() + patience);
                self.is_timed = true;
            }
            let is_over = self.silence.as_mut().poll(context).is_ready();
            if is_over {
                self.is_timed = false;
                self.decoder.give_up();
                self.collect_decoded();
            }
            is_over
        }

        /// Handles the job control signals and changes of the window size.
        fn poll_signals(&mut self, context: &mut Context<'_>) -> Option<Event> {
            let [resized, stopped, continued] = &mut self.signals;
            let came = |signal: &mut Signal, context: &mut Context<'_>| {
                let mut has_come = false;
                while matches!(signal.poll_recv(context), Poll::Ready(Some(()))) {
                    has_come = true;
                }
                has_come
            };
            if came(stopped, context) {
                if !is_paused() {
                    restore();
                }
                // Now the kernel stops the process; this call returns when the process is continued.
                let _ignored = process::kill_process(process::getpid(), Kind::STOP);
            }
            let is_back = came(continued, context);
            if is_back && !is_paused() {
                // The shell has set its own terminal mode.
                restore();
                let _ignored = take_over();
            }
            if !came(resized, context) && !is_back {
                return None;
            }
            let (width, height) = crossterm::terminal::size().ok()?;
            Some(Event::Resize(width, height))
        }
    }

    impl Stream for Input {
        type Item = io::Result<Event>;

        fn poll_next(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Self::Item>> {
            let input = &mut *self;
            loop {
                if has_hung_up() {
                    return Poll::Ready(None);
                }
                if let Some(event) = input.poll_signals(context) {
                    return Poll::Ready(Some(Ok(event)));
                }
                if !may_read(context) {
                    return Poll::Pending;
                }
                if let Some(event) = input.ready.pop_front() {
                    return Poll::Ready(Some(Ok(event)));
                }
                match input.poll_bytes(context) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                        return Poll::Ready(None);
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Poll::Pending if input.poll_silence(context) => {}
                    Poll::Pending => return Poll::Pending,
                }
            }
        }
    }

    /// Queries the terminal and waits briefly for its answers. Keys typed meanwhile are kept, and late answers are discarded.
    pub async fn ask(input: &mut Input, questions: Questions) -> Answers {
        let mut asked = Vec::new();
        if questions.ground {
            asked.extend(b"\x1b]11;?\x1b\\");
        }
        if questions.ambiguous {
            // Prints a character of ambiguous width at the left edge, asks for the cursor position, then erases it. Not in the first row:
            // an answer from there looks like F3 with a modifier.
            asked.extend("\x1b[2;1H●\x1b[6n\r\x1b[2K".as_bytes());
        }
        if asked.is_empty() {
            return Answers::default();
        }
        // Every terminal answers this query, even if it does not support the others.
        asked.extend(b"\x1b[c");
        input.answers.clear();
        input.queried_at = Some(Instant::now());
        let written = io::Write::write_all(&mut io::stdout(), &asked)
            .and_then(|()| io::Write::flush(&mut io::stdout()));
        if written.is_ok() {
            tokio::select! {
                () = input.answered() => {}
                () = sleep_until(Instant::now() + ANSWERS_WITHIN) => {}
            }
        }
        let mut answers = Answers::default();
        for answer in std::mem::take(&mut input.answers) {
            match answer {
                Answer::Background(colour) => {
                    answers.ground = answers.ground.or(Background::of_colour(&colour));
                }
                Answer::Column(1) => answers.ambiguous = Some(Ambiguous::Narrow),
                Answer::Column(2) => answers.ambiguous = Some(Ambiguous::Wide),
                _ => {}
            }
        }
        if let Some(ambiguous) = answers.ambiguous {
            text::set_ambiguous(ambiguous);
        }
        answers
    }

    /// Stops the process, as Ctrl+Z in a shell does, unless there is no shell that could continue it.
    pub fn suspend() {
        let is_session_leader =
            process::getsid(None).is_ok_and(|session| session == process::getpid());
        if !is_session_leader {
            // Stops the whole job; this process catches the signal and handles it in `poll_signals`.
            let _ignored = process::kill_current_process_group(Kind::TSTP);
        }
    }

    /// Whether a read would return at once.
    fn is_readable() -> bool {
        polled(PollFlags::IN).is_some_and(|found| !found.is_empty())
    }

    /// Whether the terminal is disconnected. A disconnected terminal is always readable and always empty.
    fn has_hung_up() -> bool {
        let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        polled(PollFlags::empty()).is_some_and(|found| found.intersects(gone))
    }

    fn polled(flags: PollFlags) -> Option<PollFlags> {
        let stdin = rustix::stdio::stdin();
        let mut asked = [PollFd::new(&stdin, flags)];
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let found = poll(&mut asked, Some(&at_once)).ok()?;
        (found > 0).then(|| asked[0].revents())
    }
}

#[cfg(not(unix))]
pub use self::windows::{Input, ask, suspend};

#[cfg(not(unix))]
mod windows {
    use crossterm::event::EventStream;

    use super::{Answers, Context, Event, Pin, Poll, Questions, Stream, io, may_read};

    /// The input events of the process's own console.
    #[derive(Debug)]
    pub struct Input(EventStream);

    impl Input {
        /// Starts reading the console.
        ///
        /// # Errors
        /// Never fails on this system.
        pub fn new() -> io::Result<Self> {
            Ok(Self(EventStream::new()))
        }

        pub async fn drain(&mut self) {}
    }

    impl Stream for Input {
        type Item = io::Result<Event>;

        fn poll_next(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Self::Item>> {
            if !may_read(context) {
                return Poll::Pending;
            }
            Pin::new(&mut self.0).poll_next(context)
        }
    }

    /// Does nothing: a console is not queried.
    pub async fn ask(_: &mut Input, _: Questions) -> Answers {
        Answers::default()
    }

    /// Does nothing: this system has no job control.
    pub fn suspend() {}
}
