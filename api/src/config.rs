//! Configuration: every value is an option and an environment variable. All that is wrong is reported at once, before any socket opens.

mod auto_consent;
mod deployment;
mod faults;
mod limits;
mod providers;
mod shared;
#[cfg(test)]
mod tests;
mod upstreams;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use domain::value::{AddressRange, SigningAlgorithm};
use mcp::origin::AllowedOrigins;
use mcp::upstream::UpstreamTimeouts;
use projections::RelayConfig;
use projections::calls::Retention;
use url::Url;

pub use self::auto_consent::AutoConsent;
pub(crate) use self::auto_consent::is_loopback;
pub use self::deployment::{
    Deployment, DeploymentOptions, MasterKeyOptions, MasterKeySource, NatsOptions, Place, PlaceOptions,
};
use self::faults::{Faults, on_or_off, public_url};
pub use self::limits::LimitOptions;
pub use self::providers::ProviderOptions;
pub use self::shared::{AlgorithmOptions, BcryptOptions};
pub use self::upstreams::UpstreamOptions;
use crate::adapters::master_key::MasterKeys;
pub use crate::adapters::outbound::Loopback;
pub use crate::gateway::BreakerLimits;
use crate::limits::{Rates, TrustedProxies};
pub use crate::oauth::PublishedKeyLimits;
use crate::oauth::RegistrationPolicy;
pub use crate::providers::ProviderLimits;

/// Which log goes with that NATS, nobody said.
pub(crate) const NATS_ALONE: &str =
    "NATS_URL is set but DATABASE_URL is not: set both, or neither for the embedded store";

/// Shorter tokens can be guessed.
pub(crate) const BOOTSTRAP_TOKEN_CHARS_MIN: usize = 24;

/// Options as they were written. Texts, so that everything that is wrong with them can be told in one go.
#[allow(
    rustdoc::bare_urls,
    reason = "these comments are the help on the command line, where angle brackets would be shown"
)]
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Address and port to listen on; port 0 picks a free one
    #[arg(long, env = "SEKISHO_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub listen: String,

    /// Address under which callers reach this service, when it is not the one it listens on, such as https://mcp.example.com
    #[arg(long, env = "SEKISHO_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// Where its database is.
    #[command(flatten)]
    pub place: PlaceOptions,

    /// Where its events go.
    #[command(flatten)]
    pub nats: NatsOptions,

    /// What opens what is sealed.
    #[command(flatten)]
    pub key: MasterKeyOptions,

    /// Token that founds the deployment; without it one is generated in the data folder
    #[arg(long, env = "SEKISHO_BOOTSTRAP_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub bootstrap_token: Option<String>,

    /// File to which every signed checkpoint of the log is appended, to be kept or copied where nobody changes it
    #[arg(long, env = "SEKISHO_CHECKPOINT_FILE", value_name = "FILE")]
    pub checkpoint_file: Option<PathBuf>,

    /// Seconds that what a node knows may be old when it decides: a revocation holds everywhere after as long. Beyond it the node asks
    /// Postgres, and refuses when that does not answer either
    #[arg(long, env = "SEKISHO_STALENESS_MAX", default_value = "1", value_name = "SECONDS")]
    pub staleness_max_seconds: String,

    /// Whether calls are recorded: on or off; instances that take no call without a record refuse all calls when off
    #[arg(long, env = "SEKISHO_CALL_RECORDS", default_value = "on", value_name = "ON|OFF")]
    pub call_records: String,

    /// Days that records of calls are kept
    #[arg(long, env = "SEKISHO_CALL_RETENTION_DAYS", default_value = "30", value_name = "DAYS")]
    pub call_retention_days: String,

    /// Origins beside the service's own that browsers may call from, separated by commas
    #[arg(long, env = "SEKISHO_ALLOWED_ORIGINS", default_value = "", value_name = "ORIGINS")]
    pub allowed_origins: String,

    /// By what tokens are signed.
    #[command(flatten)]
    pub algorithm: AlgorithmOptions,

    /// Days after which another key signs access tokens
    #[arg(long, env = "SEKISHO_SIGNING_KEY_DAYS", default_value = "90", value_name = "DAYS")]
    pub signing_key_days: String,

    /// Whether clients register themselves (RFC 7591): closed, token (with an API key that has clients:write) or open; token unless said otherwise,
    /// and open in the demonstration
    #[arg(long, env = "SEKISHO_REGISTRATION", value_name = "POLICY")]
    pub registration: Option<String>,

    /// Whether a client may be known by the address of a document that describes it (CIMD): on or off; on unless registration is closed
    #[arg(long, env = "SEKISHO_CLIENT_DOCUMENTS", value_name = "on|off")]
    pub client_documents: Option<String>,

    /// Whether addresses that strangers name may lead to this very machine, over http too: on or off; for demonstrations and tests, and refused where
    /// the service listens to others than this machine
    #[arg(long, env = "SEKISHO_OUTBOUND_LOOPBACK", default_value = "off", value_name = "on|off")]
    pub outbound_loopback: String,

    /// Networks beside the open internet in which the MCP servers of organizations may be, separated by commas, such as 10.20.0.0/16; those that
    /// deployment administrators register may be anywhere. None unless said otherwise; 127.0.0.0/8,::1 is this very machine, which the demonstration opens
    #[arg(long, env = "SEKISHO_UPSTREAM_NETWORKS", value_name = "NETWORKS")]
    pub upstream_networks: Option<String>,

    /// Minutes that keys which a client publishes (jwks_uri) are taken after they were good by their headers, while they cannot be fetched
    #[arg(long, env = "SEKISHO_CLIENT_KEYS_STALE_MINUTES", default_value = "60", value_name = "MINUTES")]
    pub client_keys_stale_minutes: String,

    /// Hours after which a client that registered itself and that nobody ever let act is forgotten
    #[arg(long, env = "SEKISHO_REGISTRATION_UNUSED_HOURS", default_value = "24", value_name = "HOURS")]
    pub registration_unused_hours: String,

    /// What slow digests cost.
    #[command(flatten)]
    pub bcrypt: BcryptOptions,

    /// MCP calls a second for each API key
    #[arg(long, env = "SEKISHO_KEY_RATE", default_value = "500", value_name = "CALLS_PER_SECOND")]
    pub key_rate: String,

    /// MCP calls at once for each API key, on top of the rate
    #[arg(long, env = "SEKISHO_KEY_BURST", default_value = "1000", value_name = "CALLS")]
    pub key_burst: String,

    /// How often anybody may ask
    #[command(flatten)]
    pub limits: LimitOptions,

    /// About upstreams.
    #[command(flatten)]
    pub upstreams: UpstreamOptions,

    /// MiB of requests and answers held in memory at once, for all callers together; beyond them calls are answered 503
    #[arg(long, env = "SEKISHO_HELD_MEBIBYTES", default_value = "256", value_name = "MEBIBYTES")]
    pub held_mebibytes: String,

    /// Seconds to go on serving as not ready after a stop was asked for, so that a load balancer looks elsewhere first
    #[arg(long, env = "SEKISHO_DRAIN_DELAY_SECONDS", default_value = "0", value_name = "SECONDS")]
    pub drain_delay_seconds: String,

    /// Seconds that answers under way may take to end after a stop was asked for
    #[arg(long, env = "SEKISHO_GRACE_SECONDS", default_value = "20", value_name = "SECONDS")]
    pub grace_seconds: String,

    /// About identity providers.
    #[command(flatten)]
    pub providers: ProviderOptions,
}

/// Configuration that is right.
#[derive(Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How callers reach us; `None` means the address listened on.
    pub public_url: Option<Url>,
    /// The data folder.
    pub data: PathBuf,
    /// Postgres and NATS.
    pub store: Store,
    /// Where the relay writes.
    pub relay: RelayConfig,
    /// Where the master key is.
    pub master_key: MasterKeySource,
    /// The token that founds the deployment.
    pub bootstrap_token: Option<String>,
    /// Where checkpoints are appended.
    pub checkpoint_file: Option<PathBuf>,
    /// How old the view of a node may be when it decides.
    pub staleness_max: Duration,
    /// Whether calls are recorded.
    pub call_records: bool,
    /// How long records of calls are kept.
    pub call_retention: Retention,
    /// Origins beside our own.
    pub allowed_origins: Vec<String>,
    /// How access tokens are signed.
    pub signing: Signing,
    /// Whether clients register themselves.
    pub registration: Registration,
    /// Whether clients are known by documents.
    pub client_documents: bool,
    /// Whether addresses that strangers name may lead to this machine.
    pub outbound_loopback: Loopback,
    /// Networks beside the open internet in which servers of organizations may be.
    pub upstream_networks: Vec<AddressRange>,
    /// How long keys that clients publish are taken for what they are.
    pub published_keys: PublishedKeyLimits,
    /// Cost of slow digests.
    pub bcrypt_cost: u32,
    /// Calls a second for each key.
    pub key_rate: NonZeroU32,
    /// Calls at once for each key.
    pub key_burst: NonZeroU32,
    /// How often anybody may ask.
    pub rates: Rates,
    /// Proxies that say who asks.
    pub trusted_proxies: TrustedProxies,
    /// How long upstreams may take.
    pub upstream: UpstreamTimeouts,
    /// When upstreams are left alone.
    pub breakers: BreakerLimits,
    /// Bytes of requests and answers held at once.
    pub held_bytes_max: usize,
    /// How long a stop is announced before it begins.
    pub drain_delay: Duration,
    /// How long a stop may take.
    pub grace: Duration,
    /// Who is signed in and agrees without being asked; only `sekisho demo` sets it.
    pub auto_consent: Option<AutoConsent>,
    /// How identity providers are put up with.
    pub providers: ProviderLimits,
}

/// How access tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signing {
    /// With what.
    pub algorithm: SigningAlgorithm,
    /// For how many days with the same key.
    pub key_days: u16,
}

/// Whether clients register themselves, and what becomes of those that nobody uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registration {
    /// Who may register one.
    pub policy: RegistrationPolicy,
    /// How long one that nobody ever let act is kept.
    pub unused_for: Duration,
    /// How many of those there may be that are nobody's.
    pub unused_max: usize,
    /// How long one of those is kept in any case, however many there are.
    pub unused_kept_at_least: Duration,
}

/// Which Postgres and NATS.
#[derive(Clone, PartialEq, Eq)]
pub enum Store {
    /// Our own, supervised, in the data folder.
    Embedded {
        /// Whether to look for a nats-server at all.
        nats: bool,
    },
    /// Somebody else's.
    Given {
        /// Postgres.
        database: String,
        /// NATS, or the Postgres tail alone.
        nats: Option<String>,
    },
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedded { nats } => write!(f, "Embedded(nats: {nats})"),
            Self::Given { nats, .. } => write!(f, "Given(nats: {})", nats.is_some()), // addresses hold passwords
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option}: {problem}")]
pub struct ConfigError {
    /// Which option, as it is written on the command line.
    pub option: &'static str,
    /// What is wrong and what to do.
    pub problem: String,
}

impl Options {
    /// Checks everything; either a configuration that is right or all that is wrong.
    pub fn check(&self) -> Result<Config, Vec<ConfigError>> {
        let mut faults = Faults::default();
        let listen_text =
            || format!("{:?} is not an address and port such as 127.0.0.1:8080 or [::1]:8080", self.listen);
        let listen = faults.note("--listen", self.listen.parse::<SocketAddr>().map_err(|_| listen_text()));
        let public_url =
            self.public_url.as_deref().and_then(|text| faults.note("--public-url", public_url(text)));
        let store = faults.note("--database-url", self.store());
        let data = self.place.folder();
        let relay = self.nats.stream(&mut faults);
        let master_key = faults.note("--master-key", self.key.source(&self.place));
        let bootstrap_token = self.bootstrap_token.as_deref().map(|token| match token.len() {
            0..BOOTSTRAP_TOKEN_CHARS_MIN => {
                Err("a bootstrap token has at least 24 characters; leave it out to have one generated")
            }
            _ => Ok(token.to_owned()),
        });
        let bootstrap_token = bootstrap_token.map(|token| faults.note("--bootstrap-token", token));
        let call_records = faults.note("--call-records", on_or_off(&self.call_records));
        let call_retention = faults.retention(&self.call_retention_days);
        let allowed_origins: Vec<String> = self
            .allowed_origins
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .collect();
        faults.note(
            "--allowed-origins",
            AllowedOrigins::parse(allowed_origins.iter().map(String::as_str))
                .map_err(|error| format!("{error}; write them like https://app.example.com")),
        );
        self.nats.check_address(&mut faults);
        let staleness_max = faults.staleness("--staleness-max-seconds", &self.staleness_max_seconds);
        let signing = faults.signing(&self.algorithm.signing_algorithm, &self.signing_key_days);
        let registration = faults.registration(self.registration.as_deref(), &self.registration_unused_hours);
        let client_documents = faults.client_documents(self.client_documents.as_deref(), registration);
        let published_keys = faults.published_keys(&self.client_keys_stale_minutes);
        let outbound_loopback = faults.outbound_loopback(&self.outbound_loopback, listen);
        let upstream_networks = faults.networks(self.upstream_networks.as_deref());
        let bcrypt_cost = faults.bcrypt_cost("--bcrypt-cost", &self.bcrypt.bcrypt_cost);
        let key_rate = faults.count("--key-rate", &self.key_rate);
        let key_burst = faults.count("--key-burst", &self.key_burst);
        let limits = self.limits.check(&mut faults);
        let upstreams = self.upstreams.check(&mut faults);
        let held_bytes_max = faults.mebibytes("--held-mebibytes", &self.held_mebibytes);
        let drain_delay = faults.seconds_or_none("--drain-delay-seconds", &self.drain_delay_seconds);
        let grace = faults.seconds("--grace-seconds", &self.grace_seconds);
        let providers = self.providers.check(&mut faults);
        let complete = || {
            let (rates, trusted_proxies) = limits?;
            let (upstream, breakers) = upstreams?;
            Some(Config {
                listen: listen?,
                public_url: public_url.clone(),
                data: data.clone(),
                store: store?,
                relay: relay?,
                master_key: master_key?,
                bootstrap_token: bootstrap_token.flatten(),
                checkpoint_file: self.checkpoint_file.clone(),
                staleness_max: staleness_max?,
                call_records: call_records?,
                call_retention: call_retention?,
                allowed_origins,
                signing: signing?,
                registration: registration?,
                client_documents: client_documents?,
                outbound_loopback: outbound_loopback?,
                upstream_networks: upstream_networks?,
                published_keys: published_keys?,
                bcrypt_cost: bcrypt_cost?,
                key_rate: key_rate?,
                key_burst: key_burst?,
                rates,
                trusted_proxies,
                upstream,
                breakers,
                held_bytes_max: held_bytes_max?,
                drain_delay: drain_delay?,
                grace: grace?,
                auto_consent: None,
                providers: providers?,
            })
        };
        let complete = complete();
        faults.or(complete)
    }

    /// Which Postgres and NATS.
    fn store(&self) -> Result<Store, String> {
        match (self.place.place()?, &self.nats.nats_url) {
            (Place::Embedded(_), None) => Ok(Store::Embedded { nats: true }),
            (Place::Given(database), nats) => Ok(Store::Given { database, nats: nats.clone() }),
            (Place::Embedded(_), Some(_)) => Err(NATS_ALONE.to_owned()),
        }
    }
}

/// Reads a master-key file.
pub(crate) fn read_master_key(file: &Path) -> Result<MasterKeys, String> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    MasterKeys::parse(&text).map_err(|error| format!("{}: {error}", file.display()))
}

/// Where the data folder is when nobody says: a system folder for root, else the user's data folder.
pub fn default_data() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/sekisho");
    }
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(home)
        .unwrap_or_else(|| PathBuf::from("."))
        .join("sekisho")
}
