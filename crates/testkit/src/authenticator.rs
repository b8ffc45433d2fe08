//! What people hold in their hands when they prove who they are: a passkey's
//! device with the browser around it (ES256, user verification, a signature
//! counter), and an authenticator app. By hand, so that they can also lie.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use totp_rs::{Builder, Secret};

/// Flags of the authenticator data (Web Authentication Level 3, §6.1).
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

/// A device with at most one passkey.
#[derive(Clone, Debug)]
pub struct Device {
    key: SigningKey,
    credential_id: Vec<u8>,
    user_handle: Vec<u8>,
    pub counter: u32,
    /// Where the browser is; what it tells the authenticator.
    pub origin: String,
    /// Overrides the relying party of the options.
    pub rp_id: Option<String>,
    pub verifies: bool,
    /// Whether it counts its uses; many synchronised ones do not.
    pub counts: bool,
}

fn text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}

impl Device {
    /// `seed` makes its key; two of one seed are copies of one another.
    pub fn new(origin: &str, seed: &str) -> Self {
        let secret = Sha256::digest(format!("key {seed}"));
        Self {
            key: SigningKey::from_slice(&secret).unwrap(),
            credential_id: Sha256::digest(format!("credential {seed}")).to_vec(),
            user_handle: Vec::new(),
            counter: 0,
            origin: origin.to_owned(),
            rp_id: None,
            verifies: true,
            counts: true,
        }
    }

    fn client_data(&self, kind: &str, challenge: &Value) -> Vec<u8> {
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false })
            .to_string()
            .into_bytes()
    }

    fn data(&mut self, rp_id: &str, flags: u8) -> Vec<u8> {
        let rp_id = self.rp_id.as_deref().unwrap_or(rp_id);
        let mut data = Sha256::digest(rp_id).to_vec();
        data.push(flags | PRESENT | if self.verifies { VERIFIED } else { 0 });
        if self.counts {
            self.counter += 1;
        }
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// What `navigator.credentials.create` gives for these options.
    pub fn create(&mut self, options: &Value) -> Value {
        let options = &options["publicKey"];
        self.user_handle = bytes(&options["user"]["id"]);
        let client_data = self.client_data("webauthn.create", &options["challenge"]);
        let mut data = self.data(options["rp"]["id"].as_str().unwrap(), ATTESTED);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.credential_id.len()).unwrap().to_be_bytes());
        data.extend(&self.credential_id);
        let point = self.key.verifying_key().to_sec1_bytes();
        assert_eq!(point.len(), 65, "an uncompressed point");
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[33..]);
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt\x64none\x67attStmt\xa0\x68authData\x58");
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(&data);
        json!({
            "id": text(&self.credential_id),
            "rawId": text(&self.credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": { "credProps": { "rk": true } },
            "response": {
                "clientDataJSON": text(client_data),
                "attestationObject": text(object),
                "transports": ["internal"],
            },
        })
    }

    /// What `navigator.credentials.get` gives for these options.
    pub fn get(&mut self, options: &Value) -> Value {
        let options = &options["publicKey"];
        let client_data = self.client_data("webauthn.get", &options["challenge"]);
        let data = self.data(options["rpId"].as_str().unwrap(), 0);
        let mut signed = data.clone();
        signed.extend(Sha256::digest(&client_data));
        let signature: Signature = self.key.sign(&signed);
        json!({
            "id": text(&self.credential_id),
            "rawId": text(&self.credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": text(client_data),
                "authenticatorData": text(data),
                "signature": text(signature.to_der().as_bytes()),
                "userHandle": text(&self.user_handle),
            },
        })
    }
}

/// An authenticator app with one secret.
#[derive(Clone, Debug)]
pub struct App {
    secret: String,
    /// What its clock says, in milliseconds.
    pub now: i64,
}

impl App {
    /// `secret` as the server shows it, in base 32.
    pub fn new(secret: &str, now: i64) -> Self {
        Self { secret: secret.to_owned(), now }
    }

    /// The six digits it shows, or showed some 30-second steps away.
    pub fn code(&self, steps: i64) -> String {
        let secret = Secret::try_from_base32(&self.secret).unwrap();
        let at = u64::try_from(self.now / 1_000 + steps * 30).unwrap();
        Builder::new().with_secret(secret).build().unwrap().generate(at).to_string()
    }
}
