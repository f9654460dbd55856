//! Sessions of the handshake era: sealed for one principal, of no use to anybody else, and no state of any node.

use harness::{Answer, Http, Scripted, ScriptedUpstream};
use hyper::Method;
use serde_json::{Value, json};

use super::people::Member;
use super::scene::{Scene, list, notification, request};

const UPSTREAMS_OWN: &str = "the-upstreams-own-session";

async fn scene() -> Scene {
    Scene::of(Scripted::Session(UPSTREAMS_OWN)).await
}

fn initialize() -> Value {
    let client = json!({ "name": "test", "version": "1" });
    request(
        0,
        "initialize",
        &json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client }),
    )
}

async fn opened(scene: &Scene) -> String {
    let answer = scene.call(&initialize()).await;
    answer.good();
    answer.header("mcp-session-id").expect("a session").to_owned()
}

async fn within(client: Http, scene: &Scene, session: &str, message: &Value) -> Answer {
    client.with("mcp-session-id", session).post(&scene.path(), message).await
}

#[tokio::test]
async fn the_client_gets_a_session_of_its_own_and_the_upstream_sees_its_own() {
    let scene = scene().await;
    let session = opened(&scene).await;
    assert!(!session.contains(UPSTREAMS_OWN));
    assert!(session.bytes().all(|byte| byte.is_ascii_graphic()), "visible ASCII: {session}");
    within(scene.client(), &scene, &session, &list(1)).await.good();
    assert_eq!(scene.upstream.seen()[1].header("mcp-session-id"), Some(UPSTREAMS_OWN));
    assert_ne!(opened(&scene).await, session, "no two look alike");
}

#[tokio::test]
async fn a_session_that_was_never_given_out_is_not_known() {
    let scene = scene().await;
    let session = opened(&scene).await;
    scene.upstream.take_seen();
    let changed = format!("{}{}", if session.starts_with('A') { 'B' } else { 'A' }, &session[1..]);
    for bad in
        [UPSTREAMS_OWN, "", "x", &session[..session.len() - 1], &session[1..], &changed, &session.repeat(2)]
    {
        within(scene.client(), &scene, bad, &list(1)).await.refused_call(404, "session-unknown", &json!(1));
    }
    let twice = scene.client().with("mcp-session-id", &session).with("mcp-session-id", &session);
    twice.post(&scene.path(), &list(1)).await.refused_call(400, "duplicate-header", &json!(1));
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn item_51_attack_49_a_session_is_of_no_use_to_another_user_or_at_another_instance() {
    let scene = scene().await;
    let session = opened(&scene).await;
    scene.upstream.take_seen();
    let member = Member::join(&scene.world, "member").await;
    let key = member.key(&scene.world, &["mcp:write"]).await;
    within(scene.anybody().as_key(&key), &scene, &session, &list(1)).await.refused_call(
        404,
        "session-unknown",
        &json!(1),
    );
    let other = scene.world.instance_in_front_of(&scene.upstream.url).await;
    let there = scene.anybody().as_key(other.api_key()).with("mcp-session-id", &session);
    there.post(&other.path(), &list(2)).await.refused_call(404, "session-unknown", &json!(2));
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn attack_49_a_server_that_has_moved_to_another_origin_is_told_nothing_of_earlier_sessions() {
    let scene = scene().await;
    let session = opened(&scene).await;
    let elsewhere = ScriptedUpstream::start(Scripted::Session(UPSTREAMS_OWN)).await;
    let server = json!({
        "name": "Elsewhere", "visibility": "organization", "transport": { "http": { "url": elsewhere.url } }, "credential_fields": [],
    });
    scene.manage(Method::PUT, &format!("/servers/{}", scene.instance.server), &server).await;
    let answer = within(scene.client(), &scene, &session, &list(1)).await;
    answer.refused_call(404, "session-unknown", &json!(1));
    assert!(elsewhere.seen().is_empty());
    let anew = opened(&scene).await;
    within(scene.client(), &scene, &anew, &list(2)).await.good();
}

#[tokio::test]
async fn another_key_of_the_same_user_goes_on_with_the_session() {
    let scene = scene().await;
    let session = opened(&scene).await;
    let rotated = scene.world.key(&["mcp:write"], None).await;
    within(scene.anybody().as_key(&rotated), &scene, &session, &list(1)).await.good();
}

#[tokio::test]
async fn item_51_a_session_is_no_credential() {
    let scene = scene().await;
    let session = opened(&scene).await;
    within(scene.anybody(), &scene, &session, &list(1)).await.refused_call(401, "no-credential", &json!(1));
}

#[tokio::test]
async fn another_node_goes_on_with_the_session() {
    let scene = scene().await;
    let session = opened(&scene).await;
    let node = scene.world.another_node().await;
    let client = node.http().as_key(scene.instance.api_key());
    within(client, &scene, &session, &list(1)).await.good();
}

#[tokio::test]
async fn a_session_is_ended_at_the_upstream() {
    let scene = scene().await;
    let session = opened(&scene).await;
    let client = scene.client().with("mcp-session-id", &session);
    assert!(client.send(Method::DELETE, &scene.path(), "").await.status.is_success());
    let seen = scene.upstream.seen();
    assert_eq!((&seen[1].method, seen[1].header("mcp-session-id")), (&Method::DELETE, Some(UPSTREAMS_OWN)));
}

#[tokio::test]
async fn an_upstream_that_has_forgotten_a_session_makes_the_client_begin_again() {
    let scene = scene().await;
    let session = opened(&scene).await;
    scene.upstream.now(Scripted::Session("another"));
    within(scene.client(), &scene, &session, &list(1)).await.refused_call(404, "upstream-refused", &json!(1));
}

#[tokio::test]
async fn a_notification_is_accepted_without_a_body() {
    let scene = scene().await;
    let session = opened(&scene).await;
    let answer =
        within(scene.client(), &scene, &session, &notification("notifications/initialized", &json!({})))
            .await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (202, 0));
}
