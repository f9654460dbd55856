//! Roles of members, from most to least.

use serde::{Deserialize, Serialize};

use super::text_value;

/// What a user is in an organization. The order of declaration is not an order of power: see `covers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, also rename, delete and transfer.
    Owner,
    /// Members, servers, connections, instances, keys.
    Admin,
    /// Their own connections, instances and keys; calls tools.
    Member,
    /// Calls read-only tools.
    Viewer,
    /// Reads history; calls nothing.
    Auditor,
}

/// The text is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: expected owner, admin, member, viewer or auditor")]
pub struct RoleError(String);

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Admin, Self::Member, Self::Viewer, Self::Auditor];

    /// Reads a role by its name.
    pub fn parse(text: &str) -> Result<Self, RoleError> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| RoleError(text.chars().take(32).collect()))
    }

    /// The name on the wire.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
            Self::Auditor => "auditor",
        }
    }

    /// Whether somebody with this role may hand out `other` (never above one's own).
    pub const fn may_grant(self, other: Self) -> bool {
        match self {
            Self::Owner => true,
            Self::Admin => !matches!(other, Self::Owner),
            Self::Member | Self::Viewer | Self::Auditor => false,
        }
    }
}

text_value!(Role, RoleError);
