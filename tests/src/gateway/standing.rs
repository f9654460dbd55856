//! A genuine key that does not count (any more), and endpoints that are not open: each refusal from the very next call on.

use api::adapters::system::SystemClock;
use domain::value::Clock as _;
use harness::{Scripted, World};
use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::people::Member;
use super::scene::{Scene, call, list, until};

async fn scene() -> Scene {
    Scene::of(Scripted::Tools(vec![("echo", false)])).await
}

#[tokio::test]
async fn an_expired_key_is_refused() {
    let scene = scene().await;
    let expires_at = SystemClock.now().plus_seconds(2);
    let key =
        scene.issue(&json!({ "name": "Short", "scopes": ["mcp:write"], "expires_at": expires_at })).await;
    scene.call_as(&key.text, &list(1)).await.good();
    until("the key expires", async || scene.call_as(&key.text, &list(1)).await.status == 401).await;
    assert!(SystemClock.now() >= expires_at, "not before its time");
    scene.call_as(&key.text, &list(2)).await.refused_call(401, "key-expired", &json!(2));
}

#[tokio::test]
async fn a_revoked_key_is_refused_from_the_next_call_on() {
    let scene = scene().await;
    let key = scene.issue(&json!({ "name": "Lost", "scopes": ["mcp:write"] })).await;
    scene.call_as(&key.text, &list(1)).await.good();
    scene.manage(Method::DELETE, &format!("/api-keys/{}", key.id), &json!({ "reason": "Laptop lost" })).await;
    scene.call_as(&key.text, &list(2)).await.refused_call(401, "key-revoked", &json!(2));
}

#[tokio::test]
async fn whoever_is_shown_out_takes_no_key_along() {
    let scene = scene().await;
    let member = Member::join(&scene.world, "member").await;
    let key = member.key(&scene.world, &["mcp:write"]).await;
    scene.call_as(&key, &list(1)).await.good();
    member.leave(&scene.world).await;
    scene.call_as(&key, &list(2)).await.refused_call(401, "not-member", &json!(2));
}

#[tokio::test]
async fn the_keys_of_a_suspended_user_rest_until_the_user_is_back() {
    let scene = scene().await;
    let member = Member::join(&scene.world, "member").await;
    let key = member.key(&scene.world, &["mcp:write"]).await;
    member.suspend(&scene.world).await;
    scene.call_as(&key, &list(1)).await.refused_call(401, "principal-inactive", &json!(1));
    member.resume(&scene.world).await;
    scene.call_as(&key, &list(2)).await.good();
}

#[tokio::test]
async fn what_is_not_there_looks_the_same_as_what_is_another_organizations() {
    let scene = scene().await;
    let foreign = scene.world.key_of_another_organization().await;
    let unknown = format!("/mcp/{}", Uuid::new_v4());
    let mut bodies = Vec::new();
    for (key, path) in [
        (foreign.as_str(), scene.path()),
        (foreign.as_str(), unknown.clone()),
        (scene.instance.api_key(), unknown),
        (scene.instance.api_key(), "/mcp/not-an-id".to_owned()),
        (scene.instance.api_key(), "/mcp/%ff".to_owned()),
    ] {
        let answer = scene.anybody().as_key(key).post(&path, &call(1, "echo")).await;
        answer.refused_call(404, "instance-unknown", &json!(1));
        bodies.push(answer.bytes);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_key_that_is_bound_to_an_instance_opens_no_other() {
    let scene = scene().await;
    let other = scene.world.instance_in_front_of(&scene.upstream.url).await;
    let answer = scene.anybody().as_key(other.api_key()).post(&scene.path(), &list(1)).await;
    answer.refused_call(403, "bound-to-other-instance", &json!(1));
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn a_stopped_instance_says_so_and_a_started_one_answers() {
    let scene = scene().await;
    let at = |verb: &str| format!("/instances/{}/{verb}", scene.instance.id);
    scene.manage(Method::POST, &at("stop"), &json!({})).await;
    let refused = scene.call(&list(1)).await;
    refused.refused_call(503, "instance-stopped", &json!(1));
    assert!(refused.headers.contains_key("retry-after"));
    scene.manage(Method::POST, &at("start"), &json!({})).await;
    scene.call(&list(2)).await.good();
}

#[tokio::test]
async fn a_deleted_instance_was_never_there() {
    let scene = scene().await;
    scene.manage(Method::DELETE, &format!("/instances/{}", scene.instance.id), &json!({})).await;
    scene.call(&list(1)).await.refused_call(404, "instance-unknown", &json!(1));
}

#[tokio::test]
async fn behind_a_retired_server_there_is_nothing_to_call() {
    let scene = scene().await;
    scene.manage(Method::DELETE, &format!("/servers/{}", scene.instance.server), &json!({})).await;
    scene.call(&list(1)).await.refused_call(502, "upstream-removed", &json!(1));
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn behind_a_removed_connection_there_is_nothing_to_call() {
    let scene = scene().await;
    scene.manage(Method::DELETE, &format!("/connections/{}", scene.instance.connection), &json!({})).await;
    scene.call(&list(1)).await.refused_call(502, "upstream-removed", &json!(1));
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn in_maintenance_only_the_addresses_that_were_named_are_answered() {
    let scene = scene().await;
    let maintenance =
        async |body: Value| scene.world.admin().post("/v1/deployment/maintenance", &body).await.good();
    maintenance(json!({})).await;
    let refused = scene.call(&list(1)).await;
    refused.refused_call(503, "maintenance", &json!(1));
    assert!(refused.headers.contains_key("retry-after"));
    maintenance(json!({ "allowed": ["127.0.0.0/8"] })).await;
    scene.call(&list(2)).await.good();
}

/// An instance that asks nobody for a key, in the same world.
async fn open_to_this_machine(world: &World, connection: &str) -> String {
    let body =
        json!({ "name": "Open", "connections": [connection], "tools": ["echo"], "authentication": "none" });
    let made = world.admin().post(&world.path("/instances"), &body).await.good();
    format!("/mcp/{}", made["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn an_instance_without_authentication_is_open_to_this_machine_and_not_through_a_proxy_on_it() {
    let scene = scene().await;
    let open = open_to_this_machine(&scene.world, &scene.instance.connection).await;
    for header in ["forwarded", "x-forwarded-for", "x-real-ip", "via"] {
        let proxied = scene.anybody().with(header, "192.0.2.7");
        proxied.post(&open, &call(1, "echo")).await.refused_call(401, "no-credential", &json!(1));
    }
    scene.anybody().post(&open, &call(2, "add")).await.refused_call(403, "tool-not-exposed", &json!(2));
    scene.anybody().post(&open, &call(3, "echo")).await.good();
    scene.client().post(&open, &call(4, "echo")).await.refused_call(
        403,
        "bound-to-other-instance",
        &json!(4),
    );
}
