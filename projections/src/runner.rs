//! Runs a projection: rows and checkpoint in one transaction, so that an event is folded exactly once whatever is killed when.
//!
//! The locked checkpoint row elects the node that folds. An event that cannot be folded is parked together with everything that later
//! happens to its aggregate (order within an aggregate is kept), the alarm is raised, and the rest goes on: never skipped silently.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::value::Position;
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;

use crate::doorbell::Doorbell;
use crate::log::{LogError, page};
use crate::projection::{OpenPersonalData, Projection, ProjectionError};
use crate::recorded::Recorded;

const LOOK_EVERY: Duration = Duration::from_millis(250);
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(200);
/// Another node holds the checkpoint: look again soon, it will be done by then.
const PAUSE_WHILE_OTHERS_FOLD: Duration = Duration::from_millis(20);

/// A node of the release before, which is about to be replaced.
const PAUSE_WHILE_SUPERSEDED: Duration = Duration::from_secs(5);

/// Runs one projection.
pub struct Runner {
    projection: Arc<dyn Projection>,
    pool: PgPool,
    opener: Arc<dyn OpenPersonalData>,
    doorbell: Doorbell,
    handle: RunnerHandle,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("projection", &self.projection.name()).finish_non_exhaustive()
    }
}

/// How a projection is doing, for readers that wait and for metrics.
#[derive(Debug, Clone)]
pub struct RunnerHandle {
    name: &'static str,
    position: Doorbell,
    parked: Arc<AtomicU64>,
}

/// How far behind a projection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Where it is.
    pub position: Position,
    /// Events that it has not folded yet.
    pub events: u64,
    /// Events that it could not fold.
    pub parked: u64,
}

impl RunnerHandle {
    /// The projection's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Waits until everything up to a position is folded.
    pub async fn reached(&self, position: Position) {
        self.position.reached(position).await;
    }

    /// Lag behind a head of the log.
    pub fn lag(&self, head: Position) -> Lag {
        let position = self.position.position();
        let events = head.get().saturating_sub(position.get());
        Lag { position, events, parked: self.parked.load(Ordering::Relaxed) }
    }
}

/// What one round did.
enum Round {
    Folded,
    AtHead,
    OthersFold,
    /// The rows are those of a newer version by now: this one must not touch them any more.
    Superseded,
    Poisoned(Position, String),
}

/// A round failed and will be tried again.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("{0}")]
    PersonalData(String),
}

impl Runner {
    /// A runner for one projection.
    pub fn new(
        projection: Arc<dyn Projection>,
        pool: PgPool,
        opener: Arc<dyn OpenPersonalData>,
        doorbell: Doorbell,
    ) -> Self {
        let handle =
            RunnerHandle { name: projection.name(), position: Doorbell::default(), parked: Arc::default() };
        Self { projection, pool, opener, doorbell, handle }
    }

    /// Its progress.
    pub fn handle(&self) -> RunnerHandle {
        self.handle.clone()
    }

    /// Folds until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut bell = self.doorbell.listen();
        let mut poison = None;
        // A round is never dropped half-way: sqlx 0.8 hands a connection back inside an open transaction when `begin` is dropped.
        while !stop.is_cancelled() {
            bell.borrow_and_update();
            let round = self.round(poison.take()).await;
            let pause = match round {
                Ok(Round::Folded) => continue,
                Ok(Round::AtHead) => LOOK_EVERY,
                Ok(Round::OthersFold) => PAUSE_WHILE_OTHERS_FOLD,
                Ok(Round::Superseded) => {
                    tracing::warn!(
                        projection = self.handle.name,
                        "a newer release keeps this read model now"
                    );
                    PAUSE_WHILE_SUPERSEDED
                }
                Ok(Round::Poisoned(position, reason)) => {
                    poison = Some((position, reason));
                    continue;
                }
                Err(error) => {
                    tracing::warn!(projection = self.handle.name, error = %error, "a projection pauses");
                    PAUSE_AFTER_ERROR
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                _ = bell.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One transaction. With a poisonous event known, folds up to it and parks it.
    async fn round(&self, poison: Option<(Position, String)>) -> Result<Round, RoundError> {
        let mut connection = self.pool.acquire().await?;
        let mut transaction = connection.begin().await?;
        let Some((checkpoint, parked_count, superseded)) = self.lock_checkpoint(&mut transaction).await?
        else {
            transaction.commit().await?;
            return Ok(Round::OthersFold);
        };
        if superseded {
            return Ok(Round::Superseded);
        }
        self.handle.parked.store(parked_count.unsigned_abs(), Ordering::Relaxed);
        self.handle.position.ring(checkpoint);
        let mut events = page(&mut *transaction, checkpoint).await?;
        if let Some((bad, _)) = &poison {
            events.retain(|event| event.position <= *bad);
        }
        let Some(last) = events.last().map(|event| event.position) else { return Ok(Round::AtHead) };
        self.opener.open(&mut events).await.map_err(RoundError::PersonalData)?;
        if checkpoint == Position::START {
            self.empty_tables(&mut transaction).await?;
        }
        let mut parked = match parked_count {
            0 => HashSet::new(),
            _ => self.parked_aggregates(&mut transaction).await?,
        };
        for event in &events {
            let aggregate = (event.aggregate_type.clone(), event.aggregate_id.clone());
            let known_bad =
                poison.as_ref().filter(|(bad, _)| *bad == event.position).map(|(_, reason)| reason.clone());
            let reason =
                known_bad.or_else(|| parked.contains(&aggregate).then(|| "behind a parked event".to_owned()));
            if let Some(reason) = reason {
                self.park(&mut transaction, event, &reason).await?;
                parked.insert(aggregate);
                continue;
            }
            match fold(&*self.projection, &mut transaction, event).await {
                Ok(()) => {}
                Err(error) if error.is_poison() => {
                    return Ok(Round::Poisoned(event.position, error.to_string()));
                }
                Err(ProjectionError::Database(error)) => return Err(error.into()),
                Err(ProjectionError::Poison(reason)) => return Ok(Round::Poisoned(event.position, reason)),
            }
        }
        if !self.move_checkpoint(&mut transaction, last).await? {
            transaction.rollback().await?;
            return Ok(Round::Superseded);
        }
        transaction.commit().await?;
        self.handle.position.ring(last);
        Ok(Round::Folded)
    }

    /// Locks the checkpoint and reads what hangs on it: the position, how many events are parked, and whether a newer version has begun.
    /// `None` while another node folds.
    async fn lock_checkpoint(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Option<(Position, i64, bool)>, sqlx::Error> {
        let row: Option<(i64, i64, bool)> = sqlx::query_as(
            "select c.position, (select count(*) from parked_events p where p.projection = c.projection and p.version = c.version),
                    exists (select from projection_checkpoints n where n.projection = $1 and n.version > $2 and n.position > 0)
             from projection_checkpoints c where c.projection = $1 and c.version = $2 for update of c skip locked",
        )
        .bind(self.projection.name())
        .bind(self.projection.version())
        .fetch_optional(&mut *connection)
        .await?;
        if row.is_none() {
            // Nobody has folded yet, or somebody folds right now: then this changes nothing.
            sqlx::query("insert into projection_checkpoints (projection, version, position) values ($1, $2, 0) on conflict do nothing")
                .bind(self.projection.name())
                .bind(self.projection.version())
                .execute(connection)
                .await?;
        }
        Ok(row.map(|(position, parked, superseded)| {
            (Position::new(position.unsigned_abs()), parked, superseded)
        }))
    }

    /// A version that begins finds the rows of the one before, and builds its own from zero in their place. The checkpoint of the version
    /// before is locked meanwhile, so that a node of that release is not half-way through a page of it. Readers see the old rows until the
    /// first page is folded.
    async fn empty_tables(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query("select from projection_checkpoints where projection = $1 and version < $2 for update")
            .bind(self.projection.name())
            .bind(self.projection.version())
            .execute(&mut *connection)
            .await?;
        for table in self.projection.tables() {
            connection.execute(format!("delete from {table}").as_str()).await?;
        }
        Ok(())
    }

    /// Moves it, unless a newer version has begun: the own checkpoint is locked since the round began, so that it has not begun in between.
    async fn move_checkpoint(
        &self,
        connection: &mut PgConnection,
        to: Position,
    ) -> Result<bool, sqlx::Error> {
        let moved = sqlx::query(
            "update projection_checkpoints set position = $3, updated_at = clock_timestamp() where projection = $1 and version = $2
             and not exists (select from projection_checkpoints n where n.projection = $1 and n.version > $2 and n.position > 0)",
        )
        .bind(self.projection.name())
        .bind(self.projection.version())
        .bind(i64::try_from(to.get()).unwrap_or(i64::MAX))
        .execute(connection)
        .await?;
        Ok(moved.rows_affected() == 1)
    }

    async fn parked_aggregates(
        &self,
        connection: &mut PgConnection,
    ) -> Result<HashSet<(String, String)>, sqlx::Error> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "select aggregate_type, aggregate_id from parked_events where projection = $1 and version = $2",
        )
        .bind(self.projection.name())
        .bind(self.projection.version())
        .fetch_all(connection)
        .await?;
        Ok(rows.into_iter().collect())
    }

    async fn park(
        &self,
        connection: &mut PgConnection,
        event: &Recorded,
        reason: &str,
    ) -> Result<(), sqlx::Error> {
        tracing::error!(
            projection = self.projection.name(),
            position = event.position.get(),
            event = format!("{}.{}", event.aggregate_type, event.event_type),
            reason,
            "an event is parked; this read model is incomplete until it is retried"
        );
        sqlx::query(
            "insert into parked_events (projection, version, position, aggregate_type, aggregate_id, reason) values ($1, $2, $3, $4, $5, $6)
             on conflict do nothing",
        )
        .bind(self.projection.name())
        .bind(self.projection.version())
        .bind(i64::try_from(event.position.get()).unwrap_or(i64::MAX))
        .bind(&event.aggregate_type)
        .bind(&event.aggregate_id)
        .bind(reason)
        .execute(connection)
        .await?;
        self.handle.parked.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

async fn fold(
    projection: &dyn Projection,
    connection: &mut PgConnection,
    event: &Recorded,
) -> Result<(), ProjectionError> {
    let fact = event.decode().map_err(|error| ProjectionError::Poison(error.to_string()))?;
    projection.apply(connection, event, &fact).await
}

/// Builds a projection from zero in another schema, up to the head of the log, in one transaction; answers the position reached.
///
/// The tables are made like the live ones. What a rebuild gives and what the live rows are must be the same: a test compares them.
pub async fn rebuild(
    projection: &dyn Projection,
    pool: &PgPool,
    opener: &dyn OpenPersonalData,
    schema: &str,
) -> Result<Position, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let mut transaction = pool.begin().await.map_err(|error| text(&error))?;
    let quoted = schema.replace('"', "\"\"");
    let tables: Vec<String> = projection
        .tables()
        .iter()
        .map(|table| format!("create table \"{quoted}\".{table} (like public.{table} including all);"))
        .collect();
    let setup = format!(
        "drop schema if exists \"{quoted}\" cascade; create schema \"{quoted}\"; {} set local search_path = \"{quoted}\", public;",
        tables.concat()
    );
    transaction.execute(setup.as_str()).await.map_err(|error| text(&error))?;
    let mut last = Position::START;
    loop {
        let mut events = page(&mut *transaction, last).await.map_err(|error| text(&error))?;
        let Some(reached) = events.last().map(|event| event.position) else { break };
        opener.open(&mut events).await?;
        for event in &events {
            fold(projection, &mut transaction, event).await.map_err(|error| text(&error))?;
        }
        last = reached;
    }
    transaction.commit().await.map_err(|error| text(&error))?;
    Ok(last)
}
