//! Whether there is somebody to talk to.

use std::time::Duration;

use tokio::time::timeout;

use super::Finding;
use crate::cli::join::connector;
use crate::client::{self, Answers, Why};
use crate::config::Config;
use crate::tui::strings::ENGLISH;

/// A server has this long to answer.
const WITHIN: Duration = Duration::from_secs(5);

pub async fn look(config: &Config) -> Vec<Finding> {
    let server = &config.join.server;
    let shown = server.short();
    let asked = client::probe(connector(server.clone(), None));
    let answers = timeout(WITHIN, asked).await;
    let finding = match answers {
        Ok(Ok(Answers { rtt })) => {
            let ms = rtt.as_secs_f64() * 1000.0;
            Finding::well(
                "server",
                format!("{shown} serves tchat, {ms:.1} ms there and back"),
            )
        }
        Ok(Err(why @ Why::Unreachable(_))) if config.join.may_host => {
            let why = ENGLISH.why(&why);
            let words = format!("{shown}: {why}; tchat starts a host there by itself");
            Finding::well("server", words)
        }
        Ok(Err(why @ Why::Unreachable(_))) => {
            let why = ENGLISH.why(&why);
            let mend = format!(
                "another --server HOST:PORT, or on that machine: tchat --serve --host :: --port {}",
                server.port
            );
            Finding::wrong("server", format!("{shown}: {why}"), mend)
        }
        Ok(Err(why)) => {
            let words = format!("{shown}: {}", ENGLISH.why(&why));
            Finding::wrong(
                "server",
                words,
                "another --server HOST:PORT; tchat hosts on 50051 unless it is told otherwise",
            )
        }
        Err(_) => {
            let words = format!("{shown}: no answer within {} s", WITHIN.as_secs());
            Finding::wrong(
                "server",
                words,
                "a firewall may keep the port; another --server HOST:PORT",
            )
        }
    };
    let mut findings = vec![finding];
    if !server.is_loopback() {
        findings.push(Finding::note(
            "encryption",
            "none yet: what is said can be read on the way",
        ));
    }
    findings
}
