//! How often one credential may call: a token bucket for each key, each grant, and each client that acts for itself.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use uuid::Uuid;

/// Buckets by the id of the key, grant or client: ids of different nouns never meet.
#[derive(Clone)]
pub struct Budget(Arc<DefaultKeyedRateLimiter<Uuid>>);

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Budget")
    }
}

impl Budget {
    /// So many calls a second for each credential, and so many at once.
    pub fn new(calls_per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        Self(Arc::new(RateLimiter::keyed(Quota::per_second(calls_per_second).allow_burst(burst))))
    }

    /// Takes one call, or says how long to wait.
    pub(super) fn take(&self, credential: Uuid) -> Result<(), Duration> {
        self.0
            .check_key(&credential)
            .map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }

    /// Forgets credentials that were silent; call it now and then, or memory grows with every one that ever called.
    pub fn forget_silent(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }
}
