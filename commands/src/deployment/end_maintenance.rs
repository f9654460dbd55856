//! Answer to everybody again. Only administrators of the deployment.

use domain::deployment::{Deployment, DeploymentCommand};
use domain::value::DeploymentId;

use crate::access::administrator;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Answer to everybody again.
#[derive(Debug, Clone)]
pub struct EndMaintenance;

impl UseCase for EndMaintenance {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        administrator(unit, actor).await?;
        unit.decide::<Deployment>(DeploymentId, DeploymentCommand::EndMaintenance).await
    }
}
