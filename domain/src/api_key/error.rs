//! Why an API key refuses.

/// A refusal. The text is for the caller and says what to do where something can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// Nothing was issued under this id.
    #[error("there is no such API key")]
    Unknown,
    /// The id is taken.
    #[error("this API key exists already")]
    Exists,
    /// Refused for ever.
    #[error("this API key was revoked; issue a new one")]
    Revoked,
    /// It could do nothing.
    #[error("an API key needs at least one scope, such as mcp:read")]
    NoScopes,
    /// It would be dead on arrival.
    #[error("an API key's expiry lies in the future")]
    ExpiryNotInFuture,
}
