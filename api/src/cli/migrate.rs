//! `sekisho migrate`: the schema, and nothing else.

use std::process::ExitCode;

use super::{complain, say};
use crate::adapters::embedded::{Embedded, EmbeddedConfig};
use crate::adapters::postgres::{self, PostgresError};
use crate::config::{Config, Store};

/// Brings the schema up to date and says where it is.
pub(super) async fn run(config: &Config) -> ExitCode {
    let (address, embedded) = match &config.store {
        Store::Given { database, .. } => (database.clone(), None),
        Store::Embedded { .. } => {
            let settings = EmbeddedConfig { data: config.data.clone(), nats: false, search: Vec::new() };
            match Embedded::start(settings).await {
                Ok(embedded) => (embedded.database_url().to_owned(), Some(embedded)),
                Err(error) => {
                    complain(&error.to_string());
                    return ExitCode::FAILURE;
                }
            }
        }
    };
    let migrated = migrate(&address).await;
    if let Some(embedded) = embedded {
        embedded.stop().await;
    }
    match migrated {
        Ok(version) => {
            say(&format!("the schema is at version {version}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn migrate(address: &str) -> Result<i64, PostgresError> {
    let pool = postgres::connect(postgres::options(address)?).await?;
    postgres::migrate(&pool).await?;
    pool.close().await;
    Ok(postgres::MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default())
}
