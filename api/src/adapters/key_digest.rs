//! Digests of secrets: HMAC-SHA-256 under a pepper for secrets of ours (full entropy, checked on the hot path), bcrypt for client
//! secrets; and the blind index under which personal values are kept unique.

use aws_lc_rs::{constant_time, hmac};
use commands::secret::{IssuedSecret, PresentedSecret};
use commands::{HashError, SecretHasher};
use domain::value::SecretDigest;
use sqlx::PgPool;

use super::bcrypt_hasher::BcryptHasher;
use super::master_key::{MasterKeyError, MasterKeys, Purpose};
use crate::hex::hex;

/// The deployment's peppers and its index key, opened.
pub struct KeyDigests {
    peppers: Vec<(u32, hmac::Key)>,
    index: hmac::Key,
    /// Secrets of programs.
    slow: BcryptHasher,
    /// Passwords of people.
    passwords: BcryptHasher,
}

impl std::fmt::Debug for KeyDigests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyDigests({} peppers)", self.peppers.len())
    }
}

/// The data keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyDigestError {
    /// The database does not answer.
    #[error("the data keys cannot be read: {0}")]
    Database(#[from] sqlx::Error),
    /// The master key does not open them.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
}

impl KeyDigests {
    /// Reads the data keys, making them on the first start. Safe on several nodes at once.
    pub async fn load(pool: &PgPool, master: &MasterKeys) -> Result<Self, KeyDigestError> {
        for purpose in ["blind_index", "pepper"] {
            let fresh = MasterKeys::generate()?;
            let sealed = master.seal(Purpose::DataKey, purpose, fresh.as_bytes())?;
            sqlx::query("insert into data_keys (purpose, id, sealed) select $1, 1, $2 where not exists (select from data_keys where purpose = $1) on conflict do nothing")
                .bind(purpose)
                .bind(sealed)
                .execute(pool)
                .await?;
        }
        let rows: Vec<(String, i32, Vec<u8>)> =
            sqlx::query_as("select purpose, id, sealed from data_keys order by id desc")
                .fetch_all(pool)
                .await?;
        let mut peppers = Vec::new();
        let mut index = None;
        for (purpose, id, sealed) in rows {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &master.open(Purpose::DataKey, &purpose, &sealed)?);
            match purpose.as_str() {
                "pepper" => peppers.push((id.unsigned_abs(), key)),
                "blind_index" => index = Some(key),
                _ => {}
            }
        }
        let index = index.ok_or(MasterKeyError::Missing)?;
        Ok(Self { peppers, index, slow: BcryptHasher::default(), passwords: BcryptHasher::default() })
    }

    /// The same, which makes slow digests at this cost.
    #[must_use]
    pub fn at_cost(self, cost: u32) -> Self {
        Self { slow: self.slow.at_cost(cost), passwords: self.passwords.at_cost(cost), ..self }
    }

    /// What makes and checks the digests of passwords; bounded, and by others than the secrets of programs.
    pub(super) const fn passwords(&self) -> &BcryptHasher {
        &self.passwords
    }

    /// Whether the master key opens every data key there is; answers how many there are. Makes none.
    pub async fn check(pool: &PgPool, master: &MasterKeys) -> Result<usize, KeyDigestError> {
        let exists: (bool,) =
            sqlx::query_as("select to_regclass('data_keys') is not null").fetch_one(pool).await?;
        if !exists.0 {
            return Ok(0);
        }
        let rows: Vec<(String, Vec<u8>)> =
            sqlx::query_as("select purpose, sealed from data_keys").fetch_all(pool).await?;
        for (purpose, sealed) in &rows {
            master.open(Purpose::DataKey, purpose, sealed)?;
        }
        Ok(rows.len())
    }

    /// Whether this is the secret of a program behind a bcrypt digest; bounded, like the making of one.
    pub async fn slow_matches(&self, presented: &PresentedSecret, hash: &str) -> Result<bool, HashError> {
        self.slow.matches(presented, hash).await
    }

    /// Where a personal value stands in a table of unique names: equal values meet, nobody reads them.
    pub fn blind_index(&self, scope: &str, value: &str) -> String {
        let mut context = hmac::Context::with_key(&self.index);
        context.update(scope.as_bytes());
        context.update(&[0]);
        context.update(value.as_bytes());
        hex(context.sign().as_ref())
    }
}

impl SecretHasher for KeyDigests {
    fn digest(&self, secret: &IssuedSecret) -> SecretDigest {
        // The newest pepper is first; `load` made at least one.
        self.peppers.first().map_or_else(
            || SecretDigest::HmacSha256 { pepper: 0, hex: String::new() },
            |(pepper, key)| SecretDigest::HmacSha256 {
                pepper: *pepper,
                hex: hex(hmac::sign(key, secret.reveal().as_bytes()).as_ref()),
            },
        )
    }

    fn matches(&self, presented: &PresentedSecret, digest: &SecretDigest) -> bool {
        let SecretDigest::HmacSha256 { pepper, hex: expected } = digest else { return false };
        self.peppers.iter().find(|(id, _)| id == pepper).is_some_and(|(_, key)| {
            let computed = hex(hmac::sign(key, presented.reveal().as_bytes()).as_ref());
            constant_time::verify_slices_are_equal(computed.as_bytes(), expected.as_bytes()).is_ok()
        })
    }

    async fn slow_digest(&self, secret: &IssuedSecret) -> Result<SecretDigest, HashError> {
        self.slow.hash(secret).await.map(|hash| SecretDigest::Bcrypt { hash })
    }
}
