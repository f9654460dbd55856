//! What may be asked of an organization.

use super::OrganizationKind;
use crate::value::{DisplayName, Role, Slug, UserId};

/// A request to an organization. Who asks travels as `..._by`; `None` is the deployment's administrator.
#[derive(Debug, Clone)]
pub enum OrganizationCommand {
    /// Bring it into being with its first owner.
    Create {
        /// Personal or team.
        kind: OrganizationKind,
        /// Its unique slug.
        slug: Slug,
        /// Its name.
        name: DisplayName,
        /// The first owner.
        owner: UserId,
    },
    /// Change the name.
    Rename {
        /// The new name.
        name: DisplayName,
    },
    /// Change the slug.
    ChangeSlug {
        /// The new slug.
        slug: Slug,
    },
    /// Take in a user.
    AddMember {
        /// Whom.
        user: UserId,
        /// As what.
        role: Role,
        /// Who says so.
        granted_by: Option<UserId>,
    },
    /// Change what a member is.
    ChangeRole {
        /// Whom.
        user: UserId,
        /// To what.
        role: Role,
        /// Who says so.
        granted_by: Option<UserId>,
    },
    /// Let a member go.
    RemoveMember {
        /// Whom.
        user: UserId,
        /// Who says so.
        removed_by: Option<UserId>,
    },
    /// Refuse everything of this organization for now.
    Suspend {
        /// Why, for the audit.
        reason: DisplayName,
    },
    /// End a suspension.
    Resume,
    /// End it for good.
    Delete,
}
