//! The notary's signing key: made on the first start, kept sealed under the master key beside the other data keys.

use aws_lc_rs::rand;
use projections::LogReader;
use projections::notary::note::NoteSigner;
use sqlx::PgPool;
use zeroize::Zeroizing;

use super::key_digest::KeyDigestError;
use super::master_key::{MasterKeyError, MasterKeys, Purpose};

const PURPOSE: &str = "notary";
const SEED_BYTES: usize = 32;

/// The signing key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum NotaryKeyError {
    /// As for every data key.
    #[error(transparent)]
    DataKey(#[from] KeyDigestError),
    /// Which log it is to sign for.
    #[error(transparent)]
    Log(#[from] projections::LogError),
    /// What was sealed is no key.
    #[error("the sealed key of the notary is none: the row was changed")]
    NoKey,
    /// Nobody has signed yet.
    #[error("this log has no key of a notary yet: nothing was signed")]
    NotMade,
}

/// The signing key, made on the first start. Safe on several nodes at once.
pub async fn load(pool: &PgPool, master: &MasterKeys) -> Result<NoteSigner, NotaryKeyError> {
    let mut seed = Zeroizing::new([0_u8; SEED_BYTES]);
    rand::fill(seed.as_mut()).map_err(|_| KeyDigestError::from(MasterKeyError::Broken))?;
    let sealed = master.seal(Purpose::DataKey, PURPOSE, seed.as_ref()).map_err(KeyDigestError::from)?;
    sqlx::query("insert into data_keys (purpose, id, sealed) values ($1, 1, $2) on conflict do nothing")
        .bind(PURPOSE)
        .bind(sealed)
        .execute(pool)
        .await
        .map_err(KeyDigestError::from)?;
    existing(pool, master).await
}

/// The signing key that there is. Makes none.
pub async fn existing(pool: &PgPool, master: &MasterKeys) -> Result<NoteSigner, NotaryKeyError> {
    let sealed: Option<(Vec<u8>,)> =
        sqlx::query_as("select sealed from data_keys where purpose = $1 order by id desc limit 1")
            .bind(PURPOSE)
            .fetch_optional(pool)
            .await
            .map_err(KeyDigestError::from)?;
    let (sealed,) = sealed.ok_or(NotaryKeyError::NotMade)?;
    let seed = master.open(Purpose::DataKey, PURPOSE, &sealed).map_err(KeyDigestError::from)?;
    // Named after the log, so that the checkpoints of two logs are never taken for each other.
    let name = format!("sekisho/{}", LogReader::new(pool.clone()).identity().await?);
    NoteSigner::of_seed(&name, &seed).ok_or(NotaryKeyError::NoKey)
}
