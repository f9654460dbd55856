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
    #[error("this client has no secret to rotate; register a confidential client instead")]
    NoSecret,
    /// It proves itself by a secret, or not at all.
    #[error("this client proves itself by a secret or by PKCE alone and has no keys to replace")]
    NoKeys,
    /// A secret signs nothing, and a key is told to nobody.
    #[error(
        "a client with a secret proves itself by client_secret_basic or client_secret_post, one with keys by private_key_jwt"
    )]
    OtherAuthentication,
    /// Somebody else registered it, and answers for it.
    #[error("this client did not register itself")]
    NotItsOwn,
    /// What they decided, it does not undo.
    #[error("whoever answers for this client has taken its registration over")]
    TakenOver,
    /// Nobody answers for what it would do.
    #[error("a client that registers itself gets no token in its own name; people consent to what it does")]
    OwnCredentials,
    /// Anybody can read a document.
    #[error(
        "a client whose identifier is a URL has no secret; it proves itself by private_key_jwt or by PKCE alone"
    )]
    PublishedSecret,
    /// Without one, no browser could come back to it.
    #[error("a public client, or one that asks for codes, needs at least one redirect URI")]
    NoRedirectUri,
    /// It has nothing to prove itself with.
    #[error("a public client proves itself by PKCE alone and has no other authentication")]
    PublicAuthentication,
    /// Anybody could ask in its name.
    #[error("a public client gets no token in its own name; register a confidential client instead")]
    PublicCredentials,
    /// It could ask for nothing.
    #[error("a client needs at least one grant type, such as authorization_code")]
    NoGrantType,
    /// Refresh tokens come with a code.
    #[error("the grant type refresh_token goes with authorization_code")]
    RefreshWithoutCode,
    /// More than anybody needs.
    #[error("a client has at most {REDIRECT_URIS_MAX} redirect URIs")]
    TooManyRedirectUris,
}
