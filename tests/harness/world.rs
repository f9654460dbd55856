//! Worlds: one log, one or more running nodes on it, a founded organization, and instances in front of upstreams.

use std::num::NonZeroU32;
use std::time::Duration;

use api::Running;
use api::adapters::master_key::MasterKeys;
use api::config::{
    BreakerLimits, Config, Loopback, MasterKeySource, ProviderLimits, PublishedKeyLimits, Registration,
    Signing, Store,
};
use api::limits::Rates;
use api::oauth::{RegistrationPolicy, UNUSED_CLIENTS_MAX};
use domain::value::{AddressRange, SigningAlgorithm};
use hyper::Method;
use mcp::memory::HELD_BYTES_MAX;
use mcp::upstream::UpstreamTimeouts;
use projections::RelayConfig;
use projections::calls::Retention;
use serde_json::{Value, json};
use url::Url;

use crate::cluster::{Database, cluster};
use crate::counted::Counted;
use crate::http::Http;

/// Tests share two processors with many others: a pause of a second is nothing there.
const STALENESS_MAX_MILLISECONDS: u16 = 10_000;

/// One log with nodes on it.
#[derive(Debug)]
pub struct World {
    /// Its database.
    pub database: Database,
    /// Its first node.
    pub node: Node,
    /// The founded organization.
    pub organization: String,
    /// The founder.
    pub founder: String,
    /// A key of the founder with every management scope.
    pub admin_key: String,
    pub(crate) master_key: String,
}

/// A running node.
#[derive(Debug)]
pub struct Node {
    /// The node itself.
    pub running: Running,
    /// Under its database and its port.
    _counted: Counted,
}

/// An instance in front of an upstream, with a key that opens it.
#[derive(Debug, Clone)]
pub struct Instance {
    http: Http,
    base: String,
    organization: String,
    /// Its id.
    pub id: String,
    /// The connection behind it.
    pub connection: String,
    /// The server behind that.
    pub server: String,
    api_key: String,
}

const MEBIBYTE: usize = 1024 * 1024;

/// What a test may set apart from the defaults.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Whether the node uses NATS.
    pub nats: bool,
    /// Calls a second for each key.
    pub key_rate: u32,
    /// How often anybody may ask: by default no test meets it.
    pub rates: Rates,
    /// How long upstreams may take.
    pub upstream: UpstreamTimeouts,
    /// When upstreams are left alone, if not as usual.
    pub breakers: Option<&'static BreakerLimits>,
    /// MiB of requests and answers held at once.
    pub held_mebibytes: u16,
    /// Whether the node records calls.
    pub call_records: bool,
    /// Whether the node appends checkpoints to a file.
    pub checkpoint_file: bool,
    /// Cost of slow digests.
    pub bcrypt_cost: u8,
    /// How old the view of the node may be when it decides.
    pub staleness_max_milliseconds: u16,
    /// How the node signs access tokens.
    pub signing_algorithm: SigningAlgorithm,
    /// Whether clients register themselves.
    pub registration: RegistrationPolicy,
    /// Whether what strangers name may lie on this machine: documents of clients lie nowhere else in tests.
    pub outbound_loopback: Loopback,
    /// Whether servers of organizations may be on this machine: those of tests are nowhere else.
    pub upstream_loopback: Loopback,
    /// How long keys that clients publish are taken for what they are, if not for as long as usual.
    pub published_keys: Option<&'static PublishedKeyLimits>,
    /// How long one is kept that nobody ever let act, in seconds.
    pub unused_seconds: u16,
    /// How many of those there may be that are nobody's.
    pub unused_clients_max: u16,
    /// How long one of those is kept in any case, in seconds.
    pub unused_kept_at_least_seconds: u16,
    /// Where callers are told that they reach it: several nodes are one issuer under one address.
    pub public_url: Option<&'static str>,
    /// How identity providers are put up with.
    pub providers: ProviderLimits,
}

/// The networks of loopback, as an option takes them.
pub const THIS_MACHINE: &str = "127.0.0.0/8,::1";

/// The networks of loopback.
pub fn this_machine() -> Vec<AddressRange> {
    THIS_MACHINE.split(',').map(|network| AddressRange::parse(network).expect("a network")).collect()
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            nats: true,
            key_rate: 100_000,
            rates: Rates::all(NonZeroU32::MAX),
            upstream: UpstreamTimeouts::default(),
            breakers: None,
            held_mebibytes: u16::try_from(HELD_BYTES_MAX / MEBIBYTE).expect("not that much"),
            call_records: true,
            checkpoint_file: false,
            bcrypt_cost: 10,
            staleness_max_milliseconds: STALENESS_MAX_MILLISECONDS,
            signing_algorithm: SigningAlgorithm::EdDsa, // a key is made in no time
            registration: RegistrationPolicy::Token,
            outbound_loopback: Loopback::Refused,
            upstream_loopback: Loopback::Allowed,
            published_keys: None,
            unused_seconds: 18 * 3_600,
            unused_clients_max: u16::try_from(UNUSED_CLIENTS_MAX).expect("not that many"),
            unused_kept_at_least_seconds: 600,
            public_url: None,
            providers: ProviderLimits {
                request: Duration::from_secs(30),
                contact: Duration::from_secs(30),
                failures_max: 3,
                open: Duration::from_secs(30),
                session: Duration::from_hours(1),
                fallback: Duration::from_hours(8),
            },
        }
    }
}

/// Where a node finds its servers: themselves, or links to them.
#[derive(Debug, Clone)]
pub struct Servers {
    /// Postgres.
    pub database: String,
    /// NATS, if it uses one.
    pub nats: Option<String>,
}

impl Node {
    async fn start(database: &Database, master_key: &str, settings: &Settings) -> Self {
        let nats = settings.nats.then(|| cluster().nats_url().to_owned());
        Self::start_at(Servers { database: database.url.clone(), nats }, database, master_key, settings).await
    }

    async fn start_at(servers: Servers, database: &Database, master_key: &str, settings: &Settings) -> Self {
        let rate = NonZeroU32::new(settings.key_rate).expect("a rate");
        let config = Config {
            listen: "127.0.0.1:0".parse().expect("an address"),
            public_url: settings.public_url.map(|url| url.parse().expect("an address")),
            data: cluster().folder().join(&database.name),
            store: Store::Given { database: servers.database, nats: servers.nats },
            relay: RelayConfig {
                stream: format!("EVENTS_{}", database.name),
                prefix: format!("events-{}", database.name),
                replicas: 1,
            },
            master_key: MasterKeySource::Given(MasterKeys::parse(master_key).expect("a master key")),
            bootstrap_token: Some("a bootstrap token for tests".to_owned()),
            checkpoint_file: settings.checkpoint_file.then(|| database.checkpoint_file()),
            staleness_max: Duration::from_millis(settings.staleness_max_milliseconds.into()),
            call_records: settings.call_records,
            call_retention: Retention { days: 30 },
            allowed_origins: vec!["https://allowed.example".to_owned()],
            signing: Signing { algorithm: settings.signing_algorithm, key_days: 90 },
            client_documents: settings.registration.lets_some(),
            outbound_loopback: settings.outbound_loopback,
            upstream_networks: match settings.upstream_loopback {
                Loopback::Allowed => this_machine(),
                Loopback::Refused => Vec::new(),
            },
            published_keys: settings.published_keys.copied().unwrap_or_default(),
            registration: Registration {
                policy: settings.registration,
                unused_for: Duration::from_secs(settings.unused_seconds.into()),
                unused_max: settings.unused_clients_max.into(),
                unused_kept_at_least: Duration::from_secs(settings.unused_kept_at_least_seconds.into()),
            },
            bcrypt_cost: settings.bcrypt_cost.into(),
            key_rate: rate,
            key_burst: rate,
            rates: settings.rates,
            trusted_proxies: api::limits::TrustedProxies::default(),
            upstream: settings.upstream,
            breakers: settings.breakers.copied().unwrap_or_default(),
            held_bytes_max: usize::from(settings.held_mebibytes) * MEBIBYTE,
            drain_delay: Duration::ZERO,
            grace: Duration::from_secs(5),
            auto_consent: None,
            providers: settings.providers,
        };
        let running = Box::pin(api::start(config)).await.expect("a node starts");
        let counted = Counted::by(format!("{}-{}", database.name, running.address.port()), running.metrics());
        Self { running, _counted: counted }
    }

    /// A client of this node, at the address that it listens on.
    pub fn http(&self) -> Http {
        Http::new(&format!("http://{}", self.running.address))
    }
}

impl World {
    /// A fresh world with one node.
    pub async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    /// A fresh world with one node that is set in another way.
    pub async fn with(settings: Settings) -> Self {
        Self::on(cluster().fresh_database().await, settings).await
    }

    /// A world on this database, where nothing has happened yet.
    pub async fn on(database: Database, settings: Settings) -> Self {
        let master_key = MasterKeys::generate().expect("a master key").to_string();
        let node = Node::start(&database, &master_key, &settings).await;
        let founding = json!({ "organization": { "slug": "acme", "name": "Acme" }, "owner": { "name": "Ann", "email": "ann@example.com" } });
        let http = node.http().with("authorization", "Bearer a bootstrap token for tests");
        let founded = http.post("/v1/bootstrap", &founding).await.good();
        let text =
            |name: &str| founded[name].as_str().unwrap_or_else(|| panic!("{name} in {founded}")).to_owned();
        Self {
            organization: text("organization_id"),
            founder: text("user_id"),
            admin_key: text("api_key"),
            database,
            node,
            master_key,
        }
    }

    /// Another node on the same log.
    pub async fn another_node(&self) -> Node {
        self.another_node_with(Settings::default()).await
    }

    /// Another node on the same log, set in another way.
    pub async fn another_node_with(&self, settings: Settings) -> Node {
        Node::start(&self.database, &self.master_key, &settings).await
    }

    /// Another node on the same log, which finds its servers elsewhere.
    pub async fn another_node_at(&self, servers: Servers, settings: Settings) -> Node {
        Node::start_at(servers, &self.database, &self.master_key, &settings).await
    }

    /// The master key of its nodes.
    pub fn master_key(&self) -> &str {
        &self.master_key
    }

    /// A client of the management API with the founder's key.
    pub fn admin(&self) -> Http {
        self.node.http().as_key(&self.admin_key)
    }

    /// A path in the founded organization.
    pub fn path(&self, rest: &str) -> String {
        format!("/v1/organizations/{}{rest}", self.organization)
    }

    /// A running instance that exposes every tool of an upstream, with a key that may call them all.
    pub async fn instance_in_front_of(&self, upstream: &Url) -> Instance {
        let server = json!({ "name": "Upstream", "transport": { "http": { "url": upstream } }, "credential_fields": [], "visibility": "organization" });
        let server = self.made("/servers", server).await;
        self.instance_of_server(&server).await
    }

    /// A running instance that exposes every tool of several upstreams, registered under these names, with a key that may call them all.
    pub async fn instance_in_front_of_all(&self, upstreams: &[(&str, &Url)]) -> Instance {
        let (mut connections, mut servers) = (Vec::new(), Vec::new());
        for (name, url) in upstreams {
            let server = json!({ "name": name, "transport": { "http": { "url": url } }, "credential_fields": [], "visibility": "organization" });
            let server = self.made("/servers", server).await;
            connections.push(self.made("/connections", json!({ "server": server, "name": name })).await);
            servers.push(server);
        }
        self.instance_of(connections, &servers[0]).await
    }

    /// An instance with all tools of one server, and a key for it.
    pub async fn instance_of_server(&self, server: &str) -> Instance {
        let connection = self.made("/connections", json!({ "server": server, "name": "Upstream" })).await;
        self.instance_of(vec![connection], server).await
    }

    /// An instance with all tools of some connections, of which the first one is to this server.
    async fn instance_of(&self, connections: Vec<String>, server: &str) -> Instance {
        let instance = json!({ "name": "Tools", "connections": connections, "tools": "all", "authentication": "api_key" });
        let id = self.made("/instances", instance).await;
        let api_key = self.key(&["mcp:write"], Some(&id)).await;
        Instance {
            http: self.admin(),
            base: self.node.running.url.clone(),
            organization: self.organization.clone(),
            id,
            connection: connections[0].clone(),
            server: server.to_owned(),
            api_key,
        }
    }

    async fn made(&self, path: &str, body: Value) -> String {
        let answer = self.admin().post(&self.path(path), &body).await.good();
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// A second organization of the founder's, and its first key.
    pub async fn key_of_another_organization(&self) -> String {
        let made =
            self.admin().post("/v1/organizations", &json!({ "slug": "rival", "name": "Rival" })).await.good();
        made["api_key"].as_str().expect("a key").to_owned()
    }

    /// A key of the founder with these scopes, bound to an instance or not.
    pub async fn key(&self, scopes: &[&str], instance: Option<&str>) -> String {
        let mut body = json!({ "name": "A key", "scopes": scopes });
        if let Some(instance) = instance {
            body["instance"] = json!(instance);
        }
        let answer = self.admin().post(&self.path("/api-keys"), &body).await.good();
        answer["api_key"].as_str().expect("a key").to_owned()
    }
}

impl Instance {
    /// Exposes these tools only.
    pub async fn exposing(self, tools: &[&str]) -> Self {
        let path = format!("/v1/organizations/{}/instances/{}/tools", self.organization, self.id);
        self.http.json(Method::PUT, &path, &json!({ "tools": tools })).await.good();
        self
    }

    /// Its endpoint.
    pub fn mcp_url(&self) -> Url {
        Url::parse(&format!("{}/mcp/{}", self.base, self.id)).expect("an address")
    }

    /// A key that opens it.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The path of its endpoint.
    pub fn path(&self) -> String {
        format!("/mcp/{}", self.id)
    }
}
