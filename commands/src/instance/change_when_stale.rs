//! Say what becomes of an instance's calls while a node knows too little to decide and cannot ask. Owners and admins.

use domain::instance::{Instance, InstanceCommand, WhenStale};
use domain::value::{InstanceId, OrganizationId};

use super::keeper::must_keep;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Say what becomes of an instance's calls while a node knows too little to decide.
#[derive(Debug, Clone)]
pub struct ChangeWhenStale {
    /// Where.
    pub organization: OrganizationId,
    /// Which instance.
    pub instance: InstanceId,
    /// What becomes of them.
    pub when_stale: WhenStale,
}

impl UseCase for ChangeWhenStale {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_keep(unit, actor, self.organization, self.instance).await?;
        let change = InstanceCommand::ChangeWhenStale { when_stale: self.when_stale };
        unit.decide::<Instance>(self.instance, change).await
    }
}
