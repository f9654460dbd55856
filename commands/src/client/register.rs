//! Register an OAuth client, with a secret or with keys of its own when it can keep something to itself.

use std::collections::BTreeSet;

use domain::client::{Client, ClientCommand};
use domain::value::{ClientId, DisplayName, IssuedSecret, OrganizationId, RedirectUri, Scopes};
use serde::{Deserialize, Serialize};

use super::proof::{Prepared, Proof};
use crate::access::enter;
use crate::{Actor, Entropy as _, Ports, Refused, Unit, UseCase};

/// Register an OAuth client. Whoever registers it may change it, and so may owners and admins.
#[derive(Debug, Clone)]
pub struct Register {
    /// Where.
    pub organization: OrganizationId,
    /// The name shown at consent.
    pub name: DisplayName,
    /// What it is to prove itself with.
    pub proof: Proof,
    /// Where browsers may be sent back to.
    pub redirect_uris: BTreeSet<RedirectUri>,
    /// The most it can be granted; never more than the registrar's own role.
    pub scopes: Scopes,
}

/// The client may ask for authorization.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Registered {
    /// Its id; as text it is the `client_id` of OAuth.
    pub id: ClientId,
    /// Its secret, if it keeps one, shown this once.
    pub secret: Option<IssuedSecret>,
}

impl UseCase for Register {
    type Answer = Registered;

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<Registered, Refused> {
        let entered = enter(unit, actor, self.organization).await?;
        entered.must_hold_credentials()?;
        entered.must_hand_out(&self.scopes)?;
        let id = ClientId::new(ports.entropy().id());
        let Prepared { kind, authentication, secret } = self.proof.prepare(ports, unit).await?;
        let register = ClientCommand::Register {
            organization: self.organization,
            client_id: id,
            name: self.name.clone(),
            kind,
            redirect_uris: self.redirect_uris.clone(),
            scopes: self.scopes.clone(),
            registered_by: entered.user,
            authentication,
            grant_types: None,
        };
        unit.decide::<Client>(id, register).await?;
        Ok(Registered { id, secret })
    }
}
