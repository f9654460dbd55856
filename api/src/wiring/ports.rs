//! The ports of the use cases, on real technology.

use std::sync::Arc;

use commands::Ports;

use crate::adapters::key_digest::KeyDigests;
use crate::adapters::postgres_events::PostgresEvents;
use crate::adapters::system::{SystemClock, SystemEntropy};
use crate::adapters::vault::PostgresVault;

/// The ports of the use cases, on real technology.
#[derive(Debug)]
pub(crate) struct RealPorts {
    pub(super) log: PostgresEvents,
    pub(super) entropy: SystemEntropy,
    pub(super) digests: Arc<KeyDigests>,
    pub(super) vault: PostgresVault,
    pub(super) clock: SystemClock,
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
