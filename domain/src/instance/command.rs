//! What may be asked of an instance.

use super::{CallerAuthentication, MemberNames, Recording, WhenStale};
use crate::value::{ConnectionId, DisplayName, OrganizationId, ToolSelection};

/// A request to an instance.
#[derive(Debug, Clone)]
pub enum InstanceCommand {
    /// Bring it into being, running.
    Create {
        /// Where it belongs.
        organization: OrganizationId,
        /// The name shown in lists.
        name: DisplayName,
        /// What it connects to.
        connections: Vec<ConnectionId>,
        /// What members without a name are to be called like, where there are several.
        like: MemberNames,
        /// Which tools it exposes.
        tools: ToolSelection,
        /// How callers prove who they are.
        authentication: CallerAuthentication,
    },
    /// Change the name.
    Rename {
        /// The new name.
        name: DisplayName,
    },
    /// Connect it to something else.
    ChangeConnections {
        /// What it connects to.
        connections: Vec<ConnectionId>,
        /// What members without a name are to be called like, where there are several.
        like: MemberNames,
    },
    /// Call its members something else.
    NameMembers {
        /// The name of each.
        names: MemberNames,
    },
    /// Expose other tools.
    ChangeTools {
        /// Which tools it exposes.
        tools: ToolSelection,
    },
    /// Let callers prove in another way who they are.
    ChangeAuthentication {
        /// How callers prove who they are.
        authentication: CallerAuthentication,
    },
    /// Record its calls in another way.
    ChangeRecording {
        /// How calls are recorded.
        recording: Recording,
    },
    /// Give its calls another fate while a node knows too little to decide.
    ChangeWhenStale {
        /// What becomes of them.
        when_stale: WhenStale,
    },
    /// Answer calls.
    Start,
    /// Refuse calls for now.
    Stop,
    /// End it for good.
    Delete,
}
