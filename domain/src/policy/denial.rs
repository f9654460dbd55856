//! Why a wish is denied: stable codes that clients, audits and dashboards may rely on.

use crate::value::Scope;

/// A denial. The text is safe to show to the caller: it tells nothing that the caller may not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The key was revoked.
    #[error("this API key was revoked")]
    KeyRevoked,
    /// The key ended by itself.
    #[error("this API key has expired")]
    KeyExpired,
    /// The access token was revoked.
    #[error("this access token was revoked")]
    TokenRevoked,
    /// The access token ended by itself.
    #[error("this access token has expired")]
    TokenExpired,
    /// The client that holds the token is disabled or deleted.
    #[error("the client that this access token was issued to is not active")]
    ClientInactive,
    /// What the user consented to was taken back, or is over.
    #[error("the authorization behind this access token has ended")]
    GrantRevoked,
    /// The user behind the credential is suspended or deleted.
    #[error("the user behind this credential is not active")]
    PrincipalInactive,
    /// The user behind the credential is no member any more.
    #[error("the user behind this credential is not a member of the organization")]
    NotMember,
    /// The organization is suspended.
    #[error("the organization is suspended")]
    OrganizationSuspended,
    /// The organization is deleted.
    #[error("the organization was deleted")]
    OrganizationDeleted,
    /// Another organization than the credential's; the same as none.
    #[error("there is no such organization")]
    OrganizationUnknown,
    /// No such instance, or another organization's: the two look the same.
    #[error("there is no such instance")]
    InstanceUnknown,
    /// The instance is stopped.
    #[error("this instance is stopped")]
    InstanceStopped,
    /// The credential is bound to another instance.
    #[error("this credential is bound to another instance")]
    BoundToOtherInstance,
    /// The credential is bound to an instance and opens no management API.
    #[error("this credential is bound to an instance and does not open the management API")]
    BoundToInstance,
    /// The instance does not take this kind of credential.
    #[error("this instance does not accept this kind of credential")]
    AuthenticationNotAccepted,
    /// The tool is not exposed, or does not exist: the two look the same.
    #[error("this tool is not available here")]
    ToolNotExposed,
    /// The role does not reach this far.
    #[error("the role of the user behind this credential does not allow this")]
    RoleTooLow,
    /// The credential lacks this scope.
    #[error("this credential lacks the scope {0}")]
    ScopeMissing(Scope),
    /// The deployment is in maintenance.
    #[error("the service is in maintenance; try again later")]
    Maintenance,
    /// A management wish at an instance, or the other way round.
    #[error("this cannot be asked here")]
    WrongDoor,
}

impl Denial {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::KeyRevoked => "key-revoked",
            Self::KeyExpired => "key-expired",
            Self::TokenRevoked => "token-revoked",
            Self::TokenExpired => "token-expired",
            Self::ClientInactive => "client-inactive",
            Self::GrantRevoked => "grant-revoked",
            Self::PrincipalInactive => "principal-inactive",
            Self::NotMember => "not-member",
            Self::OrganizationSuspended => "organization-suspended",
            Self::OrganizationDeleted => "organization-deleted",
            Self::OrganizationUnknown => "organization-unknown",
            Self::InstanceUnknown => "instance-unknown",
            Self::InstanceStopped => "instance-stopped",
            Self::BoundToOtherInstance => "bound-to-other-instance",
            Self::BoundToInstance => "bound-to-instance",
            Self::AuthenticationNotAccepted => "authentication-not-accepted",
            Self::ToolNotExposed => "tool-not-exposed",
            Self::RoleTooLow => "role-too-low",
            Self::ScopeMissing(_) => "insufficient-scope",
            Self::Maintenance => "maintenance",
            Self::WrongDoor => "wrong-door",
        }
    }
}
