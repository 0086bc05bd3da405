//! Checks whether the server answers.

use tokio::time::timeout;

use super::{Finding, WITHIN};
use crate::cli::join::connector;
use crate::cli::target::Target;
use crate::client::{self, DisconnectReason, ProbeResult, Protection};
use crate::config::Config;
use crate::tui::strings::{Strings, fill};

pub async fn check(config: &Config, s: &Strings) -> Vec<Finding> {
    let (d, server) = (s.doctor, &config.join.server);
    let shown = server.short_form();
    let asked = client::probe(connector(Target::new(config, config.join.link()), None));
    let mut protection = None;
    let finding = match timeout(WITHIN, asked).await {
        Ok(Ok(answers)) => {
            let ProbeResult { rtt, .. } = answers;
            protection = Some(answers.protection);
            let ms = format!("{:.1}", rtt.as_secs_f64() * 1000.0);
            Finding::ok(d.server, fill(d.serves, &[&shown, &ms]))
        }
        Ok(Err(why @ DisconnectReason::Unreachable(_))) if config.join.may_start_server => {
            let words = fill(d.hosts_itself, &[&shown, &s.why(&why)]);
            Finding::ok(d.server, words)
        }
        Ok(Err(why)) => {
            let words = match &why {
                // This message already names the server.
                DisconnectReason::Untrusted(untrusted) => s.untrusted(untrusted),
                why => fill(d.server_is, &[&shown, &s.why(why)]),
            };
            let next = match why {
                DisconnectReason::Unreachable(_) => fill(d.server_next, &[&server.port]),
                DisconnectReason::Untrusted(ref it) if it.why.is_final() => {
                    s.trust.doctor_next.to_owned()
                }
                _ => d.not_tchat_next.to_owned(),
            };
            Finding::problem(d.server, words, next)
        }
        Err(_) => {
            let words = fill(d.no_answer, &[&shown, &WITHIN.as_secs()]);
            Finding::problem(d.server, words, d.no_answer_next)
        }
    };
    let mut findings = vec![finding];
    if let Some(protection) = protection {
        let words = s.protection(protection);
        findings.push(if protection == Protection::ClearText {
            Finding::note(d.encryption, words)
        } else {
            Finding::ok(d.encryption, words)
        });
    }
    findings
}
