//! The log: order without holes, uniqueness, idempotency, and what must never be relied on in the crates below it.

mod claims;
mod idempotency;
mod order;
mod pins;
mod replay;

use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

/// One command for `append_commands`: so many events of one aggregate, from this sequence on.
fn command(aggregate: Uuid, sequence: u64, events: u64) -> Value {
    let events: Vec<Value> = (sequence..sequence + events)
        .map(|sequence| {
            json!({
                "aggregate_type": "organization", "aggregate_id": aggregate, "sequence": sequence,
                "event_type": "renamed", "event_version": "1", "payload": { "renamed": { "name": format!("Name {sequence}") } },
                "metadata": { "occurred_at": "2026-11-22T10:50:00Z", "organization": aggregate, "actor": "test" },
            })
        })
        .collect();
    json!({
        "command_id": Uuid::new_v4(), "request_digest": "", "answer": "", "events": events, "releases": [], "takes": [],
    })
}

/// Head and number of the events in a database: equal when there is no hole.
async fn head_and_count(pool: &PgPool) -> (i64, i64) {
    sqlx::query_as("select coalesce(max(global_position), 0), count(*) from events")
        .fetch_one(pool)
        .await
        .unwrap()
}
