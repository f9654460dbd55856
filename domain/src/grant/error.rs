//! Why a grant refuses.

/// A refusal. The text is for the caller and says what to do where something can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// Nothing was granted under this id.
    #[error("there is no such grant")]
    Unknown,
    /// The id is taken.
    #[error("this grant exists already")]
    Exists,
    /// Gone for good.
    #[error("this grant was revoked; the user has to consent anew")]
    Revoked,
    /// Its tokens could do nothing.
    #[error("a grant needs at least one scope, such as mcp:read")]
    NoScopes,
    /// A token is for an instance and for nothing else.
    #[error("a grant is for an instance: its scopes are mcp:read, mcp:write, mcp:admin and tool:<name>")]
    ManagementScope,
    /// It would be dead on arrival.
    #[error("a grant's expiry lies in the future")]
    ExpiryNotInFuture,
}
