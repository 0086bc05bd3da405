//! Host check for plain HTTP: a request from this machine must name this server.
//!
//! A web page can make its own name resolve to 127.0.0.1 (DNS rebinding). The browser then lets the page read what is served there. Only
//! the host name in the request shows the attack.

use std::net::IpAddr;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderValue, Request, StatusCode};

use crate::server::listen::Connection;

/// The host names of this server. See the module documentation.
#[derive(Clone, Debug)]
pub struct AllowedHosts(Arc<[String]>);

/// A request for a host name that is not this server's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ForeignHost;

impl IntoResponse for ForeignHost {
    fn into_response(self) -> Response {
        let words = "this server is not known by that host name; if it should be, add the name to 'public' in [server]\n";
        (StatusCode::FORBIDDEN, words).into_response()
    }
}

impl AllowedHosts {
    /// Allows `names`, `localhost` and the loopback addresses. Empty names, `::` and `0.0.0.0` are ignored.
    pub fn new(names: &[String]) -> Self {
        let names = names.iter().map(|name| normalise(name));
        Self(names.filter(|name| is_host_name(name)).collect())
    }

    /// Checks whether a request may be answered. Requests from other machines are always allowed: the server does not
    /// know all the names under which they reach it.
    ///
    /// # Errors
    /// The request comes from this machine, and its target or one of its `Host` headers is not a name of this server.
    pub fn check<B>(&self, request: &Request<B>) -> Result<(), ForeignHost> {
        let connection = request.extensions().get::<Connection>();
        if connection.is_some_and(|connection| !connection.is_local()) {
            return Ok(());
        }
        // An absolute target, or `:authority` in HTTP/2, takes precedence over the header. Both must be names of this
        // server.
        let target = request.uri().authority().map(|it| it.as_str().as_bytes());
        let headers = request.headers().get_all(HOST).into_iter();
        let mut named = target.into_iter().chain(headers.map(HeaderValue::as_bytes));
        if named.all(|authority| self.is_own(authority)) {
            Ok(())
        } else {
            Err(ForeignHost)
        }
    }

    fn is_own(&self, authority: &[u8]) -> bool {
        let Ok(authority) = Authority::try_from(authority) else {
            return false;
        };
        let host = normalise(authority.host());
        let is_loopback = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        host == "localhost" || is_loopback || self.0.contains(&host)
    }
}

/// Normalises a host for comparison: lower case, no brackets, no full stop at the end, addresses in their shortest form.
fn normalise(host: &str) -> String {
    let host = host.trim_end_matches('.');
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let bare = bare.unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => bare.to_ascii_lowercase(),
    }
}

fn is_host_name(host: &str) -> bool {
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
        AllowedHosts::new(&own)
            .check(&request.body(()).unwrap())
            .is_ok()
    }

    #[test]
    fn local_and_configured_names_are_allowed() {
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
        // A request without a host name has no wrong name.
        assert!(is_allowed("/metrics", &[]));
        assert!(is_allowed("http://localhost/metrics", &["127.0.0.1"]));
    }

    #[test]
    fn any_other_name_is_refused_in_the_target_and_in_every_host_header() {
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
