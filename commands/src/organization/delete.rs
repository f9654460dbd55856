//! End an organization for good. Only owners; a suspended one only by an administrator of the deployment.

use domain::organization::{Organization, OrganizationCommand};
use domain::value::OrganizationId;

use crate::access::enter_any;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// End an organization for good.
#[derive(Debug, Clone)]
pub struct Delete {
    /// Where.
    pub organization: OrganizationId,
}

impl UseCase for Delete {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        let entered = enter_any(unit, actor, self.organization).await?;
        entered.must_own()?;
        unit.decide::<Organization>(self.organization, OrganizationCommand::Delete).await
    }
}
