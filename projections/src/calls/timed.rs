//! Questions over many records: along the ids of a time, and given up when they take too long.

use std::time::Duration;

use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::QueryAs;
use sqlx::query_builder::QueryBuilder;
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;

/// How long Postgres may work at an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience(pub Duration);

/// What Postgres says when it gives up (`query_canceled`).
const GIVEN_UP: &str = "57014";

/// Whether an answer was given up because it took too long.
pub fn took_too_long(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    error.code().as_deref() == Some(GIVEN_UP)
}

/// Reads everything that a statement finds, within a time.
pub(crate) async fn timed<'q, T>(
    pool: &PgPool,
    patience: Patience,
    statement: QueryAs<'q, Postgres, T, PgArguments>,
) -> Result<Vec<T>, sqlx::Error>
where
    T: Send + Unpin + for<'r> FromRow<'r, PgRow> + 'q,
{
    let mut transaction = pool.begin().await?;
    let limit = patience.0.as_millis().to_string();
    sqlx::query("select set_config('statement_timeout', $1, true)")
        .bind(limit)
        .execute(&mut *transaction)
        .await?;
    let rows = statement.fetch_all(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(rows)
}

/// Calls that began then or later: by the id too, which leads to the partitions and along the indexes.
pub(super) fn from_id(sql: &mut QueryBuilder<'_, Postgres>, from: OffsetDateTime) {
    sql.push(" and id >= first_call_id(").push_bind(from).push(") and at >= ").push_bind(from);
}

/// Calls that began before.
pub(super) fn to_id(sql: &mut QueryBuilder<'_, Postgres>, to: OffsetDateTime) {
    let end = to.saturating_add(time::Duration::milliseconds(1)); // ids know whole milliseconds
    sql.push(" and id < first_call_id(").push_bind(end).push(") and at < ").push_bind(to);
}
