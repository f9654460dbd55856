//! Items 36 to 38, case 18: what is told of a token, and to whom.

use hyper::Method;
use serde_json::{Value, json};

use super::scene::{Client, Scene, is_inactive, refused, text};

#[tokio::test]
async fn item_36_whoever_does_not_prove_to_be_a_client_with_a_secret_is_told_nothing() {
    let scene = Scene::start().await;
    let granted = scene.granted(&scene.app).await;
    let access = text(&scene.refresh(&scene.app, &granted.token, "").await.good(), "access_token");
    let form = format!("token={access}");
    let anybody = scene.http().with("content-type", "application/x-www-form-urlencoded");
    refused(&anybody.send(Method::POST, "/oauth/introspect", form.clone()).await, 401, "invalid_client");
    refused(&scene.introspect(&scene.app, &form).await, 401, "invalid_client");
    let named = format!("{form}&client_id={}", scene.desk.id);
    refused(&anybody.send(Method::POST, "/oauth/introspect", named).await, 401, "invalid_client");
    let bearer = anybody.clone().with("authorization", &format!("Bearer {access}"));
    refused(&bearer.send(Method::POST, "/oauth/introspect", form.clone()).await, 401, "invalid_client");
    refused(&scene.introspect(&scene.desk, "").await, 400, "invalid_request");
    let address = format!("/oauth/introspect?{form}");
    assert_eq!(scene.http().get(&address).await.status.as_u16(), 405);
}

#[tokio::test]
async fn item_37_attack_18_a_client_of_another_organization_is_told_nothing() {
    let scene = Scene::start().await;
    let granted = scene.granted(&scene.desk).await;
    let rival = scene.http().as_key(&scene.world.key_of_another_organization().await);
    let organization = rival.get("/v1/me").await.good()["organization"]["id"].clone();
    let path = format!("/v1/organizations/{}/clients", organization.as_str().expect("an id"));
    let rival = Client::register(&rival, &path, "confidential").await;
    is_inactive(&scene.introspect(&rival, &format!("token={}", granted.token)).await);
    let access = text(&scene.refresh(&scene.desk, &granted.token, "").await.good(), "access_token");
    is_inactive(&scene.introspect(&rival, &format!("token={access}")).await);
    for none in ["x", "a.b.c", "rt_x", scene.instance.api_key(), &access[..access.len() - 2]] {
        is_inactive(&scene.introspect(&scene.desk, &format!("token={none}")).await);
    }
}

#[tokio::test]
async fn item_37_a_refresh_token_is_told_to_its_own_client_alone() {
    let scene = Scene::start().await;
    let (of_app, of_desk) = (scene.granted(&scene.app).await, scene.granted(&scene.desk).await);
    is_inactive(&scene.introspect(&scene.desk, &format!("token={}", of_app.token)).await);
    let told = scene.introspect(&scene.desk, &format!("token={}", of_desk.token)).await.good();
    assert_eq!((&told["active"], &told["scope"]), (&json!(true), &json!("mcp:write")));
    assert_eq!((&told["sub"], &told["client_id"]), (&json!(scene.user), &json!(scene.desk.id)));
    assert_eq!(told.get("token_type"), None, "nobody takes it for an access token");
    scene.refresh(&scene.desk, &of_desk.token, "").await.good();
    is_inactive(&scene.introspect(&scene.desk, &format!("token={}", of_desk.token)).await);
}

#[tokio::test]
async fn item_36_a_token_for_an_instance_of_the_clients_organization_is_told_as_it_is() {
    let scene = Scene::start().await;
    let granted = scene.granted(&scene.app).await;
    let access = text(&scene.refresh(&scene.app, &granted.token, "").await.good(), "access_token");
    for hint in ["", "&token_type_hint=access_token", "&token_type_hint=refresh_token", "&token_type_hint=x"]
    {
        let answer = scene.introspect(&scene.desk, &format!("token={access}{hint}")).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let told = answer.good();
        assert_eq!(told["active"], true);
        assert_eq!(told["iss"], scene.world.node.running.url);
        assert_eq!(told["aud"], scene.resource());
        assert_eq!(told["sub"], scene.user);
        assert_eq!(told["client_id"], scene.app.id);
        assert_eq!(told["scope"], "mcp:write");
        assert_eq!(told["token_type"], "Bearer");
        assert_eq!(told["exp"].as_i64(), told["iat"].as_i64().map(|at| at + 600));
    }
    let own = scene.desk.send(scene.http(), "/oauth/token", "grant_type=client_credentials").await.good();
    let told = scene.introspect(&scene.desk, &format!("token={}", text(&own, "access_token"))).await.good();
    assert_eq!(told["sub"], format!("client:{}", scene.desk.id));
}

#[tokio::test]
async fn item_38_a_token_that_would_not_be_let_in_now_is_not_active() {
    let scene = Scene::start().await;
    let granted = scene.granted(&scene.app).await;
    let answer = scene.refresh(&scene.app, &granted.token, "").await.good();
    let (access, next) = (text(&answer, "access_token"), text(&answer, "refresh_token"));
    let (why, none) = (json!({ "reason": "A test" }), json!({}));
    let manage = async |method: Method, path: &str, body: &Value| {
        scene.world.admin().json(method, &format!("{path}?wait=all"), body).await.good();
    };
    let user = format!("/v1/deployment/users/{}", scene.user);
    let client = scene.world.path(&format!("/clients/{}", scene.app.id));
    for (away, back) in [
        (format!("{user}/suspend"), format!("{user}/resume")),
        (format!("{client}/disable"), format!("{client}/enable")),
    ] {
        manage(Method::POST, &away, &why).await;
        assert!(!scene.is_active(&scene.desk, &access).await, "{away}");
        manage(Method::POST, &back, &none).await;
        assert!(scene.is_active(&scene.desk, &access).await, "{back}");
    }
    let member = scene.world.path(&format!("/members/{}", scene.user));
    manage(Method::DELETE, &member, &none).await;
    assert!(!scene.is_active(&scene.desk, &access).await);
    let role = json!({ "role": "member" });
    scene.world.admin().json(Method::PUT, &format!("{member}?wait=all"), &role).await.good();
    assert!(scene.is_active(&scene.desk, &access).await);
    scene.revoke(&scene.app, &format!("token={next}")).await.good();
    is_inactive(&scene.introspect(&scene.desk, &format!("token={access}")).await);
}
