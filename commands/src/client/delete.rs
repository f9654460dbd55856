//! End a client for good. Whoever registered it, owners and admins.

use domain::client::{Client, ClientCommand};
use domain::value::{ClientId, OrganizationId};

use super::registrar::must_answer_for;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// End a client for good.
#[derive(Debug, Clone)]
pub struct Delete {
    /// Where.
    pub organization: OrganizationId,
    /// Which client.
    pub client: ClientId,
}

impl UseCase for Delete {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_answer_for(unit, actor, self.organization, self.client).await?;
        unit.decide::<Client>(self.client, ClientCommand::Delete).await
    }
}
