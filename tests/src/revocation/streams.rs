//! Streams that are open when what they rest on is taken away: they end, and nothing more goes out.

use std::time::Duration;

use bytes::Bytes;
use harness::{Scripted, Weather};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Method, Response};
use serde_json::json;
use tokio::time::timeout;

use super::scene::{BOUND, Key, Scene, settings, until};

const NEWS: &str = "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progress\":1}}\n\n";
const PATIENCE: Duration = Duration::from_secs(30);

/// An upstream that tells something ten times a second for as long as it is listened to.
fn talks() -> Scripted {
    Scripted::Events {
        pieces: vec![Bytes::from(NEWS); 6_000],
        pause: Duration::from_millis(100),
        ends: false,
    }
}

async fn scene() -> Scene {
    Scene::with(talks(), settings()).await
}

/// A stream at the far node: the answer to a call, or a legacy GET.
async fn opened(scene: &Scene, key: &Key, method: Method) -> Response<Incoming> {
    let client = scene.far.http().as_key(&key.text).with("accept", "application/json, text/event-stream");
    let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": { "name": "slow", "arguments": {} } });
    let body = if method == Method::GET { String::new() } else { call.to_string() };
    let client = if method == Method::GET {
        client.with("mcp-protocol-version", "2025-06-18")
    } else {
        client.with("content-type", "application/json")
    };
    let mut response = client.open(method, &scene.instance.path(), body).await;
    assert_eq!(response.status(), 200);
    let first = timeout(PATIENCE, response.frame()).await.expect("in time").expect("a piece").expect("whole");
    assert_eq!(first.into_data().expect("data"), NEWS);
    response
}

/// What comes after the last piece of news.
async fn last_word(mut response: Response<Incoming>) -> String {
    let reading = async {
        let mut last = String::new();
        while let Some(frame) = response.frame().await {
            let data = frame.expect("it ends in order").into_data().expect("data");
            last = String::from_utf8(data.to_vec()).expect("text");
        }
        last
    };
    timeout(PATIENCE, reading).await.expect("the stream ends")
}

#[tokio::test]
async fn attack_48_a_revoked_key_ends_the_answer_under_way_with_an_error() {
    let scene = scene().await;
    let (kept, lost) = (scene.key().await, scene.key().await);
    let mut other = opened(&scene, &kept, Method::POST).await;
    let open = opened(&scene, &lost, Method::POST).await;
    scene.revoke(&lost).await;
    let word = last_word(open).await;
    assert!(word.starts_with("event: message\ndata: {") && word.contains("\"id\":7"), "{word}");
    assert!(word.contains("\"reason\":\"key-revoked\""), "{word}");
    let path = scene.world.path(&format!("/calls?credential={}", lost.id));
    until("its record says so", async || {
        let page = scene.world.admin().get(&path).await.good();
        let items = page["items"].as_array().expect("items").clone();
        items.iter().any(|call| {
            call["outcome"] == "cut_off" && call["reason"] == "key-revoked" && call["decision"] == "permit"
        })
    })
    .await;
    let next = timeout(PATIENCE, other.frame()).await.expect("in time").expect("it goes on").expect("whole");
    assert_eq!(next.into_data().expect("data"), NEWS, "another key's stream goes on");
    drop(other);
    until("the upstreams are let go", async || scene.upstream.open_streams() == 0).await;
}

#[tokio::test]
async fn a_stopped_instance_ends_its_listening_streams_with_a_comment() {
    let scene = scene().await;
    let key = scene.key().await;
    let open = opened(&scene, &key, Method::GET).await;
    let path = scene.world.path(&format!("/instances/{}/stop", scene.instance.id));
    scene.world.admin().post(&path, &json!({})).await.good();
    assert_eq!(last_word(open).await, ": ended: instance-stopped\n\n");
}

#[tokio::test]
async fn attack_48_a_key_that_runs_out_ends_its_streams() {
    use api::adapters::system::SystemClock;
    use domain::value::Clock as _;
    let scene = scene().await;
    let body =
        json!({ "name": "Short", "scopes": ["mcp:write"], "expires_at": SystemClock.now().plus_seconds(8) });
    let issued = scene.world.admin().post(&scene.world.path("/api-keys"), &body).await.good();
    let text = |name: &str| issued[name].as_str().unwrap().to_owned();
    let key = Key { id: text("id"), text: text("api_key") };
    until("the key arrives", async || scene.far_call_status(&key).await == 200).await;
    let open = opened(&scene, &key, Method::POST).await;
    let word = last_word(open).await;
    assert!(word.contains("\"reason\":\"key-expired\""), "{word}");
}

#[tokio::test]
async fn a_stream_of_a_node_that_lost_everything_says_nothing_more_and_goes_on_when_all_is_well() {
    let scene = scene().await;
    let (kept, lost) = (scene.key().await, scene.key().await);
    let (mut going, ending) =
        (opened(&scene, &kept, Method::POST).await, opened(&scene, &lost, Method::POST).await);
    scene.postgres.turn(Weather::Reset);
    scene.nats.turn(Weather::Reset);
    scene.revoke(&lost).await;
    tokio::time::sleep(BOUND).await;
    // What was on its way when the bound was reached may still be read.
    while let Ok(piece) = timeout(Duration::from_millis(300), going.frame()).await {
        assert_eq!(piece.expect("no end").expect("whole").into_data().expect("data"), NEWS);
        assert!(
            scene.far_metric("sekisho_view_staleness_seconds").await < BOUND.as_secs_f64() * 4.0,
            "it goes on"
        );
    }
    scene.postgres.heal();
    scene.nats.heal();
    let next = timeout(PATIENCE, going.frame()).await.expect("in time").expect("it goes on").expect("whole");
    assert_eq!(next.into_data().expect("data"), NEWS);
    let word = last_word(ending).await;
    assert!(word.contains("\"reason\":\"key-revoked\""), "{word}");
}

#[tokio::test]
async fn a_live_stream_of_the_history_ends_when_its_key_is_revoked() {
    let scene = scene().await;
    let body = json!({ "name": "Auditor", "scopes": ["audit:read"] });
    let issued = scene.world.admin().post(&scene.world.path("/api-keys"), &body).await.good();
    let text = |name: &str| issued[name].as_str().unwrap().to_owned();
    let key = Key { id: text("id"), text: text("api_key") };
    let at = format!("/v1/me?at_least={}", issued["position"]);
    scene.far.http().as_key(&scene.world.admin_key).get(&at).await.good();
    let open = scene.far.http().as_key(&key.text).open(Method::GET, "/v1/events/stream", "").await;
    assert_eq!(open.status(), 200);
    scene.revoke(&key).await;
    let word = last_word(open).await;
    assert!(word.contains("event: end") && word.contains("key-revoked"), "{word}");
}

#[tokio::test]
async fn a_stream_that_opens_late_on_a_stale_node_is_judged_by_what_was_heard_meanwhile() {
    let late = Scripted::Late(BOUND * 5, Box::new(talks()));
    let scene = Scene::with(late, settings()).await;
    let key = scene.key().await;
    let client = scene.far.http().as_key(&key.text).with("content-type", "application/json");
    let client = client.with("accept", "application/json, text/event-stream");
    let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": { "name": "slow", "arguments": {} } });
    let path = scene.instance.path();
    let opening = tokio::spawn(async move { client.open(Method::POST, &path, call.to_string()).await });
    until("the call is forwarded", async || !scene.upstream.seen().is_empty()).await;
    scene.revoke(&key).await;
    let id = domain::value::ApiKeyId::parse(&key.id).unwrap();
    until("the far node hears", async || {
        scene.far.running.view.load().key_by_id(id).is_some_and(|key| key.revoked)
    })
    .await;
    // The answer begins while the node can judge nothing, and nothing is taken away any more when it can again.
    scene.postgres.turn(Weather::Reset);
    scene.nats.turn(Weather::Reset);
    let open = opening.await.unwrap();
    scene.postgres.heal();
    scene.nats.heal();
    let word = last_word(open).await;
    assert!(word.contains("\"reason\":\"key-revoked\""), "{word}");
}

#[tokio::test]
async fn a_stream_that_is_served_by_a_stale_node_ends_with_what_the_node_does_hear() {
    let scene = scene().await;
    let path = scene.world.path(&format!("/instances/{}/when-stale", scene.instance.id));
    scene.world.admin().json(Method::PUT, &path, &json!({ "when_stale": "serve" })).await.good();
    let (kept, lost) = (scene.key().await, scene.key().await);
    let (mut going, ending) =
        (opened(&scene, &kept, Method::POST).await, opened(&scene, &lost, Method::POST).await);
    // Without Postgres it cannot tell how old watermarks are, some seconds on; events come over NATS all the same.
    scene.postgres.turn(Weather::Dark);
    until("the far node is stale", async || scene.far_state().await == "stale").await;
    scene.revoke(&lost).await;
    let word = last_word(ending).await;
    assert!(word.contains("\"reason\":\"key-revoked\""), "{word}");
    assert_eq!(scene.far_state().await, "stale");
    let next = timeout(PATIENCE, going.frame()).await.expect("in time").expect("it goes on").expect("whole");
    assert_eq!(next.into_data().expect("data"), NEWS);
}
