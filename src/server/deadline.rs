//! The `grpc-timeout` header, which limits the duration of a call, streams included. tonic applies it only in its own
//! server, which tchat does not use.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};
use tonic::Status;
use tonic::metadata::MetadataMap;

/// When a call must end; `None` if it has no limit.
pub type Deadline = Option<Pin<Box<Sleep>>>;

/// Reads the deadline of a call from its metadata. The time starts now.
pub fn of(metadata: &MetadataMap) -> Deadline {
    timeout(metadata).map(|after| Box::pin(sleep(after)))
}

pub fn is_over(deadline: &mut Deadline, context: &mut Context<'_>) -> bool {
    let over = deadline.as_mut().map(|it| it.as_mut().poll(context));
    matches!(over, Some(Poll::Ready(())))
}

pub fn exceeded() -> Status {
    Status::deadline_exceeded("the call's deadline has passed")
}

/// Parses `grpc-timeout`: at most eight digits and a unit, as the gRPC specification defines it. Anything else means
/// no limit.
fn timeout(metadata: &MetadataMap) -> Option<Duration> {
    let value = metadata.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Option<Duration> {
        let mut metadata = MetadataMap::new();
        metadata.insert("grpc-timeout", value.parse().unwrap());
        timeout(&metadata)
    }

    #[test]
    fn grpc_timeouts_are_read_in_every_unit() {
        assert_eq!(read("30S"), Some(Duration::from_secs(30)));
        assert_eq!(read("999876543n"), None, "more than eight digits");
        assert_eq!(read("99987654u"), Some(Duration::from_micros(99_987_654)));
        assert_eq!(read("1H"), Some(Duration::from_hours(1)));
        assert_eq!(read("S"), None);
        assert_eq!(read("+1S"), None);
    }
}
