//! One turn of a projection: a page of events becomes rows, parked events and a moved checkpoint in one transaction, so that an event is
//! folded exactly once whatever is killed when.
//!
//! The page is folded in memory: the rows that it is about are loaded by one select for each table, and what changed is written by one
//! upsert and one delete. Where the tables are is the connection's business: a rebuild takes the same turns in a schema of its own.

use domain::event::{Event, Undecodable};
use domain::value::Position;
use sqlx::{Connection as _, PgConnection, Postgres, Transaction};

use crate::checkpoint::{self, Checkpoint};
use crate::log::{LogError, page, rows};
use crate::order::Order;
use crate::parked::Parked;
use crate::projection::{OpenPersonalData, Projection, Rows};
use crate::recorded::Foldable;
use crate::rows::WriteError;

/// An event, decoded where this release can.
pub(crate) type Told = (Foldable, Result<Event, Undecodable>);

/// A projection and what it needs to fold.
#[derive(Clone, Copy)]
pub(crate) struct Folding<'a> {
    pub(crate) projection: &'a dyn Projection,
    pub(crate) opener: &'a dyn OpenPersonalData,
}

/// How many events to take at a time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Care {
    /// A page.
    #[default]
    Pages,
    /// One by one up to here: Postgres refused what the page came to, and whose fault that is shows only so.
    OneByOne {
        /// The last event of that page.
        until: Position,
        /// The culprit, once it is found, and why it was refused.
        culprit: Option<(Position, String)>,
    },
}

/// What a turn did.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Events were folded or parked, up to here.
    Folded {
        /// The new position.
        position: Position,
        /// How many events are parked by now.
        parked: u64,
    },
    /// There is nothing to fold.
    AtHead {
        /// The position.
        position: Position,
        /// How many events are parked.
        parked: u64,
    },
    /// Somebody else folds.
    OthersFold,
    /// A newer version has begun.
    Superseded,
    /// Postgres refuses what came of these events; nothing was written.
    Refused {
        /// The first of them.
        first: Position,
        /// The last of them.
        last: Position,
        /// What Postgres says.
        reason: String,
    },
}

/// A turn failed and may be tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TurnError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{0}")]
    PersonalData(String),
}

impl Care {
    /// How to go on after a turn.
    pub(crate) fn after(self, turn: &Turn) -> Self {
        match (turn, self) {
            (Turn::Refused { first, last, .. }, Self::Pages) if first != last => {
                Self::OneByOne { until: *last, culprit: None }
            }
            (Turn::Refused { first, last, reason }, care) => {
                let until = match care {
                    Self::OneByOne { until, .. } => until,
                    Self::Pages => *last,
                };
                Self::OneByOne { until, culprit: Some((*first, reason.clone())) }
            }
            (Turn::Folded { position, .. }, Self::OneByOne { until, .. }) if *position < until => {
                Self::OneByOne { until, culprit: None }
            }
            (Turn::Folded { .. }, _) => Self::Pages,
            (Turn::AtHead { .. } | Turn::OthersFold | Turn::Superseded, care) => care,
        }
    }

    fn culprit(&self) -> Option<&(Position, String)> {
        match self {
            Self::Pages => None,
            Self::OneByOne { culprit, .. } => culprit.as_ref(),
        }
    }
}

impl Folding<'_> {
    /// Takes one turn.
    pub(crate) async fn turn(&self, connection: &mut PgConnection, care: &Care) -> Result<Turn, TurnError> {
        let projection = self.projection;
        let mut transaction = connection.begin().await?;
        let (checkpoint, parked_before) = match checkpoint::lock(projection, &mut transaction).await? {
            Checkpoint::Locked { position, parked } => (position, parked),
            Checkpoint::OthersFold => {
                transaction.commit().await?; // there may be a new checkpoint
                return Ok(Turn::OthersFold);
            }
            Checkpoint::Superseded => {
                transaction.rollback().await?;
                return Ok(Turn::Superseded);
            }
        };
        let mut events = page(&mut *transaction, checkpoint).await?;
        if matches!(care, Care::OneByOne { .. }) {
            events.truncate(1);
        }
        let ends = (events.first().map(|event| event.position), events.last().map(|event| event.position));
        let (Some(first), Some(last)) = ends else {
            transaction.rollback().await?;
            return Ok(Turn::AtHead { position: checkpoint, parked: parked_before });
        };
        let mut told = self.tell(events).await?;
        let order = told
            .iter()
            .enumerate()
            .find_map(|(place, told)| Some((place, Order::of(told, projection.name())?)));
        match order {
            Some((0, order)) => return self.carry_out(transaction, order, first, care, parked_before).await,
            Some((place, _)) => told.truncate(place), // up to the order; it has a turn of its own
            None => {}
        }
        let last = told.last().map_or(last, |(event, _)| event.position);
        if checkpoint == Position::START {
            checkpoint::empty_tables(projection, &mut transaction).await?;
        }
        let mut parked = match parked_before {
            0 => Parked::default(),
            _ => Parked::load(projection, &mut transaction).await?,
        };
        let mut rows = projection.rows();
        want(&mut *rows, &told);
        rows.load(&mut transaction).await?;
        fold(&mut *rows, &told, &mut parked, care.culprit());
        match rows.write(&mut transaction).await {
            Ok(()) => {}
            Err(error) if error.is_refusal() => {
                transaction.rollback().await?;
                return Ok(Turn::Refused { first, last, reason: error.to_string() });
            }
            Err(error) => return Err(error.into()),
        }
        parked.write(projection, &mut transaction).await?;
        if !checkpoint::advance(projection, &mut transaction, last).await? {
            transaction.rollback().await?;
            return Ok(Turn::Superseded);
        }
        transaction.commit().await?;
        Ok(Turn::Folded { position: last, parked: parked_before + parked.fresh() as u64 })
    }

    /// Carries out an order about parked events, which stands in the log at `place`.
    async fn carry_out(
        &self,
        mut transaction: Transaction<'_, Postgres>,
        order: Order,
        place: Position,
        care: &Care,
        parked_before: u64,
    ) -> Result<Turn, TurnError> {
        let projection = self.projection;
        let waiting = match care.culprit() {
            // What comes of it was refused a moment ago, so that everything stays as it is.
            Some((position, reason)) if *position == place => {
                tracing::error!(projection = projection.name(), order = ?order, reason, "Postgres refuses what a parked event comes to");
                Vec::new()
            }
            Some(_) | None => Parked::take_out_of(projection, &mut transaction, order.position()).await?,
        };
        let taken = waiting.len() as u64;
        let told = self.tell_again(&mut transaction, order.to_fold(waiting)).await?;
        let (mut rows, mut parked) = (projection.rows(), Parked::default());
        want(&mut *rows, &told);
        rows.load(&mut transaction).await?;
        fold(&mut *rows, &told, &mut parked, None);
        match rows.write(&mut transaction).await {
            Ok(()) => {}
            Err(error) if error.is_refusal() => {
                transaction.rollback().await?;
                return Ok(Turn::Refused { first: place, last: place, reason: error.to_string() });
            }
            Err(error) => return Err(error.into()),
        }
        parked.write(projection, &mut transaction).await?;
        if !checkpoint::advance(projection, &mut transaction, place).await? {
            transaction.rollback().await?;
            return Ok(Turn::Superseded);
        }
        transaction.commit().await?;
        Ok(Turn::Folded {
            position: place,
            parked: parked_before.saturating_sub(taken) + parked.fresh() as u64,
        })
    }

    /// Events that were read before, once more.
    pub(crate) async fn tell_again(
        &self,
        connection: &mut PgConnection,
        positions: Vec<Position>,
    ) -> Result<Vec<Told>, TurnError> {
        let mut events = Vec::with_capacity(positions.len());
        for position in positions {
            let before = Position::new(position.get().saturating_sub(1));
            events.extend(rows(&mut *connection, before, 1).await?);
        }
        self.tell(events).await
    }

    /// Opens and decodes.
    pub(crate) async fn tell(&self, mut events: Vec<Foldable>) -> Result<Vec<Told>, TurnError> {
        self.opener.open(&mut events).await.map_err(TurnError::PersonalData)?;
        let decoded = events.into_iter().map(|event| {
            let fact = event.decode();
            (event, fact)
        });
        Ok(decoded.collect())
    }
}

/// Notes what these events are about.
fn want(rows: &mut dyn Rows, told: &[Told]) {
    for (event, fact) in told {
        if let Ok(fact) = fact {
            rows.want(event, fact);
        }
    }
}

/// Folds events in their order. What cannot be folded is parked, and so is what follows it in its aggregate; the rest goes on.
pub(crate) fn fold(
    rows: &mut dyn Rows,
    told: &[Told],
    parked: &mut Parked,
    culprit: Option<&(Position, String)>,
) {
    for (event, fact) in told {
        let known = culprit.filter(|(position, _)| *position == event.position);
        let reason = match (parked.ahead_of(event), known, fact) {
            (Some(reason), _, _) => Some(reason),
            (None, Some((_, reason)), _) => Some(reason.clone()),
            (None, None, Err(undecodable)) => Some(undecodable.to_string()),
            (None, None, Ok(fact)) => rows.fold(event, fact).err().map(|poison| poison.to_string()),
        };
        if let Some(reason) = reason {
            parked.park(event, reason);
        }
    }
}
