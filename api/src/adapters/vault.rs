//! Upstream credentials, sealed in Postgres beside the log.

use std::collections::BTreeMap;

use commands::secret::PresentedSecret;
use commands::{Vault, VaultError};
use domain::value::{ConnectionId, ProviderSecretId};
use sqlx::PgPool;
use std::sync::Arc;
use zeroize::Zeroizing;

use super::master_key::{MasterKeys, Purpose};
use crate::providers::{OpenClientSecret, SecretUnreadable};

/// The table `connection_secrets`.
#[derive(Debug, Clone)]
pub struct PostgresVault {
    pool: PgPool,
    master: Arc<MasterKeys>,
}

impl PostgresVault {
    /// A vault in this database, under these keys.
    pub const fn new(pool: PgPool, master: Arc<MasterKeys>) -> Self {
        Self { pool, master }
    }

    /// Opens one version of a connection's secrets; `None` when there is no such version.
    pub async fn open(
        &self,
        connection: ConnectionId,
        version: u32,
    ) -> Result<Option<BTreeMap<String, Zeroizing<String>>>, VaultError> {
        let row: Option<(Vec<u8>,)> =
            sqlx::query_as("select sealed from connection_secrets where connection_id = $1 and version = $2")
                .bind(connection.uuid())
                .bind(i64::from(version))
                .fetch_optional(&self.pool)
                .await
                .map_err(|error| VaultError(error.to_string()))?;
        let Some((sealed,)) = row else { return Ok(None) };
        let plain = self
            .master
            .open(Purpose::ConnectionSecret, &place(connection, version), &sealed)
            .map_err(|error| VaultError(error.to_string()))?;
        let fields: BTreeMap<String, String> =
            serde_json::from_slice(&plain).map_err(|error| VaultError(error.to_string()))?;
        Ok(Some(fields.into_iter().map(|(name, value)| (name, Zeroizing::new(value))).collect()))
    }

    /// Versions that nobody needs any more are forgotten, the one in force among them when its server moved: so the table alone does not
    /// know the last one.
    async fn next_version(&self, connection: ConnectionId, in_force: u32) -> Result<u32, VaultError> {
        let (last,): (i64,) = sqlx::query_as(
            "select greatest(coalesce(max(version), 0)::bigint, $2) from connection_secrets where connection_id = $1",
        )
        .bind(connection.uuid())
        .bind(i64::from(in_force))
        .fetch_one(&self.pool)
        .await
        .map_err(|error| VaultError(error.to_string()))?;
        u32::try_from(last + 1).map_err(|error| VaultError(error.to_string()))
    }
}

impl Vault for PostgresVault {
    async fn store(
        &self,
        connection: ConnectionId,
        in_force: u32,
        fields: &BTreeMap<String, PresentedSecret>,
    ) -> Result<u32, VaultError> {
        let clear: BTreeMap<&str, &str> =
            fields.iter().map(|(name, value)| (name.as_str(), value.reveal())).collect();
        let plain =
            Zeroizing::new(serde_json::to_vec(&clear).map_err(|error| VaultError(error.to_string()))?);
        for _ in 0..VERSION_ATTEMPTS_MAX {
            let version = self.next_version(connection, in_force).await?;
            let sealed = self
                .master
                .seal(Purpose::ConnectionSecret, &place(connection, version), &plain)
                .map_err(|error| VaultError(error.to_string()))?;
            let taken = sqlx::query(
                "insert into connection_secrets (connection_id, version, sealed) values ($1, $2, $3) on conflict do nothing",
            )
            .bind(connection.uuid())
            .bind(i64::from(version))
            .bind(sealed)
            .execute(&self.pool)
            .await
            .map_err(|error| VaultError(error.to_string()))?;
            if taken.rows_affected() == 1 {
                return Ok(version);
            }
        }
        Err(VaultError("others keep changing the secrets of this connection".to_owned()))
    }

    async fn keep(&self, id: ProviderSecretId, secret: &PresentedSecret) -> Result<(), VaultError> {
        let sealed = self
            .master
            .seal(Purpose::ProviderSecret, &id.to_string(), secret.reveal().as_bytes())
            .map_err(|error| VaultError(error.to_string()))?;
        sqlx::query("insert into provider_secrets (id, sealed) values ($1, $2)")
            .bind(id.uuid())
            .bind(sealed)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(|error| VaultError(error.to_string()))
    }
}

impl OpenClientSecret for PostgresVault {
    fn open(
        &self,
        id: ProviderSecretId,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Zeroizing<String>, SecretUnreadable>> + Send + '_>>
    {
        Box::pin(async move {
            let query = "select sealed from provider_secrets where id = $1";
            let row: Result<Option<Vec<u8>>, _> =
                sqlx::query_scalar(query).bind(id.uuid()).fetch_optional(&self.pool).await;
            let sealed = row.map_err(|error| SecretUnreadable(error.to_string()))?;
            let sealed = sealed.ok_or_else(|| SecretUnreadable("it is not kept here".to_owned()))?;
            let plain = self.master.open(Purpose::ProviderSecret, &id.to_string(), &sealed);
            let plain = plain.map_err(|error| SecretUnreadable(error.to_string()))?;
            let text = std::str::from_utf8(&plain).map_err(|error| SecretUnreadable(error.to_string()))?;
            Ok(Zeroizing::new(text.to_owned()))
        })
    }
}

/// How often another writer may be faster to a version number.
const VERSION_ATTEMPTS_MAX: u32 = 8;

fn place(connection: ConnectionId, version: u32) -> String {
    format!("{connection}/{version}")
}
