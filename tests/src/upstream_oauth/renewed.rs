//! Tokens that end, are refused, or cannot be renewed.

use std::time::Duration;

use futures_util::future::join_all;
use hyper::Method;
use serde_json::json;

use super::scene::Scene;

/// Everybody's tokens are over, as far as this deployment knows: nothing that a node remembers counts.
async fn time_passes(scene: &Scene) {
    scene
        .execute("update upstream_authorizations set expires_at = clock_timestamp() - interval '1 second'")
        .await;
}

#[tokio::test]
async fn a_token_that_the_server_refuses_is_renewed_and_the_call_is_carried_out_once() {
    let scene = Scene::start().await;
    scene.authorize().await;
    scene.call().await.good();
    scene.fixture.forget_access();
    let before = scene.fixture.count("/mcp");
    scene.call().await.good();
    assert_eq!(scene.fixture.count("/mcp") - before, 2, "refused, and then carried out");
    let (form, _) = scene.fixture.asked().pop().expect("a form");
    assert_eq!(
        (form["grant_type"].as_str(), form["resource"].as_str()),
        ("refresh_token", scene.fixture.url().as_str())
    );
    assert_eq!(scene.told("authorized").await, 1, "a renewal is no new authorization");
}

#[tokio::test]
async fn two_nodes_and_many_calls_spend_a_refresh_token_once() {
    let scene = Scene::start().await;
    scene.authorize().await;
    scene.call().await.good();
    scene.fixture.now(|ways| ways.renewal_takes = Duration::from_millis(500));
    let other = scene.world.another_node().await;
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "x", "arguments": {} } });
    for _ in 0..2 {
        scene.fixture.forget_access();
        let before = scene.fixture.count("/token");
        let nodes = [scene.world.node.http(), other.http()];
        let path = scene.instance.path();
        let calls = (0..12).map(|n| {
            let http = nodes[n % 2].clone().as_key(scene.instance.api_key());
            let (path, message) = (path.clone(), message.clone());
            async move { http.post(&path, &message).await.good() }
        });
        join_all(calls).await;
        assert_eq!(scene.fixture.count("/token") - before, 1);
        tokio::time::sleep(Duration::from_secs(11)).await; // a token that was renewed a moment ago is not renewed again
    }
    assert_eq!(scene.fixture.spent_twice(), 0);
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end_and_no_call_waits_for_that() {
    let scene = Scene::start().await;
    scene.fixture.now(|ways| ways.life = Some(20));
    scene.authorize().await;
    scene.call().await.good();
    assert_eq!(scene.fixture.count("/token"), 1);
    scene.fixture.now(|ways| {
        ways.life = Some(3600);
        ways.renewal_takes = Duration::from_secs(1);
    });
    while scene.fixture.count("/token") < 2 {
        scene.call().await.good();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    scene.call().await.good();
    assert_eq!(
        scene.fixture.shown().iter().filter(|shown| shown.is_none()).count(),
        1,
        "no call went without"
    );
}

#[tokio::test]
async fn what_is_over_is_renewed_by_the_call_that_finds_it() {
    let scene = Scene::start().await;
    scene.authorize().await;
    time_passes(&scene).await; // nothing was remembered yet
    scene.call().await.good();
    assert_eq!(scene.fixture.count("/token"), 2);
}

#[tokio::test]
async fn an_authorization_that_is_not_renewed_any_more_is_told_and_given_anew() {
    let scene = Scene::start().await;
    scene.authorize().await;
    scene.fixture.now(|ways| ways.refuses_renewal = Some((400, "invalid_grant")));
    scene.fixture.forget_access();
    scene.needs_authorization().await;
    assert_eq!(scene.told("authorization_lost").await, 1);
    let asked = scene.fixture.count_of_all();
    scene.needs_authorization().await;
    assert_eq!(scene.fixture.count_of_all(), asked, "nobody is asked what is known");
    let authorization = scene.connection().await["authorization"].clone();
    assert_eq!(
        (&authorization["usable"], &authorization["lost"]),
        (&json!(false), &json!("renewal_refused"))
    );
    scene.fixture.now(|ways| ways.refuses_renewal = None);
    scene.authorize().await;
    scene.call().await.good();
}

#[tokio::test]
async fn an_authorization_server_that_is_down_costs_nobody_their_authorization() {
    let scene = Scene::start().await;
    scene.authorize().await;
    scene.fixture.now(|ways| ways.refuses_renewal = Some((503, "temporarily_unavailable")));
    scene.fixture.forget_access();
    scene.call().await.refused_call(503, "upstream-authorization-unavailable", &json!(1));
    let asked = scene.fixture.count("/token");
    scene.call().await.refused_call(503, "upstream-authorization-unavailable", &json!(1));
    assert_eq!(scene.fixture.count("/token"), asked, "it is left alone for a moment");
    assert_eq!(scene.told("authorization_lost").await, 0);
    scene.fixture.now(|ways| ways.refuses_renewal = None);
    tokio::time::sleep(Duration::from_secs(6)).await;
    scene.call().await.good();
}

#[tokio::test]
async fn without_a_refresh_token_the_end_is_the_end() {
    let scene = Scene::start().await;
    scene.fixture.now(|ways| ways.no_refresh = true);
    scene.authorize().await;
    scene.call().await.good();
    scene.fixture.forget_access();
    scene.needs_authorization().await;
    assert_eq!(scene.connection().await["authorization"]["lost"], "token_refused");
    scene.authorize().await;
    scene
        .execute("update upstream_authorizations set expires_at = clock_timestamp() - interval '1 second'")
        .await;
    scene.needs_authorization().await;
    assert_eq!(scene.connection().await["authorization"]["lost"], "expired");
}

#[tokio::test]
async fn a_server_that_wants_more_is_noted_and_whoever_authorizes_next_is_asked_for_that_beside_the_rest() {
    let scene = Scene::start().await;
    scene.authorize().await;
    scene.fixture.now(|ways| ways.needs = "write");
    scene.needs_authorization().await;
    scene.needs_authorization().await;
    assert_eq!(scene.told("scopes_wanted").await, 1);
    assert_eq!(scene.connection().await["authorization"]["wanted_scopes"], json!(["write"]));
    scene.authorize().await;
    let asked = scene.fixture.ways_in().pop().expect("a way in");
    assert_eq!(asked["scope"], "read write");
    scene.call().await.good();
}

#[tokio::test]
async fn a_server_that_moved_to_another_origin_is_told_nothing_of_before() {
    let scene = Scene::start().await;
    scene.authorize().await;
    scene.call().await.good();
    let elsewhere = super::fixture::Fixture::start().await;
    let body = json!({
        "name": "Protected", "transport": { "http": { "url": elsewhere.url() } }, "oauth": {}, "visibility": "organization",
    });
    let path = scene.world.path(&format!("/servers/{}", scene.instance.server));
    scene.world.admin().json(Method::PUT, &path, &body).await.good();
    scene.needs_authorization().await;
    assert_eq!(elsewhere.count_of_all(), 0);
    assert_eq!(scene.connection().await["authorization"], json!(null));
}
