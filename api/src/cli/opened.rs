//! The database of the deployment for a command that works on it: while it is being served, or started for as long as the command takes.

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::PgPool;

use crate::adapters::embedded::{Embedded, EmbeddedConfig, EmbeddedError, Survey};
use crate::adapters::master_key::MasterKeys;
use crate::adapters::personal_data::PersonalData;
use crate::adapters::postgres::{self, PostgresError};
use crate::config::{MasterKeySource, Place, read_master_key};

/// It cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    #[error(
        "there is nothing in {0} yet: `sekisho serve` or `sekisho demo` makes it; --data and DATABASE_URL name another place"
    )]
    Empty(PathBuf),
    #[error(
        "the database has no schema of this version: run `sekisho migrate` (or `sekisho serve`, which does it too)"
    )]
    NoSchema,
    #[error("the master key: {0}")]
    MasterKey(String),
}

/// An open database.
pub(super) struct Opened {
    pub(super) pool: PgPool,
    /// How the NATS of an embedded store is reached, if it was asked for and is there.
    pub(super) nats_url: Option<String>,
    /// Started for the command.
    embedded: Option<Embedded>,
}

impl Opened {
    /// Opens what the options name.
    pub(super) async fn of(place: &Place) -> Result<Self, OpenError> {
        Self::open(place, None).await
    }

    /// The same, and the NATS of an embedded store, which has this stream.
    pub(super) async fn with_nats(place: &Place, stream: &str) -> Result<Self, OpenError> {
        Self::open(place, Some(stream.to_owned())).await
    }

    async fn open(place: &Place, nats: Option<String>) -> Result<Self, OpenError> {
        let (address, nats_url, embedded) = match place {
            Place::Given(database) => (database.clone(), None, None),
            Place::Embedded(data) => {
                let settings = EmbeddedConfig { data: data.clone(), nats, search: Vec::new() };
                match Embedded::survey(&settings).await? {
                    Survey::Empty(_) => return Err(OpenError::Empty(settings.data)),
                    Survey::Running { database_url, nats_url, .. } => (database_url, nats_url, None),
                    Survey::Stopped => {
                        let embedded = Embedded::start(settings).await?;
                        let nats_url = embedded.nats_url().map(ToOwned::to_owned);
                        (embedded.database_url().to_owned(), nats_url, Some(embedded))
                    }
                }
            }
        };
        match connected(&address).await {
            Ok(pool) => Ok(Self { pool, nats_url, embedded }),
            Err(error) => {
                if let Some(embedded) = embedded {
                    embedded.stop().await;
                }
                Err(error)
            }
        }
    }

    /// What opens personal data.
    pub(super) fn personal_data(&self, source: &MasterKeySource) -> Result<PersonalData, OpenError> {
        Ok(PersonalData::new(self.pool.clone(), self.master_key(source)?))
    }

    /// The master key. None is made here.
    #[expect(clippy::unused_self, reason = "a key is wanted only for a database that was opened")]
    pub(super) fn master_key(&self, source: &MasterKeySource) -> Result<Arc<MasterKeys>, OpenError> {
        match source {
            MasterKeySource::Given(keys) => Ok(Arc::new(keys.clone())),
            MasterKeySource::Generated(file) => {
                read_master_key(file).map(Arc::new).map_err(OpenError::MasterKey)
            }
        }
    }

    /// Leaves everything as it was found.
    pub(super) async fn close(self) {
        self.pool.close().await;
        if let Some(embedded) = self.embedded {
            embedded.stop().await;
        }
    }
}

async fn connected(address: &str) -> Result<PgPool, OpenError> {
    let pool = postgres::connect(postgres::options(address)?).await?;
    let newest = postgres::MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    let applied: Result<Option<i64>, _> =
        sqlx::query_scalar("select max(version) from _sqlx_migrations where success").fetch_one(&pool).await;
    match applied {
        Ok(Some(applied)) if applied == newest => Ok(pool),
        Ok(_) | Err(_) => {
            pool.close().await;
            Err(OpenError::NoSchema)
        }
    }
}
