//! Take a user into a team. Owners and admins, never above their own role.

use domain::organization::{Organization, OrganizationCommand};
use domain::user::User;
use domain::value::{OrganizationId, Role, UserId};

use crate::access::enter;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Take a user into a team.
#[derive(Debug, Clone)]
pub struct AddMember {
    /// Where.
    pub organization: OrganizationId,
    /// Whom.
    pub user: UserId,
    /// As what.
    pub role: Role,
}

impl UseCase for AddMember {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        enter(unit, actor, self.organization).await?.must_command_all()?;
        if !unit.load::<User>(self.user).await?.is_active() {
            return Err(Refused::NotFound("user"));
        }
        let add = OrganizationCommand::AddMember {
            user: self.user,
            role: self.role,
            granted_by: actor.granting_member(),
        };
        unit.decide::<Organization>(self.organization, add).await
    }
}
