//! Items 26 to 29 and attack 2: what a client may not say of itself, and how it is told.

use harness::Http;
use hyper::Method;
use serde_json::{Value, json};

use super::scene::{CALLBACK, Scene, basic, on_loopback, refused, text};

fn with(name: &str, value: Value) -> Value {
    let mut metadata = on_loopback();
    metadata[name] = value;
    metadata
}

#[tokio::test]
async fn item_27_each_refusal_says_what_kind_it_is() {
    let scene = Scene::open().await;
    let bad = "invalid_client_metadata";
    for (metadata, code) in [
        (with("redirect_uris", json!([])), "invalid_redirect_uri"),
        (with("redirect_uris", json!(["http://app.example.com/cb"])), "invalid_redirect_uri"),
        (with("redirect_uris", json!(["https://@evil.example/cb"])), "invalid_redirect_uri"),
        (with("redirect_uris", json!("https://app.example.com/cb")), bad),
        (with("grant_types", json!(["authorization_code", "client_credentials"])), bad),
        (with("response_types", json!(["token"])), bad),
        (with("jwks_uri", json!("https://app.example.com/jwks")), bad),
        (with("software_statement", json!("a.b.c")), "invalid_software_statement"),
        (json!([]), bad),
    ] {
        refused(&scene.register(&metadata).await, 400, code);
    }
    let json = scene.anybody().with("content-type", "application/json");
    for body in ["", "{", "null", "{\"redirect_uris\":[],\"redirect_uris\":[]}", &"[".repeat(10_000)] {
        refused(&json.send(Method::POST, "/oauth/register", body.to_owned()).await, 400, bad);
    }
    for media in ["text/plain", "application/x-www-form-urlencoded"] {
        let other = scene.anybody().with("content-type", media);
        let answer = other.send(Method::POST, "/oauth/register", on_loopback().to_string()).await;
        refused(&answer, 400, "invalid_request");
    }
}

#[tokio::test]
async fn item_29_pages_of_a_client_are_http_or_https() {
    let scene = Scene::open().await;
    for name in ["client_uri", "logo_uri", "tos_uri", "policy_uri"] {
        for address in ["javascript:alert(1)", "data:text/html,x", "ftp://a.example/", "/relative"] {
            refused(&scene.register(&with(name, json!(address))).await, 400, "invalid_client_metadata");
        }
        for address in ["https://app.example.com/page", "http://localhost:3000/"] {
            let made = scene.register(&with(name, json!(address))).await.good();
            assert_eq!(made[name], address, "said again, and nowhere asked for");
        }
    }
}

#[tokio::test]
async fn attack_02_scripts_novels_and_hosts_of_redirects_are_refused_and_html_is_text() {
    let mut scene = Scene::open().await;
    for redirect in ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "http://localhost.evil/cb"] {
        let answer = scene.register(&with("redirect_uris", json!([CALLBACK, redirect]))).await;
        refused(&answer, 400, "invalid_redirect_uri");
    }
    refused(
        &scene.register(&with("logo_uri", json!("javascript:alert(1)"))).await,
        400,
        "invalid_client_metadata",
    );
    let novel = scene.register(&with("client_name", json!("x".repeat(1024 * 1024)))).await;
    refused(&novel, 413, "invalid_client_metadata");
    let host = |number: usize| format!("https://{number}.example");
    let many: Vec<String> = (0..10_000).map(host).collect();
    let answer = scene.register(&with("redirect_uris", json!(many))).await;
    assert!([400, 413].contains(&answer.status.as_u16()), "{}", answer.status);
    let many: Vec<String> = (0..21).map(host).collect();
    refused(&scene.register(&with("redirect_uris", json!(many))).await, 400, "invalid_redirect_uri");
    let name = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>";
    let client = text(&scene.register(&with("client_name", json!(name))).await.good(), "client_id");
    let page = crate::people::browser::text(&scene.asked(&client, CALLBACK).await);
    assert!(
        page.contains("&lt;script&gt;alert(1)") && !page.contains("<script") && !page.contains("<img"),
        "{page}"
    );
}

#[tokio::test]
async fn item_28_no_scope_is_wider_than_what_is_offered() {
    let scene = Scene::open().await;
    for scope in ["mcp:admin", "org:write clients:write", "openid"] {
        refused(&scene.register(&with("scope", json!(scope))).await, 400, "invalid_client_metadata");
    }
    let made = scene.register(&with("scope", json!("mcp:admin mcp:read tool:echo org:read"))).await.good();
    assert_eq!(made["scope"], "mcp:read tool:echo");
}

#[tokio::test]
async fn a_client_that_registered_itself_gets_no_token_in_its_own_name() {
    let scene = Scene::open().await;
    let made = scene.register(&json!({ "redirect_uris": [CALLBACK] })).await.good();
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    let http: Http = scene.anybody().with("authorization", &basic(&id, &secret));
    let form = "grant_type=client_credentials".to_owned();
    refused(&super::scene::post_form(&http, "/oauth/token", form).await, 400, "unauthorized_client");
}
