//! What happened to a connection.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Facts;
use crate::value::{DisplayName, FieldName, OrganizationId, ServerId, UserId};

/// Whose credentials they are, inside the organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConnectionOwner {
    /// Shared by the organization.
    Organization,
    /// One member's own.
    User(UserId),
}

events! {
    /// Facts about a connection. Secret values are in the vault; here are only the names of their fields.
    pub enum ConnectionEvent of "connection" {
        /// It came into being, without secrets.
        Created = "created" v 1 {
            /// Where it belongs.
            organization: OrganizationId,
            /// Whose credentials it holds.
            owner: ConnectionOwner,
            /// The server it connects to.
            server: ServerId,
            /// The name shown in lists.
            name: DisplayName,
        },
        /// It has another name.
        Renamed = "renamed" v 1 {
            /// The new name.
            name: DisplayName,
        },
        /// The vault holds a new set of secrets, which replaces the one before.
        SecretsSet = "secrets_set" v 1 {
            /// Which set in the vault; higher than the one before.
            version: u32,
            /// The fields that have a value in it.
            fields: BTreeSet<FieldName>,
        },
        /// It is gone, and its secrets with it.
        Removed = "removed" v 1 {},
    }
}

impl Facts for ConnectionEvent {
    const AGGREGATE: &'static str = ConnectionEvent::AGGREGATE;
    const TYPES: &'static [(&'static str, u32)] = ConnectionEvent::TYPES;
}
