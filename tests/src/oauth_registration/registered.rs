//! A client that nobody has prepared anything for registers, is let act, and calls.

use serde_json::json;

use super::scene::{CALLBACK, Scene, on_loopback, post_form, text};

#[tokio::test]
async fn a_client_registers_itself_a_person_lets_it_act_and_it_calls() {
    let mut scene = Scene::open().await;
    let made = scene.register(&on_loopback()).await;
    assert_eq!(made.status.as_u16(), 201);
    let client = text(&made.body(), "client_id");
    let page = scene.asked(&client, CALLBACK).await;
    let page = crate::people::browser::text(&page);
    assert!(page.contains("nobody has checked that it is what it says"), "{page}");
    let code = scene.code(&client, CALLBACK).await;
    let form = Scene::form(&code, CALLBACK, &[("client_id", &client)]);
    let tokens = post_form(&scene.anybody(), "/oauth/token", form).await.good();
    assert_eq!(tokens.get("refresh_token"), None, "it did not ask to refresh: {tokens}");
    assert_eq!(scene.call(&text(&tokens, "access_token")).await, 200);
}

#[tokio::test]
async fn item_26_all_that_is_registered_is_said_also_what_was_left_out() {
    let scene = Scene::open().await;
    let answer = scene
        .register(&json!({ "redirect_uris": [CALLBACK], "contacts": ["ann@example.com"], "x": 1 }))
        .await;
    assert_eq!(answer.status.as_u16(), 201);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    let mut made = answer.body();
    let id = text(&made, "client_id");
    assert!(text(&made, "client_secret").starts_with("cs_"));
    assert!(text(&made, "registration_access_token").starts_with("rat_"));
    assert!(made["client_id_issued_at"].as_i64().is_some_and(|at| at > 1_700_000_000));
    for drawn in ["client_secret", "registration_access_token", "client_id_issued_at"] {
        made.as_object_mut().unwrap().remove(drawn);
    }
    let uri = format!("{}/oauth/register/{id}", scene.world.node.running.url);
    assert_eq!(
        made,
        json!({
            "client_id": id,
            "client_secret_expires_at": 0,
            "registration_client_uri": uri,
            "redirect_uris": [CALLBACK],
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "client_name": id,
            "scope": "mcp:read mcp:write",
            "application_type": "native",
        })
    );
}
