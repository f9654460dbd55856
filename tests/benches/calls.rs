//! Call records: from the queue into the tables, straight and by way of NATS, against a plain COPY of the same rows, in turns.
//!
//! The floor is what Postgres alone takes: the finished bytes of all rows in one COPY into a table with the same indexes. What a record costs on the hot path is
//! told by `hot`, run with `SEKISHO_CALL_RECORDS=on` and `=off`.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on has nothing to say")]

mod measured;

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::adapters::capabilities::RelaySignature;
use api::adapters::key_digest::KeyDigests;
use api::adapters::master_key::MasterKeys;
use api::adapters::nats;
use api::adapters::system::SystemClock;
use domain::value::Clock as _;
use futures_util::StreamExt as _;
use harness::cluster;
use measured::{Report, Rounds, quick, rate};
use projections::calls::{
    Basis, Call, CallKind, CallRecord, CallStore, CallStream, Decision, ObserveCalls, Outcome, Publisher,
    QueueLimits, Recording, Retention, WishKind, make_ahead, project,
};
use sqlx::postgres::PgPoolCopyExt as _;
use sqlx::{Executor as _, PgPool};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Whoever counts is not measured.
struct Unheard;

impl ObserveCalls for Unheard {
    fn handed_on(&self, _: &'static str, _: usize) {}
    fn queue(&self, _: usize, _: u64) {}
    fn projected(&self, _: usize, _: u64) {}
}

#[tokio::main]
async fn main() {
    let (rounds, records) = if quick() { (1, 2_000) } else { (5, 30_000) };
    let mut report = Report::new("calls", "records of calls a second");
    let (pool, database) = harness::database().await;
    make_ahead(&pool, SystemClock.now().get()).await.expect("partitions");
    pool.execute("create table calls_plain (like calls including all)")
        .await
        .expect("the table of the floor");
    let stream = stream(&pool, &database.name).await;
    let [mut straight, mut by_nats, mut floor] = [Rounds::default(), Rounds::default(), Rounds::default()];
    for _ in 0..rounds {
        straight.push(rate(records, through(&pool, None, records).await));
        floor.push(rate(records, copied(&pool).await));
        by_nats.push(rate(records, through(&pool, Some(stream.clone()), records).await));
    }
    report.table("from the queue into the tables", &["records/s", "ratio to COPY"]);
    report.row("COPY of the same rows", &[("rate", &floor)]);
    report.row("straight", &[("rate", &straight), ("over_copy", &straight.over(&floor))]);
    report.row("by way of NATS", &[("rate", &by_nats), ("over_copy", &by_nats.over(&floor))]);
    report.write();
}

async fn stream(pool: &PgPool, name: &str) -> CallStream {
    let master = MasterKeys::parse(&MasterKeys::generate().expect("a key")).expect("a master key");
    let digests = KeyDigests::load(pool, &master).await.expect("data keys");
    CallStream {
        client: nats::connect(cluster().nats_url()).await.expect("NATS answers"),
        stream: format!("CALLS_{name}"),
        prefix: format!("calls-{name}"),
        replicas: 1,
        signer: Arc::new(RelaySignature::of(&digests)),
    }
}

/// How long it takes until so many records that are in the queue are in the table.
async fn through(pool: &PgPool, stream: Option<CallStream>, records: usize) -> Duration {
    pool.execute("truncate calls").await.expect("an empty table");
    let recording = Recording {
        node: Uuid::new_v4(),
        store: CallStore::new(pool.clone(), Retention { days: 30 }),
        stream,
        clock: Arc::new(SystemClock),
        observe: Arc::new(Unheard),
    };
    let node = recording.node;
    let limits = QueueLimits { records_max: records + 1, records_kept: 0, argument_bytes_max: 1 };
    let (queue, publisher) = Publisher::new(recording.clone(), limits);
    for number in 0..records {
        queue.put(
            Call { record: record(node, number), arguments: None },
            None,
            None,
            SystemClock.now().get(),
        );
    }
    let stop = CancellationToken::new();
    let started = Instant::now();
    let tasks = [tokio::spawn(publisher.run(stop.clone())), tokio::spawn(project(recording, stop.clone()))];
    let wanted = i64::try_from(records).expect("a count");
    let stored = "select coalesce(sum(last - first + 1), 0)::bigint from call_runs where node_id = $1";
    while sqlx::query_scalar::<_, i64>(stored).bind(node).fetch_one(pool).await.expect("a count") < wanted {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = started.elapsed();
    stop.cancel();
    for task in tasks {
        task.await.expect("it ends");
    }
    took
}

/// How long COPY takes for the rows that are in the table.
async fn copied(pool: &PgPool) -> Duration {
    pool.execute("truncate calls_plain").await.expect("an empty table");
    let mut rows =
        pool.copy_out_raw("copy (select * from calls) to stdout (format binary)").await.expect("rows");
    let mut bytes = Vec::new();
    while let Some(part) = rows.next().await {
        bytes.extend_from_slice(&part.expect("a part"));
    }
    drop(rows);
    let started = Instant::now();
    let mut copy = pool.copy_in_raw("copy calls_plain from stdin (format binary)").await.expect("a COPY");
    copy.send(bytes).await.expect("it takes them");
    copy.finish().await.expect("it keeps them");
    started.elapsed()
}

/// A record as most are.
fn record(node: Uuid, number: usize) -> CallRecord {
    let at = SystemClock.now().get();
    let milliseconds = u64::try_from(at.unix_timestamp_nanos() / 1_000_000).expect("after 1970");
    let mut random = [0; 10];
    random.copy_from_slice(&Uuid::new_v4().into_bytes()[..10]);
    CallRecord {
        id: uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid(),
        at,
        organization_id: Uuid::from_u128(1),
        instance_organization_id: Some(Uuid::from_u128(1)),
        principal_id: Some(Uuid::from_u128(2)),
        credential_id: Some(Uuid::from_u128(3 + (number % 100) as u128)),
        instance_id: Some(Uuid::from_u128(4)),
        kind: CallKind::Request,
        method: Some("tools/call".to_owned()),
        tool: Some("search_tickets".to_owned()),
        wish: Some(WishKind::Call),
        read_only: false,
        maintenance_exempt: false,
        decision: Decision::Permit,
        reason: None,
        decided_at: Some(at),
        position: 412,
        basis: Basis::View,
        node_id: node,
        number: 0,
        server_id: Some(Uuid::from_u128(5)),
        connection_id: Some(Uuid::from_u128(6)),
        upstream: Some("https://mcp.example.com".to_owned()),
        status: Some(200),
        outcome: Outcome::Answered,
        duration_us: 1_234,
        bytes_in: 321,
        bytes_out: 654,
        arguments_digest: Some(vec![7; 32]),
        arguments_until: None,
        client_id: None,
        grant_id: None,
        token: None,
    }
}
