//! Replace the description of a client. Whoever registered it, owners and admins.

use std::collections::BTreeSet;

use domain::client::{Client, ClientCommand};
use domain::value::{ClientId, DisplayName, OrganizationId, RedirectUri, Scopes};

use super::registrar::must_answer_for;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Replace the description of a client.
#[derive(Debug, Clone)]
pub struct Update {
    /// Where.
    pub organization: OrganizationId,
    /// Which client.
    pub client: ClientId,
    /// The name shown at consent.
    pub name: DisplayName,
    /// Where browsers may be sent back to.
    pub redirect_uris: BTreeSet<RedirectUri>,
    /// The most it can be granted; never more than the role of whoever asks.
    pub scopes: Scopes,
}

impl UseCase for Update {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        let entered = must_answer_for(unit, actor, self.organization, self.client).await?;
        entered.must_hand_out(&self.scopes)?;
        let update = ClientCommand::Update {
            name: self.name.clone(),
            redirect_uris: self.redirect_uris.clone(),
            scopes: self.scopes.clone(),
        };
        unit.decide::<Client>(self.client, update).await
    }
}
