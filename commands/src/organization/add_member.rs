//! Take a user into a team. Owners and admins, never above their own role.
//!
//! Nobody is taken in without being asked: an organization takes in whom it registered itself, and an administrator of the deployment
//! whomever there is. Otherwise any owner could make a stranger a member and then issue keys in the stranger's name.

use domain::organization::{Organization, OrganizationCommand};
use domain::user::User;
use domain::value::{OrganizationId, Role, UserId};

use crate::access::{administers, enter};
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
        let entered = enter(unit, actor, self.organization).await?;
        entered.must_command_all()?;
        let person = unit.load::<User>(self.user).await?;
        if !person.is_active() {
            return Err(Refused::NotFound("user"));
        }
        let from_above = actor.speaks_for_themself() && administers(unit, entered.user).await?;
        // Somebody whom another organization registered looks exactly like nobody, as every thing of another organization does.
        if !from_above && !person.is_registered_in(self.organization) {
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
