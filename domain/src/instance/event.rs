//! What happened to an instance.

use serde::{Deserialize, Serialize};

use super::{MemberNames, Recording};
use crate::Facts;
use crate::value::{ConnectionId, DisplayName, OrganizationId, ToolSelection};

/// How callers of the endpoint prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CallerAuthentication {
    /// Not at all: for callers on the same machine only.
    None,
    /// By an API key.
    ApiKey,
    /// By an OAuth access token.
    Oauth,
    /// By either.
    Both,
}

impl CallerAuthentication {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::ApiKey, Self::Oauth, Self::Both];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ApiKey => "api_key",
            Self::Oauth => "oauth",
            Self::Both => "both",
        }
    }

    /// Whether an API key opens the endpoint.
    pub const fn takes_api_keys(self) -> bool {
        match self {
            Self::ApiKey | Self::Both => true,
            Self::None | Self::Oauth => false,
        }
    }

    /// Whether an access token opens the endpoint.
    pub const fn takes_tokens(self) -> bool {
        match self {
            Self::Oauth | Self::Both => true,
            Self::None | Self::ApiKey => false,
        }
    }
}

/// What becomes of calls while a node knows too little to decide and cannot ask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WhenStale {
    /// They are refused: a revocation holds within the bound, whatever happens.
    #[default]
    Refuse,
    /// They are decided by what the node knew last, and marked so.
    Serve,
}

impl WhenStale {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Refuse, Self::Serve];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Serve => "serve",
        }
    }
}

events! {
    /// Facts about an instance, the thing behind `/mcp/{instance}`.
    pub enum InstanceEvent of "instance" {
        /// It came into being, and runs.
        Created = "created" v 1 {
            /// Where it belongs.
            organization: OrganizationId,
            /// The name shown in lists.
            name: DisplayName,
            /// What it connects to.
            connections: Vec<ConnectionId>,
            /// Which tools it exposes.
            tools: ToolSelection,
            /// How callers prove who they are.
            authentication: CallerAuthentication,
        },
        /// It has another name.
        Renamed = "renamed" v 1 {
            /// The new name.
            name: DisplayName,
        },
        /// It connects to something else.
        ConnectionsChanged = "connections_changed" v 1 {
            /// What it connects to.
            connections: Vec<ConnectionId>,
        },
        /// Its members are called so: their tools are exposed as `{member}__{tool}`, where there are several.
        MembersNamed = "members_named" v 1 {
            /// The name of each, by connection.
            names: MemberNames,
        },
        /// It exposes other tools.
        ToolsChanged = "tools_changed" v 1 {
            /// Which tools it exposes.
            tools: ToolSelection,
        },
        /// Callers prove in another way who they are.
        AuthenticationChanged = "authentication_changed" v 1 {
            /// How callers prove who they are.
            authentication: CallerAuthentication,
        },
        /// Its calls are recorded in another way.
        RecordingChanged = "recording_changed" v 1 {
            /// How calls are recorded.
            recording: Recording,
        },
        /// Its calls have another fate while a node knows too little to decide.
        WhenStaleChanged = "when_stale_changed" v 1 {
            /// What becomes of them.
            when_stale: WhenStale,
        },
        /// It answers again.
        Started = "started" v 1 {},
        /// Its calls are refused until it is started.
        Stopped = "stopped" v 1 {},
        /// It is gone.
        Deleted = "deleted" v 1 {},
    }
}

impl Facts for InstanceEvent {
    const AGGREGATE: &'static str = InstanceEvent::AGGREGATE;
    const TYPES: &'static [(&'static str, u32)] = InstanceEvent::TYPES;
}
