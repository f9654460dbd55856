//! What happened to an upstream server in the catalogue.

use serde::{Deserialize, Serialize};

use crate::Facts;
use crate::value::{AuthorizationServer, CredentialField, DisplayName, OrganizationId, UpstreamUrl};

/// How the server is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Streamable HTTP (MCP 2025-11-25, transports).
    Http {
        /// The one endpoint.
        url: UpstreamUrl,
    },
}

impl Transport {
    /// Whether both lead to one origin. Secrets that were meant for one origin are never sent to another.
    pub fn is_at_origin_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Http { url }, Self::Http { url: other }) => url.is_at_origin_of(other),
        }
    }
}

/// Who may connect to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Those who administer it.
    Private,
    /// The members of its organization.
    Organization,
    /// Every organization of the deployment.
    Public,
}

impl Visibility {
    /// All of them, from fewest readers to most.
    pub const ALL: [Self; 3] = [Self::Private, Self::Organization, Self::Public];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Organization => "organization",
            Self::Public => "public",
        }
    }
}

/// How a connection comes to a token (RFC 6749, 1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UpstreamGrant {
    /// A person allows it at the authorization server.
    AuthorizationCode,
    /// The client that the connection names gets tokens in its own name.
    ClientCredentials,
}

impl UpstreamGrant {
    /// The name in OAuth.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
        }
    }
}

/// That connections of a server are authorized by OAuth. Where, the server says itself when it is asked (RFC 9728).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServerOauth {
    /// How a connection comes to a token.
    pub grant: UpstreamGrant,
    /// The one authorization server that may give them out, whatever the server names; none leaves the choice to the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<AuthorizationServer>,
}

events! {
    /// Facts about an upstream server in the catalogue.
    pub enum ServerEvent of "server" {
        /// It can be connected to.
        Registered = "registered" v 1 {
            /// Whose server it is; none is the deployment's own catalogue.
            organization: Option<OrganizationId>,
            /// The name shown in lists.
            name: DisplayName,
            /// How it is reached.
            transport: Transport,
            /// What it needs to be told on every call.
            credential_fields: Vec<CredentialField>,
            /// Who may connect to it.
            visibility: Visibility,
        },
        /// It has another description.
        Updated = "updated" v 1 {
            /// The name shown in lists.
            name: DisplayName,
            /// How it is reached.
            transport: Transport,
            /// What it needs to be told on every call.
            credential_fields: Vec<CredentialField>,
            /// Who may connect to it.
            visibility: Visibility,
        },
        /// Its connections are authorized by OAuth from now on, in another way, or no longer.
        OauthChanged = "oauth_changed" v 1 {
            /// How; none when they are not.
            oauth: Option<ServerOauth>,
        },
        /// It is no longer offered, and calls to it are refused.
        Retired = "retired" v 1 {},
    }
}

impl Facts for ServerEvent {
    const AGGREGATE: &'static str = ServerEvent::AGGREGATE;
    const TYPES: &'static [(&'static str, u32)] = ServerEvent::TYPES;
}
