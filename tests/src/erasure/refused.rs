//! Who is not erased, and by whom nobody is.

use harness::World;
use hyper::Method;
use serde_json::json;
use uuid::Uuid;

use super::{because, erase_path, events, is_forgotten, registered};

#[tokio::test]
async fn nobody_erases_without_a_reason_nor_themself_nor_whom_nobody_knows() {
    let world = World::start().await;
    let mika = registered(&world, "Mika", "mika@example.com").await;
    let before = events(&world.node.running.pool).await;
    assert_eq!(world.admin().post(&erase_path(&mika), &json!({})).await.status.as_u16(), 400);
    world.admin().post(&erase_path(&Uuid::new_v4().to_string()), &because()).await.refused(404, "not-found");
    world.admin().post(&erase_path("mika"), &because()).await.refused(404, "not-found");
    world.admin().post(&erase_path(&world.founder), &because()).await.refused(403, "forbidden");
    assert_eq!(events(&world.node.running.pool).await, before);
}

#[tokio::test]
async fn the_last_owner_of_a_team_is_not_erased_before_somebody_else_owns_it() {
    let world = World::start().await;
    let lone = registered(&world, "Lone", "lone@example.com").await;
    let owner = json!({ "role": "owner" });
    world.admin().json(Method::PUT, &world.path(&format!("/members/{lone}")), &owner).await.good();
    let key = json!({ "name": "Theirs", "scopes": ["org:write", "keys:write"], "principal": lone });
    let key = world.admin().post(&world.path("/api-keys"), &key).await.good()["api_key"].clone();
    let theirs = world.node.http().as_key(key.as_str().unwrap());
    let team =
        theirs.post("/v1/organizations", &json!({ "slug": "lonely-team", "name": "Team" })).await.good();
    let in_team = world.node.http().as_key(team["api_key"].as_str().unwrap());
    let team = format!("/v1/organizations/{}", team["id"].as_str().unwrap());

    let refused = world.admin().post(&erase_path(&lone), &because()).await;
    refused.refused(409, "last-owner");
    assert_eq!(refused.body()["organizations"], json!(["lonely-team"]), "acme has another owner");
    assert!(!is_forgotten(&world.node.running.pool, &lone).await);

    let other = in_team.post(&format!("{team}/users"), &json!({ "name": "Other" })).await.good();
    let other = format!("{team}/members/{}", other["id"].as_str().unwrap());
    in_team.json(Method::PUT, &other, &owner).await.good();
    world.admin().post(&erase_path(&lone), &because()).await.good();
    assert!(is_forgotten(&world.node.running.pool, &lone).await);
    let members = world.admin().get(&world.path("/members")).await.good();
    assert!(!members.to_string().contains(&lone), "{members}");
    in_team.get(&team).await.refused(401, "principal-inactive");
    theirs.get("/v1/me").await.refused(401, "principal-inactive");
}
