//! Runs a projection: one turn after the other for as long as there is something to fold, and then whenever the doorbell rings.
//!
//! The locked checkpoint row elects the node that folds. An event that cannot be folded is parked together with everything that later
//! happens to its aggregate (order within an aggregate is kept), the alarm is raised, and the rest goes on: never skipped silently.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::value::Position;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::doorbell::Doorbell;
use crate::projection::{OpenPersonalData, Projection};
use crate::turn::{Care, Folding, Turn, TurnError};

const LOOK_EVERY: Duration = Duration::from_millis(250);
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(200);
/// Another node holds the checkpoint: look again soon, it will be done by then.
const PAUSE_WHILE_OTHERS_FOLD: Duration = Duration::from_millis(20);

/// A node of the release before, which is about to be replaced.
const PAUSE_WHILE_SUPERSEDED: Duration = Duration::from_secs(5);

/// Runs one projection.
pub struct Runner {
    projection: Arc<dyn Projection>,
    opener: Arc<dyn OpenPersonalData>,
    pool: PgPool,
    doorbell: Doorbell,
    handle: RunnerHandle,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("projection", &self.handle.name).finish_non_exhaustive()
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

    fn is_at(&self, position: Position, parked: u64) {
        self.parked.store(parked, Ordering::Relaxed);
        self.position.ring(position);
    }

    /// Lag behind a head of the log.
    pub fn lag(&self, head: Position) -> Lag {
        let position = self.position.position();
        let events = head.get().saturating_sub(position.get());
        Lag { position, events, parked: self.parked.load(Ordering::Relaxed) }
    }
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
        Self { projection, opener, pool, doorbell, handle }
    }

    /// Its progress.
    pub fn handle(&self) -> RunnerHandle {
        self.handle.clone()
    }

    /// Folds until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut bell = self.doorbell.listen();
        let mut care = Care::default();
        // A turn is never dropped half-way: sqlx 0.8 hands a connection back inside an open transaction when `begin` is dropped.
        while !stop.is_cancelled() {
            bell.borrow_and_update();
            let pause = match self.turn(&care).await {
                Ok(turn) => {
                    let pause = self.pause_after(&turn);
                    care = care.after(&turn);
                    pause
                }
                Err(error) => {
                    tracing::warn!(projection = self.handle.name, error = %error, "a projection pauses");
                    PAUSE_AFTER_ERROR
                }
            };
            if pause.is_zero() {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                _ = bell.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn turn(&self, care: &Care) -> Result<Turn, TurnError> {
        let mut connection = self.pool.acquire().await?;
        let folding = Folding { projection: &*self.projection, opener: &*self.opener };
        folding.turn(&mut connection, care).await
    }

    fn pause_after(&self, turn: &Turn) -> Duration {
        match turn {
            Turn::Folded { position, parked } => {
                self.handle.is_at(*position, *parked);
                Duration::ZERO
            }
            Turn::AtHead { position, parked } => {
                self.handle.is_at(*position, *parked);
                LOOK_EVERY
            }
            Turn::OthersFold => PAUSE_WHILE_OTHERS_FOLD,
            Turn::Superseded => {
                tracing::warn!(projection = self.handle.name, "a newer release keeps this read model now");
                PAUSE_WHILE_SUPERSEDED
            }
            Turn::Refused { first, last, reason } => {
                tracing::warn!(
                    projection = self.handle.name,
                    first = first.get(),
                    last = last.get(),
                    reason,
                    "Postgres refuses what came of these events; looking which one it is"
                );
                Duration::ZERO
            }
        }
    }
}
