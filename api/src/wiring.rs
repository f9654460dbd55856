//! Start-up: the one place that knows every adapter, and the order in which things come up and go down.

mod backbone;
mod calls;
mod ended_families;
mod files;
mod forgetting;
mod limits;
mod people;
mod ports;
mod providers;
mod readers;
mod running;
mod signing_keys;
mod unused_clients;
mod upstreams;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::value::{Position, PresentedSecret};
use mcp::origin::AllowedOrigins;
use projections::LogReader;
use projections::access::Deciding;
use projections::history::History;
use projections::notary::NotaryHandle;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::watch;
use url::Url;

use crate::adapters::call_seals::CallSeals;
use crate::adapters::capabilities::{BootstrapToken, SealedSessions};
use crate::adapters::client_assertions::AssertionVerifier;
use crate::adapters::embedded::EmbeddedError;
use crate::adapters::key_digest::{KeyDigestError, KeyDigests};
use crate::adapters::master_key::{MasterKeyError, MasterKeys};
use crate::adapters::nats::NatsError;
use crate::adapters::notary_key::{self, NotaryKeyError};
use crate::adapters::outbound::Outbound;
use crate::adapters::personal_data::PersonalData;
use crate::adapters::postgres::{self, PostgresError};
use crate::adapters::postgres_events::Appender;
use crate::adapters::refresh_tokens::RefreshTokens;
use crate::adapters::system::SystemClock;
use crate::adapters::token_keys::{SigningKeys, TokenSigner, TokenVerifier};
use crate::adapters::vault::PostgresVault;
use crate::adapters::verified_secrets::VerifiedSecrets;
use crate::admin::{Admin, Places};
use crate::config::{BOOTSTRAP_TOKEN_CHARS_MIN, Config};
use crate::gateway::{
    Addresses, BodyBudgets, Breakers, Gateway, Links, OpenStreams, Parts, Recorder, Tokens, ToolHints,
    UpstreamCredentials,
};
use crate::health::Health;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::oauth::{ClientDocuments, KeysOfClients, Oauth};
use crate::router::{Surface, surface};
use crate::serve::serve;
use crate::shutdown::Shutdown;
use crate::token::PublicUrl;
use crate::upstream_oauth::UpstreamOauth;
use crate::well_known::WellKnown;

use backbone::{Backbone, backbone};
pub(crate) use people::passwords;
pub(crate) use ports::RealPorts;
use readers::{Readers, Sources};
pub use running::Running;
use signing_keys::Keeper;
pub(crate) use signing_keys::PUBLISHED_FIRST_SECONDS;

/// Commands are remembered for retries; a retry comes within days.
const FORGET_COMMANDS: &str = "delete from commands where recorded_at < now() - interval '7 days'";
/// A version that no event named after an hour belongs to a command that failed. Only a directory that is not far behind, as one is that is
/// built anew, knows which version is in force.
const FORGET_SECRETS: &str = "delete from connection_secrets s using connections c
    where c.id = s.connection_id and s.created_at < now() - interval '1 hour'
    and (c.standing = 'removed' or s.version <> coalesce(c.secrets_version, 0))
    and not exists (select from events e where e.recorded_at < now() - interval '10 minutes' and e.global_position > coalesce(
        (select p.position from projection_checkpoints p where p.projection = 'directory' order by p.version desc limit 1), 0))
    and not exists (select from parked_events p where p.projection = 'directory' and p.aggregate_id = c.id::text)";
/// Nobody who asks again is answered by then, so nothing is left that a token that was found somewhere opens.
const FORGET_REFRESH_ANSWERS: &str = "update refresh_tokens set answer = null where consumed_at < now() - interval '2 minutes' and answer is not null";
/// A spent token is known for as long as one that lies about unused is good: whoever comes with an older one gets nothing either way.
const FORGET_SPENT_REFRESH_TOKENS: &str =
    "delete from refresh_tokens where consumed_at < now() - make_interval(days => 30)";
const FORGET_REFRESH_FAMILIES: &str = "delete from refresh_families
    where idle_until < now() - interval '1 day' and (ended_at is null or told_at is not null)";
const TIDY_EVERY: Duration = Duration::from_mins(10);

/// Sekisho cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error(
        "cannot listen on {0}: {1}; --listen (SEKISHO_LISTEN) names another address and port, and port 0 picks a free one"
    )]
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
    /// The key that signs checkpoints of the log.
    #[error(transparent)]
    NotaryKey(#[from] NotaryKeyError),
    /// The kept bootstrap token is no token.
    #[error(
        "{0} is shorter than {BOOTSTRAP_TOKEN_CHARS_MIN} characters; remove it, and a new one is made at the next start"
    )]
    BootstrapToken(String),
    /// A file in the data folder.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    /// The management API has nothing to read from: this program was put together wrongly.
    #[error("there is no projection called directory")]
    NoDirectory,
    /// The address that everything is named after.
    #[error("{0} is no address that callers reach")]
    PublicUrl(String),
    /// TLS towards upstreams.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

impl From<MasterKeyError> for StartError {
    fn from(error: MasterKeyError) -> Self {
        Self::MasterKey(error.to_string())
    }
}

/// Starts everything; returns when requests are answered.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let listener =
        TcpListener::bind(config.listen).await.map_err(|error| StartError::Listen(config.listen, error))?;
    let address = listener.local_addr().map_err(|error| StartError::Listen(config.listen, error))?;
    let Backbone { pool, nats, embedded, mut description, options } = Box::pin(backbone(&config)).await?; // large, and awaited once
    if nats.is_none() {
        let alone = "NATS: none; this node reads the log from Postgres alone, and nothing is published";
        description.push(alone.to_owned());
    }
    postgres::migrate(&pool).await?;
    let master = Arc::new(files::master_key(&config.master_key)?);
    let digests = Arc::new(KeyDigests::load(&pool, &master).await?.at_cost(config.bcrypt_cost));
    let bootstrap_token = files::bootstrap_token(&config)?;

    let shutdown = Shutdown::default();
    let (commits, committed) = watch::channel(Position::START);
    let (appender, appending) = Appender::new(options.clone(), commits);
    shutdown.spawn(appending.run());
    let personal = PersonalData::new(pool.clone(), Arc::clone(&master));
    // Before anything is read: a backup may have brought a key back, and a crash may have left one.
    let forgotten = personal.forget_erased(Position::START).await.map_err(PostgresError::from)?;
    let metrics = Metrics::default();
    let signer = notary_key::load(&pool, &master).await?;
    description.push(format!("Notary: checkpoints of the log are verified with {}", signer.key()));
    let sources = Sources {
        config: &config,
        pool: &pool,
        options,
        nats: nats.clone(),
        committed,
        digests: &digests,
        personal: personal.clone(),
        metrics: &metrics,
    };
    let readers = readers::start(sources, &shutdown).await;
    shutdown.spawn(forgetting::forget(personal, forgotten, readers.stop.clone()));
    let notary = readers.notary(&config, &pool, nats.clone(), signer, &metrics, &shutdown);
    let seals = Arc::new(CallSeals::of(&digests, Arc::clone(&master)));
    let recorder = calls::start(
        &config,
        &pool,
        nats,
        &digests,
        Arc::<CallSeals>::clone(&seals),
        &metrics,
        (&shutdown, &readers.stop),
    );
    let calls = recorder.as_ref().map(|recorder| recorder.queue.clone());
    let url = own_url(config.public_url.as_ref(), address);
    let public = PublicUrl::parse(&url).ok_or_else(|| StartError::PublicUrl(url.clone()))?;
    let signing_keys = Arc::new(SigningKeys::new(pool.clone(), Arc::clone(&master)));
    let keeper = Keeper {
        pool: pool.clone(),
        ports: RealPorts::of(&pool, appender.clone(), Arc::clone(&digests), &master),
        keys: Arc::clone(&signing_keys),
        view: readers.view.clone(),
        signing: config.signing,
    };
    signing_keys::start(keeper, &readers.stop, &shutdown).await;
    let edge = Edge {
        limits: limits::limits(&config, &readers, &metrics),
        config: &config,
        pool: &pool,
        master,
        digests,
        readers: &readers,
        notary: &notary,
        deciding: Deciding::new(readers.view.clone(), History::new(LogReader::new(pool.clone()))),
        recorder,
        seals,
        metrics: metrics.clone(),
        shutdown: &shutdown,
        url: &url,
        public,
        signing_keys,
    };
    let routes = edge.routes(appender, &bootstrap_token, address)?;
    let Readers { view, projections, relayed, stop, .. } = readers;
    let serving = serve(listener, routes, shutdown.clone());
    shutdown.spawn(async move {
        serving.await;
        stop.cancel();
    });
    let grace = config.grace;
    Ok(Running {
        address,
        url,
        pool,
        view,
        projections,
        notary,
        calls,
        relayed,
        bootstrap_token,
        bootstrap_file: config.bootstrap_token.is_none().then(|| files::bootstrap_file(&config)),
        description,
        embedded,
        metrics,
        shutdown,
        grace,
    })
}

/// What the surface is put together from.
struct Edge<'a> {
    limits: Limits,
    config: &'a Config,
    pool: &'a PgPool,
    master: Arc<MasterKeys>,
    digests: Arc<KeyDigests>,
    readers: &'a Readers,
    notary: &'a NotaryHandle,
    deciding: Deciding,
    recorder: Option<Arc<Recorder>>,
    seals: Arc<CallSeals>,
    metrics: Metrics,
    shutdown: &'a Shutdown,
    url: &'a str,
    public: PublicUrl,
    signing_keys: Arc<SigningKeys>,
}

impl Edge<'_> {
    fn routes(
        &self,
        appender: Appender,
        bootstrap_token: &str,
        address: SocketAddr,
    ) -> Result<Surface, StartError> {
        let metrics = self.metrics.clone();
        let upstreams = self.upstream_oauth(appender.clone())?;
        let gateway = self.gateway(address, metrics.clone(), upstreams.clone())?;
        self.shutdown.spawn(gateway.clone().judge_streams(self.readers.stop.clone()));
        self.shutdown.spawn(gateway.clone().check_upstreams(self.readers.stop.clone()));
        let admin = self.admin(appender, bootstrap_token, upstreams)?;
        let health = Health {
            shutdown: self.shutdown.clone(),
            view: self.readers.view.clone(),
            projections: self.readers.projections.clone(),
            doorbell: self.readers.doorbell.clone(),
            metrics: metrics.clone(),
        };
        let well_known = WellKnown::new(self.notary.clone(), self.pool.clone());
        let outbound = Outbound::try_new(self.config.outbound_loopback);
        let outbound = outbound.map_err(|error| StartError::Tls(error.to_string()))?;
        let documents = self.documents(&outbound);
        let oauth = self.oauth(&admin, documents.clone(), outbound);
        let (ports, refresh) = (Arc::clone(&oauth.ports), Arc::clone(&oauth.refresh));
        self.shutdown.spawn(ended_families::tell_untold(ports, refresh, self.readers.stop.clone()));
        let registration = self.config.registration;
        let (ports, view) = (Arc::clone(&oauth.ports), self.readers.view.clone());
        self.shutdown.spawn(unused_clients::end(ports, view, registration, self.readers.stop.clone()));
        let people = self.people(&admin, documents);
        Ok(surface(&admin, gateway, health, well_known, metrics, &oauth, people))
    }

    fn gateway(
        &self,
        address: SocketAddr,
        metrics: Metrics,
        upstreams: UpstreamOauth<RealPorts>,
    ) -> Result<Gateway, StartError> {
        let tokens = Arc::new(upstreams);
        let upstream = upstreams::upstream(self.config)?;
        self.shutdown.spawn(tidy(self.pool.clone(), self.shutdown.clone()));
        self.shutdown.spawn(self.limits.clone().forget(self.readers.stop.clone()));
        Ok(Gateway::new(Parts {
            deciding: self.deciding.clone(),
            clock: Arc::new(SystemClock),
            keys: Arc::<KeyDigests>::clone(&self.digests),
            tokens: Tokens::new(Arc::new(TokenVerifier::new(self.public.clone()))),
            url: self.public.clone(),
            sessions: Arc::new(SealedSessions(Arc::clone(&self.master))),
            credentials: UpstreamCredentials::new(Arc::new(self.vault()), tokens, self.public.clone()),
            bodies: BodyBudgets::beside(upstream.memory().clone()),
            upstream,
            addresses: Addresses::default(),
            breakers: Breakers::new(self.config.breakers, metrics.clone()),
            origins: origins(self.config, self.url, address),
            limits: self.limits.clone(),
            loopback_open: address.ip().is_loopback() && self.config.public_url.is_none(),
            hints: ToolHints::default(),
            links: Links::default(),
            streams: OpenStreams::new(self.deciding.clone()),
            recorder: self.recorder.clone(),
            metrics,
        }))
    }

    fn admin(
        &self,
        appender: Appender,
        bootstrap_token: &str,
        upstreams: UpstreamOauth<RealPorts>,
    ) -> Result<Admin<RealPorts>, StartError> {
        let ports = RealPorts::of(self.pool, appender, Arc::clone(&self.digests), &self.master);
        let directory = self.readers.projections.iter().find(|handle| handle.name() == "directory").cloned();
        Ok(Admin {
            ports: Arc::new(ports),
            pool: self.pool.clone(),
            view: self.readers.view.clone(),
            deciding: self.deciding.clone(),
            leases: self.readers.leases.clone(),
            directory: directory.ok_or(StartError::NoDirectory)?,
            keys: Arc::<KeyDigests>::clone(&self.digests),
            clock: Arc::new(SystemClock),
            bootstrap: Arc::new(BootstrapToken(PresentedSecret::new(bootstrap_token.to_owned()))),
            notary: self.notary.clone(),
            url: self.url.into(),
            shutdown: self.shutdown.clone(),
            calls: Arc::<CallSeals>::clone(&self.seals),
            places: Places::default(),
            passwords: passwords(self.pool, &self.master, &self.digests),
            providers: self.providers()?,
            networks: upstreams::open_networks(self.config.upstream_networks.clone()),
            upstreams,
        })
    }

    /// The documents of clients, where any client may be known by one.
    fn documents(&self, outbound: &Outbound) -> ClientDocuments {
        if self.config.client_documents {
            ClientDocuments::fetched_by(outbound.clone(), self.config.published_keys)
        } else {
            ClientDocuments::off()
        }
    }

    fn oauth(
        &self,
        admin: &Admin<RealPorts>,
        documents: ClientDocuments,
        outbound: Outbound,
    ) -> Oauth<RealPorts> {
        Oauth {
            ports: Arc::clone(&admin.ports),
            url: self.public.clone(),
            deciding: self.deciding.clone(),
            clock: Arc::new(SystemClock),
            secrets: Arc::new(VerifiedSecrets::new(Arc::clone(&self.digests))),
            assertions: Arc::new(AssertionVerifier),
            keys: Arc::<KeyDigests>::clone(&self.digests),
            registration: self.config.registration.policy,
            unused_clients_max: self.config.registration.unused_max,
            documents,
            published_keys: KeysOfClients::fetched_by(outbound, self.config.published_keys),
            tokens: Arc::new(TokenSigner::new(Arc::clone(&self.signing_keys), self.public.clone())),
            algorithm: self.config.signing.algorithm,
            checks: Arc::new(TokenVerifier::new(self.public.clone())),
            refresh: Arc::new(RefreshTokens::new(self.pool.clone())),
            limits: self.limits.clone(),
            pool: self.pool.clone(),
            providers: admin.providers.clone(),
        }
    }

    fn vault(&self) -> PostgresVault {
        PostgresVault::new(self.pool.clone(), Arc::clone(&self.master))
    }
}

/// Forgets what need not be remembered: old commands, secrets that were replaced or whose connection is gone, sessions, forms and
/// codes whose time is over.
async fn tidy(pool: PgPool, shutdown: Shutdown) {
    let own = [FORGET_COMMANDS, FORGET_SECRETS];
    let refresh = [FORGET_REFRESH_ANSWERS, FORGET_SPENT_REFRESH_TOKENS, FORGET_REFRESH_FAMILIES];
    let oauth = [crate::oauth::FORGET_CODES, crate::oauth::FORGET_FORMS, crate::oauth::FORGET_ASSERTIONS];
    let statements =
        [&own[..], &refresh, &crate::people::FORGET, &oauth, &crate::upstream_oauth::FORGET].concat();
    let soft = shutdown.soft();
    loop {
        tokio::select! {
            () = soft.cancelled() => return,
            () = tokio::time::sleep(TIDY_EVERY) => {}
        }
        for statement in &statements {
            if let Err(error) = sqlx::query(statement).execute(&pool).await {
                tracing::warn!(error = %error, "what is old cannot be forgotten");
            }
        }
    }
}

/// Our own address, those that were configured, and loopback spellings of it when we listen there.
fn origins(config: &Config, url: &str, address: SocketAddr) -> AllowedOrigins {
    let mut origins = config.allowed_origins.clone();
    // An origin has no path (RFC 6454, 4), our address may.
    origins.push(Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization()));
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
