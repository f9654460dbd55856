//! The database of the deployment, opened to be read: no schema is changed, no row is written, no key is needed.

use std::path::PathBuf;

use clap::Args;
use projections::LogReader;
use sqlx::PgPool;

use crate::adapters::embedded::{Embedded, EmbeddedConfig, EmbeddedError, Survey};
use crate::adapters::postgres::{self, PostgresError};
use crate::config::{Place, PlaceOptions};

/// Where the log is. An embedded store is read while it is being served, and started for the look when it is not.
#[derive(Debug, Clone, Args)]
pub(super) struct StoreOptions {
    #[command(flatten)]
    place: PlaceOptions,
}

/// The log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("--database-url: {0}")]
    Address(String),
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    #[error(
        "there is no log in {0} yet: `sekisho serve` or `sekisho demo` makes one; --data and --database-url name another place"
    )]
    Empty(PathBuf),
    #[error(
        "the database has no log of this version: run `sekisho migrate` (or `sekisho serve`, which does it too)"
    )]
    NoSchema,
}

/// An open log.
pub(super) struct OpenStore {
    pool: PgPool,
    /// Started for the look.
    embedded: Option<Embedded>,
}

impl StoreOptions {
    /// Opens it.
    pub(super) async fn open(&self) -> Result<OpenStore, StoreError> {
        let data = match self.place.place().map_err(StoreError::Address)? {
            Place::Given(address) => return OpenStore::at(&address, None).await,
            Place::Embedded(data) => data,
        };
        let settings = EmbeddedConfig { data, nats: None, search: Vec::new() };
        match Embedded::survey(&settings).await? {
            Survey::Empty(_) => Err(StoreError::Empty(settings.data)),
            Survey::Running { database_url, .. } => OpenStore::at(&database_url, None).await,
            Survey::Stopped => {
                let embedded = Embedded::start(settings).await?;
                let address = embedded.database_url().to_owned();
                OpenStore::at(&address, Some(embedded)).await
            }
        }
    }
}

impl OpenStore {
    async fn at(address: &str, embedded: Option<Embedded>) -> Result<Self, StoreError> {
        let connected = match postgres::options(address) {
            // Whatever this program asks, the database lets it change nothing.
            Ok(options) => {
                postgres::connect(options.options([("default_transaction_read_only", "on")])).await
            }
            Err(error) => Err(error),
        };
        match connected {
            Ok(pool) => {
                let store = Self { pool, embedded };
                if store.has_log().await {
                    Ok(store)
                } else {
                    store.close().await;
                    Err(StoreError::NoSchema)
                }
            }
            Err(error) => {
                if let Some(embedded) = embedded {
                    embedded.stop().await;
                }
                Err(error.into())
            }
        }
    }

    async fn has_log(&self) -> bool {
        sqlx::query("select from events limit 1").execute(&self.pool).await.is_ok()
    }

    /// Its log.
    pub(super) fn log(&self) -> LogReader {
        LogReader::new(self.pool.clone())
    }

    /// Leaves everything as it was found.
    pub(super) async fn close(self) {
        self.pool.close().await;
        if let Some(embedded) = self.embedded {
            embedded.stop().await;
        }
    }
}
