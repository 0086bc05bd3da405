//! Input lines in plain mode, typed at a terminal or piped in.

use std::io;
use std::time::Duration;

use futures::{Stream, stream};
use tokio::io::{AsyncBufReadExt, BufReader, Stdin, stdin};
use tokio::time::sleep;

use crate::tui::event::Event;

/// The maximum number of bytes stored of a line. A message is far smaller, so a longer line is refused anyway.
const BYTES: usize = 256 * 1024;
/// The maximum number of bytes in a line in a terminal's line mode: 4,096 with the newline.
const TYPED: usize = 4095;
/// A line that follows within this time was pasted: nobody types that fast.
const PASTED: Duration = Duration::from_millis(15);

/// The source of the lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Typist {
    /// Somebody at a terminal, who may paste several lines at once.
    Person,
    /// A pipe: each line is handled separately.
    Pipe,
}

/// The lines of standard input until its end. Input is read only while the stream is polled, so that another program
/// can use the terminal in between.
pub fn lines(typist: Typist) -> impl Stream<Item = io::Result<Event>> + Unpin {
    let input = BufReader::new(stdin());
    Box::pin(stream::unfold(input, move |mut input| async move {
        let event = next(&mut input, typist).await.transpose()?;
        Some((event, input))
    }))
}

async fn next(input: &mut BufReader<Stdin>, typist: Typist) -> io::Result<Option<Event>> {
    let Some(mut bytes) = line(input).await? else {
        return Ok(None);
    };
    // The kernel silently drops the rest of a longer typed line.
    let is_cut = typist == Typist::Person && bytes.len() >= TYPED;
    let mut count = 1;
    while typist == Typist::Person && is_pasted(input).await {
        let Some(more) = line(input).await? else {
            break;
        };
        bytes.push(b'\n');
        bytes.extend(more.into_iter().take(BYTES.saturating_sub(bytes.len())));
        count += 1;
    }
    Ok(Some(match String::from_utf8(bytes) {
        Ok(text) if is_cut => Event::TruncatedLine(text),
        Ok(text) if count > 1 => Event::Paste(text),
        Ok(text) => Event::Line(text),
        Err(_) => Event::InvalidLine,
    }))
}

/// Whether more input is available or arrives faster than anybody types: a line, or the start of an unfinished one.
async fn is_pasted(input: &BufReader<Stdin>) -> bool {
    let is_there = || !input.buffer().is_empty() || has_more();
    if !is_there() {
        sleep(PASTED).await;
    }
    is_there() || has_begun()
}

/// The next line without its end; `None` at the end of the input.
async fn line(input: &mut BufReader<Stdin>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut is_any = false;
    loop {
        let chunk = input.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(is_any.then_some(line));
        }
        is_any = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        let used = end.map_or(chunk.len(), |end| end + 1);
        line.extend(part.iter().take(BYTES.saturating_sub(line.len())));
        input.consume(used);
        if end.is_some() {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(Some(line));
        }
    }
}

/// Whether a read would return at once.
#[cfg(unix)]
fn has_more() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdin = rustix::stdio::stdin();
    let mut asked = [PollFd::new(&stdin, PollFlags::IN)];
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut asked, Some(&at_once)).is_ok_and(|found| found > 0)
        && asked[0].revents().contains(PollFlags::IN)
}

#[cfg(not(unix))]
fn has_more() -> bool {
    false
}

/// Whether the user has typed or pasted the start of an unfinished line. In line mode the terminal delivers only
/// finished lines, so line mode is switched off for a moment. The start can still be read after line mode is back on.
#[cfg(unix)]
fn has_begun() -> bool {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let stdin = rustix::stdio::stdin();
    let Ok(by_lines) = tcgetattr(stdin) else {
        return false;
    };
    if !by_lines.local_modes.contains(LocalModes::ICANON) {
        return false;
    }
    let mut by_letters = by_lines.clone();
    by_letters.local_modes.remove(LocalModes::ICANON);
    if tcsetattr(stdin, OptionalActions::Now, &by_letters).is_err() {
        return false;
    }
    let has_begun = has_more();
    // If this fails, the terminal is gone, and the next read reports it.
    let _gone = tcsetattr(stdin, OptionalActions::Now, &by_lines);
    has_begun
}

#[cfg(not(unix))]
fn has_begun() -> bool {
    false
}
