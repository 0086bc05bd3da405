//! tchat: chat that lives in the terminal, in one binary. `tchat` joins, `tchat --serve` hosts.
//!
//! # The map
//!
//! One pattern at three scales: a plain state machine in the middle, one loop that owns it, bounded channels at the edge.
//!
//! | part | what it is |
//! |---|---|
//! | [`chat`] | the vocabulary: rooms, people, posts, entries, cursors, names, refusals |
//! | [`text`] | what may reach a terminal: sanitised, measured, wrapped |
//! | [`wire`] | frames of `proto/tchat/v1` to and from the vocabulary, and the encode-once codec |
//! | [`server`] | `listen` → `endpoint`, `bridge` (five foreign protocols, one tongue each) → `session` → `hub` → `room::task` → `room` → `outbox`, over `store` and `bus` |
//! | [`client`] | the joining side without a screen: `link` (dial, resume, keep alive), `pending`, `cache` (outbox, drafts, copies), `backoff`, `profile` |
//! | [`tui`] | `run` (the only loop) → `update` (pure) over `state` → `view` (pure), or `plain` where there is no screen; `keymap`, `strings`, `theme` are tables |
//! | [`config`] | files, environment and flags to one validated configuration |
//! | [`cli`] | the command line: join, serve, the host that is started in the background, `--demo`, `doctor`, what scripts call |
//!
//! Who may import whom: `cli → config, tui, client, server`; `tui → client`; `client → wire`; `server → wire`; `wire → chat`;
//! anyone may use `text` and `chat`. `server` and `client` never meet, nor do `update` and `view`; generated types stay in
//! `wire`, `client::link`, `server::endpoint` and `server::bridge`; only `config` reads the environment. `tests/it/architecture.rs` holds this
//! table. Two traits only, [`server::store::Store`] and [`server::bus::Bus`], because only these have a second implementation
//! and need faults injected.
//!
//! # The invariants
//!
//! 1. **One order.** The entries of a room are numbered 1, 2, 3 … without holes within one epoch and form a digest chain.
//! 2. **Stored before seen.** Nobody, the author included, receives an entry that is not durable.
//! 3. **Once.** A post carries a client id whose counter only rises; the store keeps the highest of each (room, author, outbox).
//! 4. **Every post ends in an answer**: its own entry, Accepted, or Refused.
//! 5. **Nobody waits for a reader.** A full queue means catching up by cursor; no progress for 30 s ends the connection.
//! 6. **One way to catch up**: the entries after a cursor, contiguous, or a gap that is named.
//! 7. **Encoded once.** What a room commits together is one frame, shared by everybody.
//! 8. **The core is pure.** `chat`, `text`, `wire`, `Room`, `Pending`, `update` and `view` do no I/O and read no clock.
//! 9. **Clocks never order.** Times are for people; timeouts use the monotonic clock.
//!
//! # One message, key to screen
//!
//! 1. [`tui::run`] reads Enter and gives `Event::Key` to [`tui::update`].
//! 2. The keymap says Send; the composer gives up its text, the timeline shows it pending, `Command::Post` comes back.
//! 3. [`client::Client::send`] hands it to the link, which writes it to the outbox on disk and then keeps it in the
//!    pending set until it is answered.
//! 4. The link encodes it onto the stream; [`server::endpoint::grpc`] decodes it.
//! 5. The [session](server::session) checks limits, rate and order and puts it into the room's mailbox.
//! 6. The [room's task](server::room::task) takes what waits as one batch, has it ordered by the bus, and numbers it.
//! 7. The store appends it: one commit, on disk, shared with all rooms that wait.
//! 8. [`server::room::Room::admit`] makes one delivery and offers it to every follower's [outbox](server::outbox).
//! 9. Each response stream writes the shared bytes.
//! 10. The link decodes them, moves its cursor, and takes its own post out of the pending set and the outbox.
//! 11. `update` puts the entry into the timeline by its number, in the place of the pending line.
//! 12. [`tui::view`] draws what is visible.

pub mod chat;
pub mod cli;
pub mod client;
pub mod config;
pub mod server;
pub mod text;
pub mod tui;
pub mod wire;
