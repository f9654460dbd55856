//! How every projection is doing, as the database knows it: whichever node folds.

use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;

/// One version of one projection.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Status {
    /// The projection.
    pub name: String,
    /// Which version of it. While a release is replaced, there may be two.
    pub version: i32,
    /// How far its rows are.
    pub position: i64,
    /// Events that it has not folded yet.
    pub lag_events: i64,
    /// For how long the first of these has been in the log.
    pub lag_millis: i64,
    /// Events that it could not fold.
    pub parked: i64,
}

/// An event that waits.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ParkedEvent {
    /// Its place in the log.
    pub position: i64,
    /// Type of its aggregate.
    pub aggregate_type: String,
    /// Id of its aggregate.
    pub aggregate_id: String,
    /// Why it waits.
    pub reason: String,
    /// Since when.
    pub parked_at: OffsetDateTime,
}

/// All that have begun.
pub async fn status(pool: &PgPool) -> Result<Vec<Status>, sqlx::Error> {
    sqlx::query_as(
        "select c.projection as name, c.version, c.position, greatest(h.head - c.position, 0) as lag_events,
                coalesce((select greatest(extract(epoch from clock_timestamp() - e.recorded_at) * 1000, 0)::bigint
                          from events e where e.global_position = c.position + 1), 0) as lag_millis,
                (select count(*) from parked_events p where p.projection = c.projection and p.version = c.version) as parked
         from projection_checkpoints c, (select coalesce(max(global_position), 0) as head from events) h
         order by c.projection, c.version",
    )
    .fetch_all(pool)
    .await
}

/// What the newest version of a projection could not fold, in the order of the log.
pub async fn parked_events(pool: &PgPool, projection: &str) -> Result<Vec<ParkedEvent>, sqlx::Error> {
    sqlx::query_as(
        "select position, aggregate_type, aggregate_id, reason, parked_at from parked_events
         where projection = $1 and version = (select max(version) from projection_checkpoints where projection = $1 and position > 0)
         order by position",
    )
    .bind(projection)
    .fetch_all(pool)
    .await
}
