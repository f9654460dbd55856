//! What passwords need from outside. Adapters are chosen in `wiring`.

use std::future::Future;
use std::pin::Pin;

use commands::HashError;
use commands::secret::IssuedSecret;
use domain::value::{PresentedSecret, SecretDigest};
use zeroize::Zeroizing;

/// Seals something for one purpose under the deployment's master key: it opens at its own place and nowhere else.
pub(crate) trait Seal: Send + Sync {
    /// Seals; none when there is no key.
    fn seal(&self, place: &str, plain: &[u8]) -> Option<Vec<u8>>;

    /// Opens; none when it was changed, moved or cut.
    fn open(&self, place: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>>;
}

/// A future whose type has no name.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Slow digests of passwords, bounded: whoever comes when the queue is full is told so.
pub(crate) trait HashPasswords: Send + Sync {
    /// The bcrypt text of a password, at the configured cost.
    fn hash<'a>(&'a self, password: &'a IssuedSecret) -> Boxed<'a, Result<String, HashError>>;

    /// Whether a password is behind a bcrypt text.
    fn matches<'a>(
        &'a self,
        presented: &'a PresentedSecret,
        digest: &'a SecretDigest,
    ) -> Boxed<'a, Result<bool, HashError>>;

    /// The configured cost.
    fn cost(&self) -> u32;
}
