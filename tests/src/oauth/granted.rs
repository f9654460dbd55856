//! What users granted is listed and taken back through the management API: within the organization, and by whom it may be.

use harness::{Consent, Http};
use hyper::Method;
use serde_json::{Value, json};

use super::scene::{Client, Scene, register, text};

/// A member who let the client act in their name, and a key of theirs.
struct Granting {
    scene: Scene,
    user: String,
    key: String,
    consent: Consent,
}

async fn member(scene: &Scene, role: &str) -> (String, String) {
    let admin = scene.world.admin();
    let user = text(&admin.post(&scene.world.path("/users"), &json!({ "name": "Ben" })).await.good(), "id");
    let member = scene.world.path(&format!("/members/{user}"));
    admin.json(Method::PUT, &member, &json!({ "role": role })).await.good();
    let body = json!({ "name": "Ben's", "scopes": ["org:read", "clients:write"], "principal": user });
    let key = admin.post(&scene.world.path("/api-keys"), &body).await.good();
    (user, text(&key, "api_key"))
}

async fn granting() -> Granting {
    let scene = Scene::start().await;
    let (user, key) = member(&scene, "member").await;
    let consent = consent(&scene, &user, &scene.client).await;
    Granting { scene, user, key, consent }
}

async fn consent(scene: &Scene, user: &str, client: &Client) -> Consent {
    scene.world.consent(user, &client.id, &scene.instance.id, &["mcp:read", "tool:echo"]).await
}

async fn ids(http: &Http, path: &str) -> Vec<Value> {
    let listed = http.get(path).await.good();
    listed["items"].as_array().expect("items").iter().map(|item| item["id"].clone()).collect()
}

#[tokio::test]
async fn a_grant_is_taken_back_by_its_user_an_owner_or_an_admin_and_by_nobody_else() {
    let Granting { scene, user, key, consent: first } = granting().await;
    let (_, other) = member(&scene, "member").await;
    let own = scene.world.node.http().as_key(&key);
    let path = |id: &Consent| scene.world.path(&format!("/grants/{}?wait=all", id.id));
    let token = scene.world.token_of(&first, &["tool:echo"]).await;
    scene.call(&token, "echo").await.good();

    let stranger = scene.world.node.http().as_key(&other);
    stranger.json(Method::DELETE, &path(&first), &json!({})).await.refused(403, "forbidden");
    let mine = format!("/v1/me/grants/{}?wait=all", first.id);
    stranger.json(Method::DELETE, &mine, &json!({})).await.refused(404, "not-found");
    scene.world.admin().json(Method::DELETE, &mine, &json!({})).await.refused(404, "not-found");
    scene.call(&token, "echo").await.good();

    own.json(Method::DELETE, &mine, &json!({})).await.good();
    scene.call(&token, "echo").await.refused_call(401, "grant-revoked", &json!(1));
    own.json(Method::DELETE, &mine, &json!({})).await.refused(404, "not-found");
    let second = consent(&scene, &user, &scene.client).await;
    scene.world.admin().json(Method::DELETE, &path(&second), &json!({})).await.good();
    let third = consent(&scene, &user, &scene.client).await;
    own.json(Method::DELETE, &path(&third), &json!({})).await.good();

    let listed = own.get("/v1/me/grants").await.good();
    let told = |number: usize| (&listed["items"][number]["standing"], &listed["items"][number]["reason"]);
    assert_eq!(told(0), (&json!("revoked"), &json!("by_user")));
    assert_eq!(told(1), (&json!("revoked"), &json!("by_administrator")));
    assert_eq!(told(2), (&json!("revoked"), &json!("by_user")));
}

#[tokio::test]
async fn grants_are_listed_page_by_page_by_user_and_by_client() {
    let Granting { scene, user, key, consent: first } = granting().await;
    let admin = scene.world.admin();
    let desk = register(&admin, &scene.world.path("/clients"), &["mcp:write"]).await;
    let second = consent(&scene, &scene.world.founder, &desk).await;
    let third = consent(&scene, &user, &desk).await;
    let [first, second, third] = [first, second, third].map(|consent| json!(consent.id));
    let seen = format!("at_least={}", scene.world.node.running.view.load().position().get());
    let all = scene.world.path("/grants");
    assert_eq!(ids(&admin, &format!("{all}?{seen}")).await, [first.clone(), second.clone(), third.clone()]);
    assert_eq!(ids(&admin, &format!("{all}?user={user}")).await, [first.clone(), third.clone()]);
    assert_eq!(ids(&admin, &format!("{all}?client={}", desk.id)).await, [second, third.clone()]);
    assert_eq!(
        ids(&admin, &format!("{all}?user={user}&client={}", desk.id)).await,
        std::slice::from_ref(&third)
    );
    let page = admin.get(&format!("{all}?limit=2")).await.good();
    let rest = format!("{all}?limit=2&cursor={}", text(&page, "next_cursor"));
    assert_eq!(ids(&admin, &rest).await, std::slice::from_ref(&third));

    let own = scene.world.node.http().as_key(&key);
    assert_eq!(ids(&own, "/v1/me/grants").await, [first.clone(), third]);
    assert_eq!(ids(&own, &format!("/v1/me/grants?client={}", scene.client.id)).await, [first]);
    own.get(&format!("/v1/me/grants?user={user}")).await.refused(400, "bad-query");
    admin.get(&format!("{all}?user=x")).await.refused(400, "bad-filter");
    admin.get(&format!("{all}?usr={user}")).await.refused(400, "bad-query");
}
