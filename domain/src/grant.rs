//! A grant is one user's standing authorization of one client at one instance: what access and refresh tokens hang on.
//!
//! ```text
//!   (unborn) --grant--> live --revoke--> revoked     nothing leaves `revoked`
//!                       |  ^ change scopes
//!                       `--'
//! ```
//!
//! There is at most one live grant of a user, a client and an instance: a claim holds the place. Expiry is no state: whoever reads the grant
//! compares the moment in `granted` with the clock.

mod command;
mod error;
mod event;

use serde::{Deserialize, Serialize};

pub use command::GrantCommand;
pub use error::GrantError;
pub use event::{GrantEnd, GrantEvent, place};

use crate::value::{ClientId, GrantId, InstanceId, OrganizationId, Scope, Scopes, Timestamp, UserId};

/// How long an access token lives. Whoever stops a token counts on none living longer.
pub const ACCESS_TOKEN_SECONDS: i64 = 600;

/// State of one grant: only what its rules need.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Grant {
    standing: Standing,
    place: Option<Place>,
    scopes: Scopes,
    expires_at: Option<Timestamp>,
}

/// Whose authorization it is, of what, for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    organization: OrganizationId,
    user: UserId,
    client: ClientId,
    instance: InstanceId,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Standing {
    #[default]
    Unborn,
    Live,
    Revoked,
}

aggregate!(Grant, id: GrantId, command: GrantCommand, event: GrantEvent, error: GrantError);

impl crate::Aggregate for Grant {
    type Id = GrantId;

    fn organization(&self, _: GrantId) -> Option<OrganizationId> {
        self.place.map(|place| place.organization)
    }

    fn decide(&self, command: &GrantCommand) -> Result<Vec<GrantEvent>, GrantError> {
        match command {
            GrantCommand::Grant { organization, user, client, instance, scopes, expires_at, at } => {
                self.must_be_unborn()?;
                must_open_an_instance(scopes)?;
                if expires_at.is_some_and(|expires_at| expires_at <= *at) {
                    return Err(GrantError::ExpiryNotInFuture);
                }
                Ok(vec![GrantEvent::Granted {
                    organization: *organization,
                    user: *user,
                    client: *client,
                    instance: *instance,
                    scopes: scopes.clone(),
                    expires_at: *expires_at,
                }])
            }
            GrantCommand::ChangeScopes { scopes } => self.change_scopes(scopes),
            GrantCommand::Revoke { reason } => self.revoke(*reason),
        }
    }
}

impl Grant {
    /// Whether it was given and not revoked.
    pub const fn is_live(&self) -> bool {
        matches!(self.standing, Standing::Live)
    }

    /// Whether its time is over, if it has one.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Whose authorization it is; none before it is given.
    pub fn user(&self) -> Option<UserId> {
        self.place.map(|place| place.user)
    }

    /// Which client may act; none before it is given.
    pub fn client(&self) -> Option<ClientId> {
        self.place.map(|place| place.client)
    }

    fn must_be_unborn(&self) -> Result<(), GrantError> {
        match self.standing {
            Standing::Unborn => Ok(()),
            Standing::Live | Standing::Revoked => Err(GrantError::Exists),
        }
    }

    fn change_scopes(&self, scopes: &Scopes) -> Result<Vec<GrantEvent>, GrantError> {
        match self.standing {
            Standing::Unborn => Err(GrantError::Unknown),
            Standing::Revoked => Err(GrantError::Revoked),
            Standing::Live if self.scopes == *scopes => Ok(vec![]),
            Standing::Live => {
                must_open_an_instance(scopes)?;
                Ok(vec![GrantEvent::ScopesChanged { scopes: scopes.clone() }])
            }
        }
    }

    fn revoke(&self, reason: GrantEnd) -> Result<Vec<GrantEvent>, GrantError> {
        match self.standing {
            Standing::Unborn => Err(GrantError::Unknown),
            Standing::Revoked => Ok(vec![]),
            Standing::Live => Ok(vec![GrantEvent::Revoked { reason }]),
        }
    }

    fn evolve(&mut self, event: GrantEvent) {
        match event {
            GrantEvent::Granted { organization, user, client, instance, scopes, expires_at } => {
                self.standing = Standing::Live;
                self.place = Some(Place { organization, user, client, instance });
                self.scopes = scopes;
                self.expires_at = expires_at;
            }
            GrantEvent::ScopesChanged { scopes } => self.scopes = scopes,
            GrantEvent::Revoked { reason: _ } => self.standing = Standing::Revoked,
            GrantEvent::TokenRevoked { token: _, expires_at: _ } => {} // no rule of grants asks for tokens
        }
    }
}

/// A token is for one instance, and opens no management API.
fn must_open_an_instance(scopes: &Scopes) -> Result<(), GrantError> {
    if scopes.is_empty() {
        return Err(GrantError::NoScopes);
    }
    if scopes.iter().all(Scope::opens_mcp) { Ok(()) } else { Err(GrantError::ManagementScope) }
}

#[cfg(test)]
mod tests;
