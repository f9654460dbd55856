//! Forget a person for good: the log says so first, then the key of everything personal is destroyed, and with it every copy. Administrators
//! of the deployment, and its command line.
//!
//! A crash between the two leaves the key to whoever runs next, who finds in the log that it is to be destroyed. The person leaves their
//! teams and the administration in the same transaction, so that nobody takes a person who is nobody any more for the owner who stays.
//! Absent: revoking their keys. An erased user is inactive, and the one decision refuses every credential of such a user.

use domain::deployment::{Deployment, DeploymentCommand};
use domain::organization::{Organization, OrganizationCommand};
use domain::user::{User, UserCommand};
use domain::value::{DeploymentId, DisplayName, OrganizationId, UserId};

use crate::access::{administers, operator};
use crate::{Actor, Log, LogError, Ports, Refused, Unit, UseCase};

/// Forget a person for good.
#[derive(Debug, Clone)]
pub struct Erase {
    /// Whom.
    pub user: UserId,
    /// Why, for the audit. The log keeps it in clear: nothing about the person belongs here.
    pub reason: DisplayName,
}

impl UseCase for Erase {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        operator(unit, actor).await?;
        if actor.user() == Some(self.user) {
            return Err(Refused::Forbidden("nobody erases themself; another administrator can"));
        }
        let user = unit.load::<User>(self.user).await?;
        if !user.was_registered() {
            return Err(Refused::NotFound("user"));
        }
        if user.is_erased() {
            return Ok(()); // a retry is not a mistake
        }
        let organizations = self.organizations(unit).await?;
        self.must_leave_owners(&organizations)?;
        unit.decide::<User>(self.user, UserCommand::Erase { reason: self.reason.clone() }).await?;
        for (id, organization) in organizations {
            self.leave(unit, id, &organization).await?;
        }
        if administers(unit, self.user).await? {
            let remove = DeploymentCommand::RemoveAdministrator { user: self.user };
            unit.decide::<Deployment>(DeploymentId, remove).await?;
        }
        Ok(())
    }

    async fn afterwards<P: Ports>(&self, ports: &P) -> Result<(), LogError> {
        ports.log().forget_erased().await
    }
}

impl Erase {
    /// Where the person is a member.
    async fn organizations<L: Log>(
        &self,
        unit: &Unit<'_, L>,
    ) -> Result<Vec<(OrganizationId, Organization)>, Refused> {
        let mut found = Vec::new();
        for id in unit.organizations_of(self.user).await? {
            let organization = unit.load::<Organization>(id).await?;
            if organization.exists() && organization.role_of(self.user).is_some() {
                found.push((id, organization));
            }
        }
        Ok(found)
    }

    fn must_leave_owners(&self, organizations: &[(OrganizationId, Organization)]) -> Result<(), Refused> {
        let left: Vec<String> = organizations
            .iter()
            .filter(|(_, organization)| !organization.is_personal() && organization.is_last_owner(self.user))
            .map(|(id, organization)| organization.slug().map_or_else(|| id.to_string(), ToString::to_string))
            .collect();
        if left.is_empty() { Ok(()) } else { Err(Refused::LastOwnerOf(left)) }
    }

    /// A person's own organization ends with them. A suspended team lets nobody in or out: they stay on its list, and count for nothing.
    async fn leave<L: Log>(
        &self,
        unit: &mut Unit<'_, L>,
        id: OrganizationId,
        organization: &Organization,
    ) -> Result<(), Refused> {
        let command = match (organization.is_personal(), organization.is_suspended()) {
            (true, _) => OrganizationCommand::Delete,
            (false, true) => return Ok(()),
            (false, false) => OrganizationCommand::RemoveMember { user: self.user, removed_by: None },
        };
        unit.decide::<Organization>(id, command).await
    }
}
