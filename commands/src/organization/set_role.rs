//! Say what a user is in an organization, whether or not they are a member yet. Owners and admins, never above their own role.

use domain::value::{OrganizationId, Role, UserId};

use super::{AddMember, ChangeRole};
use crate::access::enter;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Say what a user is in an organization, whether or not they are a member yet.
#[derive(Debug, Clone)]
pub struct SetRole {
    /// Where.
    pub organization: OrganizationId,
    /// Whom.
    pub user: UserId,
    /// As what.
    pub role: Role,
}

impl UseCase for SetRole {
    type Answer = ();

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<(), Refused> {
        let Self { organization, user, role } = self.clone();
        match enter(unit, actor, organization).await?.organization.role_of(user) {
            None => AddMember { organization, user, role }.run(ports, actor, unit).await,
            Some(_) => ChangeRole { organization, user, role }.run(ports, actor, unit).await,
        }
    }
}
