//! Let an instance answer calls. Owners and admins.

use domain::instance::{Instance, InstanceCommand};
use domain::value::{InstanceId, OrganizationId};

use super::keeper::must_keep;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Let an instance answer calls.
#[derive(Debug, Clone)]
pub struct Start {
    /// Where.
    pub organization: OrganizationId,
    /// Which instance.
    pub instance: InstanceId,
}

impl UseCase for Start {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_keep(unit, actor, self.organization, self.instance).await?;
        unit.decide::<Instance>(self.instance, InstanceCommand::Start).await
    }
}
