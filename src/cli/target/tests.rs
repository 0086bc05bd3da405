//! Which profile and which key are used with which server.

use super::*;
use crate::chat::ServerId;

const OWN: Pin = Pin::new([1; 32]);
const OTHER: Pin = Pin::new([2; 32]);

/// A user with a server of their own on port 50051, and `victim.example` known by a certificate.
fn user(link: &str) -> (tempfile::TempDir, Target) {
    let directory = tempfile::tempdir().unwrap();
    let note = ServerNote {
        id: ServerId::new([9; 16]),
        address: "localhost".into(),
        pin: Some(OWN),
        has_own_key: true,
    };
    std::fs::write(directory.path().join("tchat.id"), note.to_string()).unwrap();
    let mut target = Target {
        link: "victim.example".parse().unwrap(),
        data: directory.path().to_owned(),
        socket: None,
        is_here: false,
        is_clear: false,
        key: None,
        expected_profile: None,
    };
    let victim = target.link.server.clone();
    target.trust(&victim, None).unwrap();
    target.link = link.parse().unwrap();
    (directory, target)
}

fn why(error: &io::Error) -> &Distrust {
    &tls::untrusted(error).unwrap().why
}

#[test]
fn a_link_never_selects_the_profile_of_a_server_that_it_only_names() {
    for hosts in [
        "localhost",
        "localhost,evil.example",
        "victim.example,evil.example",
    ] {
        let (_directory, mut target) = user(&format!("tchat://{hosts}/#{OTHER}"));
        assert_eq!(target.choose_profile().unwrap(), OTHER.to_string());
    }
    // Its own pin selects its own profile, under every address.
    let (_directory, mut target) = user(&format!("tchat://chat.example/#{OWN}"));
    assert_eq!(target.choose_profile().unwrap(), "localhost:50051");
}

#[test]
fn a_link_does_not_replace_the_key_of_our_own_server() {
    let (_directory, target) = user(&format!("tchat://localhost/#{OTHER}"));
    let error = target.expected(&target.link.server).unwrap_err();
    assert_eq!(*why(&error), Distrust::LinkDiffers);
    let (_directory, target) = user("localhost");
    let expected = target.expected(&target.link.server).unwrap();
    assert_eq!(expected, (Expected::Pin(OWN), false));
}

#[test]
fn a_recognised_server_is_not_joined_with_the_profile_of_another_one() {
    let (_directory, mut target) = user("victim.example");
    assert_eq!(target.choose_profile().unwrap(), "victim.example:50051");
    let (victim, evil) = (target.link.server.clone(), "evil.example".parse().unwrap());
    target
        .check_profile(&victim, Recognised::ByCertificate(OTHER))
        .unwrap();
    let error = target.check_profile(&evil, Recognised::ByCertificate(OTHER));
    assert_eq!(*why(&error.unwrap_err()), Distrust::OtherServer);
    // An answer to an old question does not replace what is known.
    let error = target.trust(&victim, Some(OTHER)).unwrap_err();
    assert_eq!(*why(&error), Distrust::LinkDiffers);
    // Another program has replaced its key: the profile of the former one is not used.
    let replaced = KnownServer {
        address: victim.profile_key(),
        pin: Some(OTHER),
        profile: OTHER.to_string(),
    };
    KnownServers::remember(&target.data, replaced).unwrap();
    let error = target.check_profile(&victim, Recognised::ByPin(OTHER));
    assert_eq!(*why(&error.unwrap_err()), Distrust::OtherServer);
    assert_eq!(target.choose_profile().unwrap(), OTHER.to_string());
    target
        .check_profile(&victim, Recognised::ByPin(OTHER))
        .unwrap();
}
