//! Take a client's registration over: it manages itself no longer. Whoever registered it, owners and admins; administrators of the deployment, where it
//! is nobody's.

use domain::client::{Client, ClientCommand};
use domain::value::{ClientId, OrganizationId};

use super::registrar::must_be_able_to_end;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Revoke the token that a client manages its registration with (RFC 7592).
#[derive(Debug, Clone)]
pub struct RevokeRegistrationToken {
    /// Where; nowhere for one that is nobody's.
    pub organization: Option<OrganizationId>,
    /// Which client.
    pub client: ClientId,
}

impl UseCase for RevokeRegistrationToken {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_be_able_to_end(unit, actor, self.organization, self.client).await?;
        unit.decide::<Client>(self.client, ClientCommand::RevokeRegistrationToken).await
    }
}
