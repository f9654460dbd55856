//! Refuse one access token from now on, and leave what it hangs on (RFC 7009, 2.1). Its own client alone.

use domain::client::{Client, ClientCommand};
use domain::grant::{Grant, GrantCommand};
use domain::value::{ClientId, Clock as _, GrantId, Timestamp, TokenId};

use crate::{Actor, Authority, Ports, Refused, Unit, UseCase};

/// Refuse one access token from now on.
#[derive(Debug, Clone)]
pub struct RevokeToken {
    /// Which.
    pub token: TokenId,
    /// The grant that it hangs on; none for one that the client got in its own name.
    pub grant: Option<GrantId>,
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
        let (token, expires_at, at) = (self.token, self.expires_at, ports.clock().now());
        let Some(grant) = self.grant else {
            return unit.decide::<Client>(client, ClientCommand::RevokeToken { token, expires_at, at }).await;
        };
        if unit.load::<Grant>(grant).await?.client() != Some(client) {
            return Err(Refused::NotFound("token"));
        }
        unit.decide::<Grant>(grant, GrantCommand::RevokeToken { token, expires_at, at }).await
    }
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
