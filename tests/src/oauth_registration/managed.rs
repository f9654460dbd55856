//! Item 31: a client reads, replaces and ends its registration (RFC 7592), and nobody else does.

use hyper::Method;
use serde_json::{Value, json};

use super::scene::{CALLBACK, Scene, on_loopback, post_form, refused, text};

/// A client that registered itself.
struct Registered {
    id: String,
    path: String,
    token: String,
    said: Value,
}

async fn registered(scene: &Scene, metadata: &Value) -> Registered {
    let said = scene.register(metadata).await.good();
    let id = text(&said, "client_id");
    let path = format!("/oauth/register/{id}");
    assert!(text(&said, "registration_client_uri").ends_with(&path));
    Registered { path, token: text(&said, "registration_access_token"), id, said }
}

/// What a client may send back of what it was told.
fn replacement(said: &Value) -> Value {
    let mut metadata = said.clone();
    for name in [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ] {
        metadata.as_object_mut().unwrap().remove(name);
    }
    metadata
}

#[tokio::test]
async fn item_31_without_its_own_token_nobody_learns_whether_there_is_such_a_client() {
    let scene = Scene::open().await;
    let one = registered(&scene, &on_loopback()).await;
    let other = registered(&scene, &on_loopback()).await;
    let admins = scene.world.path("/clients");
    let by_admin =
        json!({ "name": "Robot", "kind": "public", "redirect_uris": [CALLBACK], "scopes": ["mcp:read"] });
    let by_admin = text(&scene.world.admin().post(&admins, &by_admin).await.good(), "id");
    let nothing = scene.anybody().get(&one.path).await;
    refused(&nothing, 401, "invalid_token");
    assert_eq!(nothing.header("www-authenticate"), Some("Bearer realm=\"sekisho\""));
    let mut told = Vec::new();
    for (path, token) in [
        (one.path.as_str(), other.token.as_str()),
        (&one.path, &one.token[..46]),
        (&one.path, &scene.world.admin_key),
        (&format!("/oauth/register/{by_admin}"), &one.token),
        (&format!("/oauth/register/{}", uuid::Uuid::new_v4()), &one.token),
        (&one.path.to_uppercase().replace("/OAUTH/REGISTER", "/oauth/register"), &one.token),
        ("/oauth/register/x", &one.token),
    ] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = scene.as_itself(token).json(method.clone(), path, &replacement(&one.said)).await;
            if path == one.path && token == one.token {
                continue; // an id without letters has one spelling
            }
            refused(&answer, 401, "invalid_token");
            told.push(answer.bytes);
        }
    }
    assert!(told.windows(2).all(|two| two[0] == two[1]), "all are told the same");
    scene.as_itself(&one.token).get(&one.path).await.good();
}

#[tokio::test]
async fn item_31_a_client_reads_what_it_is_and_is_told_its_token_again_but_not_its_secret() {
    let scene = Scene::open().await;
    let one =
        registered(&scene, &json!({ "redirect_uris": [CALLBACK], "client_uri": "https://app.example.com/" }))
            .await;
    let answer = scene.as_itself(&one.token).get(&one.path).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let mut expected = one.said.clone();
    for shown_once in ["client_secret", "client_secret_expires_at"] {
        expected.as_object_mut().unwrap().remove(shown_once);
    }
    assert_eq!(answer.good(), expected);
    let kept: Vec<(String,)> =
        sqlx::query_as("select payload::text from events where aggregate_type = 'client'")
            .fetch_all(&scene.world.node.running.pool)
            .await
            .unwrap();
    let secret = text(&one.said, "client_secret");
    assert!(!kept.is_empty());
    assert!(kept.iter().all(|(payload,)| !payload.contains(&one.token) && !payload.contains(&secret)));
}

#[tokio::test]
async fn item_31_what_is_replaced_is_replaced_whole_and_what_is_given_out_is_not_the_clients_to_say() {
    let mut scene = Scene::open().await;
    let before = json!({ "redirect_uris": [CALLBACK], "client_uri": "https://app.example.com/", "client_name": "Old" });
    let one = registered(&scene, &before).await;
    let itself = scene.as_itself(&one.token);
    let good = replacement(&one.said);
    let mut changed = good.clone();
    changed.as_object_mut().unwrap().remove("client_id");
    refused(&itself.json(Method::PUT, &one.path, &changed).await, 400, "invalid_request");
    changed["client_id"] = json!(uuid::Uuid::new_v4());
    refused(&itself.json(Method::PUT, &one.path, &changed).await, 400, "invalid_request");
    for name in [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ] {
        let mut changed = good.clone();
        changed[name] = one.said[name].clone();
        refused(&itself.json(Method::PUT, &one.path, &changed).await, 400, "invalid_request");
    }
    for (name, value, code) in [
        ("client_secret", json!("cs_of-my-own-choice"), "invalid_request"),
        ("token_endpoint_auth_method", json!("none"), "invalid_client_metadata"),
        ("grant_types", json!(["client_credentials"]), "invalid_client_metadata"),
        ("redirect_uris", json!(["javascript:alert(1)"]), "invalid_redirect_uri"),
        ("software_statement", json!("a.b.c"), "invalid_software_statement"),
    ] {
        let mut changed = good.clone();
        changed[name] = value;
        refused(&itself.json(Method::PUT, &one.path, &changed).await, 400, code);
    }
    let other = "http://127.0.0.1:3055/callback";
    let anew = json!({ "client_id": one.id, "client_secret": text(&one.said, "client_secret"), "client_name": "New",
        "redirect_uris": [other], "grant_types": ["authorization_code", "refresh_token"], "scope": "mcp:read" });
    let told = itself.json(Method::PUT, &one.path, &anew).await;
    assert_eq!(told.status.as_u16(), 200, "{}", String::from_utf8_lossy(&told.bytes));
    let told = told.body();
    assert_eq!(told["client_name"], "New");
    assert_eq!(told["redirect_uris"], json!([other]));
    assert_eq!(told["scope"], "mcp:read");
    assert_eq!(told.get("client_uri"), None, "what is left out is gone");
    assert_eq!(told.get("client_secret"), None);
    assert_eq!(itself.get(&one.path).await.good(), told);
    assert_eq!(scene.asked(&one.id, "http://127.0.0.1:3000/other").await.status.as_u16(), 400);
    let page = crate::people::browser::text(&scene.asked(&one.id, other).await);
    assert!(page.contains("New"), "{page}");
}

#[tokio::test]
async fn item_31_a_client_that_ends_itself_takes_along_what_people_granted_it() {
    let mut scene = Scene::open().await;
    let one = registered(&scene, &on_loopback()).await;
    let code = scene.code(&one.id, CALLBACK).await;
    let form = Scene::form(&code, CALLBACK, &[("client_id", &one.id)]);
    let token = text(&post_form(&scene.anybody(), "/oauth/token", form).await.good(), "access_token");
    assert_eq!(scene.call(&token).await, 200);
    let answer = scene.as_itself(&one.token).send(Method::DELETE, &one.path, "").await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (204, 0));
    assert_eq!(scene.call(&token).await, 401);
    assert_eq!(scene.asked(&one.id, CALLBACK).await.status.as_u16(), 400);
    for method in [Method::GET, Method::DELETE] {
        let answer = scene.as_itself(&one.token).send(method, &one.path, "").await;
        refused(&answer, 401, "invalid_token"); // with the client its token is gone
    }
}

/// What an administrator made narrower stays so: the client manages itself no longer.
#[tokio::test]
async fn what_an_administrator_changed_of_a_client_it_does_not_undo() {
    let mut scene = Scene::open().await;
    let key = scene.world.key(&["clients:write"], None).await;
    let made = scene.as_itself(&key).post("/oauth/register", &on_loopback()).await.good();
    let (id, token) = (text(&made, "client_id"), text(&made, "registration_access_token"));
    let narrower = json!({ "name": "Desk", "redirect_uris": [CALLBACK], "scopes": ["mcp:read"] });
    let path = scene.world.path(&format!("/clients/{id}"));
    scene.world.admin().json(Method::PUT, &path, &narrower).await.good();
    let own = format!("/oauth/register/{id}");
    for method in [Method::PUT, Method::GET, Method::DELETE] {
        let answer = scene.as_itself(&token).json(method, &own, &replacement(&made)).await;
        refused(&answer, 401, "invalid_token");
    }
    let page = crate::people::browser::text(&scene.asked(&id, CALLBACK).await);
    assert!(page.contains("mcp:read") && !page.contains("mcp:write"), "{page}");
}

#[tokio::test]
async fn a_registration_access_token_that_was_revoked_opens_nothing_and_the_client_goes_on() {
    let mut scene = Scene::open().await;
    let key = scene.world.key(&["clients:write"], None).await;
    let theirs = scene.as_itself(&key).post("/oauth/register", &on_loopback()).await.good();
    let nobodys = scene.register(&on_loopback()).await.good();
    for (made, clients) in
        [(theirs, scene.world.path("/clients")), (nobodys, "/v1/deployment/clients".to_owned())]
    {
        let (id, token) = (text(&made, "client_id"), text(&made, "registration_access_token"));
        let own = format!("/oauth/register/{id}");
        scene.as_itself(&token).get(&own).await.good();
        let path = format!("{clients}/{id}/registration-token");
        scene.world.admin().json(Method::DELETE, &path, &json!({})).await.good();
        refused(&scene.as_itself(&token).get(&own).await, 401, "invalid_token");
        let answer = scene.as_itself(&token).json(Method::PUT, &own, &replacement(&made)).await;
        refused(&answer, 401, "invalid_token");
        scene.code(&id, CALLBACK).await;
    }
    let by_admin =
        json!({ "name": "Robot", "kind": "public", "redirect_uris": [CALLBACK], "scopes": ["mcp:read"] });
    let clients = scene.world.path("/clients");
    let by_admin = text(&scene.world.admin().post(&clients, &by_admin).await.good(), "id");
    let path = format!("{clients}/{by_admin}/registration-token");
    let answer = scene.world.admin().json(Method::DELETE, &path, &json!({})).await;
    answer.refused(403, "not-self-registered");
}

#[tokio::test]
async fn a_client_of_a_suspended_organization_looks_like_none() {
    let scene = Scene::open().await;
    let key = scene.world.key_of_another_organization().await;
    let made = scene.as_itself(&key).post("/oauth/register", &on_loopback()).await.good();
    let (id, token) = (text(&made, "client_id"), text(&made, "registration_access_token"));
    let path = format!("/oauth/register/{id}");
    scene.as_itself(&token).get(&path).await.good();
    let me = scene.anybody().as_key(&key).get("/v1/me").await.good();
    let organization = format!("/v1/deployment/organizations/{}", text(&me["organization"], "id"));
    let suspend = format!("{organization}/suspend?wait=all");
    scene.world.admin().post(&suspend, &json!({ "reason": "A test" })).await.good();
    let unknown = format!("/oauth/register/{}", uuid::Uuid::new_v4());
    let unknown = scene.as_itself(&token).get(&unknown).await;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = scene.as_itself(&token).json(method, &path, &replacement(&made)).await;
        refused(&answer, 401, "invalid_token");
        assert_eq!(answer.bytes, unknown.bytes);
    }
    let resume = format!("{organization}/resume?wait=all");
    scene.world.admin().post(&resume, &json!({})).await.good();
    let answer = scene.as_itself(&token).json(Method::PUT, &path, &replacement(&made)).await;
    assert_eq!(answer.status.as_u16(), 200);
}

#[tokio::test]
async fn a_client_that_was_disabled_does_not_change_itself() {
    let scene = Scene::open().await;
    let key = scene.world.key(&["clients:write"], None).await;
    let made = scene.as_itself(&key).post("/oauth/register", &on_loopback()).await.good();
    let (id, token) = (text(&made, "client_id"), text(&made, "registration_access_token"));
    let disable = scene.world.path(&format!("/clients/{id}/disable"));
    scene.world.admin().post(&disable, &json!({ "reason": "abuse" })).await.good();
    let path = format!("/oauth/register/{id}");
    refused(&scene.as_itself(&token).get(&path).await, 403, "access_denied");
    let answer = scene.as_itself(&token).json(Method::PUT, &path, &replacement(&made)).await;
    refused(&answer, 403, "access_denied");
}
