//! `sekisho projections parked retry|skip`: the order goes into the log as it does over HTTP, and is carried out here when nobody serves.

use commands::deployment::{RetryParked, SkipParked};
use domain::value::{DisplayName, Position};
use sqlx::PgPool;

use super::opened::{OpenError, Opened};
use super::operator::{self, OperatorError};
use crate::adapters::postgres::PostgresError;
use crate::config::Deployment;

/// What is to happen to a parked event.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    Retry,
    Skip,
}

/// The order was not given, or not carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum OrderError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Order(#[from] OperatorError),
    #[error(
        "{0} has not parked an event at {1}; `sekisho projections parked list {0}` lists those that it has"
    )]
    NotParked(String, Position),
    #[error("it was tried again and still cannot be folded: {0}")]
    StillParked(String),
}

/// Gives the order, waits until it is carried out, and answers where it stands in the log.
pub(super) async fn decide(
    deployment: &Deployment,
    opened: &Opened,
    fate: Fate,
    (name, position, reason): (&str, Position, &DisplayName),
) -> Result<Position, OrderError> {
    let not_parked = || OrderError::NotParked(name.to_owned(), position);
    reason_parked(&opened.pool, name, position).await?.ok_or_else(not_parked)?;
    let projection = DisplayName::parse(name).map_err(|_| not_parked())?;
    let ordered = order(deployment, opened, fate, (projection, position, reason.clone())).await?;
    operator::fold_up_to(deployment, opened, name, ordered).await?;
    match (fate, reason_parked(&opened.pool, name, position).await?) {
        (Fate::Retry | Fate::Skip, None) => Ok(ordered),
        (Fate::Retry | Fate::Skip, Some(reason)) => Err(OrderError::StillParked(reason)),
    }
}

async fn reason_parked(pool: &PgPool, name: &str, position: Position) -> Result<Option<String>, sqlx::Error> {
    let found = projections::parked_events(pool, name).await?;
    let found = found.into_iter().find(|event| event.position.unsigned_abs() == position.get());
    Ok(found.map(|event| event.reason))
}

async fn order(
    deployment: &Deployment,
    opened: &Opened,
    fate: Fate,
    (projection, position, reason): (DisplayName, Position, DisplayName),
) -> Result<Position, OperatorError> {
    let correlation = format!("parked:{position}");
    match fate {
        Fate::Retry => {
            let retry = RetryParked { projection, position, reason };
            operator::order(deployment, opened, correlation, &retry).await
        }
        Fate::Skip => {
            let skip = SkipParked { projection, position, reason };
            operator::order(deployment, opened, correlation, &skip).await
        }
    }
}
