//! tchat is a terminal chat program. One binary is both the client (`tchat`) and the server (`tchat --serve`).
//!
//! # Map of the modules
//!
//! The same pattern occurs in three places: the screen, the client's connection and the server's rooms. Each has a plain state
//! machine in the middle, one task that owns it, and bounded channels around it.
//!
//! | module | what it is |
//! |---|---|
//! | [`chat`] | The shared data types: rooms, people, posts, entries, cursors, names, refusals. |
//! | [`text`] | Text for a terminal: sanitising, measuring, wrapping, Markdown, mentions. |
//! | [`wire`] | Converts the frames of `proto/tchat/v1` to and from the types of `chat`. Has the codec that encodes each frame once. |
//! | [`tls`] | What both ends of an encrypted connection share: the cryptography and the pin of a certificate. |
//! | [`server`] | The server: connections, sessions, rooms, the store, and the bridges to five other chat protocols. |
//! | [`client`] | The client without a screen: dialling, resuming, pending posts, and a cache on disk (outbox, drafts, entries). |
//! | [`tui`] | The screen: a state, a pure `update`, a pure `view`, and the loop that runs them. Without a screen it prints lines. |
//! | [`files`] | Reads a file that may be missing, and writes one so that a crash leaves it whole. |
//! | `local_socket` | The socket through which clients reach the server of the same user (Unix only). |
//! | [`config`] | Reads files, environment variables and flags into one validated configuration. |
//! | [`cli`] | The subcommands: join, serve, the background server, `--demo`, `doctor`, and the commands for scripts. |
//!
//! ## Inside `server`
//!
//! A message passes through these modules from top to bottom and comes back through the outbox:
//!
//! | module | task |
//! |---|---|
//! | `listen` | Accepts connections and limits their number. |
//! | `endpoint`, `bridge` | Turn frames into requests: tchat's own protocol, and the five foreign ones. They contain no chat rules. |
//! | `session` | One task for each attached client. |
//! | `hub` | What all sessions share: names, presence, the running rooms. |
//! | `room::task` | One task for each running room. It owns the state of that room. |
//! | `room` | The state itself: numbering, permissions, followers. It does no I/O. |
//! | `store`, `bus` | Entries on disk, and the order of posts. |
//! | `outbox` | The queue to one session. |
//!
//! ## Inside `client` and `tui`
//!
//! In `client`, `link` is the task that owns the connection, `pending` has the posts that are not answered yet, and `cache` is what is
//! stored on disk. In `tui`, `run` is the only loop. It passes every event to `update`, performs the effects that `update` returns, and
//! draws `state` with `view`. `plain` prints lines where there is no screen. `content` has what `view` and `plain` both show;
//! `screen`, where things are on the screen; `input`, what the user types; `lists`, the lists to choose from. `settings`, `strings`
//! and `theme` are tables.
//!
//! # Which module may import which
//!
//! | module | may import |
//! |---|---|
//! | `cli` | all except `wire` |
//! | `config` | `chat`, `files`, `text`, and the tables of `tui` (keys, theme, settings, strings) |
//! | `tui` | `chat`, `client`, `text` |
//! | `client`, `server` | `chat`, `files`, `text`, `tls`, `wire`, but never each other |
//! | `wire`, `tls`, `text` | `chat` |
//! | `chat`, `files`, `local_socket` | nothing |
//!
//! Further rules: `update` does not know `view`. Types generated from protobuf are used only in `wire`, `client::link`, `server::endpoint`
//! and `server::bridge`. Only `config` reads environment variables. `tests/it/architecture/` checks these rules, the layers inside `server`
//! and `tui`, and that there are no import cycles between files.
//!
//! Two components are behind a trait, [`server::store::Store`] and [`server::bus::Bus`]. Only these have a second implementation and
//! need injected faults.
//!
//! # Invariants
//!
//! 1. **One order.** Within one epoch, the entries of a room are numbered 1, 2, 3 … without holes. They form a digest chain.
//! 2. **Stored before seen.** Nobody receives an entry before it is durable. This includes its author.
//! 3. **Once.** A post carries a client id whose counter only rises. The store remembers the highest counter of each (room, author,
//!    outbox), so a post that is sent twice is stored once.
//! 4. **Every post is answered**: with its own entry, with Accepted, or with Refused.
//! 5. **A slow reader delays no one else.** When the queue to a client is full, the client catches up from its cursor. A client that
//!    reads nothing for 30 s is disconnected.
//! 6. **One way to catch up.** The client receives the entries after its cursor without holes, or an event that names the gap.
//! 7. **Encoded once.** The entries that a room commits together become one frame, which all receivers share.
//! 8. **The core is pure.** `chat`, `text`, `wire`, `Room`, `Pending`, `update` and `view` do no I/O and read no clock.
//! 9. **Clocks do not decide the order.** Times are for people to read. Timeouts use the monotonic clock.
//!
//! # One message, from key to screen
//!
//! 1. [`tui::run`] reads the Enter key and passes `Event::Key` to [`tui::update`].
//! 2. The keymap resolves Enter to Send. `update` takes the text from the composer, shows it as pending in the timeline and returns
//!    `Command::Post`.
//! 3. [`client::Client::send`] passes the command to the link. The link writes the post to the outbox on disk, then adds it to the
//!    pending posts, where it stays until the server answers.
//! 4. The link encodes the post and writes it to the stream. [`server::endpoint::grpc`] decodes it.
//! 5. The [session](server::session) checks limits, rate and order, and puts the post into the room's mailbox.
//! 6. The [room's task](server::room::task) takes all waiting posts as one batch. The bus puts them in order and the room numbers them.
//! 7. The store appends them. One commit to disk serves all rooms that are waiting.
//! 8. [`server::room::Room::admit`] makes one delivery and offers it to the [outbox](server::outbox) of every follower.
//! 9. Each response stream writes the same shared bytes.
//! 10. The link decodes the entry, moves its cursor, and removes its own post from the pending posts and the outbox on disk.
//! 11. `update` puts the entry into the timeline at its number. It replaces the pending line.
//! 12. [`tui::view`] draws what is visible.

pub mod chat;
pub mod cli;
pub mod client;
pub mod config;
pub(crate) mod files;
pub(crate) mod local_socket;
pub mod server;
pub mod text;
pub mod tls;
pub mod tui;
pub mod wire;
