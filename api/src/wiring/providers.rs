//! Identity providers, on real technology.

use std::sync::Arc;

use super::{Edge, StartError};
use crate::adapters::key_digest::KeyDigests;
use crate::adapters::provider_calls::ProviderCalls;
use crate::adapters::system::SystemClock;
use crate::providers::{Parts, Providers};

impl Edge<'_> {
    pub(super) fn providers(&self) -> Result<Providers, StartError> {
        let calls = ProviderCalls::try_new().map_err(|error| StartError::Tls(error.to_string()))?;
        Ok(Providers::new(Parts {
            limits: self.config.providers,
            calls: Arc::new(calls),
            secrets: Arc::new(self.vault()),
            digests: Arc::<KeyDigests>::clone(&self.digests),
            clock: Arc::new(SystemClock),
            url: self.public.clone(),
            metrics: self.metrics.clone(),
        }))
    }
}
