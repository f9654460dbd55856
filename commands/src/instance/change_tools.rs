//! Expose other tools. Owners and admins.

use domain::instance::{Instance, InstanceCommand};
use domain::value::{InstanceId, OrganizationId, ToolSelection};

use super::keeper::must_keep;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Expose other tools.
#[derive(Debug, Clone)]
pub struct ChangeTools {
    /// Where.
    pub organization: OrganizationId,
    /// Which instance.
    pub instance: InstanceId,
    /// Which tools it exposes.
    pub tools: ToolSelection,
}

impl UseCase for ChangeTools {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_keep(unit, actor, self.organization, self.instance).await?;
        unit.decide::<Instance>(self.instance, InstanceCommand::ChangeTools { tools: self.tools.clone() })
            .await
    }
}
