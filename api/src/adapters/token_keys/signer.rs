//! Tokens signed where they are asked for, after everybody else who is ready had a turn, with a short queue.
//!
//! RS256 takes a quarter of a millisecond to one: handing that to another thread and back cost a fifth of a token's processor time, measured, and kept
//! the cores idle in between. Whoever shares the worker waits for one signature at most before it is their turn.

use std::future::Future;
use std::num::NonZero;
use std::pin::Pin;
use std::sync::Arc;

use domain::value::{KeyThumbprint, SigningAlgorithm};
use tokio::sync::Semaphore;

use super::pair::KeyFault;
use super::store::{SigningKeys, SigningKeysError};
use crate::token::{ACCESS_TOKEN_TYPE, AccessToken, PublicUrl, SignTokens, SigningFailed};

/// Tokens that may wait for each core: at a millisecond each, whoever comes last waits a quarter of a second.
const QUEUE_TOKENS_PER_CORE: usize = 256;

/// Signs access tokens of one issuer.
#[derive(Debug)]
pub struct TokenSigner {
    keys: Arc<SigningKeys>,
    url: PublicUrl,
    /// Everybody who was let in: those at work and those in the queue.
    inside: Semaphore,
}

impl TokenSigner {
    /// With these keys, for the issuer with this URL.
    pub fn new(keys: Arc<SigningKeys>, url: PublicUrl) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { keys, url, inside: Semaphore::new(cores * (1 + QUEUE_TOKENS_PER_CORE)) }
    }

    async fn token(&self, kid: &KeyThumbprint, token: &AccessToken) -> Result<String, SigningKeysError> {
        let _place = self.inside.try_acquire().map_err(|_| SigningKeysError::Busy)?;
        let pair = self.keys.pair(kid).await?;
        let claims = serde_json::to_vec(&token.claims(&self.url)).map_err(|_| KeyFault::Signing)?;
        match pair.algorithm() {
            // Tens of microseconds: less than a turn.
            SigningAlgorithm::Es256 | SigningAlgorithm::EdDsa => {}
            SigningAlgorithm::Rs256 => tokio::task::yield_now().await,
        }
        Ok(pair.token(kid, ACCESS_TOKEN_TYPE, &claims)?)
    }
}

impl SignTokens for TokenSigner {
    fn sign<'a>(
        &'a self,
        kid: &'a KeyThumbprint,
        token: &'a AccessToken,
    ) -> Pin<Box<dyn Future<Output = Result<String, SigningFailed>> + Send + 'a>> {
        Box::pin(async move {
            self.token(kid, token).await.map_err(|error| {
                tracing::error!(error = %error, key.id = kid.as_str(), "no token can be signed");
                SigningFailed
            })
        })
    }
}
