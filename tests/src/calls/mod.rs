//! Call records: what each call leaves behind, that none is lost without a trace, and that every recorded decision can be taken again.

mod arguments;
mod counted;
mod kept;
mod lost;
mod pages;
mod records;
mod replayed;
pub(crate) mod tokens;

use std::time::Duration;

use harness::{Http, Instance, Scripted, ScriptedUpstream, Settings, World};
use serde_json::{Value, json};

/// How long anything may take that is not about time.
const DEADLINE: Duration = Duration::from_mins(1);

/// A world, an instance in it, and the upstream behind that.
struct Scene {
    world: World,
    upstream: ScriptedUpstream,
    instance: Instance,
}

impl Scene {
    async fn of(script: Scripted) -> Self {
        Self::with(script, Settings::default()).await
    }

    async fn with(script: Scripted, settings: Settings) -> Self {
        let world = World::with(settings).await;
        let upstream = ScriptedUpstream::start(script).await;
        let instance = world.instance_in_front_of(&upstream.url).await;
        Self { world, upstream, instance }
    }

    fn client(&self) -> Http {
        self.world.node.http().as_key(self.instance.api_key())
    }

    /// How calls are recorded from now on.
    async fn recording(&self, recording: &Value) {
        let path = self.world.path(&format!("/instances/{}/recording", self.instance.id));
        self.world.admin().json(hyper::Method::PUT, &path, recording).await.good();
    }

    /// The records of the organization, once there are so many.
    async fn records(&self, count: usize) -> Vec<Value> {
        records(&self.world.admin(), &self.world.path("/calls?limit=200"), count).await
    }
}

/// The records at an address, once there are so many; never more.
pub(crate) async fn records(http: &Http, path: &str, count: usize) -> Vec<Value> {
    let mut items = Vec::new();
    let waited = tokio::time::timeout(DEADLINE, async {
        loop {
            items = listed(http, path).await;
            if items.len() >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let in_time = waited.await.is_ok();
    assert!(in_time && items.len() == count, "{} of {count} records: {items:?}", items.len());
    items
}

async fn listed(http: &Http, path: &str) -> Vec<Value> {
    http.get(path).await.good()["items"].as_array().expect("items").clone()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(DEADLINE, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("not within {DEADLINE:?}: {what}"));
}

fn call(id: u64, tool: &str, arguments: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}
