//! Buckets of one kind, one for each who asks: governor's, keyed by a number.

use std::hash::BuildHasher as _;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use foldhash::quality::RandomState;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::{Left, Subject, TooMany};

/// Buckets that are not full, of one kind: each takes about 60 bytes.
const BUCKETS_MAX: usize = 100_000;
/// What comes in a day comes evenly.
const DAY_SECONDS: u32 = 24 * 60 * 60;
/// While there are more, those who come share so many.
const SHARED_BUCKETS: u64 = 16_384;

type Limiter =
    RateLimiter<u128, DashMapStateStore<u128, RandomState>, DefaultClock, StateInformationMiddleware>;

/// Buckets of one kind.
pub(super) struct Bucket {
    limiter: Limiter,
    /// Tokens in a full one.
    tokens: NonZeroU32,
    /// Tokens that come in a window of so many seconds.
    quota: NonZeroU32,
    window_seconds: u32,
    crowded: AtomicBool,
    shared: RandomState,
}

impl Bucket {
    /// So many a minute, all of them at once where nobody asked for a minute.
    pub(super) fn per_minute(rate: NonZeroU32) -> Self {
        Self::of(Quota::per_minute(rate), rate, 60)
    }

    /// So many a day, all of them at once where nobody asked for a day.
    pub(super) fn per_day(rate: NonZeroU32) -> Self {
        let every = Duration::from_secs(DAY_SECONDS.into()) / rate.get();
        let quota = Quota::with_period(every).unwrap_or_else(|| Quota::per_second(rate)); // more often than a clock tells apart
        Self::of(quota.allow_burst(rate), rate, DAY_SECONDS)
    }

    /// So many a second, and so many at once.
    pub(super) fn per_second(rate: NonZeroU32, burst: NonZeroU32) -> Self {
        Self::of(Quota::per_second(rate).allow_burst(burst), rate, 1)
    }

    fn of(quota: Quota, rate: NonZeroU32, window_seconds: u32) -> Self {
        Self {
            limiter: RateLimiter::dashmap_with_hasher(quota, RandomState::default())
                .with_middleware::<StateInformationMiddleware>(),
            tokens: quota.burst_size(),
            quota: rate,
            window_seconds,
            crowded: AtomicBool::new(false),
            shared: RandomState::default(),
        }
    }

    /// Takes what one request costs on so many nodes. Where that is more than a bucket holds, one request empties it.
    pub(super) fn take(&self, subject: Subject, nodes: NonZeroU32) -> Result<Left, TooMany> {
        let cost = nodes.min(self.tokens);
        let quota = (self.quota.get() / cost.get()).max(1);
        let left = |remaining: u32| Left {
            policy: subject.as_str(),
            quota,
            window_seconds: self.window_seconds,
            remaining: remaining / cost.get(),
            refilled_in_seconds: self.seconds_for(self.tokens.get().saturating_sub(remaining)),
        };
        match self.limiter.check_key_n(&self.key(subject.number()), cost) {
            Ok(Ok(state)) => Ok(left(state.remaining_burst_capacity())),
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                Err(TooMany { left: left(0), wait_seconds: seconds.max(1) })
            }
            Err(_) => Ok(left(0)), // cannot be: it costs no more than there is room for
        }
    }

    fn seconds_for(&self, tokens: u32) -> u64 {
        (u64::from(tokens) * u64::from(self.window_seconds)).div_ceil(u64::from(self.quota.get()))
    }

    fn key(&self, number: u128) -> u128 {
        if self.crowded.load(Ordering::Relaxed) {
            u128::from(self.shared.hash_one(number) % SHARED_BUCKETS) // nobody can choose whose bucket they share
        } else {
            number
        }
    }

    /// Forgets those that are full again.
    pub(super) fn forget_full(&self) {
        self.limiter.retain_recent();
        if self.crowded.load(Ordering::Relaxed) {
            self.limiter.shrink_to_fit();
        }
        self.crowded.store(self.limiter.len() > BUCKETS_MAX, Ordering::Relaxed);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.limiter.len()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn of(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    fn client(number: u128) -> Subject {
        Subject::Client(Uuid::from_u128(number))
    }

    fn taken(bucket: &Bucket, nodes: u32) -> u32 {
        let mut taken = 0;
        while bucket.take(client(1), of(nodes)).is_ok() {
            taken += 1;
        }
        taken
    }

    #[test]
    fn whoever_asked_too_often_waits_and_nobody_else_does() {
        let bucket = Bucket::per_minute(of(3));
        assert_eq!(taken(&bucket, 1), 3);
        let refused = bucket.take(client(1), of(1)).unwrap_err();
        assert!((1..=20).contains(&refused.wait_seconds), "{refused:?}");
        assert!(bucket.take(client(2), of(1)).is_ok());
    }

    #[test]
    fn of_a_days_worth_each_comes_back_after_its_part_of_a_day() {
        let bucket = Bucket::per_day(of(100));
        assert_eq!(taken(&bucket, 1), 100);
        let refused = bucket.take(client(1), of(1)).unwrap_err();
        assert!((800..=864).contains(&refused.wait_seconds), "{refused:?}");
        assert_eq!((refused.left.quota, refused.left.window_seconds), (100, 86_400));
        assert!(Bucket::per_day(NonZeroU32::MAX).take(client(1), of(1)).is_ok());
    }

    #[test]
    fn of_several_nodes_each_gives_out_its_part_and_a_crowd_of_nodes_at_least_one() {
        for (nodes, part) in [(1, 30), (3, 10), (4, 7), (100, 1)] {
            assert_eq!(taken(&Bucket::per_minute(of(30)), nodes), part, "{nodes}");
        }
    }

    #[test]
    fn what_is_left_is_told_as_this_node_gives_it_out() {
        let bucket = Bucket::per_minute(of(30));
        let left = bucket.take(client(1), of(3)).unwrap();
        assert_eq!((left.quota, left.remaining, left.window_seconds), (10, 9, 60));
        assert_eq!(left.refilled_in_seconds, 6);
    }

    #[test]
    fn full_buckets_are_forgotten_and_too_many_others_are_shared() {
        let fast = Bucket::per_second(of(1_000_000), of(1_000_000));
        for number in 0..1_000 {
            fast.take(client(number), of(1)).unwrap();
        }
        std::thread::yield_now();
        while fast.len() > 0 {
            fast.forget_full();
        }
        let slow = Bucket::per_minute(of(1));
        for number in 0..=BUCKETS_MAX as u128 {
            slow.take(client(number), of(1)).unwrap();
        }
        slow.forget_full();
        let before = slow.len();
        for number in 0..50_000 {
            let _ = slow.take(client(u128::MAX - number), of(1));
        }
        assert!(slow.len() - before <= usize::try_from(SHARED_BUCKETS).unwrap(), "{}", slow.len());
    }
}
