//! Signing in: hello, and the signature that answers the server's challenge.

use super::{ConnectionEnd, LinkSession};
use crate::chat::{Challenge, FormerProof, ServerId};
use crate::client::known_servers::KnownServersError;
use crate::client::{DisconnectReason, Distrust, Unreachable, Untrusted};
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

    /// Answers a challenge. The signature covers the connection as the client sees it, so it is useless to anyone who
    /// relays it over another connection.
    ///
    /// # Errors
    /// A server with this id is known here by another key, or the list of known ids cannot be read. Nothing is signed
    /// then.
    pub(super) fn answer_challenge(
        &mut self,
        nonce: [u8; 32],
        server_id: ServerId,
    ) -> Result<(), ConnectionEnd> {
        self.check_id(server_id)?;
        self.signed_to = Some(server_id);
        let credentials = &self.link.config.credentials;
        let challenge = Challenge {
            protocol: PROTOCOL,
            transport: self.route.transport,
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
        Ok(())
    }

    fn check_id(&self, id: ServerId) -> Result<(), ConnectionEnd> {
        let Some(check) = &self.route.id_check else {
            return Ok(());
        };
        match check.allows(id) {
            Ok(true) => Ok(()),
            Ok(false) => Err(ConnectionEnd::Stopped(DisconnectReason::Untrusted(
                Untrusted {
                    server: check.server.clone(),
                    why: Distrust::KnownByOtherKey,
                },
            ))),
            Err(error) => Err(id_list_failed(&error)),
        }
    }

    /// Checks and remembers the id of a server that accepted us, perhaps without a challenge.
    ///
    /// # Errors
    /// As for [`LinkSession::answer_challenge`]; or the id cannot be remembered, so that an impostor would not be noticed later.
    pub(super) fn accept_id(&self, id: ServerId) -> Result<(), ConnectionEnd> {
        self.check_id(id)?;
        if let Some(check) = &self.route.id_check {
            check.remember(id).map_err(|error| id_list_failed(&error))?;
        }
        Ok(())
    }
}

/// Returns how a connection ends if the list of known ids cannot be used.
fn id_list_failed(error: &KnownServersError) -> ConnectionEnd {
    let why = Unreachable::Other(error.to_string());
    ConnectionEnd::end_reason(DisconnectReason::Unreachable(why))
}
