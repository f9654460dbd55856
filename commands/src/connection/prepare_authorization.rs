//! Look at what a connection is to be authorized for, before anybody is led anywhere. Its own user, owners and admins.

use std::collections::BTreeSet;

use domain::server::{Server, ServerError, ServerOauth, Transport};
use domain::value::{AuthorizationServer, ConnectionId, OrganizationId, ProviderScope, ServerId};
use serde::{Deserialize, Serialize};

use super::holder::must_hold;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Look at what a connection is to be authorized for.
#[derive(Debug, Clone)]
pub struct PrepareAuthorization {
    /// Where.
    pub organization: OrganizationId,
    /// Which connection.
    pub connection: ConnectionId,
}

/// What there is to authorize.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Prepared {
    /// The server that tokens are for.
    pub server: ServerId,
    /// Where it is.
    pub transport: Transport,
    /// How.
    pub oauth: ServerOauth,
    /// What is asked for beside what the server names, at the authorization server that gave out something before.
    pub before: Option<(AuthorizationServer, BTreeSet<ProviderScope>)>,
}

impl UseCase for PrepareAuthorization {
    type Answer = Prepared;

    async fn run<P: Ports>(
        &self,
        _: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<Prepared, Refused> {
        let connection = must_hold(unit, actor, self.organization, self.connection).await?;
        let id = connection.server().ok_or(Refused::NotFound("server"))?;
        let server = unit.load::<Server>(id).await?;
        if !server.is_offered() {
            return Err(ServerError::Retired.into());
        }
        let transport = server.transport().ok_or(Refused::NotFound("server"))?.clone();
        let oauth = server.oauth().cloned().ok_or_else(|| {
            Refused::Invalid(
                "the server of this connection is not authorized by OAuth; set its secrets".to_owned(),
            )
        })?;
        let before = connection.scopes_to_ask_for();
        let before = before.map(|(issuer, scopes)| (issuer.clone(), scopes.clone()));
        Ok(Prepared { server: id, transport, oauth, before })
    }
}
