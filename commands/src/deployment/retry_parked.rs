//! Have a read model fold an event again that it could not fold, and what waits behind it. Only administrators of the deployment, and its command line.
//!
//! Whether it is parked is known to the read model alone; each of them finds the order in the log, and an order about something that is
//! not parked does nothing.

use domain::deployment::{Deployment, DeploymentCommand};
use domain::value::{DeploymentId, DisplayName, Position};

use crate::access::operator;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Have a read model fold an event again that it could not fold, and what waits behind it.
#[derive(Debug, Clone)]
pub struct RetryParked {
    /// The read model.
    pub projection: DisplayName,
    /// The event's place in the log.
    pub position: Position,
    /// Why.
    pub reason: DisplayName,
}

impl UseCase for RetryParked {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        operator(unit, actor).await?;
        let Self { projection, position, reason } = self.clone();
        let order = DeploymentCommand::RetryParked { projection, position, reason };
        unit.decide::<Deployment>(DeploymentId, order).await
    }
}
