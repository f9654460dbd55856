//! What the suite, as a server, says of the gateway as its client: the same as of the client in front of the gateway, and nothing bad. Its scenarios of
//! authorization are in `client_authorization`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use harness::World;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::suite::{serve, serve_once};
use crate::installed::installed;

const LEGACY: [&str; 4] = ["initialize", "tools_call", "elicitation-sep1034-client-defaults", "sse-retry"];
const LEGACY_CHECKS: usize = 11;

const MODERN: [&str; 7] = [
    "tools_call",
    "request-metadata",
    "http-standard-headers",
    "http-custom-headers",
    "http-invalid-tool-headers",
    "json-schema-ref-no-deref",
    "sep-2322-client-request-state",
];
const MODERN_CHECKS: usize = 53;

/// Makes an instance in front of each server that is named, and says where it is and what opens it.
async fn door(world: World) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let address = listener.local_addr().expect("a bound address");
    let router = axum::Router::new().fallback(made).with_state(Arc::new(world));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Url::parse(&format!("http://{address}/")).expect("an address")
}

async fn made(State(world): State<Arc<World>>, Query(asked): Query<HashMap<String, String>>) -> Json<Value> {
    let server = Url::parse(&asked["server"]).expect("an address");
    let instance = world.instance_in_front_of(&server).await;
    Json(json!({ "url": instance.mcp_url(), "api_key": instance.api_key() }))
}

/// The line that starts the client: the suite puts the server's address behind it.
pub(super) fn line() -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/client.py");
    format!("{} {}", installed("interop.env", "PYTHON").display(), script.display())
}

async fn found_alike(revision: &str, scenarios: &[&str], checks: usize) {
    let client = line();
    let door = door(World::start().await).await;
    let mut passed = 0;
    for scenario in scenarios {
        let direct = serve(revision, scenario, &client, None).await;
        assert!(direct.faulty().is_empty(), "{direct:?}");
        passed += direct.passed();
        assert_eq!(serve(revision, scenario, &client, Some(&door)).await, direct, "{scenario}");
    }
    assert_eq!(passed, checks);
}

#[tokio::test]
async fn the_official_suite_finds_a_client_of_2025_11_25_behind_the_gateway_as_it_is_without() {
    found_alike("2025-11-25", &LEGACY, LEGACY_CHECKS).await;
}

#[tokio::test]
async fn the_official_suite_finds_a_client_of_2026_07_28_behind_the_gateway_as_it_is_without() {
    found_alike("2026-07-28", &MODERN, MODERN_CHECKS).await;
}

/// The rule is the gateway's to keep, too: it is the client of the server behind it.
#[tokio::test]
async fn a_careless_client_breaks_a_rule_by_itself_and_cannot_behind_the_gateway() {
    let (client, scenario) = (format!("{} careless", line()), "http-invalid-tool-headers");
    let direct = serve_once("2026-07-28", scenario, &client, None).await;
    assert!(!direct.faulty().is_empty(), "{direct:?}");
    let door = door(World::start().await).await;
    let carried = serve("2026-07-28", scenario, &client, Some(&door)).await;
    assert!(carried.faulty().is_empty(), "{carried:?}");
    assert_eq!(carried.passed(), 12);
}
