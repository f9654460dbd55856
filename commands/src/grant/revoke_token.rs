//! Refuse one access token from now on, and leave what it hangs on (RFC 7009, 2.1). Its own client alone.
//!
//! The token tells it, not the grant or the client: those are read to see whose it is, and stay as short as they are.

use domain::Aggregate as _;
use domain::access_token::{AccessToken, AccessTokenCommand};
use domain::client::Client;
use domain::grant::Grant;
use domain::value::{ClientId, Clock as _, GrantId, InstanceId, OrganizationId, Timestamp, TokenId};

use crate::ports::Log;
use crate::{Actor, Authority, Ports, Refused, Unit, UseCase};

/// Refuse one access token from now on.
#[derive(Debug, Clone)]
pub struct RevokeToken {
    /// Which.
    pub token: TokenId,
    /// The grant that it hangs on; none for one that the client got in its own name.
    pub grant: Option<GrantId>,
    /// Its audience.
    pub instance: InstanceId,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

impl UseCase for RevokeToken {
    type Answer = ();

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<(), Refused> {
        let client = asking_client(actor)?;
        let holds = match self.grant {
            Some(grant) => on_grant(unit, grant, client).await?,
            None => on_client(unit, client).await?,
        };
        let organization = match holds {
            Holds::Nothing => return Ok(()),
            Holds::In(organization) => organization,
        };
        let (grant, instance, expires_at) = (self.grant, self.instance, self.expires_at);
        let at = ports.clock().now();
        let revoke = AccessTokenCommand::Revoke { client, grant, organization, instance, expires_at, at };
        unit.decide::<AccessToken>(self.token, revoke).await
    }
}

/// What a token hangs on, as far as its revocation asks.
enum Holds {
    /// It is over, and the token with it.
    Nothing,
    /// It lets tokens in at this organization.
    In(Option<OrganizationId>),
}

async fn on_grant<L: Log>(unit: &Unit<'_, L>, id: GrantId, client: ClientId) -> Result<Holds, Refused> {
    let grant = unit.load::<Grant>(id).await?;
    if grant.client() != Some(client) {
        return Err(Refused::NotFound("token"));
    }
    Ok(if grant.is_live() { Holds::In(grant.organization(id)) } else { Holds::Nothing })
}

/// In its own name a client is at home only.
async fn on_client<L: Log>(unit: &Unit<'_, L>, id: ClientId) -> Result<Holds, Refused> {
    let client = unit.load::<Client>(id).await?;
    Ok(if client.exists() { Holds::In(client.organization(id)) } else { Holds::Nothing })
}

/// The client that asks about what it was given. That it proved itself is what the edge saw; one that is disabled may still give back.
pub(super) fn asking_client(actor: &Actor) -> Result<ClientId, Refused> {
    match actor.authority {
        Authority::Client { client } => Ok(client),
        Authority::User { .. }
        | Authority::Member { .. }
        | Authority::Administrator { .. }
        | Authority::Founder
        | Authority::Server => {
            Err(Refused::Forbidden("only the client that it was issued to gives a token back"))
        }
    }
}
