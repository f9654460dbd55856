//! How far a projection is. The locked row elects who folds, and moves in the transaction that writes what was folded.

use domain::value::Position;
use sqlx::{Executor as _, PgConnection};

use crate::projection::Projection;

/// What hangs on a locked checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checkpoint {
    /// Ours until the transaction ends.
    Locked {
        /// How far the rows are.
        position: Position,
        /// How many events are parked.
        parked: u64,
    },
    /// Somebody else folds.
    OthersFold,
    /// The rows are those of a newer version by now: this one must not touch them any more.
    Superseded,
}

/// A position as Postgres keeps it.
pub(crate) fn column(position: Position) -> i64 {
    i64::try_from(position.get()).unwrap_or(i64::MAX)
}

/// Locks the checkpoint, unless somebody else holds it.
pub(crate) async fn lock(
    projection: &dyn Projection,
    connection: &mut PgConnection,
) -> Result<Checkpoint, sqlx::Error> {
    let row: Option<(i64, i64, bool)> = sqlx::query_as(
        "select c.position, (select count(*) from parked_events p where p.projection = c.projection and p.version = c.version),
                exists (select from projection_checkpoints n where n.projection = $1 and n.version > $2 and n.position > 0)
         from projection_checkpoints c where c.projection = $1 and c.version = $2 for update of c skip locked",
    )
    .bind(projection.name())
    .bind(projection.version())
    .fetch_optional(&mut *connection)
    .await?;
    let Some((position, parked, superseded)) = row else {
        // Nobody has folded yet, or somebody folds right now: then this changes nothing.
        sqlx::query("insert into projection_checkpoints (projection, version, position) values ($1, $2, 0) on conflict do nothing")
            .bind(projection.name())
            .bind(projection.version())
            .execute(connection)
            .await?;
        return Ok(Checkpoint::OthersFold);
    };
    if superseded {
        return Ok(Checkpoint::Superseded);
    }
    Ok(Checkpoint::Locked { position: Position::new(position.unsigned_abs()), parked: parked.unsigned_abs() })
}

/// A version that begins finds the rows of the one before, and builds its own from zero in their place. The checkpoint of the version
/// before is locked meanwhile, so that a node of that release is not half-way through a page of it. Readers see the old rows until the
/// first page is folded; `sekisho rebuild` builds the new ones beside instead.
pub(crate) async fn empty_tables(
    projection: &dyn Projection,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query("select from projection_checkpoints where projection = $1 and version < $2 for update")
        .bind(projection.name())
        .bind(projection.version())
        .execute(&mut *connection)
        .await?;
    for table in projection.tables() {
        connection.execute(format!("delete from {table}").as_str()).await?;
    }
    Ok(())
}

/// Moves it, unless a newer version has begun: the own checkpoint is locked since the turn began, so that it has not begun in between.
pub(crate) async fn advance(
    projection: &dyn Projection,
    connection: &mut PgConnection,
    to: Position,
) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query(
        "update projection_checkpoints set position = $3, updated_at = clock_timestamp() where projection = $1 and version = $2
         and not exists (select from projection_checkpoints n where n.projection = $1 and n.version > $2 and n.position > 0)",
    )
    .bind(projection.name())
    .bind(projection.version())
    .bind(column(to))
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == 1)
}
