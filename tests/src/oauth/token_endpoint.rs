//! Items 1 to 8: what the token endpoint takes, and from whom.

use hyper::Method;
use serde_json::json;
use uuid::Uuid;

use super::scene::{Scene, ask, basic, post_form, refused};

const FORM: &str = "grant_type=client_credentials";

#[tokio::test]
async fn item_02_only_a_form_is_taken_and_only_by_post() {
    let scene = Scene::start().await;
    let client = scene.anybody().with("authorization", &scene.client.basic());
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = client.send(method, "/oauth/token", FORM).await;
        assert_eq!(answer.status.as_u16(), 405);
    }
    let body = json!({ "grant_type": "client_credentials" });
    refused(&client.post("/oauth/token", &body).await, 400, "invalid_request");
    for media in [
        "application/x-www-form-urlencoded, application/json",
        "application/json, application/x-www-form-urlencoded",
        ";;;",
        "multipart/form-data; boundary=x",
    ] {
        let odd = client.clone().with("content-type", media);
        refused(&odd.send(Method::POST, "/oauth/token", FORM).await, 400, "invalid_request");
    }
    refused(&client.send(Method::POST, "/oauth/token", FORM).await, 400, "invalid_request");
}

#[tokio::test]
async fn item_03_a_client_that_does_not_prove_itself_is_refused_alike_whatever_is_wrong() {
    let scene = Scene::start().await;
    let client = &scene.client;
    let nobody = Uuid::new_v4().to_string();
    let mut told = Vec::new();
    for header in [
        basic(&client.id, "wrong"),
        basic(&client.id, ""),
        basic(&nobody, &client.secret),
        basic("not-an-id", &client.secret),
        basic(&client.id.to_uppercase(), &client.secret),
        "Basic !!!".to_owned(),
        "Basic".to_owned(),
        format!("Bearer {}", client.secret),
    ] {
        let answer = ask(&scene.world.node, &header, FORM).await;
        refused(&answer, 401, "invalid_client");
        assert!(answer.header("www-authenticate").expect("a challenge").starts_with("Basic realm="));
        told.push(answer.bytes);
    }
    assert!(told.windows(2).all(|two| two[0] == two[1]), "all are told the same");
    let in_form = format!("{FORM}&client_id={}&client_secret=wrong", client.id);
    let answer = post_form(&scene.anybody(), &in_form).await;
    refused(&answer, 401, "invalid_client");
    assert_eq!(answer.header("www-authenticate"), None, "Basic was not tried");
    refused(&post_form(&scene.anybody(), FORM).await, 401, "invalid_client");
}

#[tokio::test]
async fn item_05_two_ways_to_prove_oneself_are_one_too_many() {
    let scene = Scene::start().await;
    let client = &scene.client;
    for more in [
        format!("client_secret={}", client.secret),
        format!("client_id={}&client_secret={}", client.id, client.secret),
        "client_assertion=x&client_assertion_type=y".to_owned(),
        format!("client_id={}", Uuid::new_v4()),
    ] {
        refused(&scene.ask(&format!("{FORM}&{more}")).await, 400, "invalid_request");
    }
    let twice = scene.anybody().with("authorization", &client.basic()).with("authorization", &client.basic());
    refused(&post_form(&twice, FORM).await, 400, "invalid_request");
    scene.ask(&format!("{FORM}&client_id={}", client.id)).await.good();
}

#[tokio::test]
async fn item_06_a_client_passes_in_the_way_that_it_is_registered_for_and_in_no_other() {
    let scene = Scene::start().await;
    let client = &scene.client;
    let in_form = format!("{FORM}&client_id={}&client_secret={}", client.id, client.secret);
    refused(&post_form(&scene.anybody(), &in_form).await, 401, "invalid_client");
    let alone = format!("{FORM}&client_id={}", client.id);
    refused(&post_form(&scene.anybody(), &alone).await, 401, "invalid_client");
}

#[tokio::test]
async fn item_07_whatever_is_said_twice_is_refused_and_whatever_nobody_asked_for_is_ignored() {
    let scene = Scene::start().await;
    for form in [
        "grant_type=client_credentials&grant_type=client_credentials",
        "grant_type=client_credentials&scope=mcp%3Aread&scope=mcp%3Aread",
        "grant_type=client_credentials&x=1&x=2",
        "grant_type=client_credentials&a=%zz",
        "grant_type=client_credentials&a=%00",
    ] {
        refused(&scene.ask(form).await, 400, "invalid_request");
    }
    let many = (0..100_000).map(|number| format!("p{number}")).collect::<Vec<_>>().join("&");
    refused(&scene.ask(&format!("{FORM}&{many}")).await, 413, "invalid_request");
    scene.ask(&format!("{FORM}&scope=&surprise=1&&")).await.good();
}

#[tokio::test]
async fn item_08_item_19_a_grant_type_that_is_none_or_not_the_clients_is_refused() {
    let scene = Scene::start().await;
    refused(&scene.ask("scope=mcp:read").await, 400, "invalid_request");
    refused(&scene.ask("grant_type=&scope=mcp:read").await, 400, "invalid_request");
    for none in ["password", "CLIENT_CREDENTIALS", "urn:ietf:params:oauth:grant-type:jwt-bearer", "x"] {
        refused(&scene.ask(&format!("grant_type={none}")).await, 400, "unsupported_grant_type");
    }
    let body = json!({ "name": "App", "kind": "public", "redirect_uris": ["https://app.example.com/cb"], "scopes": ["mcp:read"] });
    let public = scene.world.admin().post(&scene.world.path("/clients"), &body).await.good();
    let form = format!("{FORM}&client_id={}", public["id"].as_str().expect("an id"));
    refused(&post_form(&scene.anybody(), &form).await, 400, "unauthorized_client");
}
