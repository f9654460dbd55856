//! Start-up: the one place that knows every adapter, and the order in which things come up and go down.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use commands::{Entropy as _, Ports};
use domain::value::{Clock, Position, PresentedSecret};
use mcp::origin::AllowedOrigins;
use mcp::upstream::{Upstream, UpstreamConfig};
use projections::access::LiveView;
use projections::{Bus, Doorbell, LogReader, Relay, Runner, RunnerHandle, SignEnvelope};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::watch;
use url::Url;

use crate::adapters::capabilities::{BootstrapToken, RelaySignature, SealedSessions};
use crate::adapters::embedded::{Embedded, EmbeddedConfig, EmbeddedError};
use crate::adapters::key_digest::{KeyDigestError, KeyDigests};
use crate::adapters::master_key::{MasterKeyError, MasterKeys, hex};
use crate::adapters::nats::{self, NatsError};
use crate::adapters::personal_data::PersonalData;
use crate::adapters::postgres::{self, PostgresError};
use crate::adapters::postgres_events::{Appender, PostgresEvents};
use crate::adapters::system::{SystemClock, SystemEntropy};
use crate::adapters::vault::PostgresVault;
use crate::admin::Admin;
use crate::config::{Config, MasterKeySource, Store, read_master_key};
use crate::gateway::{Budget, Gateway, Parts, ToolHints, UpstreamCredentials};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::router::router;
use crate::serve::serve;
use crate::shutdown::Shutdown;

/// Commands are remembered this long for retries.
const COMMANDS_KEPT: &str = "7 days";
const TIDY_EVERY: Duration = Duration::from_secs(600);
/// How long the first catch-up may take before traffic is served by a view that is still behind (and not ready).
const CATCH_UP_WAIT: Duration = Duration::from_secs(30);

/// Sekisho cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The embedded store.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// Postgres.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// NATS.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// The master key.
    #[error("the master key: {0}")]
    MasterKey(String),
    /// The data keys.
    #[error(transparent)]
    DataKeys(#[from] KeyDigestError),
    /// A file in the data folder.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    /// TLS towards upstreams.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

impl From<MasterKeyError> for StartError {
    fn from(error: MasterKeyError) -> Self {
        Self::MasterKey(error.to_string())
    }
}

/// The ports of the use cases, on real technology.
#[derive(Debug)]
pub struct RealPorts {
    log: PostgresEvents,
    entropy: SystemEntropy,
    digests: Arc<KeyDigests>,
    vault: PostgresVault,
    clock: SystemClock,
}

impl Ports for RealPorts {
    type Log = PostgresEvents;
    type Entropy = SystemEntropy;
    type Hasher = KeyDigests;
    type Vault = PostgresVault;
    type Clock = SystemClock;

    fn log(&self) -> &PostgresEvents {
        &self.log
    }
    fn entropy(&self) -> &SystemEntropy {
        &self.entropy
    }
    fn hasher(&self) -> &KeyDigests {
        &self.digests
    }
    fn vault(&self) -> &PostgresVault {
        &self.vault
    }
    fn clock(&self) -> &SystemClock {
        &self.clock
    }
}

/// A running Sekisho.
#[derive(Debug)]
pub struct Running {
    /// The address that it listens on.
    pub address: SocketAddr,
    /// How callers reach it, without a slash at the end.
    pub url: String,
    /// The database, for tests and the command line.
    pub pool: PgPool,
    /// The access view of this node.
    pub view: LiveView,
    /// Read models.
    pub projections: Vec<RunnerHandle>,
    /// What the relay has put into the stream.
    pub relayed: Doorbell,
    /// The token that founds the deployment.
    pub bootstrap_token: String,
    /// What a person should know about the store.
    pub description: Vec<String>,
    /// The embedded store, when there is one.
    pub embedded: Option<Embedded>,
    shutdown: Shutdown,
    grace: Duration,
}

impl Running {
    /// Stops in order: no new work, then quiet, then the embedded store. Tells whether everything ended within the grace period.
    pub async fn stop(self) -> bool {
        let quiet = self.shutdown.finish(self.grace).await;
        self.pool.close().await;
        if let Some(embedded) = self.embedded {
            embedded.stop().await;
        }
        quiet
    }

    /// A handle to the stop, for signals.
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }
}

struct Backbone {
    pool: PgPool,
    nats: Option<async_nats::Client>,
    embedded: Option<Embedded>,
    description: Vec<String>,
    options: sqlx::postgres::PgConnectOptions,
}

/// Starts everything; returns when requests are answered.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let listener =
        TcpListener::bind(config.listen).await.map_err(|error| StartError::Listen(config.listen, error))?;
    let address = listener.local_addr().map_err(|error| StartError::Listen(config.listen, error))?;
    let Backbone { pool, nats, embedded, mut description, options } = backbone(&config).await?;
    postgres::migrate(&pool).await?;
    let master = Arc::new(master_key(&config.master_key)?);
    let digests = Arc::new(KeyDigests::load(&pool, &master).await?);
    let token = bootstrap_token(&config)?;

    let shutdown = Shutdown::default();
    let log = LogReader::new(pool.clone());
    let doorbell = Doorbell::default();
    let (commits, committed) = watch::channel(Position::START);
    let (appender, appending) = Appender::new(options, commits);
    shutdown.spawn(appending.run());
    shutdown.spawn(ring(committed, doorbell.clone(), shutdown.clone()));
    let signer: Arc<dyn SignEnvelope> = Arc::new(RelaySignature::of(&digests));
    let relayed = Doorbell::default();
    let bus = nats.map(|client| Bus { client, subjects: config.relay.subjects(), signer: Arc::clone(&signer) });
    if let Some(bus) = &bus {
        let relay = Relay::new(log.clone(), doorbell.clone(), bus.client.clone(), config.relay.clone(), signer, relayed.clone());
        shutdown.spawn(relay.run(shutdown.soft()));
    } else {
        description.push("NATS: none; this node reads the log from Postgres alone, and nothing is published".to_owned());
    }
    shutdown.spawn(postgres::ring_for_commits(log.clone(), doorbell.clone(), bus.is_none(), shutdown.soft()));

    let view = LiveView::default();
    let following = { let view = view.clone(); let (log, bell, stop) = (log.clone(), doorbell.clone(), shutdown.soft()); async move { view.follow(log, bell, bus, stop).await } };
    shutdown.spawn(following);
    let personal: Arc<PersonalData> = Arc::new(PersonalData::new(pool.clone(), Arc::clone(&master)));
    let mut projections = Vec::new();
    for projection in projections::all() {
        let runner = Runner::new(projection, pool.clone(), Arc::<PersonalData>::clone(&personal), doorbell.clone());
        projections.push(runner.handle());
        shutdown.spawn(runner.run(shutdown.soft()));
    }
    catch_up(&log, &view).await;

    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let metrics = Metrics::default();
    let url = own_url(config.public_url.as_ref(), address);
    let vault = PostgresVault::new(pool.clone(), Arc::clone(&master));
    let budget = Budget::new(config.key_rate, config.key_burst);
    shutdown.spawn(tidy(budget.clone(), pool.clone(), shutdown.clone()));
    let gateway = Gateway::new(Parts {
        view: view.clone(),
        clock: Arc::clone(&clock),
        keys: Arc::<KeyDigests>::clone(&digests),
        sessions: Arc::new(SealedSessions(Arc::clone(&master))),
        credentials: UpstreamCredentials::new(Arc::new(vault.clone())),
        upstream: upstream(&config)?,
        origins: origins(&config, &url, address),
        budget,
        hints: ToolHints::default(),
        metrics: metrics.clone(),
    });
    let events = PostgresEvents::new(pool.clone(), appender, Arc::clone(&digests), Arc::clone(&master));
    let ports = RealPorts { log: events, entropy: SystemEntropy, digests: Arc::clone(&digests), vault, clock: SystemClock };
    let directory = projections.first().cloned().ok_or_else(|| StartError::MasterKey("no projection".to_owned()))?;
    let admin = Admin {
        ports: Arc::new(ports),
        pool: pool.clone(),
        view: view.clone(),
        directory,
        keys: digests,
        clock,
        bootstrap: Arc::new(BootstrapToken(PresentedSecret::new(token.clone()))),
        url: url.as_str().into(),
    };
    let health = Health {
        shutdown: shutdown.clone(),
        view: view.clone(),
        projections: projections.clone(),
        doorbell,
        metrics: metrics.clone(),
    };
    let routes = router(&admin, gateway, health, metrics);
    shutdown.spawn(serve(listener, routes, shutdown.clone()));
    Ok(Running {
        address,
        url,
        pool,
        view,
        projections,
        relayed,
        bootstrap_token: token,
        description,
        embedded,
        shutdown,
        grace: config.grace,
    })
}

async fn backbone(config: &Config) -> Result<Backbone, StartError> {
    match &config.store {
        Store::Embedded { nats: wanted } => {
            let embedded =
                Embedded::start(EmbeddedConfig { data: config.data.clone(), nats: *wanted, search: Vec::new() }).await?;
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
            let mut description = vec![format!("Postgres {}: given by DATABASE_URL", postgres::major(&pool).await?)];
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
            description.push("NATS: given by NATS_URL, does not answer yet; reading the log from Postgres meanwhile".to_owned());
            nats::connect_later(address).await
        }
        Err(error) => Err(error),
    }
}

/// Commits of this node ring at once.
async fn ring(mut committed: watch::Receiver<Position>, doorbell: Doorbell, shutdown: Shutdown) {
    let hard = shutdown.hard();
    loop {
        let news = tokio::select! {
            () = hard.cancelled() => return,
            news = committed.changed() => news,
        };
        if news.is_err() {
            return;
        }
        doorbell.ring(*committed.borrow_and_update());
    }
}

async fn catch_up(log: &LogReader, view: &LiveView) {
    match log.head().await {
        Ok(head) => {
            if tokio::time::timeout(CATCH_UP_WAIT, view.reached(head)).await.is_err() {
                tracing::warn!(head = head.get(), "still reading the log; not ready yet");
            }
        }
        Err(error) => tracing::warn!(error = %error, "the head of the log cannot be read"),
    }
}

/// Forgets what need not be remembered: silent keys' budgets, old commands.
async fn tidy(budget: Budget, pool: PgPool, shutdown: Shutdown) {
    let statement = format!("delete from commands where recorded_at < now() - interval '{COMMANDS_KEPT}'");
    let soft = shutdown.soft();
    loop {
        tokio::select! {
            () = soft.cancelled() => return,
            () = tokio::time::sleep(TIDY_EVERY) => {}
        }
        budget.forget_silent();
        if let Err(error) = sqlx::query(&statement).execute(&pool).await {
            tracing::warn!(error = %error, "old commands cannot be forgotten");
        }
    }
}

fn upstream(config: &Config) -> Result<Upstream, StartError> {
    let settings = UpstreamConfig { timeouts: config.upstream, ..UpstreamConfig::default() };
    Upstream::try_new(settings).map_err(|error| StartError::Tls(error.to_string()))
}

/// Our own address, those that were configured, and loopback spellings of it when we listen there.
fn origins(config: &Config, url: &str, address: SocketAddr) -> AllowedOrigins {
    let mut origins = config.allowed_origins.clone();
    origins.push(url.to_owned());
    if address.ip().is_loopback() {
        for host in ["127.0.0.1", "localhost", "[::1]"] {
            origins.push(format!("http://{host}:{}", address.port()));
        }
    }
    // All of them were checked when the configuration was read, or are made here.
    AllowedOrigins::parse(origins.iter().map(String::as_str)).unwrap_or_default()
}

fn own_url(public: Option<&Url>, address: SocketAddr) -> String {
    match public {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => format!("http://{address}"),
    }
}

fn master_key(source: &MasterKeySource) -> Result<MasterKeys, StartError> {
    match source {
        MasterKeySource::Given(keys) => Ok(keys.clone()),
        MasterKeySource::Generated(file) => {
            if !file.exists() {
                let comment = "# Master key of this data folder. Without it nothing sealed in its database can be read again.\n";
                write_private(file, &format!("{comment}{}\n", *MasterKeys::generate()?))?;
            }
            read_master_key(file).map_err(StartError::MasterKey)
        }
    }
}

/// The given token, or one that is kept in the data folder so that whoever may read it may found the deployment.
fn bootstrap_token(config: &Config) -> Result<String, StartError> {
    if let Some(token) = &config.bootstrap_token {
        return Ok(token.clone());
    }
    let file = config.data.join("bootstrap-token");
    if !file.exists() {
        write_private(&file, &hex(&SystemEntropy.secret()))?;
    }
    let text = std::fs::read_to_string(&file).map_err(|error| StartError::File(file.display().to_string(), error))?;
    Ok(text.trim().to_owned())
}

fn write_private(file: &Path, text: &str) -> Result<(), StartError> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let failed = |error| StartError::File(file.display().to_string(), error);
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut open = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(failed)?;
    open.write_all(text.as_bytes()).and_then(|()| open.sync_all()).map_err(failed)
}
