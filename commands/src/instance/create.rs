//! Make an endpoint that callers can reach: an instance over one connection or several. It runs at once.

use domain::instance::{CallerAuthentication, Instance, InstanceCommand};
use domain::value::{ConnectionId, DisplayName, InstanceId, OrganizationId, ToolSelection};
use serde::{Deserialize, Serialize};

use super::keeper::must_reach;
use crate::access::enter;
use crate::{Actor, Entropy as _, Ports, Refused, Unit, UseCase};

/// Make an endpoint that callers can reach: an instance over one connection or several.
#[derive(Debug, Clone)]
pub struct Create {
    /// Where.
    pub organization: OrganizationId,
    /// The name shown in lists.
    pub name: DisplayName,
    /// What it connects to.
    pub connections: Vec<ConnectionId>,
    /// Which tools it exposes.
    pub tools: ToolSelection,
    /// How callers prove who they are.
    pub authentication: CallerAuthentication,
}

/// It runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Created {
    /// Its id, the last part of its address.
    pub id: InstanceId,
}

impl UseCase for Create {
    type Answer = Created;

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<Created, Refused> {
        let entered = enter(unit, actor, self.organization).await?;
        entered.must_make()?;
        match self.authentication {
            CallerAuthentication::None => entered.must_command_all()?, // an endpoint without a lock is not one member's decision
            CallerAuthentication::ApiKey | CallerAuthentication::Oauth | CallerAuthentication::Both => {}
        }
        let like = must_reach(unit, &entered, self.organization, &self.connections).await?;
        let id = InstanceId::new(ports.entropy().id());
        let create = InstanceCommand::Create {
            organization: self.organization,
            name: self.name.clone(),
            connections: self.connections.clone(),
            like,
            tools: self.tools.clone(),
            authentication: self.authentication,
        };
        unit.decide::<Instance>(id, create).await?;
        Ok(Created { id })
    }
}
