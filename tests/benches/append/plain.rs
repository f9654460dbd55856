//! The floor: every caller has a connection and inserts its own row.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _, PgPool};
use tokio::task::JoinSet;

use crate::command::{ANSWER, Command, REQUEST_DIGEST};
use crate::measured::Latencies;

/// What a caller inserts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// One row, one table.
    EventAlone,
    /// Two rows in one statement: what an append of the product leaves behind.
    EventAndCommand,
}

/// Tables like the product's, but for the position.
pub(crate) async fn make_tables(pool: &PgPool) {
    pool.execute(
        "create table plain_events (like events including all);
         alter table plain_events alter column global_position add generated always as identity;
         create table plain_commands (like commands including all)",
    )
    .await
    .expect("the tables of the floor");
}

const EVENT: &str = "insert into plain_events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, occurred_at, recorded_at)
    values ('api_key', $1, 1, 'issued', '1', $2::jsonb, $3::jsonb, $4, clock_timestamp())";
const EVENT_AND_COMMAND: &str = "with event as (
    insert into plain_events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, occurred_at, recorded_at)
    values ('api_key', $1, 1, 'issued', '1', $2::jsonb, $3::jsonb, $4, clock_timestamp()) returning global_position)
    insert into plain_commands (command_id, request_digest, position, answer) select $5, $6, global_position, decode($7, 'base64') from event";

async fn insert(connection: &mut PgConnection, rows: Rows) {
    let command = Command::new();
    let statement = match rows {
        Rows::EventAlone => EVENT,
        Rows::EventAndCommand => EVENT_AND_COMMAND,
    };
    let mut query = sqlx::query(statement)
        .bind(command.aggregate)
        .bind(command.payload.to_string())
        .bind(command.metadata.to_string())
        .bind(command.occurred_at);
    if rows == Rows::EventAndCommand {
        query = query.bind(command.id).bind(REQUEST_DIGEST).bind(ANSWER);
    }
    query.execute(connection).await.expect("a row goes in");
}

/// So many connections for so long.
pub(crate) async fn measure(
    database: &str,
    connections: usize,
    span: Duration,
    rows: Rows,
) -> (Latencies, Duration) {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        let mut connection = PgConnection::connect(database).await.expect("a connection");
        insert(&mut connection, rows).await; // plans the statement
        open.push(connection);
    }
    let started = Instant::now();
    let mut running: JoinSet<Latencies> = open
        .into_iter()
        .map(|mut connection| async move {
            let mut latencies = Latencies::default();
            while started.elapsed() < span {
                let asked = Instant::now();
                insert(&mut connection, rows).await;
                latencies.push(asked.elapsed());
            }
            drop(connection.close().await);
            latencies
        })
        .collect();
    let mut all = Latencies::default();
    while let Some(latencies) = running.join_next().await {
        all.extend(latencies.expect("a caller ends"));
    }
    (all, started.elapsed())
}
