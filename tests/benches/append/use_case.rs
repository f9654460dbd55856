//! For information: whole use cases over HTTP, with everything that runs beside them (relay and read models).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use harness::World;
use serde_json::json;
use tokio::task::JoinSet;

use crate::Figures;
use crate::measured::{Latencies, Report};

const CALLERS: usize = 32;

/// Creates organizations: authenticate, load, decide, seal, append, fold into view and directory, answer.
pub(crate) async fn measure(report: &mut Report, rounds: usize, span: Duration) {
    let world = World::start().await;
    let number = Arc::new(AtomicUsize::new(0));
    let mut figures = Figures::default();
    for _ in 0..rounds {
        let started = Instant::now();
        let mut running: JoinSet<Latencies> = (0..CALLERS)
            .map(|_| {
                let (http, number) = (world.admin(), Arc::clone(&number));
                async move {
                    let mut latencies = Latencies::default();
                    while started.elapsed() < span {
                        let slug = format!("organization-{}", number.fetch_add(1, Ordering::Relaxed));
                        let asked = Instant::now();
                        http.post("/v1/organizations", &json!({ "slug": slug, "name": "Acme" })).await.good();
                        latencies.push(asked.elapsed());
                    }
                    latencies
                }
            })
            .collect();
        let mut all = Latencies::default();
        while let Some(latencies) = running.join_next().await {
            all.extend(latencies.expect("a caller ends"));
        }
        figures.add((all, started.elapsed()));
    }
    report.table("whole use cases, client in the same process", &["answers/s", "p50 ms", "p99 ms"]);
    let columns = [("rate", &figures.rate), ("p50_ms", &figures.p50), ("p99_ms", &figures.p99)];
    report.row(&format!("POST /v1/organizations, {CALLERS} callers"), &columns);
    world.node.running.stop().await;
}
