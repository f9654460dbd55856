//! Ids, digests and seals of call records.

use std::sync::Arc;

use aws_lc_rs::{hmac, rand};
use domain::value::Timestamp;
use uuid::{Builder, Uuid};
use zeroize::Zeroizing;

use super::key_digest::KeyDigests;
use super::master_key::{MasterKeys, Purpose};
use crate::gateway::SealCalls;

/// What call records need of the deployment's keys.
pub struct CallSeals {
    digest: hmac::Key,
    master: Arc<MasterKeys>,
}

impl std::fmt::Debug for CallSeals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallSeals")
    }
}

impl CallSeals {
    /// The digest key is derived from the deployment's index key, so every node has the same and it outlives the master key.
    pub fn of(digests: &KeyDigests, master: Arc<MasterKeys>) -> Self {
        let key = digests.blind_index("call arguments", "v1");
        Self { digest: hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), master }
    }
}

impl SealCalls for CallSeals {
    fn id(&self, at: Timestamp) -> Uuid {
        let milliseconds = u64::try_from(at.get().unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        let mut random = [0; 10];
        // Without randomness the ids of one millisecond are equal, and the table refuses the second one and says so.
        let _ = rand::fill(&mut random);
        Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
    }

    fn digest(&self, arguments: &[u8]) -> Vec<u8> {
        hmac::sign(&self.digest, arguments).as_ref().to_vec()
    }

    fn seal(&self, call: Uuid, arguments: &[u8]) -> Option<Vec<u8>> {
        self.master.seal(Purpose::CallArguments, &call.to_string(), arguments).ok()
    }

    fn open(&self, call: Uuid, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.master.open(Purpose::CallArguments, &call.to_string(), sealed).ok()
    }
}
