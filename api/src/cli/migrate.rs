//! `sekisho migrate`: the schema, and who may use it.

use std::process::ExitCode;

use clap::Args;

use super::{checked, complain, say};
use crate::adapters::embedded::{Embedded, EmbeddedConfig};
use crate::adapters::postgres::{self, PostgresError};
use crate::config::{Place, PlaceOptions};

/// What to bring up to date, and for whom.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// Role that `sekisho serve` connects as, when another one owns the schema: it may read and append events, and change none
    #[arg(long, value_name = "ROLE")]
    grant_to: Option<String>,

    #[command(flatten)]
    options: PlaceOptions,
}

/// Brings the schema up to date and says where it is.
pub(super) async fn run(line: &Migrate) -> ExitCode {
    let place = match checked(line.options.check()) {
        Ok(place) => place,
        Err(code) => return code,
    };
    let (address, embedded) = match place {
        Place::Given(database) => (database, None),
        Place::Embedded(data) => {
            let settings = EmbeddedConfig { data, nats: None, search: Vec::new() };
            match Embedded::start(settings).await {
                Ok(embedded) => (embedded.database_url().to_owned(), Some(embedded)),
                Err(error) => {
                    complain(&error.to_string());
                    return ExitCode::FAILURE;
                }
            }
        }
    };
    let migrated = migrate(&address, line.grant_to.as_deref()).await;
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

async fn migrate(address: &str, grant_to: Option<&str>) -> Result<i64, PostgresError> {
    let pool = postgres::connect(postgres::options(address)?).await?;
    postgres::migrate(&pool).await?;
    if let Some(role) = grant_to {
        postgres::grant_to(&pool, role).await?;
    }
    pool.close().await;
    Ok(postgres::MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default())
}
