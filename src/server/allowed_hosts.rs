//! The names this server goes by, which requests over plain HTTP from this machine have to be for.
//!
//! A web page can make its own name stand for 127.0.0.1 (DNS rebinding), and the browser then lets it read what is served there. Only
//! the name in the request gives it away.

use std::net::IpAddr;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderValue, Request, StatusCode};

use crate::server::listen::Connection;

/// See the module.
#[derive(Clone, Debug)]
pub struct Hosts(Arc<[String]>);

/// A request for a name that is not this server's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Foreign;

impl IntoResponse for Foreign {
    fn into_response(self) -> Response {
        let words =
            "this server does not go by that name; add it to 'public' of [server] if it is right\n";
        (StatusCode::FORBIDDEN, words).into_response()
    }
}

impl Hosts {
    /// `names` are those besides `localhost` and the addresses of this machine alone. `::` and `0.0.0.0` are no names.
    pub fn new(names: &[String]) -> Self {
        let names = names.iter().map(|name| normal(name));
        Self(names.filter(|name| is_a_name(name)).collect())
    }

    /// Whether a request may be answered. One from another machine always is: by which name it finds this one is not known here.
    ///
    /// # Errors
    /// It comes from this machine, and its target or one of its `Host` headers is a name that is not this server's.
    pub fn check<B>(&self, request: &Request<B>) -> Result<(), Foreign> {
        let connection = request.extensions().get::<Connection>();
        if connection.is_some_and(|connection| !connection.is_local()) {
            return Ok(());
        }
        // An absolute target, or HTTP/2's `:authority`, goes before the header; both have to be right.
        let target = request.uri().authority().map(|it| it.as_str().as_bytes());
        let headers = request.headers().get_all(HOST).into_iter();
        let mut named = target.into_iter().chain(headers.map(HeaderValue::as_bytes));
        if named.all(|authority| self.is_own(authority)) {
            Ok(())
        } else {
            Err(Foreign)
        }
    }

    fn is_own(&self, authority: &[u8]) -> bool {
        let Ok(authority) = Authority::try_from(authority) else {
            return false;
        };
        let host = normal(authority.host());
        let is_loopback = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        host == "localhost" || is_loopback || self.0.contains(&host)
    }
}

/// A host as it is compared: without case, brackets and the full stop at its end, an address in its shortest form.
fn normal(host: &str) -> String {
    let host = host.trim_end_matches('.');
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let bare = bare.unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => bare.to_ascii_lowercase(),
    }
}

fn is_a_name(host: &str) -> bool {
    let is_unspecified = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
    !host.is_empty() && !is_unspecified
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(target: &str, hosts: &[&str]) -> bool {
        let own = ["Chat.Example.org", "::", "0.0.0.0", ""].map(str::to_owned);
        let request = hosts
            .iter()
            .fold(Request::builder().uri(target), |request, host| {
                request.header(HOST, *host)
            });
        Hosts::new(&own).check(&request.body(()).unwrap()).is_ok()
    }

    #[test]
    fn this_machines_own_names_and_those_of_the_configuration_are_answered() {
        for host in [
            "localhost",
            "localhost:50051",
            "LOCALHOST.",
            "127.0.0.1:50051",
            "127.8.9.10",
            "[::1]",
            "[::1]:50051",
            "[0:0:0:0:0:0:0:1]:1",
            "[::ffff:127.0.0.1]:1",
            "chat.example.org",
            "CHAT.example.org.:8080",
        ] {
            assert!(is_allowed("/metrics", &[host]), "{host}");
        }
        // Whoever names nothing has no name that could be another's.
        assert!(is_allowed("/metrics", &[]));
        assert!(is_allowed("http://localhost/metrics", &["127.0.0.1"]));
    }

    #[test]
    fn any_other_name_is_refused_wherever_it_stands() {
        for host in [
            "evil.example",
            "evil.example:50051",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost@evil.example",
            "192.168.1.5",
            "0.0.0.0:50051",
            "[::]",
            "2130706433",
            "",
            "local host",
        ] {
            assert!(!is_allowed("/metrics", &[host]), "{host}");
        }
        assert!(!is_allowed("http://evil.example/metrics", &["localhost"]));
        assert!(!is_allowed("http://localhost/metrics", &["evil.example"]));
        assert!(!is_allowed("/metrics", &["localhost", "evil.example"]));
    }
}
