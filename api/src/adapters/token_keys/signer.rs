//! Tokens signed: on as many threads as there are cores where that takes its time, with a short queue.

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
    inside: Arc<Semaphore>,
    /// Those at work.
    at_work: Arc<Semaphore>,
}

impl TokenSigner {
    /// With these keys, for the issuer with this URL.
    pub fn new(keys: Arc<SigningKeys>, url: PublicUrl) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let inside = Arc::new(Semaphore::new(cores * (1 + QUEUE_TOKENS_PER_CORE)));
        Self { keys, url, inside, at_work: Arc::new(Semaphore::new(cores)) }
    }

    async fn token(&self, kid: &KeyThumbprint, token: &AccessToken) -> Result<String, SigningKeysError> {
        let place = Arc::clone(&self.inside).try_acquire_owned().map_err(|_| SigningKeysError::Busy)?;
        let pair = self.keys.pair(kid).await?;
        let claims = serde_json::to_vec(&token.claims(&self.url)).map_err(|_| KeyFault::Signing)?;
        match pair.algorithm() {
            // Tens of microseconds: less than it takes to hand the work on.
            SigningAlgorithm::Es256 | SigningAlgorithm::EdDsa => {
                Ok(pair.token(kid, ACCESS_TOKEN_TYPE, &claims)?)
            }
            SigningAlgorithm::Rs256 => {
                let given_up = |error: &dyn std::fmt::Display| SigningKeysError::GivenUp(error.to_string());
                let turn =
                    Arc::clone(&self.at_work).acquire_owned().await.map_err(|error| given_up(&error))?;
                let kid = kid.clone();
                let work = move || {
                    let signed = pair.token(&kid, ACCESS_TOKEN_TYPE, &claims);
                    drop((turn, place)); // kept until the work is done, also when nobody waits for it any more
                    signed
                };
                Ok(tokio::task::spawn_blocking(work).await.map_err(|error| given_up(&error))??)
            }
        }
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
