//! Positions: every write says where it stands in the log, and every read can wait until it sees that.

use harness::World;
use hyper::Method;
use serde_json::{Value, json};

async fn written(world: &World) -> (String, u64) {
    let body = json!({ "name": "Wanted", "scopes": ["mcp:read"] });
    let answer = world.admin().post(&world.path("/api-keys"), &body).await;
    let body = answer.good();
    let position = body["position"].as_u64().expect("a position");
    assert_eq!(
        answer.header("sekisho-position"),
        Some(position.to_string().as_str()),
        "header and field agree"
    );
    (body["id"].as_str().expect("an id").to_owned(), position)
}

#[tokio::test]
async fn a_position_that_is_not_reached_is_waited_for_and_then_refused() {
    let world = World::start().await;
    let (id, position) = written(&world).await;
    let path = world.path(&format!("/api-keys/{id}?at_least={}", position + 1_000_000));
    world.admin().get(&path).await.refused(503, "position-not-reached");
}

#[tokio::test]
async fn a_position_that_is_none_is_refused() {
    let world = World::start().await;
    for text in ["-1", "soon", "1.5", "99999999999999999999", ""] {
        let answer = world.admin().get(&world.path(&format!("/api-keys?at_least={text}"))).await;
        assert_eq!(answer.status, 400, "{text}");
    }
}

#[tokio::test]
async fn each_write_stands_after_the_one_before_and_is_read_back_at_once() {
    let world = World::start().await;
    let mut last = 0;
    for _ in 0..5 {
        let (id, position) = written(&world).await;
        assert!(position > last, "{position} after {last}");
        last = position;
        let read = world.admin().get(&world.path(&format!("/api-keys/{id}"))).await;
        assert_eq!(read.good()["id"], json!(id));
        let read_at: u64 =
            read.header("sekisho-position").and_then(|text| text.parse().ok()).expect("a position");
        assert!(read_at >= position);
    }
}

#[tokio::test]
async fn another_node_shows_a_write_to_whoever_waits_for_its_position() {
    let world = World::start().await;
    let node = world.another_node().await;
    let there = node.http().as_key(&world.admin_key);
    for _ in 0..10 {
        let (id, position) = written(&world).await;
        let path = world.path(&format!("/api-keys/{id}?at_least={position}"));
        assert_eq!(there.get(&path).await.good()["id"], json!(id));
    }
    let (id, position) = written(&world).await;
    let revoked =
        world.admin().json(Method::DELETE, &world.path(&format!("/api-keys/{id}")), &json!({})).await.good();
    let later = revoked["position"].as_u64().expect("a position");
    assert!(later > position);
    let shown: Value = there.get(&world.path(&format!("/api-keys/{id}?at_least={later}"))).await.good();
    assert_eq!(shown["standing"], "revoked");
}
