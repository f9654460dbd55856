//! Why an organization refuses.

/// A refusal. The text is for the caller and says what to do where something can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OrganizationError {
    /// Nothing was created under this id.
    #[error("there is no such organization")]
    Unknown,
    /// The id is taken.
    #[error("this organization exists already")]
    Exists,
    /// Refuses everything until resumed.
    #[error("this organization is suspended")]
    Suspended,
    /// Gone for good.
    #[error("this organization was deleted")]
    Deleted,
    /// `@name` is for personal organizations, `name` for teams.
    #[error("a personal organization's slug starts with @, a team's does not")]
    SlugOfOtherKind,
    /// Exactly one member, never invitable.
    #[error("a personal organization has exactly one member; make a team and move the instances there")]
    Personal,
    /// A member with another role.
    #[error("this user is a member already, with another role; change the role instead")]
    AlreadyMember,
    /// Not a member.
    #[error("this user is not a member of the organization")]
    NotMember,
    /// Somebody must stay responsible.
    #[error("the last owner cannot leave or be demoted; make another member owner first")]
    LastOwner,
    /// Admins cannot make or unmake owners.
    #[error("nobody grants or takes a role above their own")]
    AboveOwnRole,
}
