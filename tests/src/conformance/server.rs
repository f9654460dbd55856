//! What the suite says of the gateway as a server: the same as of the server behind it, and that is everything that it asks.

use std::collections::BTreeSet;

use harness::World;
use serde_json::json;
use url::Url;

use super::suite::{Findings, judge, once};
use super::{exceptions, fixture, shim};

/// A revision, and what the suite holds ready for it.
struct Required {
    revision: &'static str,
    /// Run and told, but not scored: extensions and what came later.
    unscored: &'static [&'static str],
    /// How many scenarios are scored.
    scored: usize,
    /// How many checks the fixture passes, all scenarios together.
    passed: usize,
}

const LEGACY: Required = Required {
    revision: "2025-11-25",
    unscored: &["server-session-lifecycle", "json-schema-2020-12", "server-sse-polling"],
    scored: 30,
    passed: 84,
};

const MODERN: Required = Required {
    revision: "2026-07-28",
    unscored: &[
        "json-schema-2020-12",
        "http-header-validation",
        "http-custom-header-server-validation",
        "tasks-lifecycle",
        "tasks-capability-negotiation",
        "tasks-wire-fields",
        "tasks-request-state-removal",
        "tasks-mrtr-input",
        "tasks-request-headers",
        "tasks-dispatch-and-envelope",
        "tasks-status-notifications",
        "tasks-required-task-error",
        "tasks-mrtr-composition",
    ],
    scored: 37,
    passed: 164,
};

impl Required {
    /// The suite ran all that it has, and found fault with nothing but what is listed.
    async fn met_by(&self, url: &Url) -> Findings {
        let accepted = exceptions::accepted();
        let found = judge(self.revision, url, &accepted).await;
        let run = found.scenarios();
        assert!(self.unscored.iter().all(|scenario| run.contains(scenario)), "{run:?}");
        assert_eq!(run.len(), self.scored + self.unscored.len(), "{run:?}");
        let expected: BTreeSet<&str> =
            accepted.iter().map(String::as_str).filter(|scenario| run.contains(scenario)).collect();
        assert_eq!(found.faulty(), expected, "{} at {url}", self.revision);
        found
    }
}

/// An instance in front of the same connection that asks nobody on this machine for a key.
async fn open_to_this_machine(world: &World, connection: &str) -> Url {
    let open =
        json!({ "name": "Open", "connections": [connection], "tools": "all", "authentication": "none" });
    let made = world.admin().post(&world.path("/instances"), &open).await.good();
    let url = format!("{}/mcp/{}", world.node.running.url, made["id"].as_str().expect("an id"));
    Url::parse(&url).expect("an address")
}

async fn found_alike(required: Required) {
    let upstream = fixture::start().await;
    let direct = required.met_by(&upstream.url).await;
    assert_eq!(direct.passed(), required.passed, "{direct:?}");

    let world = World::start().await;
    let instance = world.instance_in_front_of(&upstream.url).await;
    let open = open_to_this_machine(&world, &instance.connection).await;
    assert_eq!(required.met_by(&open).await, direct);
    let behind_a_key = shim::in_front_of(&instance.mcp_url(), instance.api_key()).await;
    assert_eq!(required.met_by(&behind_a_key).await, direct);
}

#[tokio::test]
async fn the_official_suite_finds_a_server_of_2025_11_25_behind_the_gateway_as_it_is_without() {
    found_alike(LEGACY).await;
}

#[tokio::test]
async fn the_official_suite_finds_a_server_of_2026_07_28_behind_the_gateway_as_it_is_without() {
    found_alike(MODERN).await;
}

/// Without a key the same suite finds fault with nearly everything, so it can.
#[tokio::test]
async fn the_official_suite_gets_nowhere_without_a_key() {
    let upstream = fixture::start().await;
    let world = World::start().await;
    let instance = world.instance_in_front_of(&upstream.url).await;
    let found = once(MODERN.revision, &instance.mcp_url()).await;
    assert!(found.faulty().len() >= MODERN.scored, "{found:?}");
}

/// Every exception is of a scenario that is run.
#[test]
fn every_exception_is_met_by_a_run() {
    let run: BTreeSet<&str> = MODERN.unscored.iter().chain(LEGACY.unscored).copied().collect();
    let stale: Vec<String> =
        exceptions::accepted().into_iter().filter(|scenario| !run.contains(scenario.as_str())).collect();
    assert!(stale.is_empty(), "{stale:?}");
}
