//! Signing in: hello, and the signature that answers the server's challenge.

use super::LinkSession;
use crate::chat::{Challenge, FormerProof, ServerId};
use crate::wire::{Hello, PROTOCOL, Request, SignIn};

impl LinkSession<'_> {
    pub(super) fn send_hello(&mut self) {
        let config = &self.link.config;
        let hello = Hello {
            protocol_min: PROTOCOL,
            protocol_max: PROTOCOL,
            features: Vec::new(),
            device: Some(config.credentials.device.public()),
            device_name: config.credentials.device_name.clone(),
            name: config.name.clone(),
            last_session: self.link.last_session,
            instance: config.instance,
            locale: config.locale.clone(),
            agent: concat!("tchat/", env!("CARGO_PKG_VERSION")).into(),
        };
        self.request(Request::Hello(hello), None);
    }

    /// Answers a challenge. The signature covers the connection as this end sees it, so it is worthless to anybody between the two ends.
    pub(super) fn answer_challenge(&mut self, nonce: [u8; 32], server_id: ServerId) {
        self.has_signed = true;
        let credentials = &self.link.config.credentials;
        let challenge = Challenge {
            protocol: PROTOCOL,
            transport: self.transport,
            server_id,
            nonce,
        };
        let former = credentials.former.as_ref();
        let answer = SignIn {
            signature: credentials.device.sign(&challenge).to_vec(),
            former: former.map(|secret| {
                FormerProof::new(secret.hash(), &challenge, credentials.device.public())
            }),
            invite: credentials.invite,
        };
        self.request(Request::SignIn(answer), None);
    }
}
