//! Connect an organization, or one of its members, to a server. Secrets follow.

use domain::connection::{Connection, ConnectionCommand, ConnectionOwner};
use domain::value::{ConnectionId, DisplayName, OrganizationId, ServerId};
use serde::{Deserialize, Serialize};

use super::holder::user;
use crate::access::enter;
use crate::server::find_connectable;
use crate::{Actor, Entropy as _, Ports, Refused, Unit, UseCase};

/// Connect an organization, or one of its members, to a server.
#[derive(Debug, Clone)]
pub struct Create {
    /// Where.
    pub organization: OrganizationId,
    /// Whose credentials it holds. Members hold their own; owners and admins also everybody's and another member's.
    pub owner: ConnectionOwner,
    /// The server it connects to.
    pub server: ServerId,
    /// The name shown in lists.
    pub name: DisplayName,
}

/// It waits for its secrets, if the server wants any.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Created {
    /// Its id.
    pub id: ConnectionId,
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
        entered.must_command(user(self.owner))?;
        if user(self.owner).is_some_and(|user| entered.organization.role_of(user).is_none()) {
            return Err(Refused::NotFound("member"));
        }
        find_connectable(unit, &entered, self.organization, self.server).await?;
        let id = ConnectionId::new(ports.entropy().id());
        let create = ConnectionCommand::Create {
            organization: self.organization,
            owner: self.owner,
            server: self.server,
            name: self.name.clone(),
        };
        unit.decide::<Connection>(id, create).await?;
        Ok(Created { id })
    }
}
