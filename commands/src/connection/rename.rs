//! Give a connection another name. Its own user, owners and admins.

use domain::connection::{Connection, ConnectionCommand};
use domain::value::{ConnectionId, DisplayName, OrganizationId};

use super::holder::must_hold;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Give a connection another name.
#[derive(Debug, Clone)]
pub struct Rename {
    /// Where.
    pub organization: OrganizationId,
    /// Which connection.
    pub connection: ConnectionId,
    /// The new name.
    pub name: DisplayName,
}

impl UseCase for Rename {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_hold(unit, actor, self.organization, self.connection).await?;
        unit.decide::<Connection>(self.connection, ConnectionCommand::Rename { name: self.name.clone() })
            .await
    }
}
