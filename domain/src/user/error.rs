//! Why a user refuses.

use super::IDENTITIES_MAX;

/// A refusal. The text is for the caller and says what to do where something can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// Nobody was registered under this id.
    #[error("there is no such user")]
    Unknown,
    /// The id is taken.
    #[error("this user exists already")]
    Exists,
    /// Refuses everything until resumed.
    #[error("this user is suspended")]
    Suspended,
    /// Gone for good.
    #[error("this user was deleted")]
    Deleted,
    /// Nothing is known of them any more.
    #[error("this user was erased")]
    Erased,
    /// More than anybody has.
    #[error("a user has at most {IDENTITIES_MAX} identities; unlink one first")]
    TooManyIdentities,
    /// They could never come back.
    #[error("this is the last way in which they sign in; set a password or link another identity first")]
    LastWayIn,
    /// Nothing of theirs is linked there.
    #[error("this user has no identity at that provider")]
    UnknownIdentity,
}
