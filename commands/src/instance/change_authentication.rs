//! Let callers of an instance prove in another way who they are. Owners and admins.

use domain::instance::{CallerAuthentication, Instance, InstanceCommand};
use domain::value::{InstanceId, OrganizationId};

use super::keeper::must_keep;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Let callers of an instance prove in another way who they are.
#[derive(Debug, Clone)]
pub struct ChangeAuthentication {
    /// Where.
    pub organization: OrganizationId,
    /// Which instance.
    pub instance: InstanceId,
    /// How callers prove who they are.
    pub authentication: CallerAuthentication,
}

impl UseCase for ChangeAuthentication {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_keep(unit, actor, self.organization, self.instance).await?;
        let change = InstanceCommand::ChangeAuthentication { authentication: self.authentication };
        unit.decide::<Instance>(self.instance, change).await
    }
}
