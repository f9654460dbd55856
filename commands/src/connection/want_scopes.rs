//! Note that an upstream wants more than a connection was authorized for, so that whoever authorizes it next is asked for that. The server alone.

use std::collections::BTreeSet;

use domain::connection::{Connection, ConnectionCommand};
use domain::value::{AuthorizationId, ConnectionId, ProviderScope};

use super::holder::must_be_the_server;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Note what an upstream wants.
#[derive(Debug, Clone)]
pub struct WantScopes {
    /// Of which connection.
    pub connection: ConnectionId,
    /// The authorization that was too little.
    pub authorization: AuthorizationId,
    /// What is wanted.
    pub scopes: BTreeSet<ProviderScope>,
}

impl UseCase for WantScopes {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_be_the_server(actor)?;
        let (authorization, scopes) = (self.authorization, self.scopes.clone());
        let want = ConnectionCommand::WantScopes { authorization, scopes };
        unit.decide::<Connection>(self.connection, want).await
    }
}
