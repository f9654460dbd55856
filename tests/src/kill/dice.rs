//! Chance that can be repeated: the seed is printed, and taken from `SEKISHO_KILL_SEED` when it is set.

use std::hash::{BuildHasher as _, Hasher as _};
use std::ops::Range;
use std::time::Duration;

const SEED: &str = "SEKISHO_KILL_SEED";

/// `SplitMix64`.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Fresh dice; the seed is printed under this name.
    pub(crate) fn thrown_for(name: &str) -> Self {
        Self::loaded(Self::seed_for(name))
    }

    /// A seed for dice; it is printed under this name.
    pub(crate) fn seed_for(name: &str) -> u64 {
        let given = std::env::var(SEED).ok().map(|text| text.parse().expect("a seed is a number"));
        let seed = given.unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish());
        println!("{name}: {SEED}={seed}");
        seed
    }

    /// Dice that always fall the same way.
    pub(crate) const fn loaded(seed: u64) -> Self {
        Self(seed)
    }

    /// Others, for another task.
    pub(crate) fn others(&mut self) -> Self {
        Self(self.next())
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    /// Puts things in any order.
    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.below(last + 1));
        }
    }

    /// Waits for some milliseconds.
    pub(crate) async fn wait(&mut self, milliseconds: Range<u64>) {
        let span = milliseconds.end - milliseconds.start;
        tokio::time::sleep(Duration::from_millis(milliseconds.start + self.next() % span)).await;
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
