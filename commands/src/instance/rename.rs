//! Give an instance another name. Owners and admins.

use domain::instance::{Instance, InstanceCommand};
use domain::value::{DisplayName, InstanceId, OrganizationId};

use super::keeper::must_keep;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Give an instance another name.
#[derive(Debug, Clone)]
pub struct Rename {
    /// Where.
    pub organization: OrganizationId,
    /// Which instance.
    pub instance: InstanceId,
    /// The new name.
    pub name: DisplayName,
}

impl UseCase for Rename {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_keep(unit, actor, self.organization, self.instance).await?;
        unit.decide::<Instance>(self.instance, InstanceCommand::Rename { name: self.name.clone() }).await
    }
}
