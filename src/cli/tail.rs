//! `tchat tail`: prints the entries of a room, each once and in order, whatever happens to the connection.

mod out;

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use self::out::{EntryWriter, Format};
use super::TailArgs;
use super::pipe::{self, ExitError, HeadlessClient, UNKNOWN};
use crate::chat::{Entry, Epoch, FollowResult, InstanceId, RoomId, Seq};
use crate::client::{Command, Event, LinkState};
use crate::config::Config;
use crate::tui::strings::fill;

/// The time limit without `--follow`.
const TIMEOUT: Duration = Duration::from_secs(30);

pub fn run(config: &Config, args: &TailArgs) -> Result<()> {
    pipe::run(tail(config, args))
}

async fn tail(config: &Config, args: &TailArgs) -> Result<()> {
    // A tail posts nothing, so its outbox needs no unique id.
    let instance = InstanceId::new([0; 16]);
    let room = config.join.room.clone().unwrap_or_default();
    let mut pipe = HeadlessClient::open(config, instance, Some(room)).await?;
    let format = if args.json {
        Format::Json
    } else {
        Format::Text
    };
    let mut out = EntryWriter {
        format,
        zone: config.join.zone.clone(),
        s: pipe.s,
        room: String::new(),
    };
    let mut reader = Reader::new(args.last);
    // Events that arrive before the requested room is known: rooms that we are in are followed before that.
    let mut early = Vec::new();
    let mut trouble = None;
    let give_up = sleep(TIMEOUT);
    let mut give_up = std::pin::pin!(give_up);
    loop {
        let event = tokio::select! {
            event = pipe.next() => event?,
            () = &mut give_up, if !args.follow => {
                let why = pipe.disconnect_reason();
                let why = why.unwrap_or_else(|| pipe.s.pipes.no_answer_in_time.into());
                return Err(ExitError::new(UNKNOWN, why).into());
            }
        };
        report_trouble(&pipe, &mut trouble);
        early.push(event);
        let Some(room) = &pipe.room else { continue };
        out.room.clone_from(&room.name);
        let events = std::mem::take(&mut early);
        let steps = events
            .into_iter()
            .flat_map(|event| reader.on_event(room.id, event));
        for step in steps.collect::<Vec<_>>() {
            if let Err(error) = perform(step, room.id, &pipe, &out) {
                // Not an error: the reader has closed the pipe.
                let is_closed = error.kind() == ErrorKind::BrokenPipe;
                return if is_closed { Ok(()) } else { Err(error.into()) };
            }
        }
        if !args.follow && reader.has_ended() {
            pipe.close().await;
            return Ok(());
        }
    }
}

/// Reports a broken connection, once for each reason. `trouble` is what was reported last.
fn report_trouble(pipe: &HeadlessClient, trouble: &mut Option<String>) {
    let now = pipe
        .disconnect_reason()
        .filter(|_| !matches!(pipe.link, LinkState::Connecting));
    if now.is_some() && now != *trouble {
        let why = now.as_deref().unwrap_or_default();
        print_warning(&fill(pipe.s.pipes.no_connection, &[&why]));
    }
    if now.is_some() || pipe.link == LinkState::Online {
        *trouble = now;
    }
}

/// Performs a step of the reader.
///
/// # Errors
/// The entries cannot be printed.
fn perform(
    step: TailStep,
    room: RoomId,
    pipe: &HeadlessClient,
    out: &EntryWriter,
) -> io::Result<()> {
    match step {
        TailStep::Print(entries) => out.print(&entries)?,
        TailStep::RequestPage(before) => {
            // The queue is far longer than the number of pages that can be requested at once.
            let _asked = pipe.client.send(Command::LoadOlder { room, before });
        }
        TailStep::HistoryReplaced => print_warning(pipe.s.pipes.another_history),
        TailStep::EntriesLost(count) => print_warning(&fill(pipe.s.gap_gone, &[&count])),
    }
    Ok(())
}

#[allow(clippy::print_stderr)] // Standard output is only for the entries.
fn print_warning(words: &str) {
    eprintln!("tchat: {words}");
}

/// A step that the reader requests.
#[derive(Debug, PartialEq)]
enum TailStep {
    /// Print these entries.
    Print(Vec<Entry>),
    /// Request the page before this seq.
    RequestPage(Seq),
    /// Report that the room's history was replaced.
    HistoryReplaced,
    /// Report that this many messages are gone for good.
    EntriesLost(u64),
}

/// Sorts arriving entries into log order. Pure.
#[derive(Debug)]
struct Reader {
    last: u64,
    epoch: Option<Epoch>,
    /// The next seq to print; `None` until the end of the room is known.
    next: Option<Seq>,
    /// The last seq of the room when it was first followed.
    end: Seq,
    buffered: BTreeMap<Seq, Entry>,
    requested_before: Option<Seq>,
}

impl Reader {
    fn new(last: u64) -> Self {
        Self {
            last,
            epoch: None,
            next: None,
            end: Seq::ZERO,
            buffered: BTreeMap::new(),
            requested_before: None,
        }
    }

    /// Whether everything that existed at the beginning has been printed.
    fn has_ended(&self) -> bool {
        self.next.is_some_and(|next| next > self.end)
    }

    fn on_event(&mut self, of: RoomId, event: Event) -> Vec<TailStep> {
        let mut steps = Vec::new();
        match event {
            Event::Followed {
                room,
                epoch,
                first,
                last,
                result,
                ..
            } if room == of => {
                let is_another = matches!(result, FollowResult::EpochChanged | FollowResult::Ahead);
                self.followed(epoch, (first, last), is_another, &mut steps);
            }
            Event::Entries(entries) => self.add(of, entries),
            Event::Page {
                room,
                before,
                epoch,
                first,
                entries,
            } if room == of && self.epoch == Some(epoch) => {
                self.requested_before = None;
                let is_empty = entries.is_empty();
                self.add(of, entries);
                // Entries that the server no longer has are skipped.
                let available_from = if is_empty { before } else { first };
                self.skip_to(available_from, &mut steps);
            }
            Event::PageFailed { room, before }
                if room == of && self.requested_before == Some(before) =>
            {
                self.requested_before = None;
                // It is requested again when the room is followed again.
                return steps;
            }
            _ => return steps,
        }
        self.advance(&mut steps);
        steps
    }

    fn followed(
        &mut self,
        epoch: Epoch,
        (first, last): (Seq, Seq),
        is_another: bool,
        steps: &mut Vec<TailStep>,
    ) {
        self.requested_before = None;
        let is_known = self.epoch.replace(epoch) == Some(epoch) && !is_another;
        if is_known && self.next <= Some(last.next()) {
            self.skip_to(first, steps);
            return;
        }
        if self.next.is_some() {
            steps.push(TailStep::HistoryReplaced);
        }
        // Like the first history, a new one starts with its newest entries.
        let begin = last.0.saturating_sub(self.last) + 1;
        self.next = Some(Seq(begin).max(first));
        self.end = last;
        self.buffered.clear();
    }

    fn add(&mut self, of: RoomId, entries: Vec<Entry>) {
        let wanted = entries.into_iter().filter(|entry| {
            entry.room == of && Some(entry.epoch) == self.epoch && Some(entry.seq) >= self.next
        });
        self.buffered.extend(wanted.map(|entry| (entry.seq, entry)));
    }

    fn skip_to(&mut self, first: Seq, steps: &mut Vec<TailStep>) {
        if let Some(next) = self.next.filter(|next| *next < first) {
            steps.push(TailStep::EntriesLost(next.count_to(first.before())));
            self.next = Some(first);
        }
    }

    /// Prints the buffered entries that come next. Requests those that are missing before a later entry or
    /// before the end.
    fn advance(&mut self, steps: &mut Vec<TailStep>) {
        let mut ready = Vec::new();
        while let Some(next) = self.next
            && let Some(entry) = self.buffered.remove(&next)
        {
            self.next = Some(next.next());
            ready.push(entry);
        }
        if !ready.is_empty() {
            steps.push(TailStep::Print(ready));
        }
        let Some(next) = self.next else { return };
        let later = match self.buffered.first_key_value() {
            Some((seq, _)) => *seq,
            None if next <= self.end => self.end.next(),
            None => return,
        };
        if self.requested_before.is_none() {
            self.requested_before = Some(later);
            steps.push(TailStep::RequestPage(later));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Body;
    use crate::chat::{Author, Digest, IdentityId};

    const ROOM: RoomId = RoomId::new([1; 16]);

    pub(super) fn entries(epoch: u8, seqs: std::ops::RangeInclusive<u64>) -> Vec<Entry> {
        let entry = |seq| Entry {
            room: ROOM,
            epoch: Epoch::new([epoch; 16]),
            seq: Seq(seq),
            digest: Digest::default(),
            at_ms: 0,
            author: Author {
                id: IdentityId::new([2; 16]),
                name: "ann".into(),
            },
            client_id: None,
            body: Body::Joined(crate::chat::Role::Member),
            mentions: Vec::new(),
            amended: None,
        };
        seqs.map(entry).collect()
    }

    fn followed(epoch: u8, first: u64, last: u64) -> Event {
        Event::Followed {
            room: ROOM,
            epoch: Epoch::new([epoch; 16]),
            first: Seq(first),
            last: Seq(last),
            result: FollowResult::Contiguous,
            unread: crate::chat::Unread::default(),
        }
    }

    fn page(before: u64, first: u64, seqs: std::ops::RangeInclusive<u64>) -> Event {
        Event::Page {
            room: ROOM,
            before: Seq(before),
            epoch: Epoch::new([1; 16]),
            first: Seq(first),
            entries: entries(1, seqs),
        }
    }

    /// Returns the seqs that were printed, the pages that were requested, and the number of reports.
    fn steps(reader: &mut Reader, event: Event) -> (Vec<u64>, Vec<u64>, usize) {
        let (mut printed, mut asked, mut said) = (Vec::new(), Vec::new(), 0);
        for step in reader.on_event(ROOM, event) {
            match step {
                TailStep::Print(entries) => printed.extend(entries.iter().map(|it| it.seq.0)),
                TailStep::RequestPage(before) => asked.push(before.0),
                TailStep::HistoryReplaced | TailStep::EntriesLost(_) => said += 1,
            }
        }
        (printed, asked, said)
    }

    #[test]
    fn the_newest_few_are_printed_and_then_new_ones() {
        let mut reader = Reader::new(3);
        assert_eq!(
            steps(&mut reader, followed(1, 1, 10)),
            (vec![], vec![11], 0)
        );
        let (printed, ..) = steps(&mut reader, Event::Entries(entries(1, 1..=10)));
        assert_eq!(printed, [8, 9, 10]);
        assert!(reader.has_ended());
        let (printed, ..) = steps(&mut reader, Event::Entries(entries(1, 11..=12)));
        assert_eq!(printed, [11, 12]);
    }

    #[test]
    fn skipped_entries_are_fetched_before_later_ones_are_printed() {
        let mut reader = Reader::new(0);
        steps(&mut reader, followed(1, 1, 10));
        steps(&mut reader, Event::Entries(entries(1, 11..=11)));
        // After a long absence the newest entries arrive, and the rest is requested page by page.
        steps(&mut reader, followed(1, 1, 900));
        let came = steps(&mut reader, Event::Entries(entries(1, 701..=900)));
        assert_eq!(came, (vec![], vec![701], 0));
        assert_eq!(
            steps(&mut reader, page(701, 1, 501..=700)),
            (vec![], vec![501], 0)
        );
        assert_eq!(steps(&mut reader, page(501, 1, 301..=500)).1, [301]);
        assert_eq!(steps(&mut reader, page(301, 1, 101..=300)).1, [101]);
        let (printed, asked, _) = steps(&mut reader, page(101, 1, 1..=100));
        assert_eq!(printed, (12..=900).collect::<Vec<_>>());
        assert!(asked.is_empty());
    }

    #[test]
    fn lost_entries_are_reported_and_not_waited_for() {
        let mut reader = Reader::new(0);
        steps(&mut reader, followed(1, 1, 10));
        let (_, _, said) = steps(&mut reader, followed(1, 21, 30));
        assert_eq!(said, 1);
        let (printed, ..) = steps(&mut reader, Event::Entries(entries(1, 21..=30)));
        assert_eq!(printed, (21..=30).collect::<Vec<_>>());
    }

    #[test]
    fn another_history_is_reported_and_begins_with_its_newest_entries() {
        let mut reader = Reader::new(3);
        steps(&mut reader, followed(1, 1, 10));
        steps(&mut reader, Event::Entries(entries(1, 1..=10)));
        let (_, _, said) = steps(&mut reader, followed(2, 1, 4));
        assert_eq!(said, 1);
        let (printed, ..) = steps(&mut reader, Event::Entries(entries(2, 1..=5)));
        assert_eq!(printed, [2, 3, 4, 5]);
        // The same epoch, but shorter than what was printed: an older backup was restored.
        let (_, _, said) = steps(&mut reader, followed(2, 1, 2));
        assert_eq!(said, 1);
        // Or longer, and different from what was printed: the server reports that.
        let changed = Event::Followed {
            room: ROOM,
            epoch: Epoch::new([2; 16]),
            first: Seq(1),
            last: Seq(20),
            result: FollowResult::EpochChanged,
            unread: crate::chat::Unread::default(),
        };
        assert_eq!(steps(&mut reader, changed).2, 1);
    }
}
