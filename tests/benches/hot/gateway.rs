//! The product in front of the upstream: `sekisho serve` on its embedded store, set up through its management API.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;

use harness::Http;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::process::{Process, UNBOUND, sekisho};

const TOKEN: &str = "a bootstrap token for benchmarks";

/// A running Sekisho, with an instance in front of each upstream.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// Its process.
    pub(crate) process: Process,
    /// A key that opens both instances.
    pub(crate) api_key: String,
    /// Paths of the two instances: the one that answers JSON, the one that answers event streams.
    pub(crate) paths: [String; 2],
    /// Where its data are.
    pub(crate) data: PathBuf,
}

impl Gateway {
    /// Starts and sets up.
    pub(crate) async fn start(upstream: &str) -> Self {
        let data = std::env::temp_dir().join(format!("sekisho-bench-{}", std::process::id()));
        std::fs::create_dir_all(&data).expect("a temporary folder");
        let log = File::create(data.join("sekisho.log")).expect("a file for the log");
        let mut command = Command::new(sekisho().await);
        command
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--key-rate",
                "10000000",
                "--key-burst",
                "10000000",
                "--bootstrap-token",
                TOKEN,
            ])
            .arg("--data")
            .arg(data.join("data"))
            .envs(UNBOUND)
            .env_remove("DATABASE_URL")
            .env_remove("NATS_URL")
            .stderr(Stdio::from(log));
        let process = Process::start(command).await;

        let founder = Http::new(&process.url).with("authorization", &format!("Bearer {TOKEN}"));
        let founding =
            json!({ "organization": { "slug": "acme", "name": "Acme" }, "owner": { "name": "Ann" } });
        let answer = founder.post("/v1/bootstrap", &founding).await.good();
        let admin = Http::new(&process.url).as_key(text(&answer, "api_key"));
        let root = format!("/v1/organizations/{}", text(&answer, "organization_id"));
        let made = async |path: &str, body: Value, name: &str| {
            let answer = admin.post(&format!("{root}{path}"), &body).await.good();
            text(&answer, name).to_owned()
        };
        let mut paths = [String::new(), String::new()];
        for (path, place) in paths.iter_mut().zip(["/mcp", "/stream/mcp"]) {
            let transport = json!({ "http": { "url": format!("{upstream}{place}") } });
            let server = json!({ "name": "Upstream", "transport": transport, "credential_fields": [], "visibility": "organization" });
            let server = made("/servers", server, "id").await;
            let connection =
                made("/connections", json!({ "server": server, "name": "Upstream" }), "id").await;
            let instance = json!({ "name": "Tools", "connections": [connection], "tools": "all", "authentication": "api_key" });
            *path = format!("/mcp/{}", made("/instances", instance, "id").await);
        }
        let api_key = made("/api-keys", json!({ "name": "Load", "scopes": ["mcp:write"] }), "api_key").await;
        Self { process, api_key, paths, data }
    }
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer.get(name).and_then(Value::as_str).expect("the management API answers as it says")
}
