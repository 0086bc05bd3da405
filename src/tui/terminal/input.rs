//! What is typed: the one stream of input events, the questions a terminal is asked, and job control.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crossterm::event::Event;
use futures::Stream;

use crate::text::Ambiguous;
use crate::tui::theme::Background;

/// What the configuration leaves open, so that the terminal is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Questions {
    pub ground: bool,
    pub ambiguous: bool,
}

/// What the terminal said; nothing where it said nothing in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    pub ground: Option<Background>,
    pub ambiguous: Option<Ambiguous>,
}

/// There is one terminal, and one that reads it; while another program has it nobody does.
#[derive(Debug, Default)]
struct Reading {
    is_paused: bool,
    /// Wakes the stream when it may read again.
    waker: Option<Waker>,
}

static READING: Mutex<Reading> = Mutex::new(Reading {
    is_paused: false,
    waker: None,
});

fn reading() -> MutexGuard<'static, Reading> {
    READING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether another program has the terminal: what interrupts is meant for that.
pub fn is_paused() -> bool {
    reading().is_paused
}

/// Gives the terminal to another program for a while: nothing is read until [`resume`].
pub(super) fn pause() {
    reading().is_paused = true;
    super::restore();
}

/// Takes the terminal back from another program, whatever that left there; nothing is taken where it was not ours.
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

/// Whether reading is allowed now; if not, the task is woken when it is.
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

    /// A terminal far away has this long to answer before the first frame; later answers are swallowed.
    const ANSWERS_WITHIN: Duration = Duration::from_millis(300);
    /// An answer that is still on its way when the program ends is waited for this long after it was asked for, so that it does not
    /// reach the shell.
    const DRAINS_WITHIN: Duration = Duration::from_secs(2);
    /// A key press comes whole; over a slow link its parts may be this far apart.
    const KEY: Duration = Duration::from_millis(50);
    /// While an answer is awaited a lone Esc may be its beginning, also from terminals that send a byte at a time.
    const KEY_OR_ANSWER: Duration = Duration::from_millis(100);
    const SEQUENCE: Duration = Duration::from_millis(500);
    /// Answers that are kept until they are looked at; a terminal gives three.
    const ANSWERS: usize = 16;
    /// A paste whose end does not come is over after this.
    const PASTE: Duration = Duration::from_secs(1);

    /// The events of the process's own terminal. It ends when the terminal has hung up.
    #[derive(Debug)]
    pub struct Input {
        tty: AsyncFd<Stdin>,
        decoder: Decoder,
        ready: VecDeque<Event>,
        answers: Vec<Answer>,
        /// When what has begun is taken for what it is so far.
        silence: Pin<Box<Sleep>>,
        is_timed: bool,
        /// When questions were asked whose answers have not come.
        asked_at: Option<Instant>,
        signals: [Signal; 3],
    }

    impl Input {
        /// # Errors
        /// Standard input is nothing that can be waited for, or signals cannot be caught.
        #[allow(deprecated)] // Its successor is unsafe for descriptors that may be closed; standard input never is.
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
                asked_at: None,
                signals: [
                    signal(SignalKind::window_change())?,
                    signal(stop)?,
                    signal(go_on)?,
                ],
            })
        }

        /// Waits for an answer that is still on its way, so that it does not reach the shell. To be called before the terminal is
        /// given back.
        pub async fn drain(&mut self) {
            if let Some(asked_at) = self.asked_at {
                // Whatever came meanwhile is nobody's any more.
                let _late = timeout_at(asked_at + DRAINS_WITHIN, self.answered()).await;
            }
        }

        /// Waits until all questions are answered.
        async fn answered(&mut self) {
            std::future::poll_fn(|context| {
                while self.asked_at.is_some() {
                    if ready!(self.poll_bytes(context)).is_err() {
                        break;
                    }
                }
                Poll::Ready(())
            })
            .await;
        }

        /// Reads what is there, and takes it.
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
                self.take();
                return Poll::Ready(Ok(()));
            }
        }

        fn take(&mut self) {
            while let Some(decoded) = self.decoder.pop() {
                match decoded {
                    Decoded::Event(event) => self.ready.push_back(event),
                    Decoded::Answer(answer) => {
                        if answer == Answer::Attributes {
                            self.asked_at = None;
                        }
                        if self.asked_at.is_some() && self.answers.len() < ANSWERS {
                            self.answers.push(answer);
                        }
                    }
                }
            }
        }

        /// Whether nothing came for so long that what has begun is over.
        fn poll_silence(&mut self, context: &mut Context<'_>) -> bool {
            let Some(awaited) = self.decoder.awaited() else {
                return false;
            };
            if !self.is_timed {
                let patience = match awaited {
                    Awaited::Escape if self.asked_at.is_some() => KEY_OR_ANSWER,
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
                self.take();
            }
            is_over
        }

        /// What the job control of a shell and the window's size make of the terminal.
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
                // The rest of what stops a program is the kernel's; this call returns when somebody lets us go on.
                let _unstopped = process::kill_process(process::getpid(), Kind::STOP);
            }
            let is_back = came(continued, context);
            if is_back && !is_paused() {
                // The shell has set the terminal as it wants it.
                restore();
                let _untaken = take_over();
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

    /// Asks the terminal what is left open, and waits a moment for its answers. What is typed meanwhile is kept, and answers that come
    /// later are swallowed.
    pub async fn ask(input: &mut Input, questions: Questions) -> Answers {
        let mut asked = Vec::new();
        if questions.ground {
            asked.extend(b"\x1b]11;?\x1b\\");
        }
        if questions.ambiguous {
            // A character of ambiguous width at the left edge, and where the cursor is after it; then it is wiped out. Not in the first
            // row: an answer from there looks like F3 with a modifier.
            asked.extend("\x1b[2;1H●\x1b[6n\r\x1b[2K".as_bytes());
        }
        if asked.is_empty() {
            return Answers::default();
        }
        // Every terminal answers this one, also those that do not know the others.
        asked.extend(b"\x1b[c");
        input.answers.clear();
        input.asked_at = Some(Instant::now());
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

    /// Stops the program as Ctrl+Z does in a shell, unless there is no shell that could let it go on.
    pub fn suspend() {
        let is_alone = process::getsid(None).is_ok_and(|session| session == process::getpid());
        if !is_alone {
            // The whole job stops; ours is caught above.
            let _unstopped = process::kill_current_process_group(Kind::TSTP);
        }
    }

    /// Whether a read would not wait.
    fn is_readable() -> bool {
        polled(PollFlags::IN).is_some_and(|found| !found.is_empty())
    }

    /// Whether the terminal is gone. One that has hung up is always readable and always empty.
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

    /// The events of the process's own console.
    #[derive(Debug)]
    pub struct Input(EventStream);

    impl Input {
        /// # Errors
        /// None here.
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

    /// A console is not asked anything.
    pub async fn ask(_: &mut Input, _: Questions) -> Answers {
        Answers::default()
    }

    /// There is no job control.
    pub fn suspend() {}
}
