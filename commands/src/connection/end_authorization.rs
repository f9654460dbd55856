//! End what a connection was authorized for: its own user, owners and admins take it back; the server itself notes that it is of no use any more.

use domain::connection::{AuthorizationEnd, Connection, ConnectionCommand};
use domain::value::{AuthorizationId, ConnectionId, OrganizationId};

use super::holder::{must_be_the_server, must_hold};
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Take the authorization of a connection back.
#[derive(Debug, Clone)]
pub struct WithdrawAuthorization {
    /// Where.
    pub organization: OrganizationId,
    /// Which connection.
    pub connection: ConnectionId,
}

impl UseCase for WithdrawAuthorization {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_hold(unit, actor, self.organization, self.connection).await?;
        unit.decide::<Connection>(self.connection, ConnectionCommand::WithdrawAuthorization).await
    }
}

/// Note that an authorization is of no use any more. The server alone; of another one than that in force, nothing is noted.
#[derive(Debug, Clone)]
pub struct LoseAuthorization {
    /// Of which connection.
    pub connection: ConnectionId,
    /// Which.
    pub authorization: AuthorizationId,
    /// Why.
    pub reason: AuthorizationEnd,
}

impl UseCase for LoseAuthorization {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_be_the_server(actor)?;
        let Self { connection, authorization, reason } = *self;
        let lose = ConnectionCommand::LoseAuthorization { authorization, reason };
        unit.decide::<Connection>(connection, lose).await
    }
}
