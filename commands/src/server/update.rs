//! Replace the description of an upstream server. Owners and admins; in the deployment's catalogue its administrators.

use domain::server::{Server, ServerCommand, ServerOauth, Transport, Visibility};
use domain::value::{CredentialField, DisplayName, OrganizationId, ServerId};

use super::catalogue::must_keep;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Replace the description of an upstream server.
#[derive(Debug, Clone)]
pub struct Update {
    /// Whose catalogue; none is the deployment's own.
    pub organization: Option<OrganizationId>,
    /// Which server.
    pub server: ServerId,
    /// The name shown in lists.
    pub name: DisplayName,
    /// How it is reached.
    pub transport: Transport,
    /// What it needs to be told on every call.
    pub credential_fields: Vec<CredentialField>,
    /// How its connections are authorized by OAuth; none when they are not.
    pub oauth: Option<ServerOauth>,
    /// Who may connect to it.
    pub visibility: Visibility,
}

impl UseCase for Update {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_keep(unit, actor, self.organization, self.server).await?;
        let update = ServerCommand::Update {
            name: self.name.clone(),
            transport: self.transport.clone(),
            credential_fields: self.credential_fields.clone(),
            visibility: self.visibility,
        };
        unit.decide::<Server>(self.server, update).await?;
        unit.decide::<Server>(self.server, ServerCommand::SetOauth { oauth: self.oauth.clone() }).await
    }
}
