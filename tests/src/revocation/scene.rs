//! What every test here begins with: a node with an instance, and a far node that reaches its servers over links that can be cut.

use std::path::PathBuf;
use std::time::Duration;

use harness::{
    Answer, Http, Instance, Link, Node, Scripted, ScriptedUpstream, Servers, Settings, Target, Weather,
    World, cluster,
};
use hyper::Method;
use serde_json::{Value, json};
use url::Url;

/// How long anything may take that is not about time.
const DEADLINE: Duration = Duration::from_secs(30);

/// The bound of these tests: as short as the product's own.
pub(super) const BOUND: Duration = Duration::from_secs(1);

/// How nodes are set here.
pub(super) fn settings() -> Settings {
    let staleness_max_milliseconds = u16::try_from(BOUND.as_millis()).expect("a second");
    Settings { staleness_max_milliseconds, ..Settings::default() }
}

/// A near node, an instance, and a far node.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) instance: Instance,
    pub(super) upstream: ScriptedUpstream,
    pub(super) far: Node,
    pub(super) postgres: Link,
    pub(super) nats: Link,
}

/// A key and its id.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) text: String,
}

impl Scene {
    pub(super) async fn start() -> Self {
        Self::with(Scripted::Tools(vec![("echo", false)]), settings()).await
    }

    /// With one of its servers out of reach the far node stays fresh by the other, and hears of a revocation.
    pub(super) async fn stays_fresh_without(&self, server: &Link) {
        let (kept, lost) = (self.key().await, self.key().await);
        server.turn(Weather::Dark);
        tokio::time::sleep(BOUND * 2).await;
        self.far_call(&kept).await.good();
        self.revoke(&lost).await;
        until("the revocation arrives", async || reason(&self.far_call(&lost).await) == "key-revoked").await;
        self.far_call(&kept).await.good();
    }

    pub(super) async fn with(script: Scripted, settings: Settings) -> Self {
        let world = World::with(settings).await;
        let upstream = ScriptedUpstream::start(script).await;
        let instance = world.instance_in_front_of(&upstream.url).await;
        let (postgres, nats) =
            (Link::to(postgres_of(&world.database.url)).await, Link::to(nats_server()).await);
        let servers = Servers {
            database: over(&postgres, &world.database.url),
            nats: settings.nats.then(|| over(&nats, cluster().nats_url())),
        };
        let far = world.another_node_at(servers, settings).await;
        Self { world, instance, upstream, far, postgres, nats }
    }

    /// A key that may do everything at the instance.
    pub(super) async fn key(&self) -> Key {
        let body = json!({ "name": "A key", "scopes": ["mcp:write"] });
        let issued = self.world.admin().post(&self.world.path("/api-keys"), &body).await.good();
        let text = |name: &str| issued[name].as_str().expect("a text").to_owned();
        let key = Key { id: text("id"), text: text("api_key") };
        let path = format!("/v1/me?at_least={}", issued["position"]);
        self.far.http().as_key(&self.world.admin_key).get(&path).await.good();
        key
    }

    /// Revokes it at the near node.
    pub(super) async fn revoke(&self, key: &Key) -> Value {
        let path = self.world.path(&format!("/api-keys/{}", key.id));
        self.world.admin().json(Method::DELETE, &path, &json!({})).await.good()
    }

    /// A call at the far node.
    pub(super) async fn far_call(&self, key: &Key) -> Answer {
        self.call_at(&self.far.http(), key).await
    }

    /// The status of a call at the far node, whose answer is not read.
    pub(super) async fn far_call_status(&self, key: &Key) -> u16 {
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "slow", "arguments": {} } });
        let client = self.far.http().as_key(&key.text);
        let client = client
            .with("content-type", "application/json")
            .with("accept", "application/json, text/event-stream");
        client.open(Method::POST, &self.instance.path(), list.to_string()).await.status().as_u16()
    }

    /// A call at a node.
    pub(super) async fn call_at(&self, node: &Http, key: &Key) -> Answer {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "echo", "arguments": {} } });
        node.clone().as_key(&key.text).post(&self.instance.path(), &call).await
    }

    /// What the far node says of itself.
    pub(super) async fn far_state(&self) -> String {
        self.far.http().get("/readyz").await.body()["state"].as_str().expect("a state").to_owned()
    }

    /// Reads a metric of the far node.
    pub(super) async fn far_metric(&self, name: &str) -> f64 {
        let text = self.far.http().get("/metrics").await.bytes;
        let text = String::from_utf8_lossy(&text).into_owned();
        let line =
            text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().last()?.parse().ok());
        line.unwrap_or(0.0)
    }
}

/// Why a call was refused, or that it was not.
pub(super) fn reason(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
    body["error"]["data"]["reason"].as_str().unwrap_or("none").to_owned()
}

/// Waits until something holds.
pub(super) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let waited = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waited).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// The socket behind the address of the Postgres of this run.
pub(super) fn postgres_of(address: &str) -> Target {
    let url = Url::parse(address).expect("an address");
    let folder = url.query_pairs().find(|(name, _)| name == "host").expect("a folder of sockets").1;
    Target::Unix(PathBuf::from(folder.into_owned()).join(format!(".s.PGSQL.{}", url.port().unwrap_or(5432))))
}

/// The same server over a link.
pub(super) fn over(link: &Link, address: &str) -> String {
    let mut url = Url::parse(address).expect("an address");
    url.set_query((url.scheme() == "postgres").then_some("sslmode=disable"));
    url.set_host(Some("127.0.0.1")).expect("a host");
    url.set_port(Some(link.address().port())).expect("a port");
    url.to_string()
}

fn nats_server() -> Target {
    let url = Url::parse(cluster().nats_url()).expect("an address");
    let address = url.socket_addrs(|| Some(4222)).expect("a socket").remove(0);
    Target::Tcp(address)
}
