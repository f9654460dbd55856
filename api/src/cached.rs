//! Something that somebody else publishes: fetched by one at a time, for all who wait; kept, so that it is there while they are not.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What was fetched last, and how the last attempt ended.
pub(crate) struct Cached<T, E> {
    held: Mutex<Option<(Instant, Arc<T>)>>,
    /// Held by whoever fetches; a fetcher that leaves passes it on by that alone.
    flight: tokio::sync::Mutex<Option<Landed<T, E>>>,
}

type Landed<T, E> = (Instant, Result<Arc<T>, E>);

/// How an attempt went.
#[derive(Debug)]
pub(crate) enum Attempt<T, E> {
    /// It was made, and this came of it.
    Made(Result<T, E>),
    /// It was made, and it told that nothing is there any more: what was held goes.
    Gone(E),
    /// It was not even made: whoever comes next makes it.
    NotMade(E),
}

impl<T, E> Default for Cached<T, E> {
    fn default() -> Self {
        Self { held: Mutex::default(), flight: tokio::sync::Mutex::default() }
    }
}

impl<T, E: Clone> Cached<T, E> {
    /// What is held, if it is good enough, whenever it was fetched.
    pub(crate) fn held(&self, is_enough: impl Fn(Instant, &T) -> bool) -> Option<Arc<T>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|(at, value)| is_enough(*at, value)).map(|(_, value)| Arc::clone(value))
    }

    /// What is held, if it was fetched no longer ago.
    pub(crate) fn younger_than(&self, age: Duration) -> Option<Arc<T>> {
        self.held(|at, _| at.elapsed() < age)
    }

    /// What is held, if it is young enough; else what is fetched now, by us or by whoever was faster.
    pub(crate) async fn get(
        &self,
        age_max: Duration,
        fetch: impl Future<Output = Result<T, E>>,
    ) -> Result<Arc<T>, E> {
        let young = |at: Instant, _: &T| at.elapsed() < age_max;
        self.get_if(young, Duration::ZERO, async { Attempt::Made(fetch.await) }).await
    }

    /// What is held, if it is good enough; else what is fetched now, by us or by whoever was faster. An attempt that ended no longer ago than `rest`
    /// is not repeated, whatever came of it.
    pub(crate) async fn get_if(
        &self,
        is_enough: impl Fn(Instant, &T) -> bool,
        rest: Duration,
        fetch: impl Future<Output = Attempt<T, E>>,
    ) -> Result<Arc<T>, E> {
        if let Some(held) = self.held(is_enough) {
            return Ok(held);
        }
        let since = Instant::now();
        let mut flight = self.flight.lock().await;
        if let Some((_, landed)) = flight.as_ref().filter(|(at, _)| *at >= since || at.elapsed() < rest) {
            return landed.clone();
        }
        let landed = match fetch.await {
            Attempt::NotMade(why) => return Err(why),
            Attempt::Made(landed) => landed.map(Arc::new),
            Attempt::Gone(why) => {
                *self.held.lock().unwrap_or_else(PoisonError::into_inner) = None;
                Err(why)
            }
        };
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

    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Down;

    const HOUR: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn attack_20_however_many_ask_at_once_one_fetches() {
        let (cached, fetches) = (Cached::<&str, Down>::default(), AtomicU32::new(0));
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
        let (cached, fetches) = (Cached::<(), Down>::default(), AtomicU32::new(0));
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
    async fn attack_20_what_is_there_no_longer_is_held_no_longer() {
        let cached = Cached::default();
        cached.get(HOUR, async { Ok(1) }).await.unwrap();
        let gone = cached.get_if(|_, _| false, Duration::ZERO, async { Attempt::Gone(Down) });
        assert_eq!(gone.await, Err(Down));
        assert_eq!(cached.younger_than(HOUR), None);
    }

    #[tokio::test]
    async fn what_is_young_enough_is_not_fetched_again_whoever_wants_other_keys() {
        let cached = Cached::default();
        cached.get(HOUR, async { Ok(1) }).await.unwrap();
        assert_eq!(cached.get(HOUR, async { Err(Down) }).await.as_deref(), Ok(&1));
    }

    #[tokio::test]
    async fn attack_20_an_attempt_is_not_repeated_before_its_rest_is_over_and_one_that_was_not_made_is() {
        let (cached, fetches) = (Cached::<(), Down>::default(), AtomicU32::new(0));
        let fetches = &fetches;
        let ask = |rest, made: bool| {
            cached.get_if(|_, ()| false, rest, async move {
                fetches.fetch_add(1, Ordering::Relaxed);
                if made { Attempt::Made(Err(Down)) } else { Attempt::NotMade(Down) }
            })
        };
        for _ in 0..3 {
            assert_eq!(ask(HOUR, false).await, Err(Down));
        }
        assert_eq!(fetches.swap(0, Ordering::Relaxed), 3);
        for _ in 0..3 {
            assert_eq!(ask(HOUR, true).await, Err(Down));
        }
        assert_eq!(fetches.swap(0, Ordering::Relaxed), 1);
        assert_eq!(ask(Duration::ZERO, true).await, Err(Down));
        assert_eq!(fetches.load(Ordering::Relaxed), 1);
    }
}
