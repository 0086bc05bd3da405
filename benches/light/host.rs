//! A server for the measurements, and people who post on it.

use super::{
    Arc, AtomicU64, Body, CACHED_MESSAGES, Child, Client, ClientConfig, ClientId, Command,
    Connector, Dialled, Duration, Event, HashMap, HashSet, InstanceId, Ordering, OutgoingPost,
    Path, PathBuf, Recipient, RoomId, Stdio, Told, profile, room_name,
};

/// A tchat server with people who post on it.
pub struct BenchServer {
    process: Child,
    port: u16,
    data: PathBuf,
    runtime: tokio::runtime::Runtime,
}

pub struct Poster {
    client: Client,
    room: RoomId,
    instance: InstanceId,
    posted: AtomicU64,
}

impl Poster {
    pub fn post(&self, text: &str) {
        self.post_in(self.room, text);
    }

    pub fn post_in(&self, room: RoomId, text: &str) {
        let counter = self.posted.fetch_add(1, Ordering::SeqCst) + 1;
        let id = ClientId {
            instance: self.instance,
            counter,
        };
        let post = OutgoingPost::new(id, Recipient::Room(room), Body::Text(text.to_owned()));
        let command = Told::Post {
            post,
            replaces: None,
        };
        // A sender that is faster than the link waits for it.
        while self.client.send(command.clone()).is_err() {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

impl BenchServer {
    /// `rooms` is the number of rooms to create; 0 means the default ones.
    pub fn start(home: &Path, rooms: usize) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        drop(listener);
        let (data, config) = (home.join("data"), home.join("host.toml"));
        let rooms = (0..rooms).map(|n| format!("[[rooms]]\nname = \"{}\"\n", room_name(n)));
        let limits = "cache_mb = 400\n[server]\nburst = 0\nper_second = 0\n";
        let words = format!("{limits}{}", rooms.collect::<String>());
        std::fs::write(&config, words).expect("a file");
        let process = Command::new(env!("CARGO_BIN_EXE_tchat"))
            .args(["--serve", "--port", &port.to_string(), "--data"])
            .arg(&data)
            .arg("--config")
            .arg(&config)
            .arg("--log-dir")
            .arg(home.join("logs"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a host");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self {
            process,
            port,
            data,
            runtime,
        }
    }

    pub fn arguments(&self, name: &str) -> Vec<String> {
        let data = self.data.display().to_string();
        [
            "--server",
            &format!("localhost:{}", self.port),
            "--data",
            &data,
            "--name",
            name,
        ]
        .map(str::to_owned)
        .into()
    }

    pub fn client(&self, name: &str) -> (Client, tokio::sync::mpsc::Receiver<Event>, InstanceId) {
        let (profiles, key) = self.profiles();
        self.client_with(name, Some(profile::cache(&profiles, &key, name)))
    }

    pub fn profiles(&self) -> (PathBuf, String) {
        let address = format!("localhost:{}", self.port);
        let address: tchat::config::Address = address.parse().expect("an address");
        (self.data.join("profiles"), address.profile_key())
    }

    pub fn client_with(
        &self,
        name: &str,
        cache: Option<PathBuf>,
    ) -> (Client, tokio::sync::mpsc::Receiver<Event>, InstanceId) {
        let port = self.port;
        let connector: Connector = Arc::new(move |_| {
            Box::pin(async move {
                let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
                stream.set_nodelay(true)?;
                Ok(Dialled::clear_text(stream))
            })
        });
        let (profiles, key) = self.profiles();
        let mut bytes = [7; 16];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        let instance = InstanceId::new(bytes);
        let _entered = self.runtime.enter();
        let (client, events) = Client::start(ClientConfig {
            connector,
            credentials: profile::credentials(&profiles, &key, name).expect("a key"),
            name: name.into(),
            instance,
            room: Some("general".into()),
            locale: "en".into(),
            cache,
            cache_bytes: 400 * 1024 * 1024,
        });
        (client, events, instance)
    }

    /// Joins rooms. Returns the client, a counter of its messages that came back, and the ids of the rooms in the given order.
    pub fn join(&self, name: &str, rooms: &[String]) -> (Poster, Arc<AtomicU64>, Vec<RoomId>) {
        let (client, mut events, instance) = self.client_with(name, None);
        for room in rooms {
            client
                .send(Told::Join(room.as_str().into()))
                .expect("it is open");
        }
        let mut ids = HashMap::new();
        let mut followed = HashSet::new();
        self.runtime.block_on(async {
            while !rooms
                .iter()
                .all(|it| ids.get(it).is_some_and(|id| followed.contains(id)))
            {
                match events.recv().await.expect("the link is up") {
                    Event::Welcome { rooms, .. } => {
                        ids.extend(rooms.into_iter().map(|room| (room.name, room.id)));
                    }
                    Event::Room { room, .. } => drop(ids.insert(room.name, room.id)),
                    Event::Followed { room, .. } => drop(followed.insert(room)),
                    _ => {}
                }
            }
        });
        let taken = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&taken);
        self.runtime.spawn(async move {
            while let Some(event) = events.recv().await {
                let is_mine = |id: Option<ClientId>| id.is_some_and(|id| id.instance == instance);
                let count = match event {
                    Event::Entries(entries) => {
                        entries.iter().filter(|it| is_mine(it.client_id)).count()
                    }
                    Event::Accepted { client_id, .. } => usize::from(is_mine(Some(client_id))),
                    _ => 0,
                };
                counted.fetch_add(count as u64, Ordering::SeqCst);
            }
        });
        let rooms: Vec<RoomId> = rooms.iter().filter_map(|it| ids.get(it).copied()).collect();
        let speaker = Poster {
            client,
            room: rooms[0],
            instance,
            posted: AtomicU64::new(0),
        };
        (speaker, taken, rooms)
    }

    /// Returns a person who can post.
    pub fn poster(&self, name: &str) -> Poster {
        let (client, mut events, instance) = self.client(name);
        let room = self.runtime.block_on(async {
            loop {
                if let Some(Event::Followed { room, .. }) = events.recv().await {
                    return room;
                }
            }
        });
        self.runtime
            .spawn(async move { while events.recv().await.is_some() {} });
        Poster {
            client,
            room,
            instance,
            posted: AtomicU64::new(0),
        }
    }

    /// Lets one person receive and store everything that another posts.
    pub fn fill(&self) {
        let (listener, mut events, _) = self.client("ann");
        let speaker = self.poster("li");
        let (heard, all_heard) = std::sync::mpsc::channel();
        self.runtime.spawn(async move {
            let newest = format!("message {CACHED_MESSAGES} ");
            while let Some(event) = events.recv().await {
                if let Event::Entries(entries) = event
                    && entries.iter().any(|it| it.body.text().starts_with(&newest))
                {
                    let _gone = heard.send(());
                }
            }
        });
        for n in 1..=CACHED_MESSAGES {
            speaker.post(&format!(
                "message {n} 今天谁值班, and what else is to be said"
            ));
        }
        all_heard
            .recv_timeout(Duration::from_secs(120))
            .expect("all messages are received");
        self.runtime.block_on(async {
            listener.quit().await;
            speaker.client.quit().await;
        });
    }
}

impl Drop for BenchServer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
