//! Identity providers: what is known of each on this node, and how it is spoken to.
//!
//! Every request to a provider passes its breaker, is bounded in time and size, and is never redirected. What it publishes is fetched by one at
//! a time, kept, and taken as it was while the provider is down. Deliberately absent: people, sessions and pages (`people`), and any trust in what
//! a provider says of where it is: its endpoints are what the issuer's own document names, under https as the issuer is (`oauth.md`, cases 23, 24).

mod exchanges;
mod metadata;
mod ports;
mod redeem;
mod vouched;
mod way;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::value::{Clock, Issuer, ProviderId};
use openidconnect::core::CoreJsonWebKeySet;
use openidconnect::{HttpRequest, HttpResponse};
use projections::access::Provider;

use crate::breaker::{Breaker, BreakerState, Failure, OpenTime};
use crate::cached::Cached;
use crate::metrics::{Metrics, ProviderOutcome};
use crate::people::KeyedDigest;
use crate::token::PublicUrl;

pub(crate) use ports::{CallProvider, NoAnswer, OpenClientSecret, SecretUnreadable};
pub(crate) use redeem::{NotVouched, VouchedFor};
pub(crate) use vouched::{FORGET, Ground, Standing, VouchError, Vouching, ground_of, part, rests_on, vouch};
pub(crate) use way::Way;

use exchanges::Exchanges;
use metadata::Metadata;

/// Keys of a provider are fetched anew after this.
const KEYS_AGE_MAX: Duration = Duration::from_mins(10);
/// However many tokens name keys that nobody knows, keys are fetched no more often (`oauth.md`, case 20).
const UNKNOWN_KEY_AGE_MIN: Duration = Duration::from_secs(30);

/// How providers are put up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProviderLimits {
    /// How long one request may take, answer and all.
    pub request: Duration,
    /// For how long it is taken to be there after it answered.
    pub contact: Duration,
    /// Failures in a row after which it is left alone.
    pub failures_max: u32,
    /// For how long, before one request tries again.
    pub open: Duration,
    /// How long a session goes on before the provider is asked again.
    pub session: Duration,
    /// How long the word of a provider that does not answer counts.
    pub fallback: Duration,
}

/// A provider does not answer, or is left alone because it did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the identity provider does not answer")]
pub(crate) struct Down;

/// Why a request got no answer that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Unanswered {
    /// It was sent, and nobody is there, or nobody who can do what was asked.
    #[error("the identity provider does not answer")]
    Failed,
    /// It was not sent: the provider is left alone.
    #[error("the identity provider is left alone")]
    HeldBack,
}

impl From<Unanswered> for Down {
    fn from(_: Unanswered) -> Self {
        Self
    }
}

/// The providers, as this node knows them. Cheap to clone.
#[derive(Clone)]
pub struct Providers(Arc<Inner>);

struct Inner {
    limits: ProviderLimits,
    calls: Arc<dyn CallProvider>,
    secrets: Arc<dyn OpenClientSecret>,
    digests: Arc<dyn KeyedDigest>,
    clock: Arc<dyn Clock>,
    url: PublicUrl,
    metrics: Metrics,
    known: Mutex<HashMap<ProviderId, Arc<Known>>>,
}

impl std::fmt::Debug for Providers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Providers")
    }
}

/// What is known of one provider.
struct Known {
    issuer: Issuer,
    breaker: Breaker,
    exchanges: Mutex<Exchanges>,
    metadata: Cached<Metadata, Down>,
    keys: Cached<CoreJsonWebKeySet, Down>,
}

impl Known {
    fn exchanges(&self) -> std::sync::MutexGuard<'_, Exchanges> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn holds_back(&self) -> bool {
        self.breaker.holds_back(Instant::now())
    }
}

/// What the providers are put together from.
pub(crate) struct Parts {
    pub(crate) limits: ProviderLimits,
    pub(crate) calls: Arc<dyn CallProvider>,
    pub(crate) secrets: Arc<dyn OpenClientSecret>,
    pub(crate) digests: Arc<dyn KeyedDigest>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) url: PublicUrl,
    pub(crate) metrics: Metrics,
}

impl Providers {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { limits, calls, secrets, digests, clock, url, metrics } = parts;
        let known = Mutex::default();
        Self(Arc::new(Inner { limits, calls, secrets, digests, clock, url, metrics, known }))
    }

    /// How they are put up with.
    pub(crate) fn limits(&self) -> ProviderLimits {
        self.0.limits
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// How far a provider's breaker is.
    pub(crate) fn breaker(&self, provider: &Provider) -> BreakerState {
        self.known(provider).breaker.state(Instant::now())
    }

    /// Whether a provider answers: it did a moment ago, or does now.
    pub(crate) async fn contact(&self, provider: &Provider) -> Result<(), Down> {
        let known = self.known(provider);
        if !known.exchanges().are_made(Instant::now()) {
            return Err(Down);
        }
        self.metadata(&known).await.map(|_| ())
    }

    /// Whether a provider is left alone, for whoever need not wait until it is known that it is back. That is found out meanwhile.
    pub(crate) fn is_left_alone(&self, provider: &Arc<Provider>) -> bool {
        match self.breaker(provider) {
            BreakerState::Closed => return false,
            BreakerState::Open => {}
            BreakerState::HalfOpen => {
                let (providers, provider) = (self.clone(), Arc::clone(provider));
                tokio::spawn(async move { providers.contact(&provider).await });
            }
        }
        true
    }

    fn known(&self, provider: &Provider) -> Arc<Known> {
        let mut all = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&provider.id).filter(|known| known.issuer == provider.issuer) {
            return Arc::clone(known);
        }
        let known = Arc::new(Known {
            issuer: provider.issuer.clone(),
            breaker: Breaker::new(self.0.limits.failures_max, OpenTime::Always(self.0.limits.open)),
            exchanges: Mutex::default(),
            metadata: Cached::default(),
            keys: Cached::default(),
        });
        all.insert(provider.id.clone(), Arc::clone(&known));
        known
    }

    /// What it says of itself, as it said it a moment ago or says it now. Nobody waits behind somebody who is finding out whether it is back.
    async fn metadata(&self, known: &Known) -> Result<Arc<Metadata>, Down> {
        let age_max = self.0.limits.contact;
        if known.metadata.younger_than(age_max).is_none() && known.holds_back() {
            self.0.metrics.asked_provider(ProviderOutcome::HeldBack);
            return Err(Down);
        }
        let fetch = async {
            let request = metadata::request(&known.issuer)?;
            Ok(self.call(known, request, |answer| metadata::read(&known.issuer, &answer)).await?)
        };
        known.metadata.get(age_max, fetch).await
    }

    /// The keys; those of before when there are no others to be had now.
    async fn keys(
        &self,
        known: &Known,
        metadata: &Metadata,
        age_max: Duration,
    ) -> Result<Arc<CoreJsonWebKeySet>, Down> {
        let fetch = async {
            let request = metadata::keys_request(metadata)?;
            Ok(self.call(known, request, |answer| metadata::read_keys(&answer)).await?)
        };
        let fetched = known.keys.get(age_max, fetch).await;
        fetched.or_else(|down| known.keys.younger_than(self.0.limits.fallback).ok_or(down))
    }

    /// One request, if the breaker lets it through. What cannot be read counts as no answer; a refusal can be.
    async fn call<T>(
        &self,
        known: &Known,
        request: HttpRequest,
        read: impl FnOnce(HttpResponse) -> Result<T, &'static str>,
    ) -> Result<T, Unanswered> {
        let Ok(permit) = known.breaker.permit(Instant::now()) else {
            self.0.metrics.asked_provider(ProviderOutcome::HeldBack);
            return Err(Unanswered::HeldBack);
        };
        let answer = self.0.calls.call(request, self.0.limits.request).await;
        let answer = answer.map_err(|NoAnswer(why)| why).and_then(|answer| {
            if answer.status().is_server_error() {
                return Err(format!("it answered {}", answer.status().as_u16()));
            }
            read(answer).map_err(str::to_owned)
        });
        match answer {
            Ok(answer) => {
                permit.succeeded();
                self.0.metrics.asked_provider(ProviderOutcome::Answered);
                Ok(answer)
            }
            Err(why) => {
                permit.failed(Failure::Certain, Instant::now());
                self.0.metrics.asked_provider(ProviderOutcome::Failed);
                tracing::warn!(
                    provider.issuer = known.issuer.as_str(),
                    cause = why,
                    "an identity provider does not answer"
                );
                Err(Unanswered::Failed)
            }
        }
    }
}
