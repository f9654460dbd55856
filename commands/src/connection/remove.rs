//! End a connection for good. Its own user, owners and admins.

use domain::connection::{Connection, ConnectionCommand};
use domain::value::{ConnectionId, OrganizationId};

use super::holder::must_hold;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// End a connection for good.
#[derive(Debug, Clone)]
pub struct Remove {
    /// Where.
    pub organization: OrganizationId,
    /// Which connection.
    pub connection: ConnectionId,
}

impl UseCase for Remove {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_hold(unit, actor, self.organization, self.connection).await?;
        unit.decide::<Connection>(self.connection, ConnectionCommand::Remove).await
    }
}
