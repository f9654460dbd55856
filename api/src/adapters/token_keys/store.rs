//! The private halves: sealed in the table `signing_keys`, opened when they are first signed with, then kept parsed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::value::{KeyThumbprint, PublicJwk, SigningAlgorithm};
use sqlx::PgPool;

use super::pair::{FreshKey, KeyFault, SigningPair, make};
use crate::adapters::master_key::{MasterKeyError, MasterKeys, Purpose};

/// Parsed keys that are kept. A deployment signs with one, and with another one after a rotation.
const KEPT_MAX: usize = 8;

/// A key that was made and lies sealed in the table: nothing is signed with it before the log says so.
#[derive(Debug, Clone)]
pub struct MadeKey {
    /// Its name.
    pub kid: KeyThumbprint,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// Its public half, as JSON.
    pub public_jwk: PublicJwk,
}

/// A signing key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeysError {
    /// Postgres.
    #[error("the signing keys cannot be reached: {0}")]
    Database(#[from] sqlx::Error),
    /// The master key.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The machine's cryptography.
    #[error(transparent)]
    Fault(#[from] KeyFault),
    /// The row is not there, or is one of an algorithm that this version does not know.
    #[error("there is no signing key {0} in the database")]
    Missing(KeyThumbprint),
    /// Too many tokens wait to be signed.
    #[error("too many tokens wait to be signed")]
    Busy,
    /// The thread that worked is gone.
    #[error("the work was given up: {0}")]
    GivenUp(String),
}

/// The signing keys of a deployment.
#[derive(Debug)]
pub struct SigningKeys {
    pool: PgPool,
    master: Arc<MasterKeys>,
    kept: Mutex<HashMap<KeyThumbprint, Arc<SigningPair>>>,
}

impl SigningKeys {
    /// The keys in this database, under these master keys.
    pub fn new(pool: PgPool, master: Arc<MasterKeys>) -> Self {
        Self { pool, master, kept: Mutex::default() }
    }

    /// Makes a key and keeps it, sealed.
    pub async fn make(&self, algorithm: SigningAlgorithm) -> Result<MadeKey, SigningKeysError> {
        let made = tokio::task::spawn_blocking(move || make(algorithm)).await;
        let FreshKey { kid, public_jwk, pkcs8 } =
            made.map_err(|error| SigningKeysError::GivenUp(error.to_string()))??;
        let sealed = self.master.seal(Purpose::SigningKey, kid.as_str(), &pkcs8)?;
        sqlx::query("insert into signing_keys (kid, algorithm, sealed) values ($1, $2, $3)")
            .bind(kid.as_str())
            .bind(algorithm.as_str())
            .bind(sealed)
            .execute(&self.pool)
            .await?;
        Ok(MadeKey { kid, algorithm, public_jwk })
    }

    /// Forgets the private halves of all keys but these. One that was made just now may be named by an event that is on its way.
    pub async fn forget_all_but(&self, kids: &[&str]) -> Result<(), SigningKeysError> {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|kid, _| kids.contains(&kid.as_str()));
        sqlx::query(
            "delete from signing_keys where kid <> all ($1) and created_at < now() - interval '1 hour'",
        )
        .bind(kids)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    pub(super) async fn pair(&self, kid: &KeyThumbprint) -> Result<Arc<SigningPair>, SigningKeysError> {
        if let Some(pair) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(kid) {
            return Ok(Arc::clone(pair));
        }
        let row: Option<(String, Vec<u8>)> =
            sqlx::query_as("select algorithm, sealed from signing_keys where kid = $1")
                .bind(kid.as_str())
                .fetch_optional(&self.pool)
                .await?;
        let missing = || SigningKeysError::Missing(kid.clone());
        let (algorithm, sealed) = row.ok_or_else(missing)?;
        let algorithm = SigningAlgorithm::parse(&algorithm).ok_or_else(missing)?;
        let pkcs8 = self.master.open(Purpose::SigningKey, kid.as_str(), &sealed)?;
        let pair = Arc::new(SigningPair::parse(algorithm, &pkcs8)?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(kid.clone(), Arc::clone(&pair));
        Ok(pair)
    }
}
