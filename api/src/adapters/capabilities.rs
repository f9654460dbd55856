//! The small adapters: what the gateway, the management API and the read models need of keys, sessions, vault and signatures.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use domain::value::{ConnectionId, PresentedSecret, SecretDigest};
use projections::{Boxed, Foldable, JsonText, OpenPersonalData, SignEnvelope};
use serde_json::Value;

use super::key_digest::KeyDigests;
use super::master_key::{MasterKeys, Purpose};
use super::personal_data::{PersonalData, Place};
use super::vault::PostgresVault;
use crate::admin::CheckBootstrapToken;
use crate::gateway::{CheckKey, OpenSecrets, SealSession, SecretsUnavailable};
use crate::hex::hex;

impl CheckKey for KeyDigests {
    fn matches(&self, presented: &PresentedSecret, digest: &SecretDigest) -> bool {
        commands::SecretHasher::matches(self, presented, digest)
    }
}

/// Session ids sealed under the master key.
#[derive(Debug, Clone)]
pub struct SealedSessions(pub Arc<MasterKeys>);

impl SealSession for SealedSessions {
    fn seal(&self, place: &str, upstream_session: &[u8]) -> Option<String> {
        let sealed = self.0.seal(Purpose::Session, place, upstream_session).ok()?;
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    fn open(&self, place: &str, client_session: &str) -> Option<Vec<u8>> {
        let sealed = URL_SAFE_NO_PAD.decode(client_session).ok()?;
        self.0.open(Purpose::Session, place, &sealed).ok().map(|plain| plain.to_vec())
    }
}

impl OpenSecrets for PostgresVault {
    fn open(
        &self,
        connection: ConnectionId,
        version: u32,
    ) -> Pin<Box<dyn Future<Output = Result<Option<crate::gateway::Secrets>, SecretsUnavailable>> + Send + '_>>
    {
        Box::pin(async move {
            Self::open(self, connection, version).await.map_err(|error| SecretsUnavailable(error.to_string()))
        })
    }
}

impl OpenPersonalData for PersonalData {
    fn open<'a>(&'a self, events: &'a mut [Foldable]) -> Boxed<'a, Result<(), String>> {
        Box::pin(async move {
            // Few events hold personal data; only those are parsed.
            let mut sealed: Vec<(usize, Value)> = Vec::new();
            for (index, event) in events.iter().enumerate() {
                if event.payload.get().contains("\"$sealed\"") {
                    let payload =
                        serde_json::from_str(event.payload.get()).map_err(|error| error.to_string())?;
                    sealed.push((index, payload));
                }
            }
            let mut places = Vec::with_capacity(sealed.len());
            for (index, payload) in &mut sealed {
                let Some(event) = events.get(*index) else { continue };
                let place = Place {
                    aggregate_type: &event.aggregate_type,
                    aggregate_id: &event.aggregate_id,
                    sequence: event.sequence,
                };
                places.push((place, payload));
            }
            Self::open(self, &mut places).await.map_err(|error| error.to_string())?;
            drop(places);
            for (index, payload) in sealed {
                if let Some(event) = events.get_mut(index) {
                    event.payload = JsonText::from(&payload);
                }
            }
            Ok(())
        })
    }
}

/// Signs what the relay sends, with a key that only nodes of this deployment hold.
pub struct RelaySignature(hmac::Key);

impl std::fmt::Debug for RelaySignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RelaySignature")
    }
}

impl RelaySignature {
    /// Derived from the deployment's index key, so every node has the same.
    pub fn of(digests: &KeyDigests) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, digests.blind_index("relay signature", "v1").as_bytes()))
    }
}

impl SignEnvelope for RelaySignature {
    fn sign(&self, envelope: &[u8]) -> String {
        hex(hmac::sign(&self.0, envelope).as_ref())
    }

    fn verify(&self, envelope: &[u8], signature: &str) -> bool {
        let expected = self.sign(envelope);
        constant_time::verify_slices_are_equal(expected.as_bytes(), signature.as_bytes()).is_ok()
    }
}

/// The token that founds the deployment.
#[derive(Debug)]
pub struct BootstrapToken(pub PresentedSecret);

impl CheckBootstrapToken for BootstrapToken {
    fn matches(&self, presented: &str) -> bool {
        constant_time::verify_slices_are_equal(self.0.reveal().as_bytes(), presented.as_bytes()).is_ok()
    }
}
