//! Providers through the management API.

use hyper::Method;
use serde_json::json;

use super::scene::{SECRET, Scene};
use crate::people::browser::{location, text};

const ONE: &str = "/v1/deployment/identity-providers/acme";

#[tokio::test]
async fn what_makes_no_provider_is_refused() {
    let scene = Scene::start().await;
    for issuer in
        ["http://id.example.com", "http://10.0.0.1", "https://id.example.com?x=1", "javascript:alert(1)"]
    {
        let refused = scene.offer(&json!({ "provider": "other", "issuer": issuer })).await;
        assert!(refused.status.is_client_error(), "{issuer}: {}", refused.status);
    }
    let elsewhere = json!({ "issuer": "https://id.example.com" });
    scene.offer(&elsewhere).await.refused(409, "identity-provider-of-another-issuer");
    scene.offer(&json!({ "name": "Another" })).await.refused(409, "identity-provider-exists");
    scene.offer(&json!({ "provider": "second" })).await.refused(409, "issuer-exists");
    let unknown = "/v1/deployment/identity-providers/nobody";
    let admin = scene.world.admin();
    let body = json!({ "name": "N", "client_id": "n" });
    admin.json(Method::PUT, unknown, &body).await.refused(404, "no-such-identity-provider");
    // What is wrong with a secret is told without it.
    let refused = scene.offer(&json!({ "provider": "third", "client_secret": ["hunter2"] })).await;
    assert!(!String::from_utf8_lossy(&refused.bytes).contains("hunter2"));
}

#[tokio::test]
async fn a_provider_is_listed_changed_and_removed_and_its_secret_is_nowhere_to_be_read() {
    let scene = Scene::start().await;
    let listed = scene.listed().await;
    assert_eq!(listed["has_client_secret"], true);
    assert_eq!((&listed["breaker"], &listed["degraded"]), (&json!("closed"), &json!(false)));
    assert_eq!(listed["callback"], format!("{}/sign-in/callback/acme", scene.world.node.running.url));
    for table in ["events", "commands", "provider_secrets"] {
        let query = format!("select count(*) from {table} t where t::text like '%{SECRET}%'");
        assert_eq!(scene.number(&query).await, 0, "{table}");
    }
    let mut browser = scene.signed_in("ann").await;
    // Another name, the same secret.
    let body = json!({ "name": "Acme 認証", "client_id": "sekisho", "scopes": ["email"] });
    scene.world.admin().json(Method::PUT, ONE, &body).await.good();
    let page = text(&scene.browser().get("/sign-in?ui_locales=ja").await);
    assert!(page.contains("Acme 認証 でサインイン"), "{page}");
    location(&{
        let mut elsewhere = scene.browser();
        let page = elsewhere.get("/sign-in").await;
        let chosen = elsewhere.fill(&page, "/sign-in/provider/acme", &[]).await;
        let back = scene.back(&super::scene::led_to(&chosen), &mut scene.there()).await;
        elsewhere.get(&back).await
    });
    // Gone: no button, no way back, and nobody whose session rests on it.
    scene.world.admin().json(Method::DELETE, ONE, &json!({})).await.good();
    let page = text(&scene.browser().get("/sign-in").await);
    assert!(!page.contains("Acme"), "{page}");
    assert!(location(&browser.get("/account/grants").await).starts_with("/sign-in?"));
}
