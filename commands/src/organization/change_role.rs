//! Change what a member is. Owners and admins, never above their own role.

use domain::organization::{Organization, OrganizationCommand};
use domain::value::{OrganizationId, Role, UserId};

use crate::access::enter;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Change what a member is.
#[derive(Debug, Clone)]
pub struct ChangeRole {
    /// Where.
    pub organization: OrganizationId,
    /// Whom.
    pub user: UserId,
    /// To what.
    pub role: Role,
}

impl UseCase for ChangeRole {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        enter(unit, actor, self.organization).await?.must_command_all()?;
        let change = OrganizationCommand::ChangeRole {
            user: self.user,
            role: self.role,
            granted_by: actor.granting_member(),
        };
        unit.decide::<Organization>(self.organization, change).await
    }
}
