//! The story as rows: into the log by COPY, and back as the floor of every reader.

use domain::value::{Position, Timestamp};
use futures_util::TryStreamExt as _;
use harness::story::Told;
use projections::{JsonText, Recorded};
use serde_json::json;
use sqlx::postgres::PgPoolCopyExt as _;
use sqlx::{Executor as _, PgPool, Row as _};
use std::fmt::Write as _;
use uuid::Uuid;

const MOMENT: &str = "2026-11-22T10:50:00.123456Z";
/// Sent to the server at once.
const COPY_BYTES: usize = 1024 * 1024;

/// The story as a reader of the log gets it.
pub(crate) fn recorded(story: &[Told]) -> Vec<Recorded> {
    let moment = Timestamp::parse(MOMENT).expect("a moment");
    let raw = |text: String| JsonText::parse(text).expect("JSON");
    (1..)
        .zip(story)
        .map(|(position, told)| {
            let (aggregate_type, event_type, event_version) = told.fact.name();
            let payload = raw(serde_json::to_string(&told.fact).expect("an event is JSON"));
            let command = Uuid::from_u128(u128::from(position)).to_string();
            let metadata = json!({
                "command": command,
                "actor": "user:00000000-0000-0000-0000-000000000007",
                "correlation": command,
                "occurred_at": MOMENT,
                "organization": told.organization,
            });
            Recorded {
                position: Position::new(position),
                aggregate_type: aggregate_type.into(),
                aggregate_id: told.id.clone(),
                sequence: told.sequence,
                event_type: event_type.into(),
                event_version,
                payload,
                metadata: raw(metadata.to_string()),
                occurred_at: moment,
                recorded_at: moment,
            }
        })
        .collect()
}

/// Writes rows past the append path: the log of a benchmark has no other writer.
pub(crate) async fn write(pool: &PgPool, events: &[Recorded]) {
    let mut copy = pool
        .copy_in_raw(
            "copy events (global_position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                          occurred_at, recorded_at) from stdin",
        )
        .await
        .expect("COPY begins");
    let mut text = String::with_capacity(COPY_BYTES * 2);
    for event in events {
        let json = |raw: &JsonText| raw.get().replace('\\', "\\\\"); // JSON has no other character that COPY takes for its own
        writeln!(
            text,
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{MOMENT}\t{MOMENT}",
            event.position,
            event.aggregate_type,
            event.aggregate_id,
            event.sequence,
            event.event_type,
            event.event_version,
            json(&event.payload),
            json(&event.metadata),
        )
        .expect("a string takes it");
        if text.len() >= COPY_BYTES {
            copy.send(text.as_bytes()).await.expect("COPY goes on");
            text.clear();
        }
    }
    copy.send(text.as_bytes()).await.expect("COPY goes on");
    copy.finish().await.expect("COPY ends");
    pool.execute("vacuum analyze events")
        .await
        .expect("statistics and hint bits, as in a log that has been there for a while");
}

/// Floor: the rows as the server writes them fastest, received and thrown away.
pub(crate) async fn copy_all(pool: &PgPool) {
    let mut copy = pool.copy_out_raw("copy events to stdout").await.expect("COPY begins");
    while copy.try_next().await.expect("COPY goes on").is_some() {}
}

/// Floor: the columns that readers want, in order, in one statement, received and thrown away.
pub(crate) async fn select_all(pool: &PgPool) -> usize {
    let mut rows = sqlx::query(
        "select global_position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload::text as payload,
                metadata::text as metadata, occurred_at, recorded_at
         from events order by global_position",
    )
    .fetch(pool);
    let mut count = 0;
    while let Some(row) = rows.try_next().await.expect("the log is read") {
        count += usize::from(row.try_get_raw(0).is_ok());
    }
    count
}
