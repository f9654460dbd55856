//! Upstreams, and tokens for them, on real technology.

use std::sync::Arc;

use domain::value::AddressRange;
use mcp::upstream::{OpenNetworks, Upstream, UpstreamConfig};

use super::{Edge, RealPorts, StartError};
use crate::adapters::master_key::Purpose;
use crate::adapters::outbound::{AuthorizationCalls, is_global};
use crate::adapters::people::SealedFor;
use crate::adapters::postgres_events::Appender;
use crate::config::Config;
use crate::upstream_oauth::{Parts, UpstreamOauth};

impl Edge<'_> {
    pub(super) fn upstream_oauth(&self, appender: Appender) -> Result<UpstreamOauth<RealPorts>, StartError> {
        let calls = AuthorizationCalls::try_new(open_networks(self.config.upstream_networks.clone()));
        let calls = calls.map_err(|error| StartError::Tls(error.to_string()))?;
        let purpose = Purpose::UpstreamAuthorization;
        Ok(UpstreamOauth::new(Parts {
            ports: Arc::new(RealPorts::of(self.pool, appender, Arc::clone(&self.digests), &self.master)),
            pool: self.pool.clone(),
            view: self.readers.view.clone(),
            calls: Arc::new(calls),
            secrets: Arc::new(self.vault()),
            seal: Arc::new(SealedFor { master: Arc::clone(&self.master), purpose }),
            url: self.public.clone(),
            tasks: self.shutdown.clone(),
        }))
    }
}

/// The pooled client of all calls.
pub(super) fn upstream(config: &Config) -> Result<Upstream, StartError> {
    let settings = UpstreamConfig {
        timeouts: config.upstream,
        held_bytes_max: config.held_bytes_max,
        open_networks: open_networks(config.upstream_networks.clone()),
        ..UpstreamConfig::default()
    };
    Upstream::try_new(settings).map_err(|error| StartError::Tls(error.to_string()))
}

/// Where servers of organizations may be.
pub(super) fn open_networks(beside: Vec<AddressRange>) -> OpenNetworks {
    OpenNetworks::new(move |address| {
        is_global(address) || beside.iter().any(|network| network.contains(address))
    })
}
