//! How often anybody may ask, as configured, with the number of nodes that share it.

use super::readers::Readers;
use crate::config::Config;
use crate::limits::{CredentialRate, Limits};
use crate::metrics::Metrics;

pub(super) fn limits(config: &Config, readers: &Readers, metrics: &Metrics) -> Limits {
    let credential = CredentialRate { per_second: config.key_rate, burst: config.key_burst };
    let (trusted, nodes) = (config.trusted_proxies.clone(), readers.leases.live_nodes());
    Limits::new(&config.rates, credential, trusted, nodes, metrics.clone())
}
