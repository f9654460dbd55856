//! What auditors ask about calls: what a change would have done to them, and how far a credential reached.

mod blast_radius;
mod credentials;
mod tokens;
mod what_if;

use api::adapters::system::{SystemClock, SystemEntropy};
use commands::Entropy as _;
use domain::value::Clock as _;
use harness::{Http, World};
use hyper::Method;
use projections::calls::{
    Basis, Call, CallKind, CallRecord, CallStore, Decision, Entry, Outcome, Retention, WishKind,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cast::{Cast, Key};

/// The cast, and the run under which records of their calls are made up.
struct Scene {
    cast: Cast,
    run: Uuid,
}

impl std::ops::Deref for Scene {
    type Target = Cast;

    fn deref(&self) -> &Cast {
        &self.cast
    }
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
        Self { cast: Cast::of(vec![("echo", false), ("look", true)]).await, run: Uuid::new_v4() }
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
                client_id: None,
                grant_id: None,
                token: None,
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
