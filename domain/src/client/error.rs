//! Why a client refuses.

use super::REDIRECT_URIS_MAX;

/// A refusal. The text is for the caller and says what to do where something can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Nothing was registered under this id.
    #[error("there is no such client")]
    Unknown,
    /// The id is taken.
    #[error("this client exists already")]
    Exists,
    /// Gone for good.
    #[error("this client was deleted")]
    Deleted,
    /// A public client proves itself by PKCE alone.
    #[error("a public client has no secret to rotate; register a confidential client instead")]
    NoSecret,
    /// Without one, no browser could come back to it.
    #[error("a public client needs at least one redirect URI")]
    NoRedirectUri,
    /// More than anybody needs.
    #[error("a client has at most {REDIRECT_URIS_MAX} redirect URIs")]
    TooManyRedirectUris,
}
