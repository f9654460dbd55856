//! End the suspension of an organization. Only administrators of the deployment.

use domain::organization::{Organization, OrganizationCommand};
use domain::value::OrganizationId;

use crate::access::{administrator, enter_any};
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// End the suspension of an organization.
#[derive(Debug, Clone)]
pub struct Resume {
    /// Where.
    pub organization: OrganizationId,
}

impl UseCase for Resume {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        administrator(unit, actor).await?;
        enter_any(unit, actor, self.organization).await?;
        unit.decide::<Organization>(self.organization, OrganizationCommand::Resume).await
    }
}
