//! Day-one test 6: a unique name never has two owners, and is free again when it is given back.

use futures_util::future::join_all;
use harness::World;
use hyper::Method;
use serde_json::json;

const CALLERS: usize = 32;

#[tokio::test]
async fn thirty_two_that_want_one_e_mail_address_at_once_get_it_once() {
    let world = World::start().await;
    let other = world.another_node().await;
    let senders = (0..CALLERS).map(|number| {
        let node = if number % 2 == 0 { &world.node } else { &other };
        let http = node.http().as_key(&world.admin_key);
        let (path, body) =
            (world.path("/users"), json!({ "email": "Mika@Example.com", "name": format!("Mika {number}") }));
        async move { http.post(&path, &body).await }
    });
    let answers = join_all(senders).await;
    let good = answers.iter().filter(|answer| answer.status.is_success()).count();
    assert_eq!(good, 1);
    for answer in answers.iter().filter(|answer| !answer.status.is_success()) {
        answer.refused(409, "taken");
        assert_eq!(answer.body()["scope"], "email");
    }
}

#[tokio::test]
async fn the_table_of_names_holds_no_address_in_clear() {
    let world = World::start().await;
    let rows: Vec<(String, String)> =
        sqlx::query_as("select scope, value from claims").fetch_all(&world.node.running.pool).await.unwrap();
    let email = rows.iter().find(|(scope, _)| scope == "email").expect("the founder's address is claimed");
    assert!(!email.1.contains('@') && email.1.len() == 64, "{}", email.1);
    let payloads: Vec<(String,)> = sqlx::query_as("select payload::text || metadata::text from events")
        .fetch_all(&world.node.running.pool)
        .await
        .unwrap();
    assert!(payloads.iter().all(|(text,)| !text.contains("ann@example.com") && !text.contains("\"Ann\"")));
}

#[tokio::test]
async fn a_slug_that_was_given_back_can_be_taken_by_somebody_else() {
    let world = World::start().await;
    let rename = json!({ "slug": "acme-tools" });
    world.admin().json(Method::PATCH, &world.path(""), &rename).await.good();
    let taken =
        world.admin().post("/v1/organizations", &json!({ "slug": "acme-tools", "name": "Thief" })).await;
    taken.refused(409, "taken");
    world.admin().post("/v1/organizations", &json!({ "slug": "acme", "name": "Heir" })).await.good();
}

#[tokio::test]
async fn the_claims_are_what_the_log_says_they_are() {
    let world = World::start().await;
    world.admin().json(Method::PATCH, &world.path(""), &json!({ "slug": "acme-tools" })).await.good();
    world.admin().post("/v1/organizations", &json!({ "slug": "acme", "name": "Heir" })).await.good();
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("select scope, owner_id, value from claims where scope = 'slug' order by value")
            .fetch_all(&world.node.running.pool)
            .await
            .unwrap();
    let directory: Vec<(String, String, String)> = sqlx::query_as(
        "select 'slug', id::text, slug from organizations where standing <> 'deleted' order by slug",
    )
    .fetch_all(&world.node.running.pool)
    .await
    .unwrap();
    assert_eq!(rows, directory);
}
