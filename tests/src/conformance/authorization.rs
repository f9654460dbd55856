//! What the suite says of the authorization server: against `sekisho demo --auto-consent`.
//!
//! It listens on a port of its own choosing, so that one port is taken as it is; whoever else has it is waited for.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use harness::{Http, folder};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use url::Url;

use crate::installed::installed;
use crate::program::Demo;

/// Where the demonstration's clients are registered to be sent back to, and where the suite listens.
const CALLBACK_PORT: u16 = 3055;
const PORT_WAIT: Duration = Duration::from_mins(5);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The suite gives up after five minutes by itself.
const SUITE_WAIT: Duration = Duration::from_mins(6);

/// What it checks, by name, and how that ended.
type Checks = BTreeMap<String, String>;

async fn the_port_is_free() {
    let patience = std::time::Instant::now() + PORT_WAIT;
    while TcpListener::bind((Ipv4Addr::LOCALHOST, CALLBACK_PORT)).is_err() {
        assert!(std::time::Instant::now() < patience, "somebody else listens on port {CALLBACK_PORT}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Begins `conformance authorization`, as somebody at a terminal would. The suite takes no secret where a server takes public clients, so it is one.
fn begin(demo: &Demo, results: &Path) -> Child {
    let mut command = Command::new(installed("conformance.env", "NODE"));
    command.arg(installed("conformance.env", "SUITE")).arg("authorization");
    command.args(["--url", demo.word("issuer"), "--client-id", demo.word("public_client_id")]);
    command.args(["--resource", demo.word("mcp_url"), "--port", &CALLBACK_PORT.to_string(), "-o"]);
    command.arg(results).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command.kill_on_drop(true).spawn().expect("Node runs")
}

/// Follows the address that it asks a person to open: to the authorization endpoint, and from there back to it.
async fn open(address: &str) {
    let mut next = Url::parse(address).expect("an address");
    for _ in 0..5 {
        let answer = Http::new(next.as_str()).get("").await;
        match answer.header("location") {
            Some(location) => next = next.join(location).expect("an address"),
            None => return assert!(answer.status.is_success(), "{next} {}", answer.status),
        }
    }
    panic!("{address} leads nowhere");
}

/// All that it wrote about its checks.
fn checks(results: &Path) -> Checks {
    let scenarios = std::fs::read_dir(results).expect("results").map(|entry| entry.expect("a folder").path());
    let read = |folder: std::path::PathBuf| -> Vec<Value> {
        let text = std::fs::read(folder.join("checks.json")).expect("checks");
        serde_json::from_slice(&text).expect("a list")
    };
    let text = |check: &Value, name: &str| check[name].as_str().expect("a text").to_owned();
    scenarios.flat_map(read).map(|check| (text(&check, "id"), text(&check, "status"))).collect()
}

async fn conforms(demo: &Demo, results: &Path) -> Checks {
    the_port_is_free().await;
    let mut suite = begin(demo, results);
    let mut lines = BufReader::new(suite.stdout.take().expect("its output")).lines();
    let mut said = String::new();
    let mut address = None;
    while let Some(line) = lines.next_line().await.expect("text") {
        said = format!("{said}{line}\n");
        if line.contains("/oauth/authorize?") {
            address = Some(line);
        } else if line.contains("Callback server started") {
            open(address.as_deref().expect("an address before the callback").trim()).await;
        }
    }
    let ended = suite.wait().await.expect("it ends");
    assert!(ended.success(), "{said}");
    let found = checks(results);
    // It notes the code that it got: its own business, and none that the search for secrets after the suite is about.
    std::fs::remove_dir_all(results).expect("its notes");
    found
}

#[tokio::test]
async fn the_official_suite_finds_nothing_wrong_with_the_authorization_server() {
    let demo = Demo::start(&folder("demo-conformance"), |command| {
        command.arg("--auto-consent");
    });
    let results = folder("conformance-results");
    let checks = tokio::time::timeout(SUITE_WAIT, conforms(&demo, &results)).await.expect("in time");
    let metadata = Http::new(demo.word("url")).get("/.well-known/oauth-authorization-server").await.good();
    // Of what is optional it warns, and only of what the metadata does not promise.
    let documents = metadata["client_id_metadata_document_supported"] == true;
    let expected = [
        ("authorization-code-grant", "SUCCESS"),
        ("authorization-server-metadata", "SUCCESS"),
        ("authorization-server-metadata-cimd", if documents { "SUCCESS" } else { "WARNING" }),
    ];
    let expected: Checks = expected.map(|(id, status)| (id.to_owned(), status.to_owned())).into();
    assert_eq!(checks, expected);
    assert_eq!(demo.stop(), Some(0));
}
