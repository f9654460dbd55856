//! Let a member go. Owners and admins, never above their own role; everybody may leave.

use domain::organization::{Organization, OrganizationCommand};
use domain::value::{OrganizationId, UserId};

use crate::access::enter;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Let a member go.
#[derive(Debug, Clone)]
pub struct RemoveMember {
    /// Where.
    pub organization: OrganizationId,
    /// Whom.
    pub user: UserId,
}

impl UseCase for RemoveMember {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        let entered = enter(unit, actor, self.organization).await?;
        if self.user != entered.user {
            entered.must_command_all()?;
        }
        if entered.organization.role_of(self.user).is_none() {
            return Err(Refused::NotFound("member"));
        }
        let remove =
            OrganizationCommand::RemoveMember { user: self.user, removed_by: actor.granting_member() };
        unit.decide::<Organization>(self.organization, remove).await
    }
}
