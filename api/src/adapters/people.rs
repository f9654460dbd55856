//! What people's pages and passwords need of keys and bcrypt.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use commands::HashError;
use commands::secret::IssuedSecret;
use domain::value::{PresentedSecret, SecretDigest};
use zeroize::Zeroizing;

use super::key_digest::KeyDigests;
use super::master_key::{MasterKeys, Purpose};
use crate::passwords::{HashPasswords, Seal};
use crate::people::KeyedDigest;

/// The master key, for one purpose.
#[derive(Debug, Clone)]
pub(crate) struct SealedFor {
    /// The keys.
    pub(crate) master: Arc<MasterKeys>,
    /// What for.
    pub(crate) purpose: Purpose,
}

impl Seal for SealedFor {
    fn seal(&self, place: &str, plain: &[u8]) -> Option<Vec<u8>> {
        self.master.seal(self.purpose, place, plain).ok()
    }

    fn open(&self, place: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.master.open(self.purpose, place, sealed).ok()
    }
}

impl KeyedDigest for KeyDigests {
    fn keyed(&self, scope: &str, text: &str) -> String {
        self.blind_index(scope, text)
    }
}

/// A future whose type has no name.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl HashPasswords for KeyDigests {
    fn hash<'a>(&'a self, password: &'a IssuedSecret) -> Boxed<'a, Result<String, HashError>> {
        Box::pin(self.passwords().hash(password))
    }

    fn matches<'a>(
        &'a self,
        presented: &'a PresentedSecret,
        digest: &'a SecretDigest,
    ) -> Boxed<'a, Result<bool, HashError>> {
        Box::pin(async move {
            match digest {
                SecretDigest::Bcrypt { hash } => self.passwords().matches(presented, hash).await,
                SecretDigest::HmacSha256 { .. } => Ok(false), // nobody's password is kept this way
            }
        })
    }

    fn cost(&self) -> u32 {
        self.passwords().cost()
    }
}
