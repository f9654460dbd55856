//! An API key lets a program call in a user's name, within one organization.
//!
//! ```text
//!   (unborn) --issue--> active --revoke--> revoked     nothing leaves `revoked`
//! ```
//!
//! Expiry is no state: whoever reads the key compares the moment in `issued` with the clock.

mod command;
mod error;
mod event;

use serde::{Deserialize, Serialize};

pub use command::ApiKeyCommand;
pub use error::ApiKeyError;
pub use event::{ApiKeyEvent, KeyEnvironment};

use crate::value::{ApiKeyId, DisplayName, OrganizationId, UserId};

/// State of one API key: only what its rules need.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ApiKey {
    standing: Standing,
    organization: Option<OrganizationId>,
    principal: Option<UserId>,
    name: Option<DisplayName>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Standing {
    #[default]
    Unborn,
    Active,
    Revoked,
}

aggregate!(ApiKey, id: ApiKeyId, command: ApiKeyCommand, event: ApiKeyEvent, error: ApiKeyError);

impl crate::Aggregate for ApiKey {
    type Id = ApiKeyId;

    fn organization(&self, _: ApiKeyId) -> Option<OrganizationId> {
        self.organization
    }

    fn decide(&self, command: &ApiKeyCommand) -> Result<Vec<ApiKeyEvent>, ApiKeyError> {
        match command {
            ApiKeyCommand::Issue {
                organization,
                key_id,
                name,
                principal,
                issued_by,
                instance,
                scopes,
                digest,
                expires_at,
                environment,
                at,
            } => {
                self.must_be_unborn()?;
                if scopes.is_empty() {
                    return Err(ApiKeyError::NoScopes);
                }
                if expires_at.is_some_and(|expires_at| expires_at <= *at) {
                    return Err(ApiKeyError::ExpiryNotInFuture);
                }
                Ok(vec![ApiKeyEvent::Issued {
                    organization: *organization,
                    key_id: key_id.clone(),
                    name: name.clone(),
                    principal: *principal,
                    issued_by: *issued_by,
                    instance: *instance,
                    scopes: scopes.clone(),
                    digest: digest.clone(),
                    expires_at: *expires_at,
                    environment: *environment,
                }])
            }
            ApiKeyCommand::Rename { name } => self.rename(name),
            ApiKeyCommand::Revoke { reason } => self.revoke(reason),
        }
    }
}

impl ApiKey {
    /// Whether it was issued and not revoked.
    pub const fn is_active(&self) -> bool {
        matches!(self.standing, Standing::Active)
    }

    /// In whose name it calls; none before it is issued.
    pub const fn principal(&self) -> Option<UserId> {
        self.principal
    }

    fn must_be_unborn(&self) -> Result<(), ApiKeyError> {
        match self.standing {
            Standing::Unborn => Ok(()),
            Standing::Active | Standing::Revoked => Err(ApiKeyError::Exists),
        }
    }

    fn rename(&self, name: &DisplayName) -> Result<Vec<ApiKeyEvent>, ApiKeyError> {
        match self.standing {
            Standing::Unborn => Err(ApiKeyError::Unknown),
            Standing::Revoked => Err(ApiKeyError::Revoked),
            Standing::Active if self.name.as_ref() == Some(name) => Ok(vec![]),
            Standing::Active => Ok(vec![ApiKeyEvent::Renamed { name: name.clone() }]),
        }
    }

    fn revoke(&self, reason: &DisplayName) -> Result<Vec<ApiKeyEvent>, ApiKeyError> {
        match self.standing {
            Standing::Unborn => Err(ApiKeyError::Unknown),
            Standing::Revoked => Ok(vec![]),
            Standing::Active => Ok(vec![ApiKeyEvent::Revoked { reason: reason.clone() }]),
        }
    }

    fn evolve(&mut self, event: ApiKeyEvent) {
        match event {
            ApiKeyEvent::Issued { organization, name, principal, .. } => {
                self.standing = Standing::Active;
                self.organization = Some(organization);
                self.principal = Some(principal);
                self.name = Some(name);
            }
            ApiKeyEvent::Renamed { name } => self.name = Some(name),
            ApiKeyEvent::Revoked { .. } => self.standing = Standing::Revoked,
        }
    }
}

#[cfg(test)]
mod tests;
