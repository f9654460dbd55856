//! Day-one tests 1 and 12: whatever writers do, a reader of the log skips nothing; and nothing else in the cluster delays it.

use std::collections::HashMap;
use std::time::Duration;

use domain::value::Position;
use harness::World;
use projections::LogReader;
use serde_json::json;
use sqlx::{Executor as _, PgPool};
use uuid::Uuid;

use super::{command, head_and_count};

const WRITERS: u64 = 16;
const EVENTS: i64 = 20_000;
const EVENTS_PER_COMMAND: u64 = 8;

/// Small, repeatable, not random: which transactions dawdle and which are rolled back.
fn mixed(writer: u64, round: u64) -> u64 {
    (writer * 7_919 + round * 104_729) % 100
}

async fn write(pool: PgPool, writer: u64) -> u64 {
    let mut rolled_back = 0;
    let aggregate = Uuid::new_v4();
    let mut sequence = 1;
    for round in 0.. {
        let (head, _) = head_and_count(&pool).await;
        if head >= EVENTS {
            break;
        }
        let dice = mixed(writer, round);
        let mut transaction = pool.begin().await.unwrap();
        if dice.is_multiple_of(5) {
            transaction.execute("select pg_current_xact_id()").await.unwrap(); // an early transaction id: the trap of xmin readers
            tokio::time::sleep(Duration::from_micros(dice * 20)).await;
        }
        let batch = json!([command(aggregate, sequence, EVENTS_PER_COMMAND)]);
        let (outcome,): (String,) = sqlx::query_as("select outcome from append_commands($1)")
            .bind(batch)
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        assert_eq!(outcome, "ok");
        if dice.is_multiple_of(3) {
            tokio::time::sleep(Duration::from_micros(dice * 10)).await;
        }
        if dice < 10 {
            transaction.rollback().await.unwrap();
            rolled_back += 1;
        } else {
            transaction.commit().await.unwrap();
            sequence += EVENTS_PER_COMMAND;
        }
    }
    rolled_back
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_writers_that_dawdle_and_roll_back_leave_no_hole_and_a_reader_skips_nothing() {
    let (readers, database) = harness::database().await;
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(20).connect(&database.url).await.unwrap();
    let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(pool.clone(), writer))).collect();
    let reading = tokio::spawn(async move {
        let log = LogReader::new(readers);
        let mut last = Position::START;
        let mut sequences: HashMap<String, u64> = HashMap::new();
        while i64::try_from(last.get()).unwrap() < EVENTS {
            for event in log.page::<()>(last).await.unwrap() {
                assert_eq!(event.position, last.next());
                let sequence = sequences.entry(event.aggregate_id.clone()).or_default();
                assert_eq!(event.sequence, *sequence + 1, "order within an aggregate");
                *sequence = event.sequence;
                last = event.position;
            }
        }
        last
    });
    let mut rolled_back = 0;
    for writer in writers {
        rolled_back += writer.await.unwrap();
    }
    reading.await.unwrap();
    let (head, count) = head_and_count(&pool).await;
    assert_eq!(head, count, "a hole in the log");
    assert!(head >= EVENTS && rolled_back > 50, "{head} events, {rolled_back} roll-backs");
    println!("order: {count} events, {rolled_back} transactions rolled back, 0 skipped");
}

#[tokio::test]
async fn a_long_write_transaction_elsewhere_in_the_cluster_delays_no_reader() {
    let world = World::start().await;
    let (elsewhere, _) = harness::database().await;
    let mut long = elsewhere.begin().await.unwrap();
    long.execute("create table foreign_work as select pg_current_xact_id()").await.unwrap();
    // The answer leaves only when view and directory of this node show the write; the foreign transaction is open all the while.
    let made = world
        .admin()
        .post("/v1/organizations", &json!({ "slug": "umbrella", "name": "Umbrella" }))
        .await
        .good();
    let position = Position::new(made["position"].as_u64().unwrap());
    assert!(world.node.running.view.load().position() >= position);
    for projection in &world.node.running.projections {
        assert_eq!(projection.lag(position).events, 0);
    }
    long.rollback().await.unwrap();
}
