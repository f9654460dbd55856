//! Partitions by day: made before they are needed, dropped when their time is over.

use sqlx::PgPool;
use time::{Date, Duration, OffsetDateTime};

/// Days for which partitions are there before they begin: a database that refuses to make one has that long to be helped.
const AHEAD_DAYS: i64 = 3;

/// How long records are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Whole days, beside the one that is under way.
    pub days: u16,
}

impl Retention {
    /// The first day that is kept.
    pub fn first_day(self, today: Date) -> Date {
        today.checked_sub(Duration::days(self.days.into())).unwrap_or(Date::MIN)
    }
}

/// Makes the partitions of today and the days to come.
pub async fn make_ahead(pool: &PgPool, now: OffsetDateTime) -> Result<(), sqlx::Error> {
    for ahead in 0..=AHEAD_DAYS {
        if let Some(day) = now.date().checked_add(Duration::days(ahead)) {
            make_for_calls(pool, day).await?;
        }
    }
    Ok(())
}

/// Makes the partition for calls of a day, unless it is there.
pub(super) async fn make_for_calls(pool: &PgPool, day: Date) -> Result<(), sqlx::Error> {
    sqlx::query("select make_call_partition($1)").bind(day).execute(pool).await.map(|_| ())
}

/// Makes the partition for arguments that go on a day, unless it is there.
pub(super) async fn make_for_arguments(pool: &PgPool, day: Date) -> Result<(), sqlx::Error> {
    sqlx::query("select make_argument_partition($1)").bind(day).execute(pool).await.map(|_| ())
}

/// Drops what need not be kept any more: records, sealed arguments, and what is known of runs that left nothing else. Answers how many partitions
/// were dropped.
pub async fn drop_expired(
    pool: &PgPool,
    retention: Retention,
    now: OffsetDateTime,
) -> Result<u64, sqlx::Error> {
    let first_day = retention.first_day(now.date());
    let (dropped,): (i64,) = sqlx::query_as("select drop_call_partitions($1, $2)")
        .bind(first_day)
        .bind(now.date())
        .fetch_one(pool)
        .await?;
    let before = first_day.midnight().assume_utc();
    for statement in [
        "delete from call_drops where until_at < $1",
        "delete from call_runs r using call_nodes n where n.node_id = r.node_id and n.seen_at < $1",
        "delete from call_nodes where seen_at < $1",
    ] {
        sqlx::query(statement).bind(before).execute(pool).await?;
    }
    Ok(dropped.unsigned_abs())
}
