//! Bring an upstream server into a catalogue. Of an organization: its members; of the deployment: its administrators.

use domain::server::{Server, ServerCommand, ServerOauth, Transport, Visibility};
use domain::value::{CredentialField, DisplayName, OrganizationId, ServerId};
use serde::{Deserialize, Serialize};

use crate::access::{administrator, enter};
use crate::{Actor, Entropy as _, Ports, Refused, Unit, UseCase};

/// Bring an upstream server into a catalogue.
#[derive(Debug, Clone)]
pub struct Register {
    /// Whose catalogue; none is the deployment's own.
    pub organization: Option<OrganizationId>,
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

/// It can be connected to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Registered {
    /// Its id.
    pub id: ServerId,
}

impl UseCase for Register {
    type Answer = Registered;

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<Registered, Refused> {
        match self.organization {
            Some(organization) => enter(unit, actor, organization).await?.must_make()?,
            None => {
                administrator(unit, actor).await?;
            }
        }
        let id = ServerId::new(ports.entropy().id());
        let register = ServerCommand::Register {
            organization: self.organization,
            name: self.name.clone(),
            transport: self.transport.clone(),
            credential_fields: self.credential_fields.clone(),
            visibility: self.visibility,
        };
        unit.decide::<Server>(id, register).await?;
        unit.decide::<Server>(id, ServerCommand::SetOauth { oauth: self.oauth.clone() }).await?;
        Ok(Registered { id })
    }
}
