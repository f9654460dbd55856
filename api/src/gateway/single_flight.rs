//! One question at a time for each key: who comes while it is under way waits for its answer instead of asking again.
//!
//! ```text
//! nobody asks --> one asks, others wait --answered--> those who waited take the answer, if it answers them too; else the next one asks
//!                                      `--asker gone--> the next one asks
//! ```
//! The answer goes to those who waited and is then forgotten: a failure is nobody else's, and whoever comes later asks anew.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

/// The lock is held by whoever asks, and fair: a leader that is dropped passes it on by that alone.
type Flight<A> = tokio::sync::Mutex<Option<Landed<A>>>;

/// An answer, and when it was there.
struct Landed<A> {
    answer: A,
    at: Instant,
}

/// Questions under way.
pub(super) struct SingleFlight<K, A>(Mutex<HashMap<K, Weak<Flight<A>>>>);

impl<K, A> Default for SingleFlight<K, A> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K, A> fmt::Debug for SingleFlight<K, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SingleFlight")
    }
}

impl<K: Hash + Eq, A: Clone> SingleFlight<K, A> {
    /// Asks, or takes the answer that came to somebody else meanwhile and that `serves` us too.
    pub(super) async fn ask(
        &self,
        key: K,
        serves: impl Fn(&A) -> bool,
        question: impl Future<Output = A>,
    ) -> A {
        let since = Instant::now();
        let flight = self.flight(key);
        let mut landed = flight.lock().await;
        if let Some(landed) = landed.as_ref().filter(|landed| landed.at >= since && serves(&landed.answer)) {
            return landed.answer.clone();
        }
        let answer = question.await;
        *landed = Some(Landed { answer: answer.clone(), at: Instant::now() });
        answer
    }

    fn flight(&self, key: K) -> Arc<Flight<A>> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&key).and_then(Weak::upgrade) {
            return flight;
        }
        flights.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::default();
        flights.insert(key, Arc::downgrade(&flight));
        flight
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::sync::Notify;
    use tokio::task::yield_now;

    use super::*;

    /// Questions that are answered when it is said, and counted.
    #[derive(Default)]
    struct Oracle {
        flights: SingleFlight<u8, Result<u8, u8>>,
        asked: AtomicUsize,
        say: Notify,
    }

    impl Oracle {
        async fn ask(self: Arc<Self>, key: u8, answer: Result<u8, u8>) -> Result<u8, u8> {
            let question = async {
                self.asked.fetch_add(1, Ordering::SeqCst);
                self.say.notified().await;
                answer
            };
            self.flights.ask(key, |_| true, question).await
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }
    }

    /// Lets every task go as far as it can.
    async fn settle() {
        for _ in 0..100 {
            yield_now().await;
        }
    }

    #[tokio::test]
    async fn many_at_once_ask_once_and_share_a_failure_that_nobody_gets_later() {
        let oracle = Arc::new(Oracle::default());
        let waiting: Vec<_> = (0..20).map(|_| tokio::spawn(Arc::clone(&oracle).ask(1, Err(9)))).collect();
        settle().await;
        oracle.say.notify_one();
        for waited in waiting {
            assert_eq!(waited.await.unwrap(), Err(9));
        }
        assert_eq!(oracle.asked(), 1);
        oracle.say.notify_one();
        assert_eq!(Arc::clone(&oracle).ask(1, Ok(1)).await, Ok(1), "a failure is not remembered");
        assert_eq!(oracle.asked(), 2);
    }

    #[tokio::test]
    async fn who_waits_for_one_that_leaves_asks_next() {
        let oracle = Arc::new(Oracle::default());
        let leader = tokio::spawn(Arc::clone(&oracle).ask(1, Ok(1)));
        settle().await;
        let follower = tokio::spawn(Arc::clone(&oracle).ask(1, Ok(2)));
        settle().await;
        assert_eq!(oracle.asked(), 1);
        leader.abort();
        settle().await;
        assert_eq!(oracle.asked(), 2);
        oracle.say.notify_one();
        let answer = tokio::time::timeout(Duration::from_secs(5), follower).await.expect("nobody is stuck");
        assert_eq!(answer.unwrap(), Ok(2));
    }

    #[tokio::test]
    async fn an_answer_that_does_not_serve_lets_the_next_one_ask() {
        let flights = SingleFlight::<u8, Result<u8, u8>>::default();
        let slow = async {
            settle().await;
            Err(1)
        };
        let (one, other) =
            tokio::join!(flights.ask(1, Result::is_ok, slow), flights.ask(1, Result::is_ok, async { Ok(2) }));
        assert_eq!((one, other), (Err(1), Ok(2)));
    }

    #[tokio::test]
    async fn other_keys_do_not_wait_and_what_has_ended_is_forgotten() {
        let oracle = Arc::new(Oracle::default());
        let held = tokio::spawn(Arc::clone(&oracle).ask(1, Ok(1)));
        settle().await;
        assert_eq!(oracle.flights.ask(2, |_| true, async { Ok(2) }).await, Ok(2));
        held.abort();
        settle().await;
        assert_eq!(oracle.flights.ask(3, |_| true, async { Ok(3) }).await, Ok(3));
        assert_eq!(oracle.flights.0.lock().unwrap().len(), 1);
    }
}
