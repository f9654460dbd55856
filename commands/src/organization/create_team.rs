//! Make a team. Whoever asks becomes its first owner and gets its first key.

use domain::organization::{Organization, OrganizationCommand, OrganizationKind};
use domain::value::{ApiKeyId, DisplayName, IssuedSecret, OrganizationId, Slug};
use serde::{Deserialize, Serialize};

use crate::access::acting_user;
use crate::api_key::issue_first;
use crate::{Actor, Entropy as _, Ports, Refused, Unit, UseCase};

/// Make a team.
#[derive(Debug, Clone)]
pub struct CreateTeam {
    /// Its unique slug.
    pub slug: Slug,
    /// Its name.
    pub name: DisplayName,
}

/// A team was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TeamCreated {
    /// Its id.
    pub id: OrganizationId,
    /// Its first key's id.
    pub api_key: ApiKeyId,
    /// Its first key itself, shown this once.
    pub key: IssuedSecret,
}

impl UseCase for CreateTeam {
    type Answer = TeamCreated;

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<TeamCreated, Refused> {
        let owner = acting_user(unit, actor).await?;
        let id = OrganizationId::new(ports.entropy().id());
        let create = OrganizationCommand::Create {
            kind: OrganizationKind::Team,
            slug: self.slug.clone(),
            name: self.name.clone(),
            owner,
        };
        unit.decide::<Organization>(id, create).await?;
        let (api_key, key) = issue_first(ports, unit, (id, &self.name), owner, actor).await?;
        Ok(TeamCreated { id, api_key, key })
    }
}
