//! `tchat --demo`: an in-memory server that stops when the screen closes, two bots that chat, and a one-minute tour.

mod bots;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;

use self::bots::Bot;
use super::join;
use crate::chat::Bridges;
use crate::chat::Networks;
use crate::chat::Retention;
use crate::chat::RoomPreset;
use crate::chat::{
    DeviceKey, DeviceSecret, InstanceId, Registration, RoomName, ServerId, UserName,
};
use crate::client::{Client, ClientConfig, Connector, Credentials, Dialled, Event};
use crate::config::Config;
use crate::server::clock::WallClock;
use crate::server::endpoint::shared_link::SharedLink;
use crate::server::hub::HubConfig;
use crate::server::listen::{ConnectionLimits, Encryption, Peer};
use crate::server::store::memory::MemoryStore;
use crate::server::word_filter::WordFilter;
use crate::server::{self, ServerConfig, Switch};
use crate::tui::run::{ClientConnection, Connect};
use crate::tui::strings::{self, CHINESE, ENGLISH, Strings};

/// The size of a connection's buffer in each direction, in bytes.
const PIPE: usize = 64 * 1024;
/// The maximum number of connections that wait for the server to accept them.
const WAITING: usize = 8;
/// How long to wait for the first messages before the screen opens without them.
const BEGINS_WITHIN: Duration = Duration::from_secs(2);
/// The rooms, in the order of their topics in `strings`.
const ROOMS: [&str; 3] = ["general", "tech", "random"];
/// The name of the server on the status line.
const SERVER: &str = "demo";

type ConnectionSender = mpsc::Sender<io::Result<(DuplexStream, Peer)>>;

pub fn run(mut config: Config) -> Result<()> {
    let s = strings::of(&config.join.locale);
    // The demo runs without a valid name as well.
    if UserName::new(&config.join.name).is_err() {
        s.demo.you.clone_into(&mut config.join.name);
    }
    // The demo must leave nothing in the user's data directory, not even a message that is being written in an editor.
    config.paths.data = std::env::temp_dir();
    join::require_terminal(&config)?;
    join::with_screen(demo(config, s))
}

async fn demo(config: Config, s: &'static Strings) -> Result<()> {
    let device = device()?;
    let door = serve(&config, device.public())?;
    let bots = bot_names(&config.join.name, s);
    let (ready, begun) = oneshot::channel();
    let parts = [
        Bot::start(&door, bots[0], self::device()?)?,
        Bot::start(&door, bots[1], self::device()?)?,
    ];
    let _talk = AbortOnDropHandle::new(tokio::spawn(bots::run_conversation(parts, s, ready)));
    // The user joins the other rooms before the screen opens, so that there is more than one room to look at.
    let before = Bot::start(&door, &config.join.name, device.clone())?.join_and_leave(&ROOMS[1..]);
    drop(timeout(BEGINS_WITHIN, async { tokio::join!(begun, before) }).await);
    let mut setup = join::setup(&config);
    setup.tour = Some(bots[0].to_owned());
    setup.save = |_, _, _| Err(ENGLISH.demo.saves_nothing.to_owned());
    if s.language == CHINESE.language {
        setup.save = |_, _, _| Err(CHINESE.demo.saves_nothing.to_owned());
    }
    let connect = connect(door, device, &config);
    join::show(setup, connect).await
}

/// Returns two names that differ from the user's own.
fn bot_names(name: &str, s: &'static Strings) -> [&'static str; 2] {
    let mut others = s
        .demo
        .bots
        .into_iter()
        .filter(|bot| bot.to_lowercase() != name.to_lowercase());
    // There are three names, so two are left whatever the user's name is.
    [
        others.next().unwrap_or_default(),
        others.next().unwrap_or_default(),
    ]
}

/// Starts the server, which runs until the last sender of connections is dropped.
fn serve(config: &Config, owner: DeviceKey) -> Result<ConnectionSender> {
    let (door, incoming) = mpsc::channel(WAITING);
    let topics = strings::of(&config.join.locale).demo.topics;
    let presets = ROOMS.iter().zip(topics).map(|(name, topic)| {
        RoomName::new(name).map(|name| RoomPreset {
            name,
            topic: topic.to_owned(),
            capacity: 0,
            retention: None,
            is_bridged: true,
        })
    });
    let server = ServerConfig {
        hub: HubConfig {
            limits: config.serve.limits,
            quotas: config.serve.quotas.clone(),
            presets: presets.collect::<Result<_, _>>()?,
            operators: Vec::new(),
            guests_from: Networks::default(),
            is_behind_proxy: false,
            proxy_pins: Vec::new(),
            // The user of the demo may try everything.
            owner: Some(owner),
            registration: Registration::Open,
            retention: Retention::default(),
            filter: WordFilter::default(),
            wall: WallClock::default(),
            uptime: None,
        },
        caps: ConnectionLimits::default(),
        encryption: Encryption::default(),
        bridges: Bridges::default(),
        reflection: Switch::Off,
        metrics: Switch::Off,
        hosts: Vec::new(),
        link: SharedLink::default(),
        idle_exit: None,
    };
    let store = Arc::new(MemoryStore::new(ServerId::new(random()?)));
    tokio::spawn(server::run(
        server,
        ReceiverStream::new(incoming),
        store,
        std::future::pending(),
    ));
    Ok(door)
}

fn connect(door: ConnectionSender, device: DeviceSecret, config: &Config) -> Connect {
    let (name, locale) = (config.join.name.clone(), config.join.locale.clone());
    let words = strings::of(&locale).demo.demo_cannot_connect;
    Box::new(move |asked| {
        if asked.is_some() {
            return Err(words.to_owned());
        }
        let begun = begin(&door, &name, device.clone(), &locale);
        let (client, events, instance) = begun.map_err(|error| error.to_string())?;
        Ok(ClientConnection {
            client,
            events,
            instance,
            server: SERVER.into(),
            room: None,
            remember: Box::new(|_| {}),
            save_name: Box::new(|_| {}),
            is_ours: Box::new(|_| false),
            trust: Box::new(|_| Ok(())),
        })
    })
}

/// Starts a client of the server. Also returns its instance id.
fn begin(
    door: &ConnectionSender,
    name: &str,
    device: DeviceSecret,
    locale: &str,
) -> Result<(Client, mpsc::Receiver<Event>, InstanceId)> {
    let instance = InstanceId::new(random()?);
    let (client, events) = Client::start(ClientConfig {
        connector: connector(door),
        credentials: Credentials::new(device),
        name: name.to_owned(),
        instance,
        room: None,
        locale: locale.to_owned(),
        cache: None,
        cache_bytes: 0,
    });
    Ok((client, events, instance))
}

fn connector(door: &ConnectionSender) -> Connector {
    let door = door.clone();
    Arc::new(move |_| {
        let door = door.clone();
        Box::pin(async move {
            let (ours, theirs) = tokio::io::duplex(PIPE);
            let gone = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
            door.send(Ok((theirs, Peer::Memory))).await.map_err(gone)?;
            Ok(Dialled::local(ours))
        })
    })
}

fn device() -> Result<DeviceSecret> {
    Ok(DeviceSecret::new(random()?))
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("cannot get random bytes: {error}"))?;
    Ok(bytes)
}
