//! What making and checking tokens needs from outside, as capabilities. Adapters are chosen in `wiring`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use domain::value::{ClientId, ClientKey, KeyThumbprint, PresentedSecret, SecretDigest, SigningAlgorithm};

use super::{AccessToken, AssertionClaims, TokenFault};
use crate::limits::Subscriber;

/// A future whose type has no name.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// No token could be signed. Why is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no token can be signed right now")]
pub struct SigningFailed;

/// Signs access tokens with a key of the deployment.
pub trait SignTokens: Send + Sync {
    /// The compact text of a token under this key. Waits off the runtime's threads where signing takes its time.
    fn sign<'a>(
        &'a self,
        kid: &'a KeyThumbprint,
        token: &'a AccessToken,
    ) -> Boxed<'a, Result<String, SigningFailed>>;
}

/// Finds the public key with a name, if tokens under it may still be taken: its algorithm, and itself as a JSON Web Key.
pub type KeyOf<'a> = &'a dyn Fn(&str) -> Option<(SigningAlgorithm, Arc<str>)>;

/// Checks access tokens, without waiting.
pub trait CheckTokens: Send + Sync {
    /// What a token says, if we signed it, and the name of the key that did. Of time it says nothing: that passes after a token was checked.
    fn check(&self, token: &str, keys: KeyOf<'_>) -> Result<(AccessToken, KeyThumbprint), TokenFault>;
}

/// Why it is not known whether a secret is right.
#[derive(Debug, thiserror::Error)]
pub enum SecretFault {
    /// It cannot be checked.
    #[error(transparent)]
    Hash(#[from] commands::HashError),
    /// Too many of this client's came from there that were wrong.
    #[error("too many wrong secrets of this client came from one address")]
    TooManyWrong,
}

/// Checks a client's secret against the digests that it may be behind.
pub trait VerifySecrets: Send + Sync {
    /// Whether the secret is behind one of the digests. Slow for a secret that was not checked lately, and then bounded.
    fn verify<'a>(
        &'a self,
        client: ClientId,
        asker: Subscriber,
        presented: &'a PresentedSecret,
        digests: &'a [SecretDigest],
    ) -> Boxed<'a, Result<bool, SecretFault>>;
}

/// Checks what clients sign to prove who they are, without waiting.
pub trait CheckAssertions: Send + Sync {
    /// What an assertion says, if one of these keys signed it with its own algorithm. Whom it is for, its time and whether it came before is for others
    /// to look at.
    fn check(&self, assertion: &str, keys: &[ClientKey]) -> Option<AssertionClaims>;
}
