//! A client's new secret. Its digest is slow on purpose, so it is made once, however often the use case runs.

use domain::value::{IssuedSecret, SecretDigest, compose_client_secret};

use crate::{Entropy as _, Ports, Refused, SecretHasher as _, Unit};

/// A secret and what is stored of it.
#[derive(Debug, Clone)]
pub(super) struct FreshSecret {
    /// Shown once.
    pub(super) secret: IssuedSecret,
    /// Stored.
    pub(super) digest: SecretDigest,
}

/// Draws a secret in the first attempt; every later one gets the same.
pub(super) async fn fresh_secret<P: Ports>(
    ports: &P,
    unit: &Unit<'_, P::Log>,
) -> Result<FreshSecret, Refused> {
    if let Some(fresh) = unit.kept() {
        return Ok(fresh);
    }
    let secret = compose_client_secret(&ports.entropy().secret());
    let digest = ports.hasher().slow_digest(&secret).await?;
    let fresh = FreshSecret { secret, digest };
    unit.keep(fresh.clone());
    Ok(fresh)
}
