//! Record the calls to an instance in another way. Owners and admins.

use domain::instance::{Instance, InstanceCommand, Recording};
use domain::value::{InstanceId, OrganizationId};

use super::keeper::must_keep;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Record the calls to an instance in another way.
#[derive(Debug, Clone)]
pub struct ChangeRecording {
    /// Where.
    pub organization: OrganizationId,
    /// Which instance.
    pub instance: InstanceId,
    /// How calls are recorded.
    pub recording: Recording,
}

impl UseCase for ChangeRecording {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_keep(unit, actor, self.organization, self.instance).await?;
        let change = InstanceCommand::ChangeRecording { recording: self.recording };
        unit.decide::<Instance>(self.instance, change).await
    }
}
