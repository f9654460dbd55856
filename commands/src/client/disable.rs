//! Refuse everything that a client asks for. Whoever registered it, owners and admins.

use domain::client::{Client, ClientCommand};
use domain::value::{ClientId, DisplayName, OrganizationId};

use super::registrar::must_answer_for;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Refuse everything that a client asks for.
#[derive(Debug, Clone)]
pub struct Disable {
    /// Where.
    pub organization: OrganizationId,
    /// Which client.
    pub client: ClientId,
    /// Why, for the audit.
    pub reason: DisplayName,
}

impl UseCase for Disable {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_answer_for(unit, actor, self.organization, self.client).await?;
        unit.decide::<Client>(self.client, ClientCommand::Disable { reason: self.reason.clone() }).await
    }
}
