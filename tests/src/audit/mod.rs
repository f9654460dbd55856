//! What auditors ask about calls: what a change would have done to them, and how far a credential reached.

mod blast_radius;
mod what_if;

use api::adapters::system::{SystemClock, SystemEntropy};
use commands::Entropy as _;
use domain::value::Clock as _;
use harness::{Http, Instance, Scripted, ScriptedUpstream, World};
use hyper::Method;
use projections::calls::{
    Basis, Call, CallKind, CallRecord, CallStore, Decision, Entry, Outcome, Retention, WishKind,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// An instance, Bob who calls it, and his keys.
struct Scene {
    world: World,
    _upstream: ScriptedUpstream,
    instance: Instance,
    bob: String,
    keys: Vec<Key>,
    run: Uuid,
}

struct Key {
    id: String,
    public_part: String,
    text: String,
}

/// One call that is made again and again.
#[derive(Debug, Clone, Copy)]
enum What {
    List,
    Tool { name: &'static str, read_only: bool },
}

const CALLS: [What; 4] = [
    What::List,
    What::Tool { name: "echo", read_only: false },
    What::Tool { name: "look", read_only: true },
    What::Tool { name: "absent", read_only: false },
];

impl What {
    fn message(self) -> Value {
        match self {
            Self::List => json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }),
            Self::Tool { name, .. } => {
                json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": name, "arguments": {} } })
            }
        }
    }

    fn tool(self) -> Option<&'static str> {
        match self {
            Self::List => None,
            Self::Tool { name, .. } => Some(name),
        }
    }
}

impl Scene {
    async fn start() -> Self {
        let world = World::start().await;
        let upstream = ScriptedUpstream::start(Scripted::Tools(vec![("echo", false), ("look", true)])).await;
        let instance = world.instance_in_front_of(&upstream.url).await;
        let other = world.instance_in_front_of(&upstream.url).await;
        let bob =
            world.admin().post(&world.path("/users"), &json!({ "name": "Bob" })).await.good()["id"].clone();
        let bob = bob.as_str().unwrap().to_owned();
        let (keys, run) = (Vec::new(), Uuid::new_v4());
        let mut scene = Self { world, _upstream: upstream, instance, bob, keys, run };
        scene.role("member").await;
        for body in [
            json!({ "scopes": ["mcp:write"] }),
            json!({ "scopes": ["mcp:read", "org:read"] }),
            json!({ "scopes": ["tool:echo"], "instance": scene.instance.id }),
            json!({ "scopes": ["mcp:admin"], "instance": other.id }),
        ] {
            let mut body = body;
            body["name"] = json!("Bob's");
            body["principal"] = json!(scene.bob);
            let issued = scene.manage(Method::POST, "/api-keys", &body).await;
            let text = |name: &str| issued[name].as_str().unwrap().to_owned();
            scene.keys.push(Key { id: text("id"), public_part: text("key_id"), text: text("api_key") });
        }
        scene
    }

    async fn manage(&self, method: Method, rest: &str, body: &Value) -> Value {
        self.world.admin().json(method, &self.world.path(rest), body).await.good()
    }

    async fn role(&self, role: &str) {
        self.manage(Method::PUT, &format!("/members/{}", self.bob), &json!({ "role": role })).await;
    }

    /// A member calls, and is told why not, if not.
    async fn call(&self, key: &Key, what: What) -> Option<String> {
        let http = self.world.node.http().as_key(&key.text);
        let answer = http.post(&self.instance.path(), &what.message()).await;
        answer.body()["error"]["data"]["reason"].as_str().map(str::to_owned)
    }

    /// An auditor of the organization, who administers nothing.
    async fn auditor(&self) -> Http {
        let user = self.manage(Method::POST, "/users", &json!({ "name": "Ada" })).await["id"].clone();
        let member = format!("/members/{}", user.as_str().unwrap());
        self.manage(Method::PUT, &member, &json!({ "role": "auditor" })).await;
        let body = json!({ "name": "Ada's", "scopes": ["audit:read"], "principal": user });
        let key = self.manage(Method::POST, "/api-keys", &body).await["api_key"].clone();
        self.world.node.http().as_key(key.as_str().unwrap())
    }

    /// The record of a call, as the gateway keeps it.
    fn record(&self, number: i64, key: &Key, what: What, reason: Option<&str>, position: u64) -> Entry {
        let at = SystemClock.now().get();
        let id = |text: &str| Some(Uuid::parse_str(text).unwrap());
        let denied = reason.is_some();
        Entry::Call(Call {
            record: CallRecord {
                id: SystemEntropy.id(),
                at,
                organization_id: id(&self.world.organization).unwrap(),
                instance_organization_id: id(&self.world.organization),
                principal_id: id(&self.bob),
                credential_id: id(&key.id),
                instance_id: id(&self.instance.id),
                kind: CallKind::Request,
                method: Some(if what.tool().is_some() { "tools/call" } else { "tools/list" }.to_owned()),
                tool: what.tool().map(str::to_owned),
                wish: Some(if what.tool().is_some() { WishKind::Call } else { WishKind::Connect }),
                read_only: matches!(what, What::Tool { read_only: true, .. }),
                maintenance_exempt: false,
                decision: if denied { Decision::Denial } else { Decision::Permit },
                reason: reason.map(str::to_owned),
                decided_at: Some(at),
                position: i64::try_from(position).unwrap(),
                basis: Basis::View,
                node_id: self.run,
                number,
                server_id: id(&self.instance.server),
                connection_id: id(&self.instance.connection),
                upstream: (!denied).then(|| "http://127.0.0.1:9".to_owned()),
                status: Some(200),
                outcome: if denied { Outcome::Refused } else { Outcome::Answered },
                duration_us: 10,
                bytes_in: 100,
                bytes_out: 200,
                arguments_digest: None,
                arguments_until: None,
            },
            arguments: None,
        })
    }

    async fn keep(&self, entries: &[Entry]) {
        let store = CallStore::new(self.world.node.running.pool.clone(), Retention { days: 30 });
        store.store(entries, SystemClock.now().get()).await.unwrap();
    }
}

/// How much there is of what a command leaves behind.
async fn written(world: &World) -> [i64; 3] {
    let count = async |sql: &str| -> i64 {
        sqlx::query_scalar(sql).fetch_one(&world.node.running.pool).await.unwrap()
    };
    [
        count("select coalesce(max(global_position), 0) from events").await,
        count("select count(*) from claims").await,
        count("select count(*) from commands").await,
    ]
}
