//! Postgres and NATS: our own, or somebody else's.

use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;

use super::StartError;
use crate::adapters::embedded::{Embedded, EmbeddedConfig};
use crate::adapters::nats::{self, NatsError};
use crate::adapters::postgres;
use crate::config::{Config, Store};

/// What everything stands on.
pub(super) struct Backbone {
    pub(super) pool: PgPool,
    pub(super) nats: Option<async_nats::Client>,
    pub(super) embedded: Option<Embedded>,
    pub(super) description: Vec<String>,
    pub(super) options: PgConnectOptions,
}

/// Starts or reaches the two servers.
pub(super) async fn backbone(config: &Config) -> Result<Backbone, StartError> {
    match &config.store {
        Store::Embedded { nats: wanted } => {
            let embedded = Embedded::start(EmbeddedConfig {
                data: config.data.clone(),
                nats: wanted.then(|| config.relay.stream.clone()),
                search: Vec::new(),
            })
            .await?;
            let options = postgres::options(embedded.database_url())?;
            let pool = postgres::connect(options.clone()).await?;
            let nats = match embedded.nats_url() {
                Some(address) => Some(nats::connect(address).await?),
                None => None,
            };
            let description = embedded.describe();
            Ok(Backbone { pool, nats, embedded: Some(embedded), description, options })
        }
        Store::Given { database, nats: address } => {
            let options = postgres::options(database)?;
            let pool = postgres::connect(options.clone()).await?;
            let mut description =
                vec![format!("Postgres {}: given by DATABASE_URL", postgres::major(&pool).await?)];
            let nats = match address {
                None => None,
                Some(address) => Some(given_nats(address, &mut description).await?),
            };
            Ok(Backbone { pool, nats, embedded: None, description, options })
        }
    }
}

/// A NATS that is too old is an error; one that is away is waited for in the background, since nothing depends on it.
async fn given_nats(address: &str, description: &mut Vec<String>) -> Result<async_nats::Client, NatsError> {
    match nats::connect(address).await {
        Ok(client) => {
            description.push(format!("NATS {}: given by NATS_URL", client.server_info().version));
            Ok(client)
        }
        Err(NatsError::Unreachable(reason)) => {
            tracing::warn!(reason, "NATS is away; starting on Postgres alone and going on trying");
            description.push(
                "NATS: given by NATS_URL, does not answer yet; reading the log from Postgres meanwhile"
                    .to_owned(),
            );
            nats::connect_later(address).await
        }
        Err(error) => Err(error),
    }
}
