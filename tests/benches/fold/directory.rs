//! The directory from zero, against COPY of the same log in the same run; and what a rebuild costs those who write meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::event::Event;
use domain::organization::{OrganizationEvent, OrganizationKind};
use domain::value::{DisplayName, Position, Slug};
use projections::directory::Directory;
use projections::{
    Boxed, Doorbell, Foldable, OpenPersonalData, Projection as _, Rebuild, Runner, RunnerHandle, Stage,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::log;
use crate::measured::{Latencies, Report, Rounds, quick, rate};

/// Between two appends of the writer that is watched.
const PACE: Duration = Duration::from_millis(10);

/// Nothing is sealed here.
struct AllOpen;

impl OpenPersonalData for AllOpen {
    fn open<'a>(&'a self, _: &'a mut [Foldable]) -> Boxed<'a, Result<(), String>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Everything about the directory.
pub(crate) async fn measure(report: &mut Report, pool: &PgPool, recorded: &[Foldable], rounds: usize) {
    in_memory(report, recorded);
    let [mut copy, mut whole, mut folding, mut writing] = std::array::from_fn(|_| Rounds::default());
    let count = recorded.len();
    for _ in 0..rounds {
        let started = Instant::now();
        log::copy_all(pool).await;
        copy.push(rate(count, started.elapsed()));

        let started = Instant::now();
        let mut folded = None;
        let rebuild = Rebuild::new(&Directory, pool, &AllOpen);
        let done = rebuild.run(|progress| {
            if progress.stage != Stage::Folding {
                folded.get_or_insert(started.elapsed());
            }
        });
        let done = done.await.expect("it is rebuilt");
        assert_eq!((done.position, done.parked), (Position::new(count as u64), 0));
        let (folded, took) = (folded.unwrap_or_default(), started.elapsed());
        whole.push(rate(count, took));
        folding.push(folded.as_secs_f64());
        writing.push(took.saturating_sub(folded).as_secs_f64());
    }
    report.table(&format!("directory, {count} events"), &["events/s", "ratio to COPY"]);
    report.row(
        "floor: COPY to stdout, bytes thrown away",
        &[("rate", &copy), ("over_copy", &copy.over(&copy))],
    );
    let over_copy = whole.over(&copy);
    report.row("sekisho rebuild, swap and all", &[("rate", &whole), ("over_copy", &over_copy)]);
    report.table("  of that", &["s"]);
    report.row("reading and folding", &[("seconds", &folding)]);
    report.row("rows, indexes, statistics, swap", &[("seconds", &writing)]);
    report.at_most("directory rebuild, in times of COPY", 1.0 / over_copy.median(), 2.0, "x");
    beside(report, pool).await;
}

/// How fast the fold alone is.
fn in_memory(report: &mut Report, recorded: &[Foldable]) {
    let facts: Vec<Event> =
        recorded.iter().map(|event| event.decode().expect("an event that we know")).collect();
    let started = Instant::now();
    let mut rows = Directory.rows();
    for (event, fact) in recorded.iter().zip(&facts) {
        rows.fold(event, fact).expect("an event that fits");
    }
    let mut folding = Rounds::default();
    folding.push(rate(facts.len(), started.elapsed()));
    report.table("directory in memory", &["events/s"]);
    report.row(&format!("typed -> {} rows", rows.count()), &[("rate", &folding)]);
}

/// How long it takes from an append to the row, with and without a rebuild beside it.
async fn beside(report: &mut Report, pool: &PgPool) {
    let own = PgPoolOptions::new().max_connections(2).connect_lazy_with((*pool.connect_options()).clone());
    let (bell, stop) = (Doorbell::default(), CancellationToken::new());
    let runner = Runner::new(Arc::new(Directory), own, Arc::new(AllOpen), bell.clone());
    let handle = runner.handle();
    let running = tokio::spawn(runner.run(stop.clone()));
    let lasting = Duration::from_secs(if quick() { 1 } else { 4 });

    let quiet = CancellationToken::new();
    let writer =
        tokio::spawn(write_until(quiet.clone(), pool.clone(), bell.clone(), handle.clone(), "quiet"));
    tokio::time::sleep(lasting).await;
    quiet.cancel();
    let before = writer.await.expect("the writer ends");

    let over = CancellationToken::new();
    let writer = tokio::spawn(write_until(over.clone(), pool.clone(), bell, handle, "busy"));
    let started = Instant::now();
    while started.elapsed() < lasting {
        Rebuild::new(&Directory, pool, &AllOpen).run(|_| {}).await.expect("it is rebuilt");
    }
    over.cancel();
    let during = writer.await.expect("the writer ends");
    stop.cancel();
    running.await.expect("the projection stops");

    report.table("append -> row of the live projection", &["p50 ms", "p99 ms"]);
    for (label, latencies) in [("alone", before), ("while the directory is rebuilt", during)] {
        let label = format!("{label} ({} appends)", latencies.count());
        let (p50, p99) = latencies.p50_p99();
        let [mut middle, mut late] = std::array::from_fn(|_| Rounds::default());
        middle.push(p50);
        late.push(p99);
        report.row(&label, &[("p50", &middle), ("p99", &late)]);
    }
}

async fn write_until(
    stop: CancellationToken,
    pool: PgPool,
    bell: Doorbell,
    live: RunnerHandle,
    name: &str,
) -> Latencies {
    let mut latencies = Latencies::default();
    for number in 0_u32.. {
        if stop.is_cancelled() {
            break;
        }
        let started = Instant::now();
        let position: i64 = sqlx::query_scalar("select position_last from append_commands($1)")
            .bind(Value::Array(vec![team(&format!("{name}-{number}"))]))
            .fetch_one(&pool)
            .await
            .expect("the log takes it");
        let position = Position::new(position.unsigned_abs());
        bell.ring(position);
        live.reached(position).await;
        latencies.push(started.elapsed());
        tokio::time::sleep(PACE).await;
    }
    latencies
}

fn team(slug: &str) -> Value {
    let id = Uuid::new_v4();
    let fact: Event = OrganizationEvent::Created {
        kind: OrganizationKind::Team,
        slug: Slug::parse(slug).expect("a slug"),
        name: DisplayName::parse(slug).expect("a name"),
    }
    .into();
    let (aggregate_type, event_type, version) = fact.name();
    json!({
        "command_id": id, "request_digest": "", "answer": "", "releases": [], "takes": [],
        "events": [{
            "aggregate_type": aggregate_type, "aggregate_id": id, "sequence": 1, "event_type": event_type,
            "event_version": version.to_string(), "payload": fact,
            "metadata": { "actor": "bench", "organization": id, "command": id, "occurred_at": "2026-03-01T00:00:00.000001Z" },
        }],
    })
}
