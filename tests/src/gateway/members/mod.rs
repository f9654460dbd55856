//! Instances with several connections: one endpoint, whose tools are those of all its members under names that lead to one of them.

mod calling;
mod eras;
mod listing;
mod naming;
mod prompts;
mod sessions;
mod trouble;

use harness::{Answer, Http, Instance, Scripted, ScriptedUpstream, Settings, World};
use hyper::Method;
use serde_json::{Value, json};

use super::scene::request;

/// A world, and an instance in it with a `wiki` and a `desk` behind.
pub(super) struct Pair {
    pub(super) world: World,
    pub(super) wiki: ScriptedUpstream,
    pub(super) desk: ScriptedUpstream,
    pub(super) instance: Instance,
}

impl Pair {
    pub(super) async fn of(wiki: Scripted, desk: Scripted) -> Self {
        Self::with(wiki, desk, Settings::default()).await
    }

    pub(super) async fn with(wiki: Scripted, desk: Scripted, settings: Settings) -> Self {
        let world = World::with(settings).await;
        let (wiki, desk) = (ScriptedUpstream::start(wiki).await, ScriptedUpstream::start(desk).await);
        let behind = [("Wiki", &wiki.url), ("Desk", &desk.url)];
        let instance = world.instance_in_front_of_all(&behind).await;
        Self { world, wiki, desk, instance }
    }

    /// A client of 2026-07-28 with the key that may do everything at the instance.
    pub(super) fn modern(&self) -> Modern {
        Modern { http: self.client(), path: self.instance.path() }
    }

    /// A client without anything of a revision.
    pub(super) fn client(&self) -> Http {
        self.world.node.http().as_key(self.instance.api_key())
    }

    /// A client of the handshake, in a session.
    pub(super) async fn legacy(&self) -> Legacy {
        Legacy::open(self.client(), &self.instance.path()).await
    }

    /// A change of the instance.
    pub(super) async fn change(&self, what: &str, body: &Value) -> Answer {
        let path = self.world.path(&format!("/instances/{}/{what}", self.instance.id));
        self.world.admin().json(Method::PUT, &path, body).await
    }

    /// The instance as the management API tells it.
    pub(super) async fn shown(&self) -> Value {
        self.world.admin().get(&self.world.path(&format!("/instances/{}", self.instance.id))).await.good()
    }
}

/// Requests of 2026-07-28.
#[derive(Clone)]
pub(super) struct Modern {
    pub(super) http: Http,
    pub(super) path: String,
}

impl Modern {
    /// The same client with another key.
    pub(super) fn as_key(pair: &Pair, key: &str) -> Self {
        Self { http: pair.world.node.http().as_key(key), path: pair.instance.path() }
    }

    pub(super) async fn ask(&self, method: &str, params: Value) -> Answer {
        let http = self.http.clone().with("mcp-protocol-version", "2026-07-28").with("mcp-method", method);
        let http = match params["name"].as_str() {
            Some(name) => http.with("mcp-name", name),
            None => http,
        };
        let mut params = params;
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
        http.post(&self.path, &request("m", method, &params)).await
    }

    pub(super) async fn list(&self) -> Value {
        self.ask("tools/list", json!({})).await.good()
    }

    pub(super) async fn call(&self, tool: &str) -> Answer {
        self.ask("tools/call", json!({ "name": tool, "arguments": {} })).await
    }
}

/// A session of the handshake.
pub(super) struct Legacy {
    pub(super) http: Http,
    pub(super) path: String,
    pub(super) session: String,
    pub(super) greeting: Value,
}

impl Legacy {
    pub(super) async fn open(http: Http, path: &str) -> Self {
        let client = json!({ "name": "test", "version": "1" });
        let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
        let answer = http.post(path, &request(0, "initialize", &params)).await;
        let session = answer.header("mcp-session-id").expect("a session").to_owned();
        let http = http.with("mcp-protocol-version", "2025-06-18").with("mcp-session-id", &session);
        Self { http, path: path.to_owned(), session, greeting: answer.good() }
    }

    pub(super) async fn ask(&self, method: &str, params: Value) -> Answer {
        self.http.post(&self.path, &request(7, method, &params)).await
    }

    pub(super) async fn list(&self) -> Value {
        self.ask("tools/list", json!({})).await.good()
    }

    pub(super) async fn call(&self, tool: &str) -> Answer {
        self.ask("tools/call", json!({ "name": tool, "arguments": {} })).await
    }
}

/// What the tool said.
pub(super) fn said(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("a text: {answer}"))
}

/// A server of 2026-07-28 with these tools.
pub(super) fn modern(tools: &[&'static str]) -> Scripted {
    Scripted::Modern(tools.iter().map(|tool| (*tool, false)).collect())
}

/// A server of the handshake with these tools.
pub(super) fn legacy(session: &'static str, tools: &[&'static str]) -> Scripted {
    Scripted::SessionWith(session, tools.iter().map(|tool| (*tool, false)).collect())
}
