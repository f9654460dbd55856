//! A write is visible on the answering node before the answer leaves, or the answer says that it is not.

use harness::{Answer, World};
use hyper::Method;
use serde_json::json;

async fn renamed(world: &World) -> Answer {
    world.admin().json(Method::PATCH, &world.path(""), &json!({ "name": "Umbrella" })).await
}

#[tokio::test]
async fn an_answer_that_comes_before_this_node_shows_the_write_says_so() {
    let world = World::start().await;
    // Another node, which folds and does not come to an end.
    let mut held = world.node.running.pool.begin().await.unwrap();
    sqlx::query("select from projection_checkpoints where projection = 'directory' for update")
        .execute(&mut *held)
        .await
        .unwrap();
    let answer = renamed(&world).await;
    assert_eq!(answer.status.as_u16(), 200, "it is written: anything but a success would be a lie");
    assert_eq!(answer.header("sekisho-visible"), Some("false"));
    assert_eq!(world.admin().get(&world.path("")).await.good()["name"], "Acme");
    let path = world.path(&format!("?at_least={}", answer.header("sekisho-position").unwrap()));
    world.admin().get(&path).await.refused(503, "position-not-reached");
    held.rollback().await.unwrap();
    assert_eq!(world.admin().get(&path).await.good()["name"], "Umbrella");
}

#[tokio::test]
async fn an_answer_says_that_the_write_is_visible_and_it_is() {
    let world = World::start().await;
    assert_eq!(renamed(&world).await.header("sekisho-visible"), Some("true"));
    let read = world.admin().get(&world.path("")).await;
    assert_eq!(read.good()["name"], "Umbrella");
    assert_eq!(read.header("sekisho-visible"), None, "a read");
}
