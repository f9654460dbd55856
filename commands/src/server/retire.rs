//! Offer an upstream server no longer. Owners and admins; in the deployment's catalogue its administrators.

use domain::server::{Server, ServerCommand};
use domain::value::{OrganizationId, ServerId};

use super::catalogue::must_keep;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Offer an upstream server no longer.
#[derive(Debug, Clone)]
pub struct Retire {
    /// Whose catalogue; none is the deployment's own.
    pub organization: Option<OrganizationId>,
    /// Which server.
    pub server: ServerId,
}

impl UseCase for Retire {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_keep(unit, actor, self.organization, self.server).await?;
        unit.decide::<Server>(self.server, ServerCommand::Retire).await
    }
}
