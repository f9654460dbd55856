//! What every test here begins with: a world with an instance in front of a scripted upstream, and the messages that clients send.

use std::time::Duration;

use harness::{Answer, Http, Instance, Scripted, ScriptedUpstream, Settings, World};
use hyper::Method;
use mcp::upstream::UpstreamTimeouts;
use serde_json::{Value, json};

/// How long anything may take that is not about time.
const DEADLINE: Duration = Duration::from_secs(10);

/// A world, an instance in it, and the upstream behind that.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) upstream: ScriptedUpstream,
    pub(super) instance: Instance,
}

impl Scene {
    /// An instance that exposes everything in front of an upstream that answers like this.
    pub(super) async fn of(script: Scripted) -> Self {
        Self::with(script, Settings::default()).await
    }

    /// The same on a node that is set in another way.
    pub(super) async fn with(script: Scripted, settings: Settings) -> Self {
        let world = World::with(settings).await;
        let upstream = ScriptedUpstream::start(script).await;
        let instance = world.instance_in_front_of(&upstream.url).await;
        Self { world, upstream, instance }
    }

    /// An instance that exposes these tools only.
    pub(super) async fn exposing(script: Scripted, tools: &[&str]) -> Self {
        let Self { world, upstream, instance } = Self::of(script).await;
        let instance = instance.exposing(tools).await;
        Self { world, upstream, instance }
    }

    /// The path of the endpoint.
    pub(super) fn path(&self) -> String {
        self.instance.path()
    }

    /// A client without any credential.
    pub(super) fn anybody(&self) -> Http {
        self.world.node.http()
    }

    /// A client with the key that may do everything at the instance.
    pub(super) fn client(&self) -> Http {
        self.anybody().as_key(self.instance.api_key())
    }

    /// A message with the good key.
    pub(super) async fn call(&self, message: &Value) -> Answer {
        self.call_as(self.instance.api_key(), message).await
    }

    /// A message with this key.
    pub(super) async fn call_as(&self, key: &str, message: &Value) -> Answer {
        self.anybody().as_key(key).post(&self.path(), message).await
    }

    /// A change through the management API, below the organization.
    pub(super) async fn manage(&self, method: Method, rest: &str, body: &Value) -> Value {
        self.world.admin().json(method, &self.world.path(rest), body).await.good()
    }

    /// A key as this body describes it, and its id.
    pub(super) async fn issue(&self, body: &Value) -> IssuedKey {
        let issued = self.manage(Method::POST, "/api-keys", body).await;
        let text = |name: &str| issued[name].as_str().expect("a text").to_owned();
        IssuedKey { id: text("id"), text: text("api_key") }
    }
}

/// A key that the management API has shown.
#[derive(Debug)]
pub(super) struct IssuedKey {
    pub(super) id: String,
    pub(super) text: String,
}

/// A request of the handshake era.
pub(super) fn request(id: impl Into<Value>, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })
}

/// A call of a tool.
pub(super) fn call(id: impl Into<Value>, tool: &str) -> Value {
    request(id, "tools/call", &json!({ "name": tool, "arguments": {} }))
}

/// The list of tools is asked for.
pub(super) fn list(id: impl Into<Value>) -> Value {
    request(id, "tools/list", &json!({}))
}

/// A notification.
pub(super) fn notification(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

/// The names of the tools in an answer.
pub(super) fn names(answer: &Value) -> Vec<String> {
    let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("a list: {answer}"));
    tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
}

/// Upstreams may take this long.
pub(super) fn patience(milliseconds: u64) -> Settings {
    let wait = Duration::from_millis(milliseconds);
    let upstream = UpstreamTimeouts { first_byte: wait, idle: wait, ..UpstreamTimeouts::default() };
    Settings { upstream, ..Settings::default() }
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
