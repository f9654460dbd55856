//! The product: `sekisho serve` on its embedded store, with a confidential client and an instance that takes tokens.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::Http;
use hyper::Method;
use serde_json::{Value, json};
use tokio::process::Command;
use url::form_urlencoded;

use crate::process::{Process, UNBOUND, sekisho};
use crate::{CALLERS, address, load};

const REVISION: &str = "2026-07-28";
const TOKEN: &str = "a bootstrap token for benchmarks";

/// A running Sekisho.
#[derive(Debug)]
pub(crate) struct Server {
    /// Its process.
    pub(crate) process: Process,
    /// Where its data are.
    pub(crate) data: PathBuf,
    basic: String,
    instance: String,
    admin: Http,
    root: String,
}

impl Server {
    /// Starts and sets up.
    pub(crate) async fn start(upstream: &str) -> Self {
        let data = std::env::temp_dir().join(format!("sekisho-bench-tokens-{}", std::process::id()));
        std::fs::create_dir_all(&data).expect("a temporary folder");
        let log = File::create(data.join("sekisho.log")).expect("a file for the log");
        let mut command = Command::new(sekisho().await);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--bootstrap-token", TOKEN])
            .args(["--key-rate", "10000000", "--key-burst", "10000000"])
            .arg("--data")
            .arg(data.join("data"))
            .envs(UNBOUND)
            .env_remove("DATABASE_URL")
            .env_remove("NATS_URL")
            .stderr(Stdio::from(log));
        let process = Process::start(command).await;
        let stranger = Http::new(&process.url).with("authorization", &format!("Bearer {TOKEN}"));
        let founding =
            json!({ "organization": { "slug": "acme", "name": "Acme" }, "owner": { "name": "Ann" } });
        let founded = stranger.post("/v1/bootstrap", &founding).await.good();
        let admin = Http::new(&process.url).as_key(&text(&founded, "api_key"));
        let root = format!("/v1/organizations/{}", text(&founded, "organization_id"));
        let made = async |path: &str, body: Value| admin.post(&format!("{root}{path}"), &body).await.good();
        let transport = json!({ "http": { "url": format!("{upstream}/mcp") } });
        let server = json!({ "name": "Upstream", "transport": transport, "credential_fields": [], "visibility": "organization" });
        let server = text(&made("/servers", server).await, "id");
        let connection = made("/connections", json!({ "server": server, "name": "Upstream" })).await;
        let instance = json!({ "name": "Tools", "connections": [text(&connection, "id")], "tools": "all", "authentication": "oauth" });
        let instance = text(&made("/instances", instance).await, "id");
        let client =
            json!({ "name": "Load", "kind": "confidential", "redirect_uris": [], "scopes": ["mcp:write"] });
        let client = made("/clients", client).await;
        let pair = format!("{}:{}", text(&client, "id"), text(&client, "client_secret"));
        let basic = STANDARD.encode(pair);
        Self { process, data, basic, instance, admin, root }
    }

    /// The request for a token.
    pub(crate) fn token_request(&self) -> Arc<[u8]> {
        let resource = format!("{}/mcp/{}", self.process.url, self.instance);
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs([
            ("grant_type", "client_credentials"),
            ("scope", "mcp:write"),
            ("resource", &resource),
        ]);
        let body = form.finish();
        self.form("/oauth/token", &self.basic, &body)
    }

    /// A form that a client sends.
    fn form(&self, path: &str, basic: &str, body: &str) -> Arc<[u8]> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Basic {basic}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
            address(&self.process.url),
            body.len()
        );
        Arc::from(format!("{head}{body}").into_bytes())
    }

    /// The question what a token is good for.
    pub(crate) async fn introspection(&self) -> Arc<[u8]> {
        let token = self.token().await;
        self.form("/oauth/introspect", &self.basic, &format!("token={token}"))
    }

    /// A call with one token.
    pub(crate) async fn one_call(&self) -> Arc<[u8]> {
        let token = self.token().await;
        self.call(&token)
    }

    async fn token(&self) -> String {
        token_in(&load::once(address(&self.process.url), &self.token_request()).await)
    }

    /// Requests for tokens with wrong secrets, each of another client.
    pub(crate) async fn wrong_secrets(&self, clients: usize) -> Vec<Arc<[u8]>> {
        let mut requests = Vec::with_capacity(clients);
        for number in 0..clients {
            let client = json!({ "name": format!("Flood {number}"), "kind": "confidential", "redirect_uris": [], "scopes": ["mcp:read"] });
            let client = self.admin.post(&format!("{}/clients", self.root), &client).await.good();
            let basic = STANDARD.encode(format!("{}:this-is-not-its-secret", text(&client, "id")));
            requests.push(self.form("/oauth/token", &basic, "grant_type=client_credentials"));
        }
        requests
    }

    /// People with a password, who are members: their addresses.
    pub(crate) async fn people(&self, count: usize, password: &str) -> Vec<String> {
        let mut addresses = Vec::with_capacity(count);
        for number in 0..count {
            let email = format!("person{number}@example.com");
            let body = json!({ "name": "Person", "email": email });
            let user = self.admin.post(&format!("{}/users", self.root), &body).await.good();
            let user = text(&user, "id");
            let member = format!("{}/members/{user}", self.root);
            self.admin.json(Method::PUT, &member, &json!({ "role": "member" })).await.good();
            let path = format!("/v1/users/{user}/password");
            self.admin.json(Method::PUT, &path, &json!({ "password": password })).await.good();
            addresses.push(email);
        }
        addresses
    }

    /// Calls of a tool, each with a token that was never presented.
    pub(crate) async fn calls_with_fresh_tokens(&self, count: usize) -> Arc<[Arc<[u8]>]> {
        let (host, request) = (address(&self.process.url), self.token_request());
        let mut calls = Vec::with_capacity(count);
        while calls.len() < count {
            let some = (0..CALLERS).map(|_| load::once(host, &request));
            for answer in futures_util::future::join_all(some).await {
                calls.push(self.call(&token_in(&answer)));
            }
        }
        calls.into()
    }

    fn call(&self, token: &str) -> Arc<[u8]> {
        let meta = json!({ "io.modelcontextprotocol/protocolVersion": REVISION, "io.modelcontextprotocol/clientCapabilities": {} });
        let params = json!({ "name": "echo", "arguments": { "text": "x" }, "_meta": meta });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
        let head = format!(
            "POST /mcp/{} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\nmcp-protocol-version: {REVISION}\r\nmcp-method: tools/call\r\n\
             mcp-name: echo\r\ncontent-length: {}\r\n\r\n",
            self.instance,
            address(&self.process.url),
            body.len()
        );
        Arc::from(format!("{head}{body}").into_bytes())
    }
}

fn token_in(answer: &str) -> String {
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer");
    let answer: Value = serde_json::from_str(body).expect("JSON");
    text(&answer, "access_token")
}

fn text(answer: &Value, name: &str) -> String {
    answer.get(name).and_then(Value::as_str).expect("the management API answers as it says").to_owned()
}
