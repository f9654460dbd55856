//! Why a connection refuses.

use super::SECRET_FIELDS_MAX;

/// A refusal. The text is for the caller and says what to do where something can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    /// Nothing was created under this id.
    #[error("there is no such connection")]
    Unknown,
    /// The id is taken.
    #[error("this connection exists already")]
    Exists,
    /// Gone for good.
    #[error("this connection was removed")]
    Removed,
    /// Somebody else put a newer set in force in between.
    #[error("the secrets were set by somebody else meanwhile; read the connection again and repeat")]
    StaleVersion,
    /// The secrets were meant for the place that the server was at.
    #[error(
        "the server moved to another origin; look where it is now, and set the secrets again if they are for that place"
    )]
    ServerMoved,
    /// Tokens were fetched for it under an id that is in use.
    #[error("this authorization is in use already")]
    AuthorizationUsed,
    /// Its server takes no tokens, or tokens of another authorization server.
    #[error(
        "the server does not take tokens of this kind or from this place; look at what it says, and authorize again"
    )]
    AuthorizationUnfit,
    /// More than anybody is asked to allow at once.
    #[error("an authorization has at most {} scopes", super::AUTHORIZATION_SCOPES_MAX)]
    TooManyScopes,
    /// More than any server needs.
    #[error("a connection has at most {SECRET_FIELDS_MAX} secret fields")]
    TooManyFields,
}
