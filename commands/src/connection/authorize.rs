//! Put in force what an authorization server gave out for a connection. The tokens lie sealed already; an event then names them.
//!
//! Like secrets, tokens are entrusted to one place: the unit rests on the server, and what was come by before a move is refused after it.

use domain::connection::{Authorized, Connection, ConnectionCommand, ConnectionError};
use domain::server::{Server, ServerError, Transport};
use domain::value::{ConnectionId, OrganizationId};

use super::holder::must_hold;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Put in force what an authorization server gave out. The connection's own user, owners and admins.
#[derive(Debug, Clone)]
pub struct Authorize {
    /// Where.
    pub organization: OrganizationId,
    /// Which connection.
    pub connection: ConnectionId,
    /// What was given out.
    pub authorized: Authorized,
    /// Where the server was when it was asked for.
    pub meant_for: Transport,
}

impl UseCase for Authorize {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        let connection = must_hold(unit, actor, self.organization, self.connection).await?;
        let server = connection.server().ok_or(Refused::NotFound("server"))?;
        let server = unit.rest_on::<Server>(server).await?;
        if !server.is_offered() {
            return Err(ServerError::Retired.into());
        }
        let transport = server.transport().ok_or(Refused::NotFound("server"))?;
        if !transport.is_at_origin_of(&self.meant_for) {
            return Err(ConnectionError::ServerMoved.into());
        }
        let fits = server.oauth().is_some_and(|oauth| {
            oauth.grant == self.authorized.grant
                && oauth.issuer.as_ref().is_none_or(|issuer| *issuer == self.authorized.issuer)
        });
        if !fits {
            return Err(ConnectionError::AuthorizationUnfit.into());
        }
        let authorize = ConnectionCommand::Authorize(self.authorized.clone());
        unit.decide::<Connection>(self.connection, authorize).await
    }
}
