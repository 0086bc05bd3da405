//! A reached limit as the status of a unary call: its metadata has what the refusal of a request on the stream has.

use std::time::Duration;

use tonic::{Code, Status};

use crate::chat::{Refusal, RefusalCode};

/// The name of the limit.
const LIMIT: &str = "tchat-limit";
/// Its value.
const VALUE: &str = "tchat-limit-value";
/// The time after which the call may be made again, in milliseconds.
const RETRY_AFTER: &str = "tchat-retry-after-ms";

/// Returns the status of a call that was refused because of a limit.
pub fn limit_status(refusal: &Refusal) -> Status {
    let [limit, value] = [0, 1].map(|n| refusal.arguments.get(n).map_or("", String::as_str));
    let mut status =
        Status::resource_exhausted(format!("a limit of the server is reached: {limit} {value}"));
    let retry_ms = refusal.retry_after.unwrap_or_default().as_millis();
    for (key, text) in [
        (LIMIT, limit.to_owned()),
        (VALUE, value.to_owned()),
        (RETRY_AFTER, retry_ms.to_string()),
    ] {
        if let Ok(text) = text.parse() {
            status.metadata_mut().insert(key, text);
        }
    }
    status
}

/// Returns the refusal in a status that [`limit_status`] made.
pub fn limit_refusal(status: &Status) -> Option<Refusal> {
    if status.code() != Code::ResourceExhausted {
        return None;
    }
    let text = |key| status.metadata().get(key)?.to_str().ok();
    let refusal = Refusal::new(RefusalCode::LimitReached);
    let refusal = refusal.with(text(LIMIT)?).with(text(VALUE)?);
    let retry_ms = text(RETRY_AFTER).and_then(|ms| ms.parse().ok());
    Some(match retry_ms {
        Some(ms) if ms > 0 => refusal.retry_after(Duration::from_millis(ms)),
        _ => refusal,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_survives_as_a_status_and_other_statuses_are_none() {
        let refusal = Refusal::new(RefusalCode::LimitReached)
            .with("searches")
            .with(4)
            .retry_after(Duration::from_millis(250));
        assert_eq!(limit_refusal(&limit_status(&refusal)), Some(refusal));
        let for_ever = Refusal::new(RefusalCode::LimitReached)
            .with("rooms")
            .with(9);
        assert_eq!(limit_refusal(&limit_status(&for_ever)), Some(for_ever));
        assert_eq!(limit_refusal(&Status::resource_exhausted("full")), None);
        assert_eq!(limit_refusal(&Status::unavailable("full")), None);
    }
}
