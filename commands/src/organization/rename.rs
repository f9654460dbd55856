//! Give an organization another name. Only owners.

use domain::organization::{Organization, OrganizationCommand};
use domain::value::{DisplayName, OrganizationId};

use crate::access::enter;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Give an organization another name.
#[derive(Debug, Clone)]
pub struct Rename {
    /// Where.
    pub organization: OrganizationId,
    /// The new name.
    pub name: DisplayName,
}

impl UseCase for Rename {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        let entered = enter(unit, actor, self.organization).await?;
        entered.must_own()?;
        unit.decide::<Organization>(
            self.organization,
            OrganizationCommand::Rename { name: self.name.clone() },
        )
        .await
    }
}
