//! Connect an instance to something else. Owners and admins.

use domain::instance::{Instance, InstanceCommand};
use domain::value::{ConnectionId, InstanceId, OrganizationId};

use super::keeper::{must_keep, must_reach};
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Connect an instance to something else.
#[derive(Debug, Clone)]
pub struct ChangeConnections {
    /// Where.
    pub organization: OrganizationId,
    /// Which instance.
    pub instance: InstanceId,
    /// What it connects to.
    pub connections: Vec<ConnectionId>,
}

impl UseCase for ChangeConnections {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        let entered = must_keep(unit, actor, self.organization, self.instance).await?;
        let like = must_reach(unit, &entered, self.organization, &self.connections).await?;
        let change = InstanceCommand::ChangeConnections { connections: self.connections.clone(), like };
        unit.decide::<Instance>(self.instance, change).await
    }
}
