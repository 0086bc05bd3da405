//! The start of a session: hello, challenge, sign-in. Nothing is stored for a client that does not complete it.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::{Origin, SessionError, drain_goodbye, goodbye, refuse_client, refuse_frame};
use crate::chat::{Challenge, DeviceKey, Refusal, RefusalCode, Transport};
use crate::server::hub::{AdmitError, Admitted, Hub, ProvenDevice, random_bytes};
use crate::server::outbox::Outbox;
use crate::text;
use crate::wire::{Event, Goodbye, GoodbyeReason, Hello, PROTOCOL, Request, RequestFrame};

/// A client must have sent `Hello` and `SignIn` within this time after the stream opens.
pub(crate) const SIGN_IN_WITHIN: Duration = Duration::from_secs(10);
/// Maximum length of a device's name, in columns.
const DEVICE_NAME: usize = 64;

fn unsupported_protocol() -> Refusal {
    Refusal::new(RefusalCode::Protocol)
        .with(PROTOCOL)
        .with(PROTOCOL)
}

/// Signs a client in. Otherwise sends the refusal and returns the goodbye, or nothing if the connection is lost.
pub(super) async fn sign_in(
    hub: &Arc<Hub>,
    outbox: &Arc<Outbox>,
    origin: &Origin,
    inbound: &mut (impl Stream<Item = Result<RequestFrame, SessionError>> + Unpin),
) -> Result<(Admitted, Hello), Option<Goodbye>> {
    let until = Instant::now() + SIGN_IN_WITHIN;
    let asked = next_request(hub, outbox, inbound, until).await?;
    let refuse = |request, refusal| Some(refuse_client(outbox, request, refusal));
    let malformed = |what: &str| Refusal::new(RefusalCode::Malformed).with(what);
    let Request::Hello(hello) = asked.what else {
        return Err(refuse(asked.request, malformed("hello")));
    };
    if !(hello.protocol_min..=hello.protocol_max).contains(&PROTOCOL) {
        return Err(refuse(asked.request, unsupported_protocol()));
    }
    let Some(transport) = origin.transport else {
        let exposed = Refusal::new(RefusalCode::Unauthenticated).with("clear_text");
        return Err(refuse(asked.request, exposed));
    };
    let Some(device) = hello.device else {
        return Err(refuse(asked.request, malformed("device")));
    };
    let challenge = Challenge {
        protocol: PROTOCOL,
        transport,
        server_id: hub.server_id,
        nonce: random_bytes(),
    };
    outbox.answer(Event::Challenge {
        nonce: challenge.nonce,
        server_id: challenge.server_id,
    });
    let answer = next_request(hub, outbox, inbound, until).await?;
    let Request::SignIn(sign_in) = answer.what else {
        return Err(refuse(answer.request, malformed("sign_in")));
    };
    let Some(signed) = signed_challenge(hub, device, challenge, &sign_in.signature) else {
        let unproven = Refusal::new(RefusalCode::Unauthenticated).with("signature");
        return Err(refuse(answer.request, unproven));
    };
    let device = ProvenDevice {
        key: device,
        name: text::line(&text::cut(&hello.device_name, DEVICE_NAME)).to_string(),
        former: sign_in.former.map(|proof| (proof, signed)),
        invite: sign_in.invite,
        transport,
        from: origin.address.clone(),
    };
    outbox.delay_notifications();
    match hub.admit(&device, &hello.name, outbox).await {
        Ok(admitted) => Ok((admitted, hello)),
        Err(AdmitError::Refused(refusal)) => Err(refuse(answer.request, refusal)),
        Err(AdmitError::Store(error)) => {
            hub.fatal.raise(&error);
            Err(None)
        }
    }
}

/// Returns the challenge that a device has signed: that of this connection or, if a proxy terminates TLS in front of
/// this server, the same one with the proxy's key, which is what the client sees.
fn signed_challenge(
    hub: &Hub,
    device: DeviceKey,
    challenge: Challenge,
    signature: &[u8],
) -> Option<Challenge> {
    let proxies = hub.proxy_pins.iter().map(|pin| Challenge {
        transport: Transport::Tls(*pin),
        ..challenge
    });
    let mut seen = std::iter::once(challenge).chain(proxies);
    seen.find(|challenge| device.has_signed(challenge, signature))
}

/// Waits for a request. Returns the goodbye if there is none in time or it cannot be decoded, or nothing if the connection is lost.
async fn next_request(
    hub: &Hub,
    outbox: &Outbox,
    inbound: &mut (impl Stream<Item = Result<RequestFrame, SessionError>> + Unpin),
    until: Instant,
) -> Result<RequestFrame, Option<Goodbye>> {
    let next = tokio::select! {
        next = timeout_at(until, inbound.next()) => next,
        () = hub.draining.cancelled() => return Err(Some(drain_goodbye())),
    };
    match next {
        Ok(Some(Ok(asked))) => Ok(asked),
        Ok(Some(Err(SessionError::Malformed(what)))) => Err(Some(refuse_frame(outbox, what))),
        Ok(Some(Err(SessionError::Lost)) | None) => Err(None),
        Err(_) => Err(Some(goodbye(GoodbyeReason::Malformed))),
    }
}
