//! The history checker: checks that what several readers saw, what senders were told and what screens showed is one consistent history.
//!
//! It uses only the output of the program: the lines of `tchat tail --json`, the exit codes of `tchat send` and the text of screens. The
//! digest chain is computed independently, from the layout in `frames.proto`.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use sha2::{Digest, Sha256};

/// One line of a tail.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Entry {
    pub room: String,
    pub room_id: String,
    pub epoch: String,
    pub seq: u64,
    pub digest: String,
    pub at: Option<String>,
    pub author: Author,
    pub client_id: Option<ClientId>,
    pub body: Body,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Author {
    pub id: String,
    pub name: String,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
pub struct ClientId {
    pub instance: String,
    pub counter: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Body {
    pub kind: String,
    pub text: String,
    /// The hash that the chain covers, in hexadecimal. It is printed since a body can contain more than its text.
    #[serde(default)]
    pub hash: Option<String>,
}

/// The result of an attempt to send: the exit code of `tchat send`, or 0 for a line that a screen no longer shows as waiting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    pub code: u8,
    pub text: String,
}

/// All output to check, each part with the name of its source.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The entries of each tail, in the order printed.
    pub tails: Vec<(String, Vec<Entry>)>,
    /// The attempts of each sender, in the order made; every text is different.
    pub sends: Vec<(String, Vec<Sent>)>,
    /// Screens that show the newest entries, taken at the end of the test.
    pub screens: Vec<(String, String)>,
}

/// The log of each room, merged from all tails, by epoch and seq.
type Log = BTreeMap<(String, String), BTreeMap<u64, Entry>>;

impl History {
    /// Returns all errors. If there are none, the history is consistent.
    pub fn check(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let log = self.one_entry_at_a_seq(&mut wrong);
        self.no_holes(&mut wrong);
        for ((_, epoch), entries) in &log {
            chain_holds(epoch, entries, &mut wrong);
            times_never_fall(entries, &mut wrong);
            once_and_in_order(entries, &mut wrong);
        }
        self.accepted_is_there(&log, &mut wrong);
        self.screens_are_runs(&log, &mut wrong);
        wrong
    }

    fn one_entry_at_a_seq(&self, wrong: &mut Vec<String>) -> Log {
        let mut log = Log::new();
        for (name, entries) in &self.tails {
            for entry in entries {
                let room = (entry.room_id.clone(), entry.epoch.clone());
                let known = log.entry(room).or_default();
                match known.get(&entry.seq) {
                    Some(other) if other != entry => wrong.push(format!(
                        "{name}: seq {} is another entry than in another tail",
                        entry.seq
                    )),
                    Some(_) => {}
                    None => drop(known.insert(entry.seq, entry.clone())),
                }
            }
        }
        log
    }

    fn no_holes(&self, wrong: &mut Vec<String>) {
        for (name, entries) in &self.tails {
            for pair in entries.windows(2) {
                let [one, next] = pair else { continue };
                if one.epoch == next.epoch && next.seq != one.seq + 1 {
                    wrong.push(format!("{name}: after seq {} comes {}", one.seq, next.seq));
                }
            }
        }
    }

    /// Checks that each accepted post is in the log once and no refused post is. Other posts may or may not be there.
    fn accepted_is_there(&self, log: &Log, wrong: &mut Vec<String>) {
        let mut places: HashMap<&str, Vec<u64>> = HashMap::new();
        for entry in log.values().flat_map(BTreeMap::values) {
            if entry.client_id.is_some() {
                places.entry(&entry.body.text).or_default().push(entry.seq);
            }
        }
        for (name, sends) in &self.sends {
            let mut last = 0;
            for sent in sends {
                let found = places
                    .get(sent.text.as_str())
                    .map_or(&[][..], Vec::as_slice);
                match (sent.code, found.len()) {
                    (0, 0) => {
                        wrong.push(format!("{name}: '{}' was accepted but is lost", sent.text));
                    }
                    (1 | 2, 1..) => {
                        wrong.push(format!("{name}: '{}' was refused but is there", sent.text));
                    }
                    (_, 2..) => wrong.push(format!("{name}: '{}' is there twice", sent.text)),
                    _ => {}
                }
                if let Some(seq) = found.first().filter(|_| sent.code == 0) {
                    if *seq < last {
                        wrong.push(format!("{name}: '{}' was overtaken", sent.text));
                    }
                    last = *seq;
                }
            }
        }
    }

    /// Checks that each screen shows the last entries of the log without a hole, apart from gaps that are marked.
    fn screens_are_runs(&self, log: &Log, wrong: &mut Vec<String>) {
        // Screens show the newest history, which is the longest one.
        let Some(entries) = log.values().max_by_key(|entries| entries.len()) else {
            return;
        };
        let said: Vec<&Entry> = entries
            .values()
            .filter(|it| matches!(it.body.kind.as_str(), "text" | "action" | "reply"))
            .collect();
        let place: HashMap<&str, usize> = said
            .iter()
            .enumerate()
            .map(|(n, entry)| (entry.body.text.as_str(), n))
            .collect();
        for (name, screen) in &self.screens {
            let mut last: Option<usize> = None;
            let mut is_gap = false;
            for row in screen.lines() {
                if row.contains("not loaded") || row.contains("no longer on the server") {
                    is_gap = true;
                    continue;
                }
                // Posts that are waiting or failed are not in the log yet.
                if row.contains(['…', '✗']) {
                    wrong.push(format!("{name}: a message still waits: {}", row.trim()));
                    continue;
                }
                let word = row.split_whitespace().find_map(|word| place.get(word));
                let Some(now) = word.copied() else { continue };
                match last {
                    Some(last) if now != last + 1 && !(is_gap && now > last) => {
                        wrong.push(format!(
                            "{name}: '{}' comes after '{}'",
                            said[now].body.text, said[last].body.text
                        ));
                    }
                    _ => {}
                }
                (last, is_gap) = (Some(now), false);
            }
            match last {
                None => wrong.push(format!("{name}: shows nothing of the log")),
                Some(last) if last + 1 != said.len() => wrong.push(format!(
                    "{name}: ends at '{}', which is not at the end",
                    said[last].body.text
                )),
                Some(_) => {}
            }
        }
    }
}

fn chain_holds(epoch: &str, entries: &BTreeMap<u64, Entry>, wrong: &mut Vec<String>) {
    let mut previous: Option<(u64, Vec<u8>)> = None;
    for entry in entries.values() {
        let before = match &previous {
            Some((seq, digest)) if seq + 1 == entry.seq => Some(digest.clone()),
            _ if entry.seq == 1 => Some(vec![0; 8]),
            _ => None,
        };
        let told = hex::decode(&entry.digest).unwrap_or_default();
        if before.is_some_and(|before| expected(&before, entry).as_deref() != Some(&told[..])) {
            wrong.push(format!(
                "epoch {epoch}: the chain breaks at seq {}",
                entry.seq
            ));
        }
        previous = Some((entry.seq, told));
    }
}

/// Returns the digest of an entry that follows another, by the layout of the protocol.
fn expected(previous: &[u8], entry: &Entry) -> Option<Vec<u8>> {
    let body = body_hash(&entry.body)?;
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(entry.seq.to_be_bytes());
    hash.update(hex::decode(&entry.author.id).ok()?);
    match &entry.client_id {
        Some(id) => {
            hash.update(hex::decode(&id.instance).ok()?);
            hash.update(id.counter.to_be_bytes());
        }
        None => hash.update([0; 24]),
    }
    hash.update(body);
    Some(hash.finalize()[..8].to_vec())
}

/// Returns the printed hash of a body. If the body is only text, it has to be the hash of that text.
fn body_hash(body: &Body) -> Option<Vec<u8>> {
    let told = body.hash.as_ref().map(hex::decode).transpose().ok()?;
    let kind = match body.kind.as_str() {
        "text" => 1,
        "action" => 2,
        "created" => 3,
        "left" => 5,
        "renamed" => 6,
        "joined" if told.is_none() => 4,
        _ => return told,
    };
    let mut hash = Sha256::new();
    hash.update([kind]);
    hash.update(&body.text);
    let own = hash.finalize().to_vec();
    (told.is_none() || told.as_ref() == Some(&own)).then_some(own)
}

fn times_never_fall(entries: &BTreeMap<u64, Entry>, wrong: &mut Vec<String>) {
    let mut last = None;
    for entry in entries.values() {
        let at = entry
            .at
            .as_ref()
            .and_then(|at| at.parse::<jiff::Timestamp>().ok());
        if at.is_none() || at < last {
            wrong.push(format!("seq {} is older than the one before", entry.seq));
        }
        last = at;
    }
}

/// Checks that each client id occurs once and that the counters of each outbox increase.
fn once_and_in_order(entries: &BTreeMap<u64, Entry>, wrong: &mut Vec<String>) {
    let mut highest: HashMap<(&str, &str), u64> = HashMap::new();
    for entry in entries.values() {
        let Some(id) = &entry.client_id else { continue };
        let outbox = (entry.author.id.as_str(), id.instance.as_str());
        let highest = highest.entry(outbox).or_default();
        if id.counter == *highest {
            wrong.push(format!(
                "seq {} has a client id that was used before",
                entry.seq
            ));
        } else if id.counter < *highest {
            wrong.push(format!(
                "seq {} was overtaken by later ones of its sender",
                entry.seq
            ));
        }
        *highest = id.counter.max(*highest);
    }
}

/// Parses the output of a tail.
///
/// # Errors
/// Names the line that is not an entry.
pub fn tail(text: &str) -> Result<Vec<Entry>, String> {
    let lines = text.lines().enumerate();
    lines
        .map(|(n, line)| {
            serde_json::from_str(line).map_err(|error| format!("line {}: {error}", n + 1))
        })
        .collect()
}

/// Parses the attempts of a sender. Each line is an exit code, a space and the text.
///
/// # Errors
/// Names the line that is not an attempt.
pub fn sends(text: &str) -> Result<Vec<Sent>, String> {
    let sent = |(n, line): (usize, &str)| {
        let split = line.split_once(' ');
        let parsed = split.and_then(|(code, text)| Some((code.parse().ok()?, text.to_owned())));
        let (code, text) = parsed.ok_or_else(|| format!("line {}: no code and text", n + 1))?;
        Ok(Sent { code, text })
    };
    text.lines().enumerate().map(sent).collect()
}
