//! Devices: the key pairs that prove an account, and the statement that they sign.
//!
//! This module opens no connection and reads no file. The same functions run at both ends, so that they cannot disagree about what is signed.

use std::fmt;

use ring::hmac;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use super::id::{SecretHash, fixed_bytes, read_32_bytes};
use super::{Pin, ServerId};

/// The purpose that a sign-in signature contains, so that it cannot be used for anything else.
const SIGN_IN: &[u8] = b"tchat sign-in";
/// The purpose that a proof of a former secret contains.
const ENROL: &[u8] = b"tchat enrol";

/// The y coordinates of the points of small order on the curve, in every encoding of 255 bits.
const WEAK: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/// The public key of a device (Ed25519, RFC 8032).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceKey([u8; 32]);

fixed_bytes!(DeviceKey, 32);

impl DeviceKey {
    /// Like [`DeviceSecret::from_file`].
    pub fn from_file(file: &[u8]) -> Option<Self> {
        read_32_bytes(file).map(Self)
    }

    /// Returns the eight hexadecimal digits by which people refer to a device.
    pub fn id(&self) -> String {
        hex::encode(&self.0[..4])
    }

    /// Whether the key is a point of small order: there are signatures that such a key accepts for any message. No device has such a key by
    /// chance.
    fn is_weak(&self) -> bool {
        let mut y = self.0;
        // Clears the top bit, which is the sign of x.
        y[31] &= 0x7f;
        WEAK.iter()
            .any(|weak| hex::decode(weak).is_ok_and(|weak| weak == y))
    }

    /// Whether this device has signed a challenge.
    pub fn has_signed(&self, challenge: &Challenge, signature: &[u8]) -> bool {
        if self.is_weak() {
            return false;
        }
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(&challenge.statement(SIGN_IN, *self), signature)
            .is_ok()
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKey({})", hex::encode(self.0))
    }
}

/// The private key of a device, as its 32-byte seed. It never leaves the device: the type has no `Display`, and `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceSecret([u8; 32]);

impl DeviceSecret {
    /// Creates a key from 32 random bytes.
    pub const fn new(seed: [u8; 32]) -> Self {
        Self(seed)
    }

    /// Parses a key from the contents of a key file: 64 hexadecimal digits. Ignores spaces, line endings and byte order marks.
    pub fn from_file(file: &[u8]) -> Option<Self> {
        read_32_bytes(file).map(Self)
    }

    /// Returns the 64 hexadecimal digits of [`DeviceSecret::from_file`].
    pub fn to_digits(&self) -> String {
        hex::encode(self.0)
    }

    /// Returns the seed, to hand this key over to the program that will sign in with it.
    pub const fn seed(&self) -> &[u8; 32] {
        &self.0
    }

    pub fn public(&self) -> DeviceKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.pair().public_key().as_ref());
        DeviceKey(key)
    }

    /// Signs a challenge.
    pub fn sign(&self, challenge: &Challenge) -> [u8; 64] {
        let statement = challenge.statement(SIGN_IN, self.public());
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair().sign(&statement).as_ref());
        signature
    }

    fn pair(&self) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&self.0).expect("a seed has 32 bytes")
    }
}

impl fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceSecret(…)")
    }
}

/// How a connection reaches the server. It is part of what a device signs, so that a signature is worthless on any other connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Transport {
    /// Through memory, within one process.
    #[default]
    Memory,
    /// Through a local socket that only the user who runs the server can open.
    Socket,
    /// Encrypted, to a server with this key.
    Tls(Pin),
    /// Not encrypted.
    ClearText,
}

impl Transport {
    /// Returns the fields that are signed: a number for the kind, and the server's key if there is one.
    fn signed(self) -> (u8, Option<Pin>) {
        match self {
            Self::Memory => (1, None),
            Self::Socket => (2, None),
            Self::Tls(pin) => (3, Some(pin)),
            Self::ClearText => (4, None),
        }
    }
}

/// What a device has to sign to sign in on one connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// The protocol version.
    pub protocol: u32,
    /// How each end sees the connection. It is not sent: if the two ends see different keys, somebody is between them.
    pub transport: Transport,
    pub server_id: ServerId,
    /// 32 random bytes that the server has never used before.
    pub nonce: [u8; 32],
}

impl Challenge {
    /// Returns the bytes to sign. Each field has its length before it, so that no two statements have the same bytes.
    fn statement(&self, purpose: &[u8], device: DeviceKey) -> Vec<u8> {
        let (kind, pin) = self.transport.signed();
        let pin = pin.map_or_else(Vec::new, |pin| pin.bytes().to_vec());
        let fields: [&[u8]; 7] = [
            purpose,
            &self.protocol.to_be_bytes(),
            &[kind],
            &pin,
            self.server_id.bytes(),
            &self.nonce,
            device.bytes(),
        ];
        let mut statement = Vec::with_capacity(192);
        for field in fields {
            let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
            statement.extend(length.to_be_bytes());
            statement.extend(field);
        }
        statement
    }
}

/// Proves that a new device has the secret by which an earlier version recognised its account. The secret is not sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FormerProof {
    /// The first bytes of the secret's hash, by which the server finds the account. The other bytes remain unknown to everybody else.
    pub hint: [u8; 8],
    /// HMAC-SHA256 over the challenge and the device's key, with the secret's hash as the key.
    pub mac: [u8; 32],
}

impl FormerProof {
    pub fn new(secret: SecretHash, challenge: &Challenge, device: DeviceKey) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
        let tag = hmac::sign(&key, &challenge.statement(ENROL, device));
        let mut mac = [0; 32];
        mac.copy_from_slice(tag.as_ref());
        Self {
            hint: secret.hint(),
            mac,
        }
    }

    /// Whether the proof was made with this secret for this challenge and device.
    pub fn is_of(&self, secret: SecretHash, challenge: &Challenge, device: DeviceKey) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
        hmac::verify(&key, &challenge.statement(ENROL, device), &self.mac).is_ok()
    }
}

/// The bearer token of a session, for its calls outside the stream. It is worthless once the session has ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionToken([u8; 32]);

fixed_bytes!(SessionToken, 32);

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Secret;

    fn challenge() -> Challenge {
        Challenge {
            protocol: 2,
            transport: Transport::Tls(Pin::new([1; 32])),
            server_id: ServerId::new([2; 16]),
            nonce: [3; 32],
        }
    }

    /// The challenge with one field changed, for each field.
    fn others() -> Vec<Challenge> {
        let of = |change: fn(&mut Challenge)| {
            let mut other = challenge();
            change(&mut other);
            other
        };
        vec![
            of(|it| it.protocol = 3),
            of(|it| it.transport = Transport::Tls(Pin::new([9; 32]))),
            of(|it| it.transport = Transport::Socket),
            of(|it| it.transport = Transport::Memory),
            of(|it| it.transport = Transport::ClearText),
            of(|it| it.server_id = ServerId::new([9; 16])),
            of(|it| it.nonce[31] = 0),
        ]
    }

    #[test]
    fn a_signature_is_valid_for_one_challenge_and_one_device() {
        let (device, other) = (DeviceSecret::new([7; 32]), DeviceSecret::new([8; 32]));
        let signature = device.sign(&challenge());
        assert!(device.public().has_signed(&challenge(), &signature));
        assert!(!other.public().has_signed(&challenge(), &signature));
        for other in others() {
            assert!(!device.public().has_signed(&other, &signature), "{other:?}");
        }
        for wrong in [&signature[..63], &[0; 64], &[]] {
            assert!(!device.public().has_signed(&challenge(), wrong));
        }
        // A key that is not a point on the curve has signed nothing.
        assert!(!DeviceKey::new([0xff; 32]).has_signed(&challenge(), &signature));
    }

    #[test]
    fn a_key_of_small_order_is_refused() {
        for weak in WEAK {
            for sign in [0, 0x80] {
                let mut key: [u8; 32] = hex::decode(weak).unwrap().try_into().unwrap();
                key[31] |= sign;
                // The neutral element and zero: valid for whatever hashes to a multiple of the order.
                let mut signature = [0; 64];
                signature[0] = 1;
                for nonce in 0..16 {
                    let challenge = Challenge {
                        nonce: [nonce; 32],
                        ..challenge()
                    };
                    let key = DeviceKey::new(key);
                    assert!(!key.has_signed(&challenge, &signature), "{key:?}");
                }
            }
        }
    }

    #[test]
    fn a_proof_of_a_former_secret_is_valid_for_one_challenge_and_one_device() {
        let (secret, another) = (Secret::new([5; 32]).hash(), Secret::new([6; 32]).hash());
        let device = DeviceSecret::new([7; 32]).public();
        let proof = FormerProof::new(secret, &challenge(), device);
        assert!(proof.is_of(secret, &challenge(), device));
        assert!(!proof.is_of(another, &challenge(), device));
        let other = DeviceSecret::new([8; 32]).public();
        assert!(!proof.is_of(secret, &challenge(), other));
        for other in others() {
            assert!(!proof.is_of(secret, &other, device), "{other:?}");
        }
    }

    #[test]
    fn neither_key_nor_token_is_in_debug_output() {
        let shown = format!(
            "{:?} {:?}",
            DeviceSecret::new([0xab; 32]),
            SessionToken::new([0xab; 32])
        );
        assert!(
            !shown.contains("ab, ") && !shown.contains("abab"),
            "{shown}"
        );
    }
}
