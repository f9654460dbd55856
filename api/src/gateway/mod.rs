//! The data plane: `/mcp/{instance}`, any method. Authenticate, route, authorize, forward. Access: decided per call by `relay`.
//!
//! It decides nothing by itself (`domain::policy` does), changes no state, and asks nobody before it forwards: everything it needs is in one
//! snapshot of the access view.

mod addresses;
mod ask_tools;
mod authenticate;
mod authorize;
mod authorized;
mod body;
mod breakers;
mod call;
mod composed;
mod credentials;
mod draft;
mod forward;
mod grounds;
mod ports;
mod recorded;
mod refusal;
mod relay;
mod route;
mod session;
mod shares;
mod shown;
mod single_flight;
mod streams;
mod tokens;
mod tool_hints;
mod whole;

use std::sync::Arc;

use domain::value::Clock;
use mcp::origin::AllowedOrigins;
use mcp::upstream::Upstream;
use projections::access::Deciding;
use tokio_util::sync::CancellationToken;

use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::token::PublicUrl;

pub use crate::key_holder::CheckKey;
pub use breakers::{BreakerLimits, Breakers};
pub use composed::Links;
pub use credentials::UpstreamCredentials;
pub use ports::{
    NoUpstreamToken, OpenSecrets, SealCalls, SealSession, Secrets, SecretsUnavailable, UpstreamTokens,
};
pub(crate) use recorded::ARGUMENT_BYTES_MAX;
pub use recorded::Recorder;
pub(crate) use refusal::RefusedFor;
pub use shares::BodyBudgets;
pub use streams::OpenStreams;
pub use tokens::Tokens;

/// Everything the hot path needs, shared by all requests.
#[derive(Clone)]
pub struct Gateway(Arc<Parts>);

/// What a gateway is made of.
pub struct Parts {
    /// Who is who and what is open.
    pub deciding: Deciding,
    /// The time of decisions.
    pub clock: Arc<dyn Clock>,
    /// Checks presented keys.
    pub keys: Arc<dyn CheckKey>,
    /// Checks presented tokens.
    pub tokens: Tokens,
    /// What the endpoints are named after.
    pub url: PublicUrl,
    /// Seals session ids of upstreams for clients.
    pub sessions: Arc<dyn SealSession>,
    /// Credentials for upstreams.
    pub credentials: UpstreamCredentials,
    /// The pooled client.
    pub upstream: Upstream,
    /// Where servers are.
    pub addresses: Addresses,
    /// Which upstreams are left alone.
    pub breakers: Breakers,
    /// What is known of servers that are one of several.
    pub links: Links,
    /// Origins that browsers may call from.
    pub origins: AllowedOrigins,
    /// How often anybody may ask.
    pub limits: Limits,
    /// How much memory request bodies may take.
    pub bodies: BodyBudgets,
    /// Which tools upstreams call read-only.
    pub hints: tool_hints::ToolHints,
    /// Whether whoever connects from loopback is on this machine: we listen there alone and speak for no public address.
    pub loopback_open: bool,
    /// Answers under way.
    pub streams: OpenStreams,
    /// What calls are recorded with; none when the deployment keeps no records.
    pub recorder: Option<Arc<Recorder>>,
    /// Counters.
    pub metrics: Metrics,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

impl Gateway {
    /// A gateway of these parts.
    pub fn new(parts: Parts) -> Self {
        let BodyBudgets { calls, small, refused, .. } = &parts.bodies;
        let budgets = [("calls", calls), ("small-requests", small), ("refused", refused)];
        parts.metrics.show_held(budgets.map(|(name, budget)| (name, budget.clone())));
        Self(Arc::new(parts))
    }

    /// Checks upstreams in trouble, until told to stop.
    pub async fn check_upstreams(self, stop: CancellationToken) {
        self.0.breakers.clone().check(self.0.upstream.clone(), stop).await;
    }

    /// Judges who reads its streams, until told to stop.
    pub async fn judge_streams(self, stop: CancellationToken) {
        self.0.streams.clone().judge(self, stop).await;
    }
}

pub use addresses::Addresses;
pub use tool_hints::ToolHints;
