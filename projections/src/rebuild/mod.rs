//! Building a projection anew, beside the live one and from zero, while traffic flows; then the new tables take the place of the old ones.
//!
//! ```text
//!   fold (in memory) --> copy --> index --> catch up, page by page --> swap, in one short transaction
//!        `---- more rows than memory shall hold -----^
//! ```
//!
//! Everything is built in a schema of its own, on a connection of its own, in transactions that are short however long the log is. Killed
//! at any moment, it leaves the live tables as they were; the next rebuild begins by taking away what was left behind.

mod swap;
mod tables;

use std::time::Duration;

use domain::value::Position;
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool};

use self::swap::Swapped;
use self::tables::Beside;
use crate::checkpoint::column;
use crate::log::{LogError, LogReader};
use crate::order::Order;
use crate::parked::Parked;
use crate::projection::{OpenPersonalData, Projection, Rows};
use crate::rows::WriteError;
use crate::turn::{Care, Folding, Told, Turn, TurnError, fold};

/// Rows of all tables together that a rebuild holds in memory; with more, it goes on page by page in the tables. A row of the directory
/// takes 600 to 900 bytes with its texts and its place in the map (counted from the types), so this stays below 1 GB.
pub const ROWS_IN_MEMORY_MAX: usize = 1_000_000;
/// How long the swap is tried while somebody holds a table.
const SWAP_WAIT: Duration = Duration::from_mins(2);
const SWAP_PAUSE: Duration = Duration::from_millis(150);
/// First part of the key of the advisory lock; the second is the projection's name.
const LOCK_CLASS: i32 = 724_392_753;

/// A rebuild of one projection.
#[derive(Clone, Copy)]
pub struct Rebuild<'a> {
    folding: Folding<'a>,
    pool: &'a PgPool,
    rows_max: usize,
}

impl std::fmt::Debug for Rebuild<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rebuild").field("projection", &self.folding.projection.name()).finish_non_exhaustive()
    }
}

/// What a rebuild is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Folding the log in memory.
    Folding,
    /// Writing the rows.
    Writing,
    /// Folding, page by page, what came since, or what memory shall not hold.
    CatchingUp,
    /// Waiting for a moment at which nobody holds the tables.
    Swapping,
    /// Not a rebuild: putting events into the stream.
    Filling,
}

/// How far a rebuild is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub stage: Stage,
    /// Up to which event it has folded.
    pub position: Position,
    /// Where the log ended when it was looked at last.
    pub head: Position,
    /// Rows held in memory.
    pub rows: usize,
}

/// What a rebuild came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// The new rows hold everything up to here.
    pub position: Position,
    /// How many events could not be folded.
    pub parked: u64,
    /// Whether there were more rows than memory shall hold.
    pub spilled: bool,
}

/// A projection cannot be rebuilt. The live tables are as they were.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// Somebody else does.
    #[error("{0} is being rebuilt already; wait until that is done")]
    UnderWay(&'static str),
    /// These tables belong to a newer release.
    #[error("a newer release keeps {0} now; rebuild it with that one")]
    Superseded(&'static str),
    /// Somebody looks through our tables.
    #[error("{0} uses {1}, which a rebuild replaces; drop the view, rebuild, and make it again")]
    View(String, String),
    /// There was no moment at which all tables were free.
    #[error(
        "the tables were never free for long enough to swap them: something holds them for minutes, such as a backup or an open transaction \
         (pg_stat_activity tells); run it again afterwards"
    )]
    Busy,
    /// Postgres refuses or does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The rows cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Personal data cannot be opened.
    #[error("{0}")]
    PersonalData(String),
    /// An event cannot be folded, where that is not accepted.
    #[error("the event at {0} cannot be folded: {1}")]
    Parked(Position, String),
}

impl From<TurnError> for RebuildError {
    fn from(error: TurnError) -> Self {
        match error {
            TurnError::Database(error) => Self::Database(error),
            TurnError::Log(error) => Self::Log(error),
            TurnError::Write(error) => Self::Write(error),
            TurnError::PersonalData(error) => Self::PersonalData(error),
        }
    }
}

/// Builds a projection in another schema, up to the head of the log, and leaves it there for comparison; answers the position reached.
pub async fn rebuild(
    projection: &dyn Projection,
    pool: &PgPool,
    opener: &dyn OpenPersonalData,
    schema: &str,
) -> Result<Position, RebuildError> {
    let rebuild = Rebuild::new(projection, pool, opener);
    let mut beside = Beside::make(pool, projection, schema).await?;
    let built = rebuild.build(&mut beside, &mut |_| {}).await?;
    match built.parked.first() {
        None => Ok(built.position),
        Some((position, reason)) => Err(RebuildError::Parked(position, reason.to_owned())),
    }
}

/// What was folded in memory.
struct Built {
    position: Position,
    parked: Parked,
    spilled: bool,
}

impl<'a> Rebuild<'a> {
    /// A rebuild of this projection.
    pub const fn new(
        projection: &'a dyn Projection,
        pool: &'a PgPool,
        opener: &'a dyn OpenPersonalData,
    ) -> Self {
        Self { folding: Folding { projection, opener }, pool, rows_max: ROWS_IN_MEMORY_MAX }
    }

    /// Holds no more rows in memory than this, and those of one page.
    #[must_use]
    pub const fn holding(self, rows_max: usize) -> Self {
        Self { rows_max, ..self }
    }

    /// Builds, catches up and swaps.
    pub async fn run(&self, mut progress: impl FnMut(Progress) + Send) -> Result<Rebuilt, RebuildError> {
        let name = self.folding.projection.name();
        let mut alone = self.pool.acquire().await?.detach();
        if !lock(&mut alone, name).await? {
            return Err(RebuildError::UnderWay(name));
        }
        // The lock is the connection's; everything that is written goes through it, so that nobody writes without holding it.
        let schema = format!("sekisho_rebuild_{name}");
        let mut beside = Beside::make_on(alone, self.folding.projection, &schema).await?;
        let rebuilt = self.replace(&mut beside, &mut progress).await;
        // Given back by word, so that the lock is free when we return: of a closed connection the server takes its time to hear. Where the
        // connection is past answering, its end frees the lock.
        let _ = beside.connection.execute("select pg_advisory_unlock_all()").await;
        let _ = beside.connection.close().await;
        rebuilt
    }

    async fn replace(
        &self,
        beside: &mut Beside,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Rebuilt, RebuildError> {
        let name = self.folding.projection.name();
        let built = self.build(beside, progress).await?;
        let head = LogReader::new(self.pool.clone()).head().await?;
        let swapping = Progress { stage: Stage::Swapping, position: built.position, head, rows: 0 };
        let until = tokio::time::Instant::now() + SWAP_WAIT;
        loop {
            self.catch_up(&mut beside.connection, progress).await?;
            progress(swapping);
            match swap::swap(self.folding, beside).await? {
                Swapped::Done { position, parked } => {
                    return Ok(Rebuilt { position, parked, spilled: built.spilled });
                }
                Swapped::Superseded => return Err(RebuildError::Superseded(name)),
                Swapped::TooFarBehind => {}
                Swapped::Held if tokio::time::Instant::now() < until => {
                    tokio::time::sleep(SWAP_PAUSE).await;
                }
                Swapped::Held => return Err(RebuildError::Busy),
            }
        }
    }

    /// Folds in memory, up to the head of the log or to as many rows as memory shall hold, and writes what that comes to.
    async fn build(
        &self,
        beside: &mut Beside,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Built, RebuildError> {
        let log = LogReader::new(self.pool.clone());
        let head = log.head().await?;
        let mut pages = log.pages(Position::START);
        let mut rows = self.folding.projection.rows();
        let mut parked = Parked::default();
        let spilled = loop {
            let told = self.folding.tell(pages.next().await?).await?;
            self.fold_all(&mut *rows, told, &mut parked, &mut beside.connection).await?;
            progress(Progress { stage: Stage::Folding, position: pages.last(), head, rows: rows.count() });
            if rows.count() > self.rows_max {
                break true;
            }
            if !pages.is_reading_ahead() {
                break false;
            }
        };
        let position = pages.last();
        drop(pages);
        progress(Progress { stage: Stage::Writing, position, head, rows: rows.count() });
        rows.copy(&mut beside.connection).await?;
        parked.write(self.folding.projection, &mut beside.connection).await?;
        self.set_out(&mut beside.connection, position).await?;
        beside.index().await?;
        Ok(Built { position, parked, spilled })
    }

    /// Folds a page in memory, and carries out the orders in it about what was parked.
    async fn fold_all(
        &self,
        rows: &mut dyn Rows,
        mut told: Vec<Told>,
        parked: &mut Parked,
        connection: &mut PgConnection,
    ) -> Result<(), RebuildError> {
        let name = self.folding.projection.name();
        let orders = |told: &[Told]| {
            told.iter().enumerate().find_map(|(place, told)| Some((place, Order::of(told, name)?)))
        };
        while let Some((place, order)) = orders(&told) {
            let rest = told.split_off(place + 1);
            told.truncate(place);
            fold(rows, &told, parked, None);
            let waiting = order.to_fold(parked.take_out(order.position()));
            let again = self.folding.tell_again(connection, waiting).await?;
            let mut still = Parked::default();
            fold(rows, &again, &mut still, None);
            parked.take_in(still);
            told = rest;
        }
        fold(rows, &told, parked, None);
        Ok(())
    }

    /// The new tables have a checkpoint of their own.
    async fn set_out(&self, connection: &mut PgConnection, position: Position) -> Result<(), sqlx::Error> {
        sqlx::query("insert into projection_checkpoints (projection, version, position) values ($1, $2, $3)")
            .bind(self.folding.projection.name())
            .bind(self.folding.projection.version())
            .bind(column(position))
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Takes turns, as the live projection does, until there is nothing to fold.
    async fn catch_up(
        &self,
        connection: &mut PgConnection,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<(), RebuildError> {
        let log = LogReader::new(self.pool.clone());
        let mut care = Care::default();
        loop {
            let turn = self.folding.turn(connection, &care).await?;
            care = care.after(&turn);
            match turn {
                Turn::Folded { position, .. } => {
                    let head = log.head().await?;
                    progress(Progress { stage: Stage::CatchingUp, position, head, rows: 0 });
                }
                Turn::AtHead { .. } => return Ok(()),
                Turn::Refused { .. } | Turn::OthersFold => {}
                Turn::Superseded => {
                    return Err(RebuildError::Superseded(self.folding.projection.name()));
                }
            }
        }
    }
}

async fn lock(connection: &mut PgConnection, name: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select pg_try_advisory_lock($1, hashtext($2))")
        .bind(LOCK_CLASS)
        .bind(name)
        .fetch_one(&mut *connection)
        .await
}

/// Names as they stand in SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Runs several statements without parameters.
async fn all(connection: &mut PgConnection, statements: &str) -> Result<(), sqlx::Error> {
    connection.execute(statements).await?;
    Ok(())
}
