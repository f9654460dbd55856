//! Typed identifiers: a key's id cannot be passed where an instance's is wanted.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is not an identifier of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {what}: expected a UUID such as 0192f0c1-2b3c-7d4e-8f50-112233445566")]
pub struct IdError {
    what: &'static str,
    text: String,
}

macro_rules! id {
    ($($(#[$meta:meta])* $name:ident, $what:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps an id made outside: by the entropy port, or by a deterministic derivation.
            pub const fn new(id: Uuid) -> Self { Self(id) }

            /// The raw value.
            pub const fn uuid(self) -> Uuid { self.0 }

            /// Reads the hyphenated or plain text of a UUID.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text).map(Self).map_err(|_| IdError { what: $what, text: text.chars().take(64).collect() })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> { Self::parse(text) }
        }
    )+};
}

id! {
    /// A tenant.
    OrganizationId, "an organization id";
    /// A person.
    UserId, "a user id";
    /// An OAuth client.
    ClientId, "a client id";
    /// An API key; its text form inside the key is the key id.
    ApiKeyId, "an API key id";
    /// An upstream MCP server in the catalogue.
    ServerId, "a server id";
    /// Credentials and settings for one server.
    ConnectionId, "a connection id";
    /// The thing behind `/mcp/{instance}`.
    InstanceId, "an instance id";
    /// One user's standing authorization of one client at one instance.
    GrantId, "a grant id";
    /// An access token: its `jti` (RFC 9068, 2.2).
    TokenId, "a token id";
    /// A client secret for an identity provider, as it lies sealed beside the log.
    ProviderSecretId, "the id of a provider's secret";
    /// What an upstream's authorization server gave out for a connection, as it lies sealed beside the log.
    AuthorizationId, "an authorization id";
    /// An announcement of the deployment.
    AnnouncementId, "an announcement id";
}

/// The one deployment: its aggregate id is a constant, because there is exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeploymentId;

impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deployment")
    }
}

/// Place of an event in the global order: dense, from 1. `Position::START` is before the first event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Position(u64);

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);

    /// Wraps a position read from the log or from a caller.
    pub const fn new(position: u64) -> Self {
        Self(position)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The place right after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
