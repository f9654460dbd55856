//! What becomes of requests to identity providers, and of those who rest on one that does not answer.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Metrics;

/// How a request to a provider ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProviderOutcome {
    /// With an answer.
    Answered,
    /// With none, or one that cannot be read.
    Failed,
    /// The breaker let it not through.
    HeldBack,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// The counters.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    requests: Family<OutcomeLabels, Counter>,
    fallbacks: Counter,
}

impl Counted {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let counted = Self::default();
        let Self { requests, fallbacks } = counted.clone();
        registry.register(
            "provider_requests",
            "Requests to identity providers, by outcome: answered, failed, or held_back by the breaker",
            requests,
        );
        registry.register(
            "provider_fallbacks",
            "Times that somebody began to go on by the word of a provider that does not answer",
            fallbacks,
        );
        counted
    }
}

impl Metrics {
    /// One request to an identity provider.
    pub(crate) fn asked_provider(&self, outcome: ProviderOutcome) {
        let outcome = match outcome {
            ProviderOutcome::Answered => "answered",
            ProviderOutcome::Failed => "failed",
            ProviderOutcome::HeldBack => "held_back",
        };
        self.providers.requests.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// Somebody goes on in degraded mode.
    pub(crate) fn fell_back(&self) {
        self.providers.fallbacks.inc();
    }
}
