//! Answer only to some addresses, or change what was said about it. Only administrators of the deployment.

use std::collections::BTreeSet;

use domain::deployment::{Deployment, DeploymentCommand};
use domain::value::{AddressRange, Clock as _, DeploymentId, Timestamp};

use crate::access::administrator;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Answer only to some addresses, or change what was said about it.
#[derive(Debug, Clone)]
pub struct StartMaintenance {
    /// When it is expected to end, if that is known.
    pub until: Option<Timestamp>,
    /// Who passes everywhere.
    pub allowed: BTreeSet<AddressRange>,
}

impl UseCase for StartMaintenance {
    type Answer = ();

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<(), Refused> {
        administrator(unit, actor).await?;
        let at = ports.clock().now();
        let start =
            DeploymentCommand::StartMaintenance { until: self.until, allowed: self.allowed.clone(), at };
        unit.decide::<Deployment>(DeploymentId, start).await
    }
}
