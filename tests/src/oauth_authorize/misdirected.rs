//! Whatever the client or the way back is not known, a browser is sent nowhere.

use hyper::Method;
use serde_json::json;

use super::scene::{CALLBACK, Scene, register};
use crate::people::browser::{Browser, text};

fn stays(answer: &harness::Answer, what: &str) {
    assert_eq!(answer.status.as_u16(), 400, "{what}: {}", text(answer));
    assert!(answer.headers.get("location").is_none(), "{what}");
    assert!(answer.header("content-type").unwrap().starts_with("text/html"), "{what}");
}

#[tokio::test]
async fn item_12_item_60_an_unknown_client_leads_nowhere() {
    let mut scene = Scene::start().await;
    let good = scene.request();
    let nobody = uuid::Uuid::new_v4().to_string();
    let plain = scene.client.replace('-', "");
    for client in [
        "x",
        "",
        nobody.as_str(),
        plain.as_str(),
        &scene.client.to_uppercase(),
        "' or 1=1",
        "https://evil.example/client",
    ] {
        stays(&scene.ask(&good.clone().with("client_id", client)).await, client);
    }
    stays(&scene.ask(&good.clone().without("client_id")).await, "none");
    let twice = good.clone().and("client_id", &scene.client);
    stays(&scene.ask(&twice).await, "twice");
    let path = scene.world.path(&format!("/clients/{}/disable", scene.client));
    scene.world.admin().json(Method::POST, &path, &json!({ "reason": "leak" })).await.good();
    stays(&scene.ask(&good).await, "disabled");
}

#[tokio::test]
async fn attack_01_a_redirect_that_was_not_registered_leads_nowhere() {
    let mut scene = Scene::start().await;
    let good = scene.request();
    for redirect in [
        "https://evil.example/callback",
        "https://app.example.com/callback/more",
        "https://app.example.com/callback?x=1",
        "https://app.example.com/callback#x",
        "https://app.example.com@evil.example/callback",
        "https://app.example.com\\@evil.example/callback",
        "https://app.example.com%2f@evil.example/callback",
        "https://app.example.com/Callback",
        "https://app.example.com/x/../callback",
        "https://app.example.com:8443/callback",
        "http://app.example.com/callback",
        "https://xn--pp-dia.example.com/callback",
        "//app.example.com/callback",
        "/callback",
        "javascript:alert(1)",
        "data:text/html,x",
        "http://127.0.0.1:3000/callback",
    ] {
        stays(&scene.ask(&good.clone().with("redirect_uri", redirect)).await, redirect);
    }
    stays(&scene.ask(&good.clone().and("redirect_uri", CALLBACK)).await, "twice");
    // Nor anybody who is not signed in.
    let mut nobody = Browser::new(&scene.world.node.running.url);
    let evil = good.with("redirect_uri", "https://evil.example/callback");
    stays(&nobody.get(&evil.path()).await, "nobody");
}

#[tokio::test]
async fn item_59_only_the_port_of_a_loopback_literal_may_vary() {
    let mut scene = Scene::on_loopback().await;
    let good = scene.request();
    for redirect in [
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:3000/other",
        "http://127.0.0.1:3000/callback/",
        "http://localhost:3000/callback",
        "http://[::1]:3000/callback",
        "http://127.0.0.2:3000/callback",
        "http://127.0.0.1.evil.example:3000/callback",
        "http://127.0.0.1:3000@evil.example/callback",
        "https://127.0.0.1:3000/callback",
    ] {
        stays(&scene.ask(&good.clone().with("redirect_uri", redirect)).await, redirect);
    }
    for redirect in
        ["http://127.0.0.1:3000/callback", "http://127.0.0.1:49152/callback", "http://127.0.0.1/callback"]
    {
        let page = scene.ask(&good.clone().with("redirect_uri", redirect)).await;
        assert_eq!(page.status.as_u16(), 200, "{redirect}");
        assert!(text(&page).contains("on this very computer"), "{redirect}");
    }
}

#[tokio::test]
async fn a_client_with_two_redirects_says_which() {
    let mut scene = Scene::start().await;
    let two = json!({ "name": "Two", "kind": "public", "redirect_uris": [CALLBACK, "https://b.example/cb"], "scopes": ["mcp:read"] });
    let two = register(&scene.world, &two).await;
    let request = scene.request().with("client_id", &two).without("redirect_uri");
    stays(&scene.ask(&request).await, "which?");
    let only = scene.request().without("redirect_uri");
    assert_eq!(scene.ask(&only).await.status.as_u16(), 200);
}
