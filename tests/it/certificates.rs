//! Servers with certificate files: public certificates, and files that are renewed while the server runs.

use std::io::Read;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::encryption::runs;
use crate::support::terminal::{Home, ends, signal};

/// Five times as long as a server needs to stop.
const DRAIN: Duration = Duration::from_secs(20);

/// Waits until the server's log has some words a number of times.
fn logs(home: &Home, words: &str, times: usize) {
    let began = Instant::now();
    let is_logged = || {
        let files = std::fs::read_dir(home.logs()).unwrap().flatten();
        let texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
        texts.map(|text| text.matches(words).count()).sum::<usize>() >= times
    };
    while !is_logged() {
        assert!(began.elapsed() < DRAIN, "'{words}' is not in the log");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn config(home: &Home) -> String {
    format!(
        "[server]\ncert = '{}'\nkey = '{}'\n",
        home.file("chat.pem"),
        home.file("chat.key")
    )
}

fn writes_key(home: &Home, key: &KeyPair) {
    let path = home.file("chat.key");
    std::fs::write(&path, key.serialize_pem()).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Writes a self-signed certificate and its new key.
fn writes_certificate(home: &Home) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    std::fs::write(home.file("chat.pem"), made.cert.pem()).unwrap();
    writes_key(home, &made.signing_key);
}

/// Writes a certificate for localhost by an authority of its own. Returns the file of the authority's certificate.
fn writes_issued_certificate(home: &Home, roots: &str, is_expired: bool) -> String {
    let authority_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".into()]).unwrap();
    if is_expired {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    }
    let certificate = params.signed_by(&key, &issuer).unwrap();
    std::fs::write(home.file("chat.pem"), certificate.pem()).unwrap();
    writes_key(home, &key);
    let roots = home.file(roots);
    std::fs::write(&roots, authority.pem()).unwrap();
    roots
}

#[test]
fn a_public_certificate_needs_no_pin_and_no_question() {
    let (here, there) = (Home::new(), Home::new());
    let roots = writes_issued_certificate(&here, "roots", false);
    let config = config(&here) + "public = ['localhost']\n";
    std::fs::write(here.file("config.toml"), config).unwrap();
    let (config, port) = (here.file("config.toml"), here.port.to_string());
    let mut server = here
        .command(&[
            "--serve", "--open", "--host", "::", "--port", &port, "--config", &config,
        ])
        .env("SSL_CERT_FILE", &roots)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    here.is_served();
    let address = format!("localhost:{port}");
    let sends = |roots: &str| {
        let mut command = there.command(&["send", "--server", &address, "hi"]);
        let command = command.env("SSL_CERT_FILE", roots).stdin(Stdio::null());
        let Output { status, stderr, .. } = command.output().unwrap();
        (status.code(), String::from_utf8(stderr).unwrap())
    };
    // To those who do not trust the authority, the key is unknown like any other.
    let (code, words) = sends("/dev/null");
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("is not known here yet"), "{words}");
    let (code, words) = sends(&roots);
    assert_eq!(code, Some(0), "{words}");
    let known = std::fs::read_to_string(there.data().join("known_servers")).unwrap();
    assert!(known.contains(&format!("{address} certificate")), "{known}");
    // A renewed certificate with another key is accepted. An expired one is not reported as a changed key.
    let mut times = 0;
    let mut renews = |is_expired| {
        let roots = writes_issued_certificate(&here, &format!("roots-{times}"), is_expired);
        signal(server.id(), "HUP");
        times += 1;
        logs(&here, "reloaded the certificate", times);
        roots
    };
    let renewed = renews(false);
    let (code, words) = sends(&renewed);
    assert_eq!(code, Some(0), "{words}");
    let expired = renews(true);
    let (code, words) = sends(&expired);
    assert_eq!(code, Some(75), "{words}");
    assert!(words.contains("is not valid now"), "{words}");
    let _by_another_authority = renews(false);
    let (code, words) = sends(&renewed);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("a different key from before"), "{words}");
    signal(server.id(), "TERM");
    let (mut card, mut stdout) = (String::new(), server.stdout.take().unwrap());
    stdout.read_to_string(&mut card).unwrap();
    ends(&mut server, DRAIN);
    let link = format!("tchat 'tchat://{address}/'");
    assert!(card.contains(&link), "{card}");
}

#[test]
fn certificate_files_are_read_again_on_request() {
    let (here, there) = (Home::new(), Home::new());
    writes_certificate(&here);
    std::fs::write(here.file("config.toml"), config(&here)).unwrap();
    let mut server = here.serves(&["--config", &here.file("config.toml")]);
    assert!(!here.data().join("tls.key").exists());
    let address = format!("localhost:{}", here.port);
    let sends = |home: &Home| runs(home, &["send", "--server", &address, "hello"]);
    let link = here.link(here.port);
    let (code, words) = runs(&there, &["send", "--server", &link, "hello"]);
    assert_eq!(code, Some(0), "{words}");
    // A certificate that cannot be used changes nothing.
    std::fs::write(here.file("chat.pem"), "damaged").unwrap();
    signal(server.id(), "HUP");
    logs(
        &here,
        "cannot reload the certificate; the previous one stays in use",
        1,
    );
    assert_eq!(sends(&there).0, Some(0));
    // Another key is used, and clients notice.
    writes_certificate(&here);
    signal(server.id(), "HUP");
    logs(&here, "wrote the new pin", 1);
    let (code, words) = sends(&there);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("a different key from before"), "{words}");
    // Invitations made from now on have the new pin.
    let note = std::fs::read_to_string(here.data().join("tchat.id")).unwrap();
    let pin = note.lines().nth(2).unwrap().to_owned();
    assert!(here.invites(&[]).contains(&pin) && !link.contains(&pin));
    // The user of the server reads the new pin from the data directory.
    let sent = ["send", "--name", "host", "--server", &address, "hello"];
    let (code, words) = runs(&here, &sent);
    assert_eq!(code, Some(0), "{words}");
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
}
