//! `sekisho projections parked retry|skip`: the order goes into the log as it does over HTTP, and is carried out here when nobody serves.

use std::sync::Arc;
use std::time::Duration;

use commands::deployment::{RetryParked, SkipParked};
use commands::{Actor, Authority, CarryOutError, Credential, Done, Order, carry_out};
use domain::value::{DisplayName, Position};
use projections::{Doorbell, Runner};
use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::opened::{OpenError, Opened};
use crate::adapters::key_digest::{KeyDigestError, KeyDigests};
use crate::adapters::postgres::PostgresError;
use crate::adapters::postgres_events::Appender;
use crate::config::Config;
use crate::wiring::RealPorts;

/// How long the read model may take to get to the order.
const FOLD_WAIT: Duration = Duration::from_mins(1);

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
    #[error(transparent)]
    DataKeys(#[from] KeyDigestError),
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    CarryOut(#[from] CarryOutError),
    #[error(
        "{0} has not parked an event at {1}; `sekisho projections parked list {0}` lists those that it has"
    )]
    NotParked(String, Position),
    #[error("the order is in the log at {0}, but the read model has not got there yet")]
    NotFolded(Position),
    #[error("it was tried again and still cannot be folded: {0}")]
    StillParked(String),
}

/// Gives the order, waits until it is carried out, and answers where it stands in the log.
pub(super) async fn decide(
    config: &Config,
    opened: &Opened,
    fate: Fate,
    (name, position, reason): (&str, Position, &DisplayName),
) -> Result<Position, OrderError> {
    let not_parked = || OrderError::NotParked(name.to_owned(), position);
    reason_parked(&opened.pool, name, position).await?.ok_or_else(not_parked)?;
    let projection = DisplayName::parse(name).map_err(|_| not_parked())?;
    let ordered = order(config, opened, fate, (projection, position, reason.clone())).await?;
    fold_up_to(config, opened, name, ordered).await?;
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
    config: &Config,
    opened: &Opened,
    fate: Fate,
    (projection, position, reason): (DisplayName, Position, DisplayName),
) -> Result<Position, OrderError> {
    let master = opened.master_key(&config.master_key)?;
    let digests = Arc::new(KeyDigests::load(&opened.pool, &master).await?);
    let (commits, _) = watch::channel(Position::START);
    let (appender, appending) = Appender::new((*opened.pool.connect_options()).clone(), commits);
    let appending = tokio::spawn(appending.run());
    let ports = RealPorts::of(&opened.pool, appender, digests, &master);
    let operator = Actor {
        credential: Credential::CommandLine,
        authority: Authority::Founder,
        scopes: None,
        issued_by: None,
        until: None,
    };
    let order = Order {
        command: None,
        request_digest: String::new(),
        correlation: format!("parked:{position}"),
        causation: None,
    };
    let done: Result<Done<()>, CarryOutError> = match fate {
        Fate::Retry => {
            carry_out(&ports, &operator, order, &RetryParked { projection, position, reason }).await
        }
        Fate::Skip => carry_out(&ports, &operator, order, &SkipParked { projection, position, reason }).await,
    };
    drop(ports);
    let _ = appending.await; // it ends with the last way into it
    Ok(done?.position)
}

/// Folds beside whoever serves: one of us gets there first.
async fn fold_up_to(
    config: &Config,
    opened: &Opened,
    name: &str,
    position: Position,
) -> Result<(), OrderError> {
    let known = projections::all();
    let Some(projection) = known.into_iter().find(|projection| projection.name() == name) else {
        return Err(OrderError::NotParked(name.to_owned(), position));
    };
    let personal = Arc::new(opened.personal_data(&config.master_key)?);
    let runner = Runner::new(projection, opened.pool.clone(), personal, Doorbell::default());
    let (handle, stop) = (runner.handle(), CancellationToken::new());
    let folding = tokio::spawn(runner.run(stop.clone()));
    let reached = tokio::time::timeout(FOLD_WAIT, handle.reached(position)).await;
    stop.cancel();
    let _ = folding.await;
    reached.map_err(|_| OrderError::NotFolded(position))
}
