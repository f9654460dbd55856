//! Fake ports: ids that count up, digests that are readable, a vault that remembers, a clock that stands still.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use domain::value::{
    Clock, ConnectionId, IssuedSecret, PresentedSecret, ProviderSecretId, SecretDigest, Timestamp,
};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

use super::{MemoryLog, cast};
use crate::{Entropy, HashError, Ports, SecretHasher, Vault, VaultError};

/// Everything that a use case may reach for.
pub(crate) struct World {
    pub(crate) log: MemoryLog,
    pub(crate) entropy: CountingEntropy,
    pub(crate) hasher: ReadableHasher,
    pub(crate) vault: MemoryVault,
    pub(crate) clock: StandingClock,
    pub(super) runtime: Runtime,
}

impl World {
    /// A deployment before its bootstrap.
    pub(crate) fn empty() -> Self {
        Self {
            log: MemoryLog::default(),
            entropy: CountingEntropy::default(),
            hasher: ReadableHasher::default(),
            vault: MemoryVault::default(),
            clock: StandingClock,
            runtime: Builder::new_current_thread().build().unwrap(),
        }
    }

    /// The deployment of the cast.
    pub(crate) fn new() -> Self {
        let world = Self::empty();
        cast::enter(&world.log);
        world
    }
}

impl Ports for World {
    type Log = MemoryLog;
    type Entropy = CountingEntropy;
    type Hasher = ReadableHasher;
    type Vault = MemoryVault;
    type Clock = StandingClock;

    fn log(&self) -> &MemoryLog {
        &self.log
    }

    fn entropy(&self) -> &CountingEntropy {
        &self.entropy
    }

    fn hasher(&self) -> &ReadableHasher {
        &self.hasher
    }

    fn vault(&self) -> &MemoryVault {
        &self.vault
    }

    fn clock(&self) -> &StandingClock {
        &self.clock
    }
}

/// Ids from 1000 on, secrets of one repeated byte.
#[derive(Default)]
pub(crate) struct CountingEntropy {
    ids: AtomicU32,
    secrets: AtomicU8,
}

impl Entropy for CountingEntropy {
    fn id(&self) -> Uuid {
        Uuid::from_u128(1000 + u128::from(self.ids.fetch_add(1, Ordering::Relaxed)))
    }

    fn secret(&self) -> [u8; 32] {
        [self.secrets.fetch_add(1, Ordering::Relaxed); 32]
    }
}

/// "Digests" in which a test can read what was digested, and how; it counts the slow ones.
#[derive(Default)]
pub(crate) struct ReadableHasher {
    pub(crate) slow: AtomicU32,
}

impl SecretHasher for ReadableHasher {
    fn digest(&self, secret: &IssuedSecret) -> SecretDigest {
        SecretDigest::HmacSha256 { pepper: 1, hex: secret.reveal().to_owned() }
    }

    fn matches(&self, presented: &PresentedSecret, digest: &SecretDigest) -> bool {
        *digest == self.digest(&IssuedSecret::new(presented.reveal().to_owned()))
    }

    async fn slow_digest(&self, secret: &IssuedSecret) -> Result<SecretDigest, HashError> {
        self.slow.fetch_add(1, Ordering::Relaxed);
        Ok(SecretDigest::Bcrypt { hash: secret.reveal().to_owned() })
    }
}

/// Fields of each version of each connection.
#[derive(Default)]
pub(crate) struct MemoryVault(
    Mutex<BTreeMap<(ConnectionId, u32), BTreeMap<String, String>>>,
    Mutex<BTreeMap<ProviderSecretId, String>>,
);

impl MemoryVault {
    /// What was stored under this version.
    pub(crate) fn stored(&self, connection: ConnectionId, version: u32) -> Option<BTreeMap<String, String>> {
        self.0.lock().unwrap().get(&(connection, version)).cloned()
    }

    /// The client secret of a provider.
    pub(crate) fn kept(&self, id: ProviderSecretId) -> Option<String> {
        self.1.lock().unwrap().get(&id).cloned()
    }

    /// How many sets were stored at all.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Vault for MemoryVault {
    async fn store(
        &self,
        connection: ConnectionId,
        in_force: u32,
        fields: &BTreeMap<String, PresentedSecret>,
    ) -> Result<u32, VaultError> {
        let mut sets = self.0.lock().unwrap();
        let last = sets.keys().filter(|(other, _)| *other == connection).map(|(_, version)| *version).max();
        let version = last.unwrap_or_default().max(in_force) + 1;
        let clear = fields.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned()));
        sets.insert((connection, version), clear.collect());
        Ok(version)
    }

    async fn keep(&self, id: ProviderSecretId, secret: &PresentedSecret) -> Result<(), VaultError> {
        self.1.lock().unwrap().insert(id, secret.reveal().to_owned());
        Ok(())
    }
}

/// It is always `cast::NOON`.
pub(crate) struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        cast::noon()
    }
}
