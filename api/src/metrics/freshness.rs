//! How old what a node knows can be, and what it did when that was too old.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use projections::access::Basis;
use projections::freshness::{Freshness, ObserveApplied};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{AreaLabels, Metrics, seconds};

/// What a decision rested on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BasisLabels {
    basis: &'static str,
}

/// What is counted of it.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    degraded: Family<BasisLabels, Counter>,
    stale_refusals: Family<AreaLabels, Counter>,
    applied: Histogram,
    staleness: Gauge<f64, AtomicU64>,
    watermark_age: Gauge<f64, AtomicU64>,
}

impl Counted {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let counted = Self {
            degraded: Family::default(),
            stale_refusals: Family::default(),
            applied: seconds(),
            staleness: Gauge::default(),
            watermark_age: Gauge::default(),
        };
        registry.register(
            "degraded_decisions",
            "Calls let through by something else than a fresh view, by what that was",
            counted.degraded.clone(),
        );
        registry.register(
            "stale_refusals",
            "Requests refused because the view was too old to decide and Postgres did not answer",
            counted.stale_refusals.clone(),
        );
        registry.register_with_unit(
            "event_applied",
            "Time from the recording of an event to its being in the view of this node",
            Unit::Seconds,
            counted.applied.clone(),
        );
        registry.register_with_unit(
            "view_staleness",
            "How old the view of this node can be",
            Unit::Seconds,
            counted.staleness.clone(),
        );
        registry.register_with_unit(
            "watermark_age",
            "Time since a look at the log was heard of over NATS",
            Unit::Seconds,
            counted.watermark_age.clone(),
        );
        counted
    }
}

impl ObserveApplied for Metrics {
    fn applied(&self, delay: Duration) {
        self.freshness.applied.observe(delay.as_secs_f64());
    }
}

impl Metrics {
    /// A decision that did not rest on a fresh view was used.
    pub(crate) fn decided_by(&self, basis: Basis) {
        self.freshness.degraded.get_or_create(&BasisLabels { basis: basis.as_str() }).inc();
    }

    /// A request was refused because nothing fresh enough could be had.
    pub(crate) fn refused_as_stale(&self, area: &'static str) {
        self.freshness.stale_refusals.get_or_create(&AreaLabels { area }).inc();
    }

    /// How old the view of this node can be.
    pub(crate) fn show_freshness(&self, freshness: &Freshness) {
        self.freshness.staleness.set(freshness.staleness().as_secs_f64());
        self.freshness.watermark_age.set(freshness.watermark_age().as_secs_f64());
    }
}
