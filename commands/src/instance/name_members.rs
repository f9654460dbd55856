//! Call the members of an instance something else, and so the tools that it exposes. Owners and admins.

use domain::instance::{Instance, InstanceCommand, MemberNames};
use domain::value::{InstanceId, OrganizationId};

use super::keeper::must_keep;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Call the members of an instance something else.
#[derive(Debug, Clone)]
pub struct NameMembers {
    /// Where.
    pub organization: OrganizationId,
    /// Which instance.
    pub instance: InstanceId,
    /// The name of each of its connections.
    pub names: MemberNames,
}

impl UseCase for NameMembers {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_keep(unit, actor, self.organization, self.instance).await?;
        let name = InstanceCommand::NameMembers { names: self.names.clone() };
        unit.decide::<Instance>(self.instance, name).await
    }
}
