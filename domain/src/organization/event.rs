//! What happened to an organization.

use serde::{Deserialize, Serialize};

use crate::value::{DisplayName, Role, Slug, UserId};
use crate::{ClaimChange, ClaimScope, Facts};

/// Personal (exactly one member, for ever) or team.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrganizationKind {
    /// Exactly one member; made at first sign-in.
    Personal,
    /// Any number of members.
    #[default]
    Team,
}

impl OrganizationKind {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Team => "team",
        }
    }
}

events! {
    /// Facts about an organization.
    pub enum OrganizationEvent of "organization" {
        /// It came into being.
        Created = "created" v 1 {
            /// Personal or team.
            kind: OrganizationKind,
            /// Its unique slug.
            slug: Slug,
            /// Its name.
            name: DisplayName,
        },
        /// It has another name.
        Renamed = "renamed" v 1 {
            /// The new name.
            name: DisplayName,
        },
        /// It has another slug; the old one is free.
        SlugChanged = "slug_changed" v 1 {
            /// The new slug.
            slug: Slug,
        },
        /// A user became a member.
        MemberAdded = "member_added" v 1 {
            /// Whom.
            user: UserId,
            /// As what.
            role: Role,
        },
        /// A member has another role.
        RoleChanged = "role_changed" v 1 {
            /// Whom.
            user: UserId,
            /// As what.
            role: Role,
        },
        /// A user is no member any more.
        MemberRemoved = "member_removed" v 1 {
            /// Whom.
            user: UserId,
        },
        /// Everything of it is refused.
        Suspended = "suspended" v 1 {
            /// Why.
            reason: DisplayName,
        },
        /// A suspension ended.
        Resumed = "resumed" v 1 {},
        /// It is gone; its slug is free.
        Deleted = "deleted" v 1 {},
    }
}

impl Facts for OrganizationEvent {
    const AGGREGATE: &'static str = OrganizationEvent::AGGREGATE;
    const TYPES: &'static [(&'static str, u32)] = OrganizationEvent::TYPES;

    fn claims(&self) -> Vec<ClaimChange> {
        let scope = ClaimScope::Slug;
        match self {
            Self::Created { slug, .. } => vec![ClaimChange::Take { scope, value: slug.to_string() }],
            Self::SlugChanged { slug } => {
                vec![ClaimChange::Release { scope }, ClaimChange::Take { scope, value: slug.to_string() }]
            }
            Self::Deleted {} => vec![ClaimChange::Release { scope }],
            Self::Renamed { .. }
            | Self::MemberAdded { .. }
            | Self::RoleChanged { .. }
            | Self::MemberRemoved { .. }
            | Self::Suspended { .. }
            | Self::Resumed {} => vec![],
        }
    }
}
