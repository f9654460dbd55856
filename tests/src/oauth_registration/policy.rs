//! Who may register a client: nobody, whoever shows an API key with `clients:write`, or anybody.

use std::time::Duration;

use api::oauth::RegistrationPolicy;
use harness::{Settings, World};
use hyper::Method;
use serde_json::{Value, json};

use super::scene::{CALLBACK, Scene, on_loopback, refused, text};

async fn world(registration: RegistrationPolicy) -> World {
    World::with(Settings { registration, ..Settings::default() }).await
}

async fn endpoint(world: &World) -> Value {
    let path = "/.well-known/oauth-authorization-server";
    world.node.http().get(path).await.good()["registration_endpoint"].clone()
}

#[tokio::test]
async fn where_registration_is_closed_nobody_registers_and_nobody_is_sent_there() {
    let world = world(RegistrationPolicy::Closed).await;
    assert_eq!(endpoint(&world).await, Value::Null);
    let key = world.key(&["clients:write"], None).await;
    for http in [world.node.http(), world.node.http().with("authorization", &format!("Bearer {key}"))] {
        refused(&http.post("/oauth/register", &on_loopback()).await, 403, "access_denied");
    }
}

#[tokio::test]
async fn a_token_that_is_none_or_may_not_is_refused_also_where_anybody_may() {
    for policy in [RegistrationPolicy::Token, RegistrationPolicy::Open] {
        let world = world(policy).await;
        assert_eq!(endpoint(&world).await, format!("{}/oauth/register", world.node.running.url));
        let register = async |authorization: &str| {
            let http = world.node.http().with("authorization", authorization);
            http.post("/oauth/register", &on_loopback()).await
        };
        let small = world.key(&["mcp:write", "keys:write"], None).await;
        let answer = register(&format!("Bearer {small}")).await;
        refused(&answer, 403, "insufficient_scope");
        assert!(answer.header("www-authenticate").unwrap().contains("scope=\"clients:write\""));
        let key = world.key(&["clients:write"], None).await;
        let cut = &key[..key.len() - 1];
        let forged = "sk_live_0000000000000000000000000000000000000000000000000000000000000000000000";
        for bad in [cut, forged, "x", ""] {
            refused(&register(&format!("Bearer {bad}")).await, 401, "invalid_token");
        }
        refused(&register(&format!("Basic {key}")).await, 401, "invalid_token");
        let two = world.node.http().with("authorization", &format!("Bearer {key}"));
        let two = two.with("authorization", &format!("Bearer {key}"));
        refused(&two.post("/oauth/register", &on_loopback()).await, 400, "invalid_request");
        let keys = world.admin().get(&world.path("/api-keys")).await.good();
        let last = keys["items"].as_array().unwrap().last().unwrap()["id"].clone();
        let path = world.path(&format!("/api-keys/{}", last.as_str().unwrap()));
        world.admin().json(Method::DELETE, &path, &json!({ "reason": "leaked" })).await.good();
        refused(&register(&format!("Bearer {key}")).await, 401, "invalid_token");
    }
}

#[tokio::test]
async fn nothing_shown_is_asked_for_a_token_without_a_word_of_an_error() {
    let world = world(RegistrationPolicy::Token).await;
    let answer = world.node.http().post("/oauth/register", &on_loopback()).await;
    refused(&answer, 401, "invalid_token");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"sekisho\""));
    let told = answer.body()["error_description"].as_str().unwrap().to_owned();
    assert!(told.contains("an API key with clients:write"), "{told}");
}

#[tokio::test]
async fn with_leave_of_an_organization_it_is_that_organizations_client_and_its_members_end_it() {
    let mut scene = Scene::with(Settings::default()).await;
    let key = scene.world.key(&["clients:write"], None).await;
    let http = scene.anybody().with("authorization", &format!("Bearer {key}"));
    let made = http.post("/oauth/register", &on_loopback()).await;
    assert_eq!(made.status.as_u16(), 201);
    let client = text(&made.body(), "client_id");
    let path = scene.world.path(&format!("/clients/{client}"));
    // It may act before the listing shows it.
    let listed = async {
        loop {
            let shown = scene.world.admin().get(&path).await;
            if shown.status == 200 {
                return shown.good();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let shown = tokio::time::timeout(Duration::from_mins(1), listed).await.expect("it is listed");
    assert_eq!(shown["self_registered"], true);
    assert_eq!(shown["registered_by"], scene.world.founder.as_str());
    assert_eq!(shown["token_endpoint_auth_method"], "none");
    assert_eq!(shown["grant_types"], json!(["authorization_code"]));
    scene.code(&client, CALLBACK).await;
    scene.world.admin().json(Method::DELETE, &path, &json!({})).await.good();
    let page = scene.asked(&client, CALLBACK).await;
    assert_eq!(page.status.as_u16(), 400);
}

#[tokio::test]
async fn a_client_of_nobody_is_shown_to_no_organization_and_ended_by_who_administers_the_deployment() {
    let mut scene = Scene::open().await;
    let made = scene.register(&on_loopback()).await.good();
    let (client, token) = (text(&made, "client_id"), text(&made, "registration_access_token"));
    let admin = scene.world.admin();
    let path = scene.world.path(&format!("/clients/{client}"));
    admin.get(&path).await.refused(404, "not-found");
    admin.json(Method::DELETE, &path, &json!({})).await.refused(404, "not-found");
    let path = format!("/v1/deployment/clients/{client}");
    admin.post(&format!("{path}/disable"), &json!({ "reason": "abuse" })).await.good();
    let shown = admin.get(&path).await.good();
    assert_eq!((&shown["standing"], &shown["registered_by"]), (&json!("disabled"), &Value::Null));
    let listed = admin.get("/v1/deployment/clients").await.good();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(scene.asked(&client, CALLBACK).await.status.as_u16(), 400);
    let own = format!("/oauth/register/{client}");
    refused(&scene.as_itself(&token).get(&own).await, 403, "access_denied");
    admin.post(&format!("{path}/enable"), &json!({})).await.good();
    scene.code(&client, CALLBACK).await;
    admin.json(Method::DELETE, &path, &json!({})).await.good();
    refused(&scene.as_itself(&token).get(&own).await, 401, "invalid_token");
    admin.get(&path).await.refused(404, "not-found");
}
