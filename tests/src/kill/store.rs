//! An embedded store of one test alone, so that its servers can be killed and its files moved.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use api::adapters::capabilities::RelaySignature;
use api::adapters::embedded::{Embedded, EmbeddedConfig};
use api::adapters::key_digest::KeyDigests;
use api::adapters::master_key::MasterKeys;
use api::adapters::{nats, postgres};
use api::config::{Config, MasterKeySource, Registration, Signing, Store as Given};
use api::oauth::{RegistrationPolicy, UNUSED_CLIENT_KEPT_AT_LEAST, UNUSED_CLIENTS_MAX};
use async_nats::Client;
use domain::value::SigningAlgorithm;
use harness::signal;
use mcp::upstream::UpstreamTimeouts;
use projections::{LogReader, RelayConfig, SignEnvelope};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::time::{Instant, sleep};

/// A server that is killed while it recovers leaves a process behind that first syncs every file: on a busy disk that takes its time.
const PATIENCE: Duration = Duration::from_mins(3);

/// The configuration of a node as `sekisho serve` would have it, on a free port.
pub(crate) fn serving(
    store: Given,
    data: &Path,
    master_key: MasterKeySource,
    bootstrap_token: Option<&str>,
) -> Config {
    let rate = 500.try_into().unwrap();
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        public_url: None,
        data: data.to_owned(),
        store,
        relay: RelayConfig { stream: "EVENTS".to_owned(), prefix: "events".to_owned(), replicas: 1 },
        master_key,
        bootstrap_token: bootstrap_token.map(str::to_owned),
        checkpoint_file: None,
        staleness_max: projections::freshness::STALENESS_MAX_DEFAULT,
        call_records: true,
        call_retention: projections::calls::Retention { days: 30 },
        allowed_origins: Vec::new(),
        signing: Signing { algorithm: SigningAlgorithm::EdDsa, key_days: 90 },
        client_documents: false,
        outbound_loopback: api::config::Loopback::Refused,
        upstream_networks: harness::this_machine(),
        published_keys: api::config::PublishedKeyLimits::default(),
        registration: Registration {
            policy: RegistrationPolicy::Token,
            unused_for: Duration::from_hours(24),
            unused_max: UNUSED_CLIENTS_MAX,
            unused_kept_at_least: UNUSED_CLIENT_KEPT_AT_LEAST,
        },
        bcrypt_cost: 10,
        key_rate: rate,
        key_burst: rate,
        rates: api::limits::Rates::all(std::num::NonZeroU32::MAX),
        trusted_proxies: api::limits::TrustedProxies::default(),
        upstream: UpstreamTimeouts::default(),
        breakers: api::config::BreakerLimits::default(),
        held_bytes_max: mcp::memory::HELD_BYTES_MAX,
        drain_delay: Duration::ZERO,
        providers: harness::Settings::default().providers,
        grace: Duration::from_secs(5),
        auto_consent: None,
    }
}

/// The store.
#[derive(Debug)]
pub(crate) struct Store {
    embedded: Embedded,
    folder: PathBuf,
    /// Where its log is relayed to.
    pub(crate) relay: RelayConfig,
}

impl Store {
    /// A new store with every migration applied.
    pub(crate) async fn start(name: &str) -> Self {
        let folder = harness::folder(name);
        let config =
            EmbeddedConfig { data: folder.clone(), nats: Some("EVENTS".to_owned()), search: Vec::new() };
        let embedded = Embedded::start(config).await.unwrap();
        let relay = RelayConfig { stream: "EVENTS".to_owned(), prefix: "events".to_owned(), replicas: 1 };
        let store = Self { embedded, folder, relay };
        postgres::migrate(&store.pool(1).await).await.unwrap();
        store
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A pool of one user of it alone: what one user does to its connections is not the others' concern.
    pub(crate) async fn pool(&self, connections: u32) -> PgPool {
        PgPoolOptions::new().max_connections(connections).connect(self.embedded.database_url()).await.unwrap()
    }

    /// A reader of its log.
    pub(crate) async fn log(&self) -> LogReader {
        LogReader::new(self.pool(2).await)
    }

    /// The addresses of its Postgres and its NATS.
    pub(crate) fn addresses(&self) -> (String, String) {
        let nats = self.embedded.nats_url().expect("a nats-server: ./test sets it up");
        (self.embedded.database_url().to_owned(), nats.to_owned())
    }

    /// A connection to its NATS.
    pub(crate) async fn nats(&self) -> Client {
        nats::connect(&self.addresses().1).await.unwrap()
    }

    /// What signs for its log.
    pub(crate) async fn signer(&self, master: &MasterKeys) -> Arc<dyn SignEnvelope> {
        Arc::new(RelaySignature::of(&KeyDigests::load(&self.pool(1).await, master).await.unwrap()))
    }

    /// Kills the nats-server, does something to its files while it is down, and waits until it runs again.
    pub(crate) async fn kill_nats(&self, meanwhile: impl FnOnce(&Path)) {
        let killed = self.running_nats().await;
        signal("KILL", killed);
        let patience = Instant::now() + PATIENCE;
        while self.embedded.pids().nats.is_some() {
            assert!(Instant::now() < patience, "nobody notices that the nats-server is dead");
            sleep(Duration::from_millis(2)).await;
        }
        meanwhile(&self.folder);
        assert_eq!(self.embedded.pids().nats, None, "it was started again too early for this test");
        assert_ne!(self.running_nats().await, killed);
    }

    /// The postmaster, once it runs.
    pub(crate) async fn running_postgres(&self) -> u32 {
        running("postmaster", || self.embedded.pids().postgres).await
    }

    /// The nats-server, once it runs.
    pub(crate) async fn running_nats(&self) -> u32 {
        running("nats-server", || self.embedded.pids().nats).await
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        self.embedded.stop().await;
    }
}

async fn running(name: &str, pid: impl Fn() -> Option<u32>) -> u32 {
    let patience = Instant::now() + PATIENCE;
    loop {
        match pid() {
            Some(pid) => return pid,
            None => assert!(Instant::now() < patience, "no {name} is started again"),
        }
        sleep(Duration::from_millis(5)).await;
    }
}
