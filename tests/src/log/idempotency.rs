//! Day-one test 5: a command that is sent many times at once under one key is carried out once and answered alike.

use futures_util::future::join_all;
use harness::World;
use serde_json::{Value, json};

const SENDERS: usize = 16;

async fn events(world: &World, event_type: &str) -> i64 {
    let (count,): (i64,) = sqlx::query_as("select count(*) from events where event_type = $1")
        .bind(event_type)
        .fetch_one(&world.node.running.pool)
        .await
        .unwrap();
    count
}

#[tokio::test]
async fn attack_44_one_key_sent_sixteen_times_at_once_issues_one_secret_and_shows_it_to_all() {
    let world = World::start().await;
    let before = events(&world, "issued").await;
    let body = json!({ "name": "Robot", "scopes": ["mcp:read"] });
    let admin = world.admin().with("idempotency-key", "the-same");
    let answers =
        join_all((0..SENDERS).map(|_| async { admin.post(&world.path("/api-keys"), &body).await.good() }))
            .await;
    let first = &answers[0];
    assert!(answers.iter().all(|answer| answer == first), "different answers to one command");
    assert!(first["api_key"].as_str().unwrap().starts_with("sk_"));
    assert_eq!(events(&world, "issued").await, before + 1);
}

#[tokio::test]
async fn two_nodes_that_get_the_same_command_carry_it_out_once() {
    let world = World::start().await;
    let other = world.another_node().await;
    let body = json!({ "slug": "umbrella", "name": "Umbrella" });
    let senders = (0..SENDERS).map(|number| {
        let base = if number % 2 == 0 { &world.node } else { &other };
        let http = base.http().as_key(&world.admin_key).with("idempotency-key", "umbrella");
        let body = body.clone();
        async move { http.post("/v1/organizations", &body).await.good() }
    });
    let answers: Vec<Value> = join_all(senders).await;
    assert!(answers.iter().all(|answer| answer == &answers[0]));
    let (slugs,): (i64,) = sqlx::query_as(
        "select count(*) from events where event_type = 'created' and payload::text like '%umbrella%'",
    )
    .fetch_one(&world.node.running.pool)
    .await
    .unwrap();
    assert_eq!(slugs, 1);
}

#[tokio::test]
async fn attack_44_a_key_that_was_used_for_another_request_is_refused() {
    let world = World::start().await;
    let admin = world.admin().with("idempotency-key", "mine");
    admin.post("/v1/organizations", &json!({ "slug": "first", "name": "One" })).await.good();
    admin
        .post("/v1/organizations", &json!({ "slug": "other", "name": "One" }))
        .await
        .refused(409, "idempotency-key-reused");
}

#[tokio::test]
async fn the_keys_of_two_callers_never_meet() {
    let world = World::start().await;
    let second = world.key(&["org:read", "org:write", "keys:write"], None).await;
    let body = |slug: &str| json!({ "slug": slug, "name": slug });
    let one =
        world.admin().with("idempotency-key", "same").post("/v1/organizations", &body("first")).await.good();
    let other = world.node.http().as_key(&second).with("idempotency-key", "same");
    let two = other.post("/v1/organizations", &body("second")).await.good();
    assert_ne!(one["id"], two["id"]);
}
