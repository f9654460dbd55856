//! Use cases asked past the management API, as the administrator of the deployment: for what the API has no way to.

use std::sync::Arc;

use api::adapters::key_digest::KeyDigests;
use api::adapters::master_key::MasterKeys;
use api::adapters::postgres;
use api::adapters::postgres_events::{Appender, PostgresEvents};
use api::adapters::system::{SystemClock, SystemEntropy};
use api::adapters::vault::PostgresVault;
use commands::api_key::Issue;
use commands::{Actor, Authority, Credential, Order, Ports, UseCase, carry_out};
use domain::api_key::KeyEnvironment;
use domain::value::{DisplayName, OrganizationId, Position, Scope, UserId};
use serde_json::json;
use tokio::sync::watch;

use crate::world::World;

struct DirectPorts {
    log: PostgresEvents,
    digests: Arc<KeyDigests>,
    vault: PostgresVault,
    entropy: SystemEntropy,
    clock: SystemClock,
}

impl Ports for DirectPorts {
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

impl World {
    /// A second organization, and a key of it. An API key opens one organization only, so the founder's cannot issue the first one of another.
    pub async fn key_of_another_organization(&self) -> String {
        let rival = json!({ "slug": "rival", "name": "Rival" });
        let made = self.admin().post("/v1/organizations", &rival).await.good();
        let organization = made["id"].as_str().and_then(|id| OrganizationId::parse(id).ok()).expect("an id");
        let issue = Issue {
            organization,
            name: DisplayName::parse("Foreign").expect("a name"),
            principal: None,
            instance: None,
            scopes: [Scope::McpWrite].into_iter().collect(),
            expires_at: None,
            environment: KeyEnvironment::Live,
        };
        self.carry_out(&issue).await.key.reveal().to_owned()
    }

    async fn carry_out<U: UseCase>(&self, use_case: &U) -> U::Answer {
        let pool = self.node.running.pool.clone();
        let master = Arc::new(MasterKeys::parse(&self.master_key).expect("a master key"));
        let digests = Arc::new(KeyDigests::load(&pool, &master).await.expect("the data keys"));
        let (commits, _) = watch::channel(Position::START);
        let options = postgres::options(&self.database.url).expect("an address");
        let (appender, appending) = Appender::new(options, commits);
        tokio::spawn(appending.run());
        let log = PostgresEvents::new(pool.clone(), appender, Arc::clone(&digests), Arc::clone(&master));
        let vault = PostgresVault::new(pool, master);
        let ports = DirectPorts { log, digests, vault, entropy: SystemEntropy, clock: SystemClock };
        let actor = Actor {
            credential: Credential::CommandLine,
            authority: Authority::Administrator { user: UserId::parse(&self.founder).expect("an id") },
            scopes: None,
        };
        let order = Order {
            command: None,
            request_digest: String::new(),
            correlation: "direct".to_owned(),
            causation: None,
        };
        let done = carry_out(&ports, &actor, order, use_case).await.expect("carried out");
        self.node.running.view.reached(done.position).await;
        done.answer
    }
}
