//! Who asks, with what credential, and what that lets them ask: the first argument of every use case.

use domain::value::{ApiKeyId, ClientId, OrganizationId, Role, Scopes, Timestamp, UserId};

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
    /// The session of somebody who signed in.
    Session,
    /// A session that the demonstration began by itself: nobody was asked who they are, nor whether they agree.
    AutoConsent,
    /// What an OAuth client proved itself with; a public one, its id.
    Client(ClientId),
    /// Nothing: the server itself keeps to its schedule.
    Schedule,
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
    /// As themself, wherever they are a member.
    User {
        /// Who.
        user: UserId,
    },
    /// As an OAuth client, about what it was given.
    Client {
        /// Which.
        client: ClientId,
    },
    /// As the server itself, which ends what must not go on and keeps its keys.
    Server,
}

impl Actor {
    /// Somebody who signed in and asks in person.
    pub const fn signed_in(user: UserId) -> Self {
        Self::of(Credential::Session, Authority::User { user })
    }

    /// The demonstration's user, for whom it signs in and agrees by itself.
    pub const fn signed_in_unasked(user: UserId) -> Self {
        Self::of(Credential::AutoConsent, Authority::User { user })
    }

    /// An OAuth client that proved itself.
    pub const fn client(client: ClientId) -> Self {
        Self::of(Credential::Client(client), Authority::Client { client })
    }

    /// The server itself, by its schedule.
    pub const fn schedule() -> Self {
        Self::of(Credential::Schedule, Authority::Server)
    }

    /// The server itself, because of what a client presented.
    pub const fn server_about(client: ClientId) -> Self {
        Self::of(Credential::Client(client), Authority::Server)
    }

    const fn of(credential: Credential, authority: Authority) -> Self {
        Self { credential, authority, scopes: None, issued_by: None, until: None }
    }

    /// The user on whose behalf the request is, unless nobody exists yet.
    pub const fn user(&self) -> Option<UserId> {
        match self.authority {
            Authority::Member { user, .. } | Authority::Administrator { user } | Authority::User { user } => {
                Some(user)
            }
            Authority::Founder | Authority::Client { .. } | Authority::Server => None,
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
            Authority::Member { user, .. } | Authority::User { user } => Some(user),
            Authority::Administrator { .. }
            | Authority::Founder
            | Authority::Client { .. }
            | Authority::Server => None,
        }
    }

    /// The name of who acts, as every event carries it.
    pub fn name(&self) -> String {
        match self.authority {
            Authority::Member { user, .. } | Authority::Administrator { user } | Authority::User { user } => {
                format!("user:{user}")
            }
            Authority::Founder => "founder".to_owned(),
            Authority::Client { client } => format!("client:{client}"),
            Authority::Server => "server".to_owned(),
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
            Self::Session => "session".to_owned(),
            Self::AutoConsent => "auto_consent".to_owned(),
            Self::Client(client) => format!("client:{client}"),
            Self::Schedule => "schedule".to_owned(),
        }
    }
}
