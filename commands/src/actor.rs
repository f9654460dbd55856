//! Who asks, with what credential, and what that lets them ask: the first argument of every use case.

use domain::value::{ApiKeyId, OrganizationId, Role, Scopes, Timestamp, UserId};

/// Somebody who was authenticated and let through to a use case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What they showed.
    pub credential: Credential,
    /// What they are, where they ask.
    pub authority: Authority,
    /// The scopes of the credential, when it has any: nothing that it makes may do more than it may do itself.
    pub scopes: Option<Scopes>,
    /// Who issued the credential; `None` when nobody did, as at the command line.
    pub issued_by: Option<UserId>,
    /// When the credential ends by itself, if it does: nothing that it makes may last longer.
    pub until: Option<Timestamp>,
}

/// What was shown to prove who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// An API key.
    ApiKey(ApiKeyId),
    /// The one-time bootstrap token of a new deployment.
    BootstrapToken,
    /// The operator at the command line of the deployment itself.
    CommandLine,
}

/// In what capacity somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// As a member of one organization.
    Member {
        /// Who.
        user: UserId,
        /// Where.
        organization: OrganizationId,
        /// As what.
        role: Role,
    },
    /// As an administrator of the whole deployment.
    Administrator {
        /// Who.
        user: UserId,
    },
    /// As whoever sets the deployment up, before there is anybody.
    Founder,
}

impl Actor {
    /// The user on whose behalf the request is, unless nobody exists yet.
    pub const fn user(&self) -> Option<UserId> {
        match self.authority {
            Authority::Member { user, .. } | Authority::Administrator { user } => Some(user),
            Authority::Founder => None,
        }
    }

    /// Whether the user asks in person. A key that somebody else issued calls in their name, within its organization, and is not them:
    /// whoever made it may hold a copy.
    pub fn speaks_for_themself(&self) -> bool {
        self.issued_by.is_none_or(|issuer| self.user() == Some(issuer))
    }

    /// Who is to be named as the issuer of a key that `user`, who asks, makes for a principal. Of the user and of whoever issued the
    /// credential they ask with, it is one who is not the principal, if there is one: a key in somebody's name makes none that speaks for
    /// them, neither for its user nor for its issuer.
    pub(crate) fn issuer(&self, user: UserId, principal: UserId) -> UserId {
        self.issued_by.filter(|issuer| *issuer != principal).unwrap_or(user)
    }

    /// Who hands out a role in an organization: `None` when the deployment's administrator does, who stands above its members.
    pub const fn granting_member(&self) -> Option<UserId> {
        match self.authority {
            Authority::Member { user, .. } => Some(user),
            Authority::Administrator { .. } | Authority::Founder => None,
        }
    }

    /// The name of who acts, as every event carries it.
    pub fn name(&self) -> String {
        match self.authority {
            Authority::Member { user, .. } | Authority::Administrator { user } => format!("user:{user}"),
            Authority::Founder => "founder".to_owned(),
        }
    }
}

impl Credential {
    /// The credential's name, as every event carries it: its id, never its value.
    pub fn name(&self) -> String {
        match self {
            Self::ApiKey(key) => format!("api_key:{key}"),
            Self::BootstrapToken => "bootstrap_token".to_owned(),
            Self::CommandLine => "command_line".to_owned(),
        }
    }
}
