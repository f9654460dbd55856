//! End an instance for good. Owners and admins.

use domain::instance::{Instance, InstanceCommand};
use domain::value::{InstanceId, OrganizationId};

use super::keeper::must_keep;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// End an instance for good.
#[derive(Debug, Clone)]
pub struct Delete {
    /// Where.
    pub organization: OrganizationId,
    /// Which instance.
    pub instance: InstanceId,
}

impl UseCase for Delete {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_keep(unit, actor, self.organization, self.instance).await?;
        unit.decide::<Instance>(self.instance, InstanceCommand::Delete).await
    }
}
