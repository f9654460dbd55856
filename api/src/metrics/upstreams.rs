//! Upstreams that are left alone. By state, never by upstream: how many there are is for tenants to say. Which one it was is in the log.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Metrics;
use crate::breaker::BreakerState;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckOutcome {
    /// With any answer.
    Answered,
    /// With none.
    Failed,
}

/// How many upstreams in trouble this node knows, by the state of their breakers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TroubledUpstreams {
    /// Some request failed, and calls go through.
    pub(crate) closed: i64,
    /// Left alone.
    pub(crate) open: i64,
    /// One call finds out, or may.
    pub(crate) half_open: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// The counters.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    transitions: Family<StateLabels, Counter>,
    troubled: Family<StateLabels, Gauge>,
    checks: Family<OutcomeLabels, Counter>,
    again: Counter,
}

impl Counted {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let counted = Self::default();
        let Self { transitions, troubled, checks, again } = counted.clone();
        registry.register(
            "upstream_breaker_transitions",
            "Changes of breakers of upstreams, by the state that they changed to",
            transitions,
        );
        registry.register(
            "upstreams_in_trouble",
            "Upstreams of which the last request failed, by the state of their breaker",
            troubled,
        );
        registry.register(
            "upstream_checks",
            "Checks of upstreams in trouble, by outcome: answered or failed",
            checks,
        );
        registry.register(
            "upstream_repeats",
            "Requests sent once more because their connection ended before an answer",
            again,
        );
        counted
    }
}

impl Metrics {
    /// A breaker changed to this state.
    pub(crate) fn upstream_breaker(&self, to: BreakerState) {
        self.upstreams.transitions.get_or_create(&StateLabels { state: to.as_str() }).inc();
    }

    /// What is in trouble now.
    pub(crate) fn upstreams_in_trouble(&self, counted: TroubledUpstreams) {
        let TroubledUpstreams { closed, open, half_open } = counted;
        let states =
            [(BreakerState::Closed, closed), (BreakerState::Open, open), (BreakerState::HalfOpen, half_open)];
        for (state, places) in states {
            self.upstreams.troubled.get_or_create(&StateLabels { state: state.as_str() }).set(places);
        }
    }

    /// A check ended.
    pub(crate) fn upstream_checked(&self, outcome: CheckOutcome) {
        let outcome = match outcome {
            CheckOutcome::Answered => "answered",
            CheckOutcome::Failed => "failed",
        };
        self.upstreams.checks.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// A request is sent once more.
    pub(crate) fn upstream_asked_again(&self) {
        self.upstreams.again.inc();
    }
}
