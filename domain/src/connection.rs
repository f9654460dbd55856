//! A connection is credentials for one server: who owns it, and which version of its secrets is in force.
//!
//! ```text
//!   (unborn) --create--> open --remove--> removed     nothing leaves `removed`
//! ```
//!
//! Absent: secret values. They lie sealed in the vault, one set for each version; the event puts a set in force.

mod authorization;
mod command;
mod error;
mod event;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use authorization::Authorization;
pub use command::ConnectionCommand;
pub use error::ConnectionError;
pub use event::{AuthorizationEnd, Authorized, ConnectionEvent, ConnectionOwner};

use crate::value::{
    AuthorizationServer, ConnectionId, DisplayName, FieldName, OrganizationId, ProviderScope, ServerId,
};

/// Fields of one set of secrets: as many as a server can ask for.
pub const SECRET_FIELDS_MAX: usize = crate::server::CREDENTIAL_FIELDS_MAX;

/// Scopes of one authorization, those that are wanted for it among them.
pub const AUTHORIZATION_SCOPES_MAX: usize = 64;

/// State of one connection: only what its rules need.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Connection {
    standing: Standing,
    organization: Option<OrganizationId>,
    owner: Option<ConnectionOwner>,
    server: Option<ServerId>,
    name: Option<DisplayName>,
    /// 0 before the first set.
    secrets_version: u32,
    #[serde(default)]
    authorization: Authorization,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Standing {
    #[default]
    Unborn,
    Open,
    Removed,
}

aggregate!(
    Connection,
    id: ConnectionId,
    command: ConnectionCommand,
    event: ConnectionEvent,
    error: ConnectionError
);

impl crate::Aggregate for Connection {
    type Id = ConnectionId;

    fn organization(&self, _: ConnectionId) -> Option<OrganizationId> {
        self.organization
    }

    fn decide(&self, command: &ConnectionCommand) -> Result<Vec<ConnectionEvent>, ConnectionError> {
        match command {
            ConnectionCommand::Create { organization, owner, server, name } => {
                self.must_be_unborn()?;
                Ok(vec![ConnectionEvent::Created {
                    organization: *organization,
                    owner: *owner,
                    server: *server,
                    name: name.clone(),
                }])
            }
            ConnectionCommand::Rename { name } => self.rename(name),
            ConnectionCommand::SetSecrets { fields, version } => self.set_secrets(fields, *version),
            ConnectionCommand::Authorize(authorized) => {
                self.must_be_open()?;
                self.authorization.authorize(authorized)
            }
            ConnectionCommand::WantScopes { authorization, scopes } => {
                self.must_be_open()?;
                Ok(self.authorization.want(*authorization, scopes))
            }
            ConnectionCommand::LoseAuthorization { authorization, reason } => {
                self.must_be_open()?;
                Ok(self.authorization.lose(*authorization, *reason))
            }
            ConnectionCommand::WithdrawAuthorization => {
                self.must_be_open()?;
                Ok(self.authorization.withdraw())
            }
            ConnectionCommand::Remove => self.remove(),
        }
    }
}

impl Connection {
    /// Whether it was created and not removed.
    pub const fn is_open(&self) -> bool {
        matches!(self.standing, Standing::Open)
    }

    /// Whose credentials it holds; none before it is created.
    pub const fn owner(&self) -> Option<ConnectionOwner> {
        self.owner
    }

    /// The server it connects to; none before it is created.
    pub const fn server(&self) -> Option<ServerId> {
        self.server
    }

    /// Which set of secrets is in force; 0 before there is one.
    pub const fn secrets_version(&self) -> u32 {
        self.secrets_version
    }

    /// At which authorization server whoever authorizes it next is asked for which scopes beside what its server names: for those of before, and for
    /// those that were too few.
    pub const fn scopes_to_ask_for(&self) -> Option<(&AuthorizationServer, &BTreeSet<ProviderScope>)> {
        self.authorization.asked_for()
    }

    fn rename(&self, name: &DisplayName) -> Result<Vec<ConnectionEvent>, ConnectionError> {
        self.must_be_open()?;
        if self.name.as_ref() == Some(name) {
            return Ok(vec![]);
        }
        Ok(vec![ConnectionEvent::Renamed { name: name.clone() }])
    }

    /// The vault's versions only grow, with gaps where a set was stored but never came into force. The version in force is refused
    /// like an older one: equal field names say nothing about equal values, so this cannot be told to be a retry.
    fn set_secrets(
        &self,
        fields: &BTreeSet<FieldName>,
        version: u32,
    ) -> Result<Vec<ConnectionEvent>, ConnectionError> {
        self.must_be_open()?;
        if fields.len() > SECRET_FIELDS_MAX {
            return Err(ConnectionError::TooManyFields);
        }
        if version <= self.secrets_version {
            return Err(ConnectionError::StaleVersion);
        }
        Ok(vec![ConnectionEvent::SecretsSet { version, fields: fields.clone() }])
    }

    fn remove(&self) -> Result<Vec<ConnectionEvent>, ConnectionError> {
        match self.standing {
            Standing::Unborn => Err(ConnectionError::Unknown),
            Standing::Removed => Ok(vec![]),
            Standing::Open => Ok(vec![ConnectionEvent::Removed {}]),
        }
    }

    fn must_be_unborn(&self) -> Result<(), ConnectionError> {
        match self.standing {
            Standing::Unborn => Ok(()),
            Standing::Open | Standing::Removed => Err(ConnectionError::Exists),
        }
    }

    fn must_be_open(&self) -> Result<(), ConnectionError> {
        match self.standing {
            Standing::Unborn => Err(ConnectionError::Unknown),
            Standing::Removed => Err(ConnectionError::Removed),
            Standing::Open => Ok(()),
        }
    }

    fn evolve(&mut self, event: ConnectionEvent) {
        match event {
            ConnectionEvent::Created { organization, owner, server, name } => {
                self.standing = Standing::Open;
                self.organization = Some(organization);
                self.owner = Some(owner);
                self.server = Some(server);
                self.name = Some(name);
            }
            ConnectionEvent::Renamed { name } => self.name = Some(name),
            ConnectionEvent::SecretsSet { version, .. } => self.secrets_version = version,
            ConnectionEvent::Authorized { authorization, issuer, scopes, .. } => {
                self.authorization = Authorization::Live { id: authorization, issuer, scopes, asked: 0 };
            }
            ConnectionEvent::ScopesWanted { scopes, .. } => self.authorization.wanted(scopes),
            ConnectionEvent::AuthorizationLost { .. } => self.authorization.lost(),
            ConnectionEvent::AuthorizationWithdrawn { .. } => self.authorization = Authorization::None,
            ConnectionEvent::Removed {} => self.standing = Standing::Removed,
        }
    }
}

#[cfg(test)]
mod tests;
