//! Something that a provider publishes: fetched by one at a time, for all who wait; kept, so that it is there while the provider is not.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Down;

/// What was fetched last, and how the last attempt ended.
pub(super) struct Cached<T> {
    held: Mutex<Option<(Instant, Arc<T>)>>,
    /// Held by whoever fetches; a fetcher that leaves passes it on by that alone.
    flight: tokio::sync::Mutex<Option<Landed<T>>>,
}

type Landed<T> = (Instant, Result<Arc<T>, Down>);

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self { held: Mutex::default(), flight: tokio::sync::Mutex::default() }
    }
}

impl<T> Cached<T> {
    /// What is held, if it was fetched no longer ago.
    pub(super) fn younger_than(&self, age: Duration) -> Option<Arc<T>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|(at, _)| at.elapsed() < age).map(|(_, value)| Arc::clone(value))
    }

    /// What is held, if it is young enough; else what is fetched now, by us or by whoever was faster.
    pub(super) async fn get(
        &self,
        age_max: Duration,
        fetch: impl Future<Output = Result<T, Down>>,
    ) -> Result<Arc<T>, Down> {
        if let Some(held) = self.younger_than(age_max) {
            return Ok(held);
        }
        let since = Instant::now();
        let mut flight = self.flight.lock().await;
        if let Some((_, landed)) = flight.as_ref().filter(|(at, _)| *at >= since) {
            return landed.clone();
        }
        let landed = fetch.await.map(Arc::new);
        let now = Instant::now();
        if let Ok(value) = &landed {
            *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(value)));
        }
        *flight = Some((now, landed.clone()));
        landed
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::join_all;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn attack_20_however_many_ask_at_once_one_fetches() {
        let (cached, fetches) = (Cached::default(), AtomicU32::new(0));
        let asking = (0..50).map(|_| {
            cached.get(HOUR, async {
                tokio::task::yield_now().await;
                fetches.fetch_add(1, Ordering::Relaxed);
                Ok("keys")
            })
        });
        assert!(join_all(asking).await.into_iter().all(|keys| *keys.unwrap() == "keys"));
        assert_eq!(fetches.into_inner(), 1);
    }

    #[tokio::test]
    async fn attack_20_those_who_waited_for_a_failure_do_not_try_one_after_another() {
        let (cached, fetches) = (Cached::<()>::default(), AtomicU32::new(0));
        let asking = (0..50).map(|_| {
            cached.get(HOUR, async {
                tokio::task::yield_now().await;
                fetches.fetch_add(1, Ordering::Relaxed);
                Err(Down)
            })
        });
        assert!(join_all(asking).await.into_iter().all(|keys| keys.is_err()));
        assert_eq!(fetches.into_inner(), 1);
    }

    #[tokio::test]
    async fn what_was_fetched_is_there_while_nothing_new_is_to_be_had() {
        let cached = Cached::default();
        cached.get(HOUR, async { Ok(1) }).await.unwrap();
        assert_eq!(cached.get(Duration::ZERO, async { Err(Down) }).await, Err(Down));
        assert_eq!(cached.younger_than(HOUR).as_deref(), Some(&1));
    }

    #[tokio::test]
    async fn what_is_young_enough_is_not_fetched_again_whoever_wants_other_keys() {
        let cached = Cached::default();
        cached.get(HOUR, async { Ok(1) }).await.unwrap();
        assert_eq!(cached.get(HOUR, async { Err(Down) }).await.as_deref(), Ok(&1));
    }
}
