//! A minimal IRC server: just enough for weechat and irssi to join a channel and receive messages.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A server with one channel, `#general`, in which the benchmark posts.
pub struct Irc {
    pub port: u16,
    members: Arc<Mutex<Vec<TcpStream>>>,
    posted: AtomicU64,
}

impl Irc {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let members: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let joined = Arc::clone(&members);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let joined = Arc::clone(&joined);
                std::thread::spawn(move || drop(serve_member(&stream, &joined)));
            }
        });
        Self {
            port,
            members,
            posted: AtomicU64::new(0),
        }
    }

    /// Sends one line to everyone in the channel.
    pub fn post(&self, text: &str) {
        let said = self.posted.fetch_add(1, Ordering::SeqCst);
        let line = format!(":user{}!u@h PRIVMSG #general :{text}\r\n", said % 10);
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.retain_mut(|member| member.write_all(line.as_bytes()).is_ok());
    }

    /// Waits until somebody is in the channel.
    pub fn wait_for_member(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self
            .members
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
        {
            assert!(Instant::now() < deadline, "no client joins");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn remove_members(&self) {
        self.members
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

fn serve_member(stream: &TcpStream, joined: &Mutex<Vec<TcpStream>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = stream.try_clone()?;
    let mut nick = "ann".to_owned();
    let mut is_known = false;
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?;
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match command.to_uppercase().as_str() {
            "CAP" if rest.starts_with("LS") => out.write_all(b":h CAP * LS :\r\n")?,
            "NICK" => rest.trim_start_matches(':').clone_into(&mut nick),
            "USER" if !is_known => {
                is_known = true;
                let hello = format!(
                    ":h 001 {nick} :welcome\r\n:h 005 {nick} CHANTYPES=# :are supported\r\n:h 422 {nick} :no motd\r\n"
                );
                out.write_all(hello.as_bytes())?;
            }
            "PING" => out.write_all(format!(":h PONG h :{rest}\r\n").as_bytes())?,
            "JOIN" => {
                let names = format!(
                    ":{nick}!u@h JOIN #general\r\n:h 353 {nick} = #general :{nick} user0\r\n:h 366 {nick} #general :end\r\n"
                );
                out.write_all(names.as_bytes())?;
                let mut joined = joined.lock().unwrap_or_else(PoisonError::into_inner);
                joined.push(stream.try_clone()?);
            }
            "QUIT" => return Ok(()),
            _ => {}
        }
    }
    Ok(())
}
