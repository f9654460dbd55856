//! Refuse everything of an organization for now. Only administrators of the deployment.

use domain::organization::{Organization, OrganizationCommand};
use domain::value::{DisplayName, OrganizationId};

use crate::access::{administrator, enter_any};
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Refuse everything of an organization for now.
#[derive(Debug, Clone)]
pub struct Suspend {
    /// Where.
    pub organization: OrganizationId,
    /// Why, for the audit.
    pub reason: DisplayName,
}

impl UseCase for Suspend {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        administrator(unit, actor).await?;
        enter_any(unit, actor, self.organization).await?;
        unit.decide::<Organization>(
            self.organization,
            OrganizationCommand::Suspend { reason: self.reason.clone() },
        )
        .await
    }
}
