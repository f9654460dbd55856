//! What may be asked of a connection.

use std::collections::BTreeSet;

use super::ConnectionOwner;
use crate::value::{DisplayName, FieldName, OrganizationId, ServerId};

/// A request to a connection.
#[derive(Debug, Clone)]
pub enum ConnectionCommand {
    /// Bring it into being.
    Create {
        /// Where it belongs.
        organization: OrganizationId,
        /// Whose credentials it holds.
        owner: ConnectionOwner,
        /// The server it connects to.
        server: ServerId,
        /// The name shown in lists.
        name: DisplayName,
    },
    /// Change the name.
    Rename {
        /// The new name.
        name: DisplayName,
    },
    /// Put a new set of secrets in force.
    SetSecrets {
        /// The fields that have a value in the set.
        fields: BTreeSet<FieldName>,
        /// Under which version the vault keeps the set.
        version: u32,
    },
    /// End it for good.
    Remove,
}
