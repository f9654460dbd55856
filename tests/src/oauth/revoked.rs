//! Cases 34 and 48: what a token rests on is taken away, and the token opens nothing any more, on any node, open streams included.

use bytes::Bytes;
use harness::{Scripted, Settings};
use http_body_util::BodyExt as _;
use hyper::Method;
use serde_json::{Value, json};
use std::time::Duration;

use super::scene::{DEADLINE, Scene, ask, call, refused, text, until};

const FORM: &str = "grant_type=client_credentials";
const NEWS: &str = "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progress\":1}}\n\n";

/// Several nodes are one issuer.
fn settings() -> Settings {
    Settings { public_url: Some("https://mcp.example.com"), ..Settings::default() }
}

fn tools() -> Scripted {
    Scripted::Tools(vec![("echo", false)])
}

#[tokio::test]
async fn attack_34_a_client_that_is_disabled_calls_nothing_any_more_on_any_node() {
    let scene = Scene::with(tools(), settings()).await;
    let far = scene.world.another_node_with(settings()).await;
    let token = scene.token("mcp:write").await;
    call(&far, &scene.instance, &token, "echo").await.good();
    let client = scene.world.path(&format!("/clients/{}", scene.client.id));
    let disable = format!("{client}/disable?wait=all");
    scene.world.admin().post(&disable, &json!({ "reason": "leak" })).await.good();
    for node in [&scene.world.node, &far] {
        call(node, &scene.instance, &token, "echo").await.refused_call(401, "client-inactive", &json!(1));
        refused(&ask(node, &scene.client.basic(), FORM).await, 401, "invalid_client");
    }
    let enable = format!("{client}/enable?wait=all");
    scene.world.admin().post(&enable, &json!({})).await.good();
    call(&far, &scene.instance, &token, "echo").await.good();
    let delete = format!("{client}?wait=all");
    scene.world.admin().json(Method::DELETE, &delete, &json!({})).await.good();
    call(&far, &scene.instance, &token, "echo").await.refused_call(401, "client-inactive", &json!(1));
}

#[tokio::test]
async fn attack_34_a_scope_that_a_client_loses_its_tokens_lose() {
    let scene = Scene::with(tools(), settings()).await;
    let token = scene.token("mcp:write").await;
    scene.call(&token, "echo").await.good();
    let body = json!({ "name": "Robot", "redirect_uris": [], "scopes": ["mcp:read"] });
    let path = scene.world.path(&format!("/clients/{}", scene.client.id));
    scene.world.admin().json(Method::PUT, &path, &body).await.good();
    scene.call(&token, "echo").await.refused_call(403, "insufficient-scope", &json!(1));
}

#[tokio::test]
async fn attack_34_an_organization_that_is_suspended_opens_to_no_token() {
    let scene = Scene::with(tools(), settings()).await;
    let token = scene.token("mcp:write").await;
    let suspend = format!("/v1/deployment/organizations/{}/suspend", scene.world.organization);
    scene.world.admin().post(&suspend, &json!({ "reason": "unpaid" })).await.good();
    scene.call(&token, "echo").await.refused_call(403, "organization-suspended", &json!(1));
}

#[tokio::test]
async fn attack_34_an_instance_that_is_gone_opens_to_no_token() {
    let scene = Scene::with(tools(), settings()).await;
    let token = scene.token("mcp:write").await;
    let instance = scene.world.path(&format!("/instances/{}", scene.instance.id));
    scene.world.admin().json(Method::DELETE, &instance, &json!({})).await.good();
    scene.call(&token, "echo").await.refused_call(404, "instance-unknown", &json!(1));
}

#[tokio::test]
async fn a_secret_that_was_rotated_away_gets_no_token_though_it_was_right_a_moment_ago() {
    let scene = Scene::with(tools(), settings()).await;
    scene.ask(FORM).await.good();
    let rotate = scene.world.path(&format!("/clients/{}/rotate-secret", scene.client.id));
    let rotated = scene.world.admin().post(&rotate, &json!({})).await.good();
    refused(&scene.ask(FORM).await, 401, "invalid_client");
    let new = super::scene::basic(&scene.client.id, &text(&rotated, "client_secret"));
    ask(&scene.world.node, &new, FORM).await.good();
}

#[tokio::test]
async fn two_secrets_of_a_client_work_side_by_side_for_as_long_as_was_said_and_never_three() {
    let scene = Scene::with(tools(), settings()).await;
    let query = "select to_char((clock_timestamp() + interval '1 hour') at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
    let in_an_hour: String =
        sqlx::query_scalar(query).fetch_one(&scene.world.node.running.pool).await.unwrap();
    let rotate = scene.world.path(&format!("/clients/{}/rotate-secret", scene.client.id));
    let rotated = async |body: &Value| {
        let rotated = scene.world.admin().post(&rotate, body).await.good();
        super::scene::basic(&scene.client.id, &text(&rotated, "client_secret"))
    };
    let by = async |secret: &str| ask(&scene.world.node, secret, FORM).await;
    let first = super::scene::basic(&scene.client.id, &scene.client.secret);
    let second = rotated(&json!({ "previous_until": in_an_hour })).await;
    for secret in [&first, &second] {
        by(secret).await.good();
    }
    let third = rotated(&json!({ "previous_until": in_an_hour })).await;
    refused(&by(&first).await, 401, "invalid_client");
    for secret in [&second, &third] {
        by(secret).await.good();
    }
    let last = rotated(&json!({})).await;
    for secret in [&second, &third] {
        refused(&by(secret).await, 401, "invalid_client");
    }
    by(&last).await.good();
}

#[tokio::test]
async fn attack_48_a_stream_ends_when_its_client_is_disabled_on_another_node() {
    let talks = Scripted::Events {
        pieces: vec![Bytes::from(NEWS); 6_000],
        pause: Duration::from_millis(100),
        ends: false,
    };
    let scene = Scene::with(talks, settings()).await;
    let far = scene.world.another_node_with(settings()).await;
    let token = scene.token("mcp:write").await;
    let client = far
        .http()
        .with("authorization", &format!("Bearer {token}"))
        .with("content-type", "application/json")
        .with("accept", "application/json, text/event-stream");
    let message = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": { "name": "slow", "arguments": {} } });
    let mut stream = client.open(Method::POST, &scene.instance.path(), message.to_string()).await;
    assert_eq!(stream.status(), 200);
    stream.frame().await.expect("a piece").expect("whole");
    let disable = scene.world.path(&format!("/clients/{}/disable", scene.client.id));
    scene.world.admin().post(&disable, &json!({ "reason": "leak" })).await.good();
    let reading = async {
        let mut last = String::new();
        while let Some(frame) = stream.frame().await {
            let data = frame.expect("it ends in order").into_data().expect("data");
            last = String::from_utf8(data.to_vec()).expect("text");
        }
        last
    };
    let last = tokio::time::timeout(DEADLINE, reading).await.expect("the stream ends");
    assert!(last.contains("client-inactive"), "{last}");
    until("the upstream's stream is closed", async || scene.upstream.open_streams() == 0).await;
}
