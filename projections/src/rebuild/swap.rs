//! The new tables take the place of the old ones, with checkpoint and parked events, in one transaction.
//!
//! Readers on other connections need not know: a statement that waited for a table looks its name up again when the table was replaced, and
//! takes its snapshot only afterwards; prepared ones are planned anew. Each reader holds several tables and takes them in its own order, so
//! waiting for them might end in a deadlock that hits a reader: the wait is therefore much shorter than Postgres's look for deadlocks
//! (`deadlock_timeout`, 1 s), and is tried again.

use domain::value::Position;
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::tables::Beside;
use super::{RebuildError, quoted};
use crate::checkpoint::column;
use crate::projection::Projection;
use crate::turn::{Care, Folding, Turn};

/// How long readers may have to wait behind us, at each attempt.
const LOCK_WAIT_MS: u32 = 100;
/// Turns taken while the live projection waits for us.
const TURNS_MAX: usize = 2;

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Swapped {
    /// The new tables are the live ones.
    Done {
        /// They hold everything up to here.
        position: Position,
        /// How many events are parked.
        parked: u64,
    },
    /// The live ones are further than can be caught up with at this moment.
    TooFarBehind,
    /// Somebody held a table for too long.
    Held,
    /// A newer version has begun.
    Superseded,
}

/// Tries it once.
pub(super) async fn swap(folding: Folding<'_>, beside: &mut Beside) -> Result<Swapped, RebuildError> {
    match attempt(folding, beside).await {
        Err(RebuildError::Database(sqlx::Error::Database(error)))
            // lock_not_available, deadlock_detected
            if error.code().is_some_and(|code| code == "55P03" || code == "40P01") =>
        {
            Ok(Swapped::Held)
        }
        other => other,
    }
}

async fn attempt(folding: Folding<'_>, beside: &mut Beside) -> Result<Swapped, RebuildError> {
    let projection = folding.projection;
    let (live, schema) = (quoted(&beside.live), quoted(&beside.schema));
    let mut transaction = beside.connection.begin().await?;
    let settings =
        format!("set local lock_timeout = {LOCK_WAIT_MS}; set local synchronous_commit to default");
    transaction.execute(settings.as_str()).await?;
    let Some(wanted) = stop_the_live_one(projection, &mut transaction, &live).await? else {
        transaction.rollback().await?;
        return Ok(Swapped::Superseded);
    };
    let Some((position, parked)) = be_at(folding, &mut transaction, wanted).await? else {
        transaction.rollback().await?;
        return Ok(Swapped::TooFarBehind);
    };
    let tables = projection.tables();
    let old: Vec<String> = tables.iter().map(|table| format!("{live}.{table}")).collect();
    let moves: Vec<String> =
        tables.iter().map(|table| format!("alter table {schema}.{table} set schema {live};")).collect();
    let replace = format!(
        "lock table {old} in access exclusive mode; drop table {old}; {moves}",
        old = old.join(", "),
        moves = moves.concat()
    );
    transaction.execute(replace.as_str()).await?;
    take_over_books(projection, &mut transaction, &live, position).await?;
    transaction.execute(format!("drop schema {schema} cascade").as_str()).await?;
    transaction.commit().await?;
    Ok(Swapped::Done { position, parked })
}

/// Holds the checkpoints of the live projection, so that it does not fold; answers how far it is. `None` when a newer version has begun.
async fn stop_the_live_one(
    projection: &dyn Projection,
    connection: &mut PgConnection,
    live: &str,
) -> Result<Option<Position>, sqlx::Error> {
    let (name, version) = (projection.name(), projection.version());
    let begin = format!(
        "insert into {live}.projection_checkpoints (projection, version, position) values ($1, $2, 0) on conflict do nothing"
    );
    sqlx::query(&begin).bind(name).bind(version).execute(&mut *connection).await?;
    let hold = format!(
        "select version, position from {live}.projection_checkpoints where projection = $1 order by version for update"
    );
    let rows: Vec<(i32, i64)> = sqlx::query_as(&hold).bind(name).fetch_all(connection).await?;
    if rows.iter().any(|(other, position)| *other > version && *position > 0) {
        return Ok(None);
    }
    let furthest = rows.iter().map(|(_, position)| position.unsigned_abs()).max();
    Ok(Some(Position::new(furthest.unwrap_or_default())))
}

/// Folds what is missing up to where the live tables are, so that no reader sees them go back. `None` when that is too much.
async fn be_at(
    folding: Folding<'_>,
    connection: &mut PgConnection,
    wanted: Position,
) -> Result<Option<(Position, u64)>, RebuildError> {
    for _ in 0..=TURNS_MAX {
        match folding.turn(connection, &Care::default()).await? {
            Turn::Folded { position, parked } | Turn::AtHead { position, parked } if position >= wanted => {
                return Ok(Some((position, parked)));
            }
            Turn::Folded { .. }
            | Turn::AtHead { .. }
            | Turn::Refused { .. }
            | Turn::OthersFold
            | Turn::Superseded => {}
        }
    }
    Ok(None)
}

/// The checkpoint and the parked events of the new tables become those of the projection.
async fn take_over_books(
    projection: &dyn Projection,
    connection: &mut PgConnection,
    live: &str,
    position: Position,
) -> Result<(), sqlx::Error> {
    let (name, version) = (projection.name(), projection.version());
    let forget = format!("delete from {live}.parked_events where projection = $1 and version = $2");
    sqlx::query(&forget).bind(name).bind(version).execute(&mut *connection).await?;
    let take = format!("insert into {live}.parked_events select * from parked_events");
    connection.execute(take.as_str()).await?;
    let go_on = format!(
        "update {live}.projection_checkpoints set position = $3, updated_at = clock_timestamp() where projection = $1 and version = $2"
    );
    sqlx::query(&go_on).bind(name).bind(version).bind(column(position)).execute(connection).await?;
    Ok(())
}
