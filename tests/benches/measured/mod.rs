//! What the benchmarks share: medians with their spread, latencies, tables, and one JSON file for each part.
//!
//! Deliberately absent: a verdict. A time that was measured on a machine that others use too proves nothing alone; a ratio
//! against a floor that was measured in turns with it says something, and the spread says how much.

#![allow(dead_code, reason = "three programs share this, and each uses some of it")]

mod report;

use std::time::Duration;

use serde_json::{Value, json};

pub(crate) use report::Report;

/// What the rounds of one measurement gave.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rounds(Vec<f64>);

impl Rounds {
    /// One more round.
    pub(crate) fn push(&mut self, figure: f64) {
        self.0.push(figure);
    }

    /// These rounds over those, round by round: what disturbed the machine disturbed both.
    pub(crate) fn over(&self, floor: &Self) -> Self {
        Self(self.0.iter().zip(&floor.0).map(|(figure, floor)| figure / floor).collect())
    }

    /// These rounds less those, round by round.
    pub(crate) fn above(&self, floor: &Self) -> Self {
        Self(self.0.iter().zip(&floor.0).map(|(figure, floor)| figure - floor).collect())
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// The middle one; the mean of the two in the middle when there are two.
    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        let (low, high) = ((sorted.len().saturating_sub(1)) / 2, sorted.len() / 2);
        sorted.get(low).zip(sorted.get(high)).map_or(f64::NAN, |(low, high)| f64::midpoint(*low, *high))
    }

    /// For people: `median [min..max]`.
    pub(crate) fn told(&self) -> String {
        let sorted = self.sorted();
        let (min, max) = (sorted.first().copied(), sorted.last().copied());
        let (min, max) = (min.unwrap_or(f64::NAN), max.unwrap_or(f64::NAN));
        format!("{} [{}..{}]", short(self.median()), short(min), short(max))
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let sorted = self.sorted();
        json!({ "median": self.median(), "min": sorted.first(), "max": sorted.last(), "rounds": self.0 })
    }
}

/// Four significant digits are more than any of this is worth.
fn short(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100_000.0 => format!("{:.0} k", figure / 1000.0),
        size if size >= 100.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

/// How long each of many requests took, in microseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    /// One more request.
    pub(crate) fn push(&mut self, took: Duration) {
        self.0.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    /// Those of another caller too.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many there were.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Median and 99th percentile, in milliseconds.
    pub(crate) fn p50_p99(mut self) -> (f64, f64) {
        self.0.sort_unstable();
        let at = |percent: usize| {
            let place = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
            self.0.get(place).map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0)
        };
        (at(50), at(99))
    }
}

/// A count as a number that can be divided.
#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
pub(crate) fn real(count: usize) -> f64 {
    count as f64
}

/// So many in this time, each second.
pub(crate) fn rate(count: usize, took: Duration) -> f64 {
    real(count) / took.as_secs_f64()
}

/// Whether a short run was asked for: enough to see that it works, too little to quote.
pub(crate) fn quick() -> bool {
    std::env::args().any(|argument| argument == "--quick")
}
