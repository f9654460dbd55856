//! Give a key another name. Its own user, owners and admins.

use domain::api_key::{ApiKey, ApiKeyCommand};
use domain::value::{ApiKeyId, DisplayName, OrganizationId};

use crate::access::{enter, find};
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Give a key another name.
#[derive(Debug, Clone)]
pub struct Rename {
    /// Where.
    pub organization: OrganizationId,
    /// Which key.
    pub api_key: ApiKeyId,
    /// The new name.
    pub name: DisplayName,
}

impl UseCase for Rename {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        let entered = enter(unit, actor, self.organization).await?;
        let key = find::<ApiKey, _>(unit, self.organization, self.api_key).await?;
        entered.must_command(key.principal())?;
        unit.decide::<ApiKey>(self.api_key, ApiKeyCommand::Rename { name: self.name.clone() }).await
    }
}
