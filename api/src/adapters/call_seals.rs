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
        let mut random = [0; 10];
        // Without randomness the ids of one moment are equal, and the table refuses the second one and says so.
        let _ = rand::fill(&mut random);
        id_of(at, random)
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

/// Records are listed by id, and a fast client makes several calls within a millisecond: the twelve bits behind it say where in the
/// millisecond the moment lies (RFC 9562, 6.2, method 3), so calls that a node took one after the other stay in that order.
fn id_of(at: Timestamp, mut random: [u8; 10]) -> Uuid {
    let nanoseconds = u64::try_from(at.get().unix_timestamp_nanos()).unwrap_or_default();
    let (milliseconds, within) = (nanoseconds / 1_000_000, nanoseconds % 1_000_000);
    let fraction = u16::try_from(within * 4096 / 1_000_000).unwrap_or_default();
    random[..2].copy_from_slice(&fraction.to_be_bytes());
    Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_millisecond_are_in_the_order_of_their_microseconds() {
        let id = |micros: u32, random: u8| {
            let moment = time::OffsetDateTime::UNIX_EPOCH + time::Duration::microseconds(i64::from(micros));
            id_of(Timestamp::new(moment), [random; 10])
        };
        for micros in 0..3_000 {
            assert!(id(micros, 0xff) < id(micros + 1, 0x00), "{micros}");
        }
        let one = id(1_999, 0xff);
        assert_eq!((one.get_version_num(), one.get_variant()), (7, uuid::Variant::RFC4122));
        assert_eq!(&one.as_bytes()[..6], &[0, 0, 0, 0, 0, 1], "the millisecond that the partitions go by");
    }
}
