//! The same appends with the notary at work beside them and without, in turns; and how long events waited for their checkpoint.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use api::adapters::postgres::ring_for_commits;
use projections::notary::note::NoteSigner;
use projections::notary::{Notary, ObserveNotary, Publication};
use projections::{Doorbell, LogReader};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::measured::{Report, Rounds};
use crate::{Figures, group};

const CALLERS: usize = 32;

/// Keeps how long the oldest event of each checkpoint waited.
#[derive(Debug, Default)]
struct Windows(Mutex<Vec<Duration>>);

impl ObserveNotary for Windows {
    fn signed(&self, _: u64, unprotected: Duration) {
        if let Ok(mut windows) = self.0.lock() {
            windows.push(unprotected);
        }
    }
    fn refuses(&self, refuses: bool) {
        assert!(!refuses, "the notary refuses to sign");
    }
    fn unpublished(&self, _: &'static str) {}
}

/// Appends with and without a notary.
pub(crate) async fn measure(
    report: &mut Report,
    (pool, database): (&PgPool, &str),
    rounds: usize,
    span: Duration,
) {
    let [mut off, mut on] = std::array::from_fn(|_| Figures::default());
    let (mut longest, mut checkpoints) = (Rounds::default(), Rounds::default());
    // The bell of a node rings with and without a notary.
    let (log, bell, ended) = (LogReader::new(pool.clone()), Doorbell::default(), CancellationToken::new());
    let listening = tokio::spawn(ring_for_commits(log.clone(), bell.clone(), true, ended.clone()));
    for _ in 0..rounds {
        off.add(group::measure(database, CALLERS, span).await);
        let stop = CancellationToken::new();
        let windows = Arc::new(Windows::default());
        let signer = NoteSigner::of_seed("sekisho/bench", &[7; 32]).expect("a key");
        let observer: Arc<dyn ObserveNotary> = Arc::<Windows>::clone(&windows);
        let notary = Notary::new(log.clone(), bell.clone(), signer, Publication::default(), observer);
        let handle = notary.handle();
        let signing = tokio::spawn(notary.run(stop.clone()));
        // What was appended without it is signed first, outside the measurement.
        let head = log.head().await.expect("the log answers").get();
        while handle.newest().is_none_or(|kept| kept.size < head) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        windows.0.lock().expect("nobody panicked").clear();
        let started = Instant::now();
        on.add(group::measure(database, CALLERS, span).await);
        let took = started.elapsed().as_secs_f64();
        stop.cancel();
        signing.await.expect("the notary ends");
        let windows = windows.0.lock().expect("nobody panicked");
        longest.push(windows.iter().max().map_or(0.0, Duration::as_secs_f64) * 1_000.0);
        checkpoints.push(f64::from(u32::try_from(windows.len()).unwrap_or(u32::MAX)) / took);
    }
    ended.cancel();
    listening.await.expect("the listener ends");
    report.table(&format!("{CALLERS} callers, two ways"), &["commits/s", "p50 ms", "p99 ms"]);
    let ratio = on.rate.over(&off.rate);
    for (label, figures) in [("without the notary", &off), ("with the notary", &on)] {
        let columns = [("rate", &figures.rate), ("p50_ms", &figures.p50), ("p99_ms", &figures.p99)];
        report.row(label, &columns);
    }
    report.table("the notary", &["checkpoints/s", "longest wait ms"]);
    report.row("under that load", &[("checkpoints", &checkpoints), ("longest_wait_ms", &longest)]);
    report.at_least("append with the notary / without, 32 callers", ratio.median(), 0.95, "x");
    report.at_most("longest wait for a checkpoint", longest.median(), 2_000.0, "ms");
}
