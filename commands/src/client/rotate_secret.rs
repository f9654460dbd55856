//! Give a client a new secret, with time to put it in place.

use domain::client::{Client, ClientCommand};
use domain::value::{ClientId, Clock as _, IssuedSecret, OrganizationId, Timestamp};
use serde::{Deserialize, Serialize};

use super::fresh_secret::{FreshSecret, fresh_secret};
use super::registrar::must_answer_for;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// How long two secrets may work side by side.
const PREVIOUS_SECRET_SECONDS_MAX: i64 = 30 * 24 * 60 * 60;

/// Give a client a new secret. Whoever registered it, owners and admins.
#[derive(Debug, Clone)]
pub struct RotateSecret {
    /// Where.
    pub organization: OrganizationId,
    /// Which client.
    pub client: ClientId,
    /// How long the current secret still works; none stops it at once.
    pub previous_until: Option<Timestamp>,
}

/// The client has a new secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecretRotated {
    /// The new secret, shown this once.
    pub secret: IssuedSecret,
}

impl UseCase for RotateSecret {
    type Answer = SecretRotated;

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<SecretRotated, Refused> {
        must_answer_for(unit, actor, self.organization, self.client).await?;
        self.must_end_soon(ports.clock().now())?;
        let FreshSecret { secret, digest } = fresh_secret(ports, unit).await?;
        let rotate = ClientCommand::RotateSecret { secret: digest, previous_until: self.previous_until };
        unit.decide::<Client>(self.client, rotate).await?;
        Ok(SecretRotated { secret })
    }
}

impl RotateSecret {
    fn must_end_soon(&self, now: Timestamp) -> Result<(), Refused> {
        let latest = now.plus_seconds(PREVIOUS_SECRET_SECONDS_MAX);
        match self.previous_until {
            Some(until) if until <= now || until > latest => Err(Refused::Invalid(format!(
                "the current secret stops between now and {latest}; leave the moment out to stop it at once"
            ))),
            Some(_) | None => Ok(()),
        }
    }
}
