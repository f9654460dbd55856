//! Refuse a key from now on, for ever. Its own user, owners and admins.

use domain::api_key::{ApiKey, ApiKeyCommand};
use domain::value::{ApiKeyId, DisplayName, OrganizationId};

use crate::access::{enter, find};
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Refuse a key from now on, for ever.
#[derive(Debug, Clone)]
pub struct Revoke {
    /// Where.
    pub organization: OrganizationId,
    /// Which key.
    pub api_key: ApiKeyId,
    /// Why, for the audit.
    pub reason: DisplayName,
}

impl UseCase for Revoke {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        let entered = enter(unit, actor, self.organization).await?;
        let key = find::<ApiKey, _>(unit, self.organization, self.api_key).await?;
        entered.must_command(key.principal())?;
        unit.decide::<ApiKey>(self.api_key, ApiKeyCommand::Revoke { reason: self.reason.clone() }).await
    }
}
