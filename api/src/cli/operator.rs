//! Use cases carried out at the command line, by whoever holds the database and the master key: they go into the log as they do over HTTP,
//! and are folded here when nobody serves.

use std::sync::Arc;
use std::time::Duration;

use commands::{Actor, Authority, CarryOutError, Credential, Done, Order, UseCase, carry_out};
use domain::value::Position;
use projections::{Doorbell, Runner};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::opened::{OpenError, Opened};
use crate::adapters::key_digest::{KeyDigestError, KeyDigests};
use crate::adapters::postgres_events::Appender;
use crate::config::Deployment;
use crate::wiring::RealPorts;

/// How long a read model may take to get to what was written.
const FOLD_WAIT: Duration = Duration::from_mins(1);

/// It was not carried out, or is not shown yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum OperatorError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    DataKeys(#[from] KeyDigestError),
    #[error(transparent)]
    CarryOut(#[from] CarryOutError),
    #[error("it is in the log at {0}, but the read model has not got there yet")]
    NotFolded(Position),
}

/// Carries out a use case in the operator's name; answers from which position on it is seen.
pub(super) async fn order<U: UseCase>(
    deployment: &Deployment,
    opened: &Opened,
    correlation: String,
    use_case: &U,
) -> Result<Position, OperatorError> {
    let master = opened.master_key(&deployment.master_key)?;
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
    let order = Order { command: None, request_digest: String::new(), correlation, causation: None };
    let done: Result<Done<U::Answer>, CarryOutError> = carry_out(&ports, &operator, order, use_case).await;
    drop(ports);
    let _ = appending.await; // it ends with the last way into it
    Ok(done?.position)
}

/// Folds a read model beside whoever serves: one of us gets there first.
pub(super) async fn fold_up_to(
    deployment: &Deployment,
    opened: &Opened,
    name: &str,
    position: Position,
) -> Result<(), OperatorError> {
    let known = projections::all();
    let Some(projection) = known.into_iter().find(|projection| projection.name() == name) else {
        return Err(OperatorError::NotFolded(position));
    };
    let personal = Arc::new(opened.personal_data(&deployment.master_key)?);
    let runner = Runner::new(projection, opened.pool.clone(), personal, Doorbell::default());
    let (handle, stop) = (runner.handle(), CancellationToken::new());
    let folding = tokio::spawn(runner.run(stop.clone()));
    let reached = tokio::time::timeout(FOLD_WAIT, handle.reached(position)).await;
    stop.cancel();
    let _ = folding.await;
    reached.map_err(|_| OperatorError::NotFolded(position))
}
