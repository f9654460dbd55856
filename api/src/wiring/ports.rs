//! The ports of the use cases, on real technology.

use std::sync::Arc;

use commands::Ports;
use sqlx::PgPool;

use crate::adapters::key_digest::KeyDigests;
use crate::adapters::master_key::MasterKeys;
use crate::adapters::postgres_events::{Appender, PostgresEvents};
use crate::adapters::system::{SystemClock, SystemEntropy};
use crate::adapters::vault::PostgresVault;

/// The ports of the use cases, on real technology.
#[derive(Debug)]
pub(crate) struct RealPorts {
    log: PostgresEvents,
    entropy: SystemEntropy,
    digests: Arc<KeyDigests>,
    vault: PostgresVault,
    clock: SystemClock,
}

impl RealPorts {
    /// On this database, under this master key.
    pub(crate) fn of(
        pool: &PgPool,
        appender: Appender,
        digests: Arc<KeyDigests>,
        master: &Arc<MasterKeys>,
    ) -> Self {
        let log = PostgresEvents::new(pool.clone(), appender, Arc::clone(&digests), Arc::clone(master));
        let vault = PostgresVault::new(pool.clone(), Arc::clone(master));
        Self { log, entropy: SystemEntropy, digests, vault, clock: SystemClock }
    }
}

impl Ports for RealPorts {
    type Log = PostgresEvents;
    type Entropy = SystemEntropy;
    type Hasher = KeyDigests;
    type Vault = PostgresVault;
    type Clock = SystemClock;

    fn log(&self) -> &PostgresEvents {
        &self.log
    }
    fn entropy(&self) -> &SystemEntropy {
        &self.entropy
    }
    fn hasher(&self) -> &KeyDigests {
        &self.digests
    }
    fn vault(&self) -> &PostgresVault {
        &self.vault
    }
    fn clock(&self) -> &SystemClock {
        &self.clock
    }
}
