//! A client registers itself (RFC 7591): with leave of an organization, or, where the deployment lets anybody, as nobody's.
//!
//! It hands out nothing: whatever it may be granted, people grant it, one by one and at one instance each, and in its own name it gets no token. So
//! whoever gives it leave need not hold the scopes that it may ask people for. Whether anybody may register one is the edge's policy.

use domain::client::{Client, ClientCommand, ItselfDescribed, ItselfRegistered as Said};
use domain::value::{
    ClientId, Clock as _, IssuedSecret, OrganizationId, Timestamp, compose_registration_token,
};
use serde::{Deserialize, Serialize};

use super::itself::must_be;
use super::proof::{Prepared, Proof};
use crate::access::enter;
use crate::{Actor, Entropy as _, Ports, Refused, SecretHasher as _, Unit, UseCase};

/// Register oneself.
#[derive(Debug, Clone)]
pub struct RegisterItself {
    /// Its id, drawn outside: it asks under it already.
    pub id: ClientId,
    /// Whose client it is to be; nobody's where it asks without leave.
    pub organization: Option<OrganizationId>,
    /// What it is to prove itself with.
    pub proof: Proof,
    /// What it says of itself.
    pub description: ItselfDescribed,
}

/// It may ask people for authorization.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ItselfRegistered {
    /// Its secret, if it keeps one, shown this once.
    pub secret: Option<IssuedSecret>,
    /// What it manages its registration with.
    pub token: IssuedSecret,
    /// Since when it is there.
    pub at: Timestamp,
}

impl UseCase for RegisterItself {
    type Answer = ItselfRegistered;

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<ItselfRegistered, Refused> {
        let registered_by = if let Some(organization) = self.organization {
            let entered = enter(unit, actor, organization).await?;
            entered.must_hold_credentials()?;
            Some(entered.user)
        } else {
            must_be(self.id, actor)?;
            None
        };
        let Prepared { kind, authentication, secret } = self.proof.prepare(ports, unit).await?;
        let (token, at) = (compose_registration_token(&ports.entropy().secret()), ports.clock().now());
        let said = Said {
            organization: self.organization,
            client_id: self.id,
            kind,
            authentication,
            description: self.description.clone(),
            registered_by,
            registration_token: ports.hasher().digest(&token),
            at,
        };
        unit.decide::<Client>(self.id, ClientCommand::RegisterItself(Box::new(said))).await?;
        Ok(ItselfRegistered { secret, token, at })
    }
}
