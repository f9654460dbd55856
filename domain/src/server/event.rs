//! What happened to an upstream server in the catalogue.

use serde::{Deserialize, Serialize};

use crate::Facts;
use crate::value::{CredentialField, DisplayName, OrganizationId, UpstreamUrl};

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
        /// It is no longer offered, and calls to it are refused.
        Retired = "retired" v 1 {},
    }
}

impl Facts for ServerEvent {
    const AGGREGATE: &'static str = ServerEvent::AGGREGATE;
    const TYPES: &'static [(&'static str, u32)] = ServerEvent::TYPES;
}
