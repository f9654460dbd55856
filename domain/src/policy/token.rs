//! The facts about an access token, and whether it counts at all.

use super::{Denial, Standing};
use crate::value::{InstanceId, OrganizationId, Role, Scopes, Timestamp};

/// The facts about an access token, its client, and whoever stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenFacts<'a> {
    /// The organization of the instance that the token is for.
    pub organization: OrganizationId,
    /// That organization's standing.
    pub organization_standing: Standing,
    /// Whether the token itself was revoked.
    pub revoked: bool,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// The standing of its client: `Suspended` when disabled, `Ended` when deleted.
    pub client_standing: Standing,
    /// In whose name it calls.
    pub subject: TokenSubject,
    /// What it may do: a scope counts only when the token, the grant and the client all grant it.
    pub scopes: [&'a Scopes; 3],
    /// Its audience: the one instance that it is for.
    pub instance: InstanceId,
}

/// In whose name a token calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenSubject {
    /// A user who consented.
    User {
        /// Whether what they consented to was taken back.
        grant_revoked: bool,
        /// When that ends by itself, if it does.
        grant_expires_at: Option<Timestamp>,
        /// The user's standing.
        standing: Standing,
        /// What the user is in the instance's organization; `None` when not a member any more.
        role: Option<Role>,
    },
    /// The client itself.
    Client {
        /// Whose client it is, if anybody's: there and only there it counts as a member.
        organization: Option<OrganizationId>,
    },
}

impl TokenFacts<'_> {
    /// As what it calls in the organization of its instance.
    pub fn role(&self) -> Option<Role> {
        match self.subject {
            TokenSubject::User { role, .. } => role,
            TokenSubject::Client { organization } => {
                (organization == Some(self.organization)).then_some(Role::Member)
            }
        }
    }
}

/// The token itself, before anything is asked of it.
pub fn token_authenticates(token: &TokenFacts<'_>, now: Timestamp) -> Result<(), Denial> {
    if token.revoked {
        return Err(Denial::TokenRevoked);
    }
    if token.expires_at <= now {
        return Err(Denial::TokenExpired);
    }
    match token.client_standing {
        Standing::Active => {}
        Standing::Suspended | Standing::Ended => return Err(Denial::ClientInactive),
    }
    match token.subject {
        TokenSubject::User { grant_revoked: true, .. } => return Err(Denial::GrantRevoked),
        TokenSubject::User { grant_expires_at: Some(end), .. } if end <= now => {
            return Err(Denial::GrantRevoked);
        }
        TokenSubject::User { standing: Standing::Suspended | Standing::Ended, .. } => {
            return Err(Denial::PrincipalInactive);
        }
        TokenSubject::Client { .. } | TokenSubject::User { standing: Standing::Active, .. } => {}
    }
    match token.organization_standing {
        Standing::Active => {}
        Standing::Suspended => return Err(Denial::OrganizationSuspended),
        Standing::Ended => return Err(Denial::OrganizationDeleted),
    }
    token.role().map_or(Err(Denial::NotMember), |_| Ok(()))
}
