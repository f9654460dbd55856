//! Set the deployment up: its administrator, the first organization, and the key with which everything else is done. Once.

use domain::deployment::{Deployment, DeploymentCommand};
use domain::organization::{Organization, OrganizationCommand, OrganizationKind};
use domain::user::{User, UserCommand};
use domain::value::{
    ApiKeyId, DeploymentId, DisplayName, EmailAddress, IssuedSecret, OrganizationId, Slug, UserId,
};
use serde::{Deserialize, Serialize};

use crate::api_key::issue_first;
use crate::{Actor, Authority, Entropy as _, Ports, Refused, Unit, UseCase};

/// Set the deployment up. Only its founder: whoever holds the bootstrap token or the command line.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// The slug of the first organization, a team.
    pub organization_slug: Slug,
    /// Its name.
    pub organization_name: DisplayName,
    /// The name of its owner, who administers the deployment.
    pub owner_name: Option<DisplayName>,
    /// The owner's address.
    pub owner_email: Option<EmailAddress>,
}

/// The deployment is set up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bootstrapped {
    /// The first user: owner of the organization, administrator of the deployment.
    pub user: UserId,
    /// The first organization.
    pub organization: OrganizationId,
    /// The first key's id.
    pub api_key: ApiKeyId,
    /// The first key itself, shown this once.
    pub key: IssuedSecret,
}

impl UseCase for Bootstrap {
    type Answer = Bootstrapped;

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<Bootstrapped, Refused> {
        match actor.authority {
            Authority::Founder => {}
            Authority::Member { .. }
            | Authority::Administrator { .. }
            | Authority::User { .. }
            | Authority::Client { .. }
            | Authority::Server => {
                return Err(Refused::Forbidden(
                    "only the bootstrap token or the command line sets a deployment up",
                ));
            }
        }
        let entropy = ports.entropy();
        let user = UserId::new(entropy.id());
        let organization = OrganizationId::new(entropy.id());

        unit.decide::<Deployment>(DeploymentId, DeploymentCommand::Bootstrap { administrator: user }).await?;
        unit.decide::<User>(user, self.owner(user)).await?;
        unit.decide::<Organization>(organization, self.team(user)).await?;
        let place = (organization, &self.organization_name);
        let (api_key, key) = issue_first(ports, unit, place, user, actor).await?;
        Ok(Bootstrapped { user, organization, api_key, key })
    }
}

impl Bootstrap {
    fn owner(&self, user: UserId) -> UserCommand {
        UserCommand::Register {
            user,
            email: self.owner_email.clone(),
            name: self.owner_name.clone(),
            picture: None,
            registered_in: None,
        }
    }

    fn team(&self, owner: UserId) -> OrganizationCommand {
        OrganizationCommand::Create {
            kind: OrganizationKind::Team,
            slug: self.organization_slug.clone(),
            name: self.organization_name.clone(),
            owner,
        }
    }
}
