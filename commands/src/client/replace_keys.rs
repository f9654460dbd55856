//! Give a client other keys in place of those that it proves itself with. Whoever registered it, owners and admins.

use domain::client::{Client, ClientCommand};
use domain::value::{ClientId, ClientKeySource, OrganizationId};

use super::registrar::must_answer_for;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Give a client other keys.
#[derive(Debug, Clone)]
pub struct ReplaceKeys {
    /// Where.
    pub organization: OrganizationId,
    /// Which client.
    pub client: ClientId,
    /// All of them, or where they are; what is not among them proves nothing from then on.
    pub keys: ClientKeySource,
}

impl UseCase for ReplaceKeys {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_answer_for(unit, actor, self.organization, self.client).await?;
        unit.decide::<Client>(self.client, ClientCommand::ReplaceKeys { keys: self.keys.clone() }).await
    }
}
