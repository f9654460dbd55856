//! Where a deployment is and what opens what is sealed there: all that a command needs which works on one and serves nobody.

use std::path::PathBuf;

use clap::Args;
use projections::RelayConfig;

use super::faults::Faults;
use super::{ConfigError, default_data, read_master_key};
use crate::adapters::master_key::MasterKeys;

/// The database, as it was written.
#[derive(Debug, Clone, Args)]
pub struct PlaceOptions {
    /// Folder for the embedded Postgres and NATS, the generated master key and the bootstrap token
    #[arg(long, env = "SEKISHO_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Postgres 14 to 18 to use; without it Sekisho supervises its own in the data folder
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
}

/// Which Postgres.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// Our own, in this data folder.
    Embedded(PathBuf),
    /// Somebody else's, at this address.
    Given(String),
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedded(data) => f.debug_tuple("Embedded").field(data).finish(),
            Self::Given(_) => f.write_str("Given"), // addresses hold passwords
        }
    }
}

/// NATS, as it was written.
#[derive(Debug, Clone, Args)]
pub struct NatsOptions {
    /// NATS 2.10 or later with JetStream to use; without it, and without DATABASE_URL, Sekisho supervises its own
    #[arg(long, env = "NATS_URL", value_name = "URL", hide_env_values = true)]
    pub nats_url: Option<String>,

    /// JetStream stream that holds the events
    #[arg(long, env = "SEKISHO_NATS_STREAM", default_value = "EVENTS", value_name = "NAME")]
    pub nats_stream: String,

    /// First token of the subjects of events
    #[arg(long, env = "SEKISHO_NATS_PREFIX", default_value = "events", value_name = "TOKEN")]
    pub nats_prefix: String,

    /// Copies of the stream in a NATS cluster: 1, 3 or 5
    #[arg(long, env = "SEKISHO_NATS_REPLICAS", default_value = "1", value_name = "COUNT")]
    pub nats_replicas: String,
}

/// The master key, as it was written.
#[derive(Debug, Clone, Args)]
pub struct MasterKeyOptions {
    /// Master key, or several separated by commas (the first one seals); prefer the file
    #[arg(long, env = "SEKISHO_MASTER_KEY", value_name = "BASE64", hide_env_values = true)]
    pub master_key: Option<String>,

    /// File with the master key; without either one is generated in the data folder when the store is embedded
    #[arg(long, env = "SEKISHO_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
}

/// Where the master key comes from.
#[derive(Debug)]
pub enum MasterKeySource {
    /// It was given.
    Given(MasterKeys),
    /// It lies, or will be generated, in the data folder.
    Generated(PathBuf),
}

/// A deployment, as it was written.
#[derive(Debug, Clone, Args)]
pub struct DeploymentOptions {
    /// Where it is.
    #[command(flatten)]
    pub place: PlaceOptions,

    /// What opens it.
    #[command(flatten)]
    pub key: MasterKeyOptions,
}

/// A deployment to work on.
#[derive(Debug)]
pub struct Deployment {
    /// Where it is.
    pub place: Place,
    /// What opens it.
    pub master_key: MasterKeySource,
}

impl PlaceOptions {
    /// Which Postgres, or what is wrong.
    pub fn check(&self) -> Result<Place, Vec<ConfigError>> {
        let mut faults = Faults::default();
        let place = faults.note("--database-url", self.place());
        place.ok_or_else(|| faults.all())
    }

    /// The data folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(default_data)
    }

    pub(crate) fn place(&self) -> Result<Place, String> {
        match &self.database_url {
            None => Ok(Place::Embedded(self.folder())),
            Some(address) if address.starts_with("postgres://") || address.starts_with("postgresql://") => {
                Ok(Place::Given(address.clone()))
            }
            Some(_) => Err("a Postgres address starts with postgres://".to_owned()),
        }
    }
}

impl NatsOptions {
    pub(super) fn check_address(&self, faults: &mut Faults) {
        if let Some(address) = &self.nats_url
            && !["nats://", "tls://", "ws://", "wss://"].iter().any(|scheme| address.starts_with(scheme))
        {
            faults.note::<(), _>("--nats-url", Err("a NATS address starts with nats:// or tls://"));
        }
    }

    pub(super) fn stream(&self, faults: &mut Faults) -> Option<RelayConfig> {
        let token = |text: &str| {
            let good = !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
            good.then(|| text.to_owned())
                .ok_or_else(|| format!("{text:?} has other characters than a-z, A-Z, 0-9, _ and -"))
        };
        let stream = faults.note("--nats-stream", token(&self.nats_stream));
        let prefix = faults.note("--nats-prefix", token(&self.nats_prefix));
        let replicas = match self.nats_replicas.as_str() {
            "1" => Ok(1),
            "3" => Ok(3),
            "5" => Ok(5),
            other => Err(format!("{other:?} is not 1, 3 or 5")),
        };
        let replicas = faults.note("--nats-replicas", replicas);
        Some(RelayConfig { stream: stream?, prefix: prefix?, replicas: replicas? })
    }

    /// The stream, or all that is wrong.
    pub fn check(&self) -> Result<RelayConfig, Vec<ConfigError>> {
        let mut faults = Faults::default();
        let stream = self.stream(&mut faults);
        self.check_address(&mut faults);
        faults.or(stream)
    }
}

impl MasterKeyOptions {
    /// Where the master key of what is there is.
    pub(crate) fn source(&self, place: &PlaceOptions) -> Result<MasterKeySource, String> {
        match (&self.master_key, &self.master_key_file, &place.database_url) {
            (Some(_), Some(_), _) => Err("give the key or the file, not both".to_owned()),
            (Some(text), None, _) => MasterKeys::parse(text).map(MasterKeySource::Given).map_err(|error| error.to_string()),
            (None, Some(file), _) => read_master_key(file).map(MasterKeySource::Given),
            (None, None, None) => Ok(MasterKeySource::Generated(place.folder().join("master.key"))),
            (None, None, Some(_)) => Err(
                "with a database of your own the master key must be yours too: set SEKISHO_MASTER_KEY_FILE (make one with `sekisho keys generate-master`)"
                    .to_owned(),
            ),
        }
    }
}

impl DeploymentOptions {
    /// The deployment, or all that is wrong.
    pub fn check(&self) -> Result<Deployment, Vec<ConfigError>> {
        let mut faults = Faults::default();
        let place = faults.note("--database-url", self.place.place());
        let master_key = faults.note("--master-key", self.key.source(&self.place));
        let deployment = place.zip(master_key).map(|(place, master_key)| Deployment { place, master_key });
        faults.or(deployment)
    }
}
