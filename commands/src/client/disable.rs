//! Refuse everything that a client asks for. Whoever registered it, owners and admins; administrators of the deployment, where it is nobody's.

use domain::client::{Client, ClientCommand};
use domain::value::{ClientId, DisplayName, OrganizationId};

use super::registrar::must_be_able_to_end;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Refuse everything that a client asks for.
#[derive(Debug, Clone)]
pub struct Disable {
    /// Where; nowhere for one that is nobody's.
    pub organization: Option<OrganizationId>,
    /// Which client.
    pub client: ClientId,
    /// Why, for the audit.
    pub reason: DisplayName,
}

impl UseCase for Disable {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_be_able_to_end(unit, actor, self.organization, self.client).await?;
        unit.decide::<Client>(self.client, ClientCommand::Disable { reason: self.reason.clone() }).await
    }
}
