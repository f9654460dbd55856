//! A notary signs no log that is not what it signed before: it says so, and goes on when it is again.

use std::time::{Duration, Instant};

use harness::World;
use serde_json::json;
use sqlx::PgPool;

use super::{DEADLINE, covering, head, tamper};

async fn refuses(world: &World, wanted: bool) {
    let (line, patience) =
        (format!("sekisho_notary_refuses {}\n", i32::from(wanted)), Instant::now() + DEADLINE);
    loop {
        let metrics = world.node.http().get("/metrics").await.bytes;
        if String::from_utf8_lossy(&metrics).contains(&line) {
            return;
        }
        assert!(Instant::now() < patience, "refuses is not {wanted}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn happen(world: &World, slug: &str) {
    world.admin().post("/v1/organizations", &json!({ "slug": slug, "name": "Acme" })).await.good();
}

async fn newest(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select max(size) from notary_checkpoints").fetch_one(pool).await.unwrap()
}

/// Tampers, sees that nothing more is signed, puts back, and sees that it goes on.
async fn is_refused_until_put_back(statement: &str) {
    let world = World::start().await;
    let pool = world.node.running.pool.clone();
    happen(&world, "signed").await; // the last events are nobody's key: whoever asks is asked about
    covering(&world, head(&pool).await).await;
    tamper(&pool, "create table before as select global_position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, occurred_at, recorded_at from events").await;
    tamper(&pool, statement).await;
    refuses(&world, true).await;
    let signed = newest(&pool).await;
    happen(&world, "unsigned").await;
    // Whoever takes over refuses too.
    let other = world.another_node().await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(newest(&pool).await, signed, "a log was signed that is not what was signed before");
    other.running.stop().await;
    let columns = "global_position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, occurred_at, recorded_at";
    tamper(&pool, &format!("delete from events where global_position in (select global_position from before); insert into events ({columns}) select {columns} from before")).await;
    refuses(&world, false).await;
    covering(&world, head(&pool).await).await;
}

#[tokio::test]
async fn a_log_whose_old_event_was_changed_is_not_signed() {
    is_refused_until_put_back(
        "update events set occurred_at = occurred_at - interval '1 day' where global_position = 2",
    )
    .await;
}

#[tokio::test]
async fn a_log_whose_last_signed_event_was_changed_is_not_signed() {
    is_refused_until_put_back("update events set event_type = 'x' where global_position = (select max(size) from notary_checkpoints)").await;
}

#[tokio::test]
async fn a_log_that_misses_an_event_is_not_signed() {
    is_refused_until_put_back("delete from events where global_position = 3").await;
}

#[tokio::test]
async fn a_log_that_was_set_back_is_not_signed() {
    is_refused_until_put_back(
        "delete from events where global_position > (select max(size) - 2 from notary_checkpoints)",
    )
    .await;
}
