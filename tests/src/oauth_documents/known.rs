//! Item 54: a client that nobody registered is known by its document, from the first consent on.

use std::time::Duration;

use api::config::Loopback;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::Settings;
use serde_json::{Value, json};

use super::CALLBACK;
use super::published::Published;
use crate::oauth_registration::scene::{Scene, code_in, post_form, text};
use crate::people::browser::{Browser, encoded, location, text as shown};

fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).expect("a JWT");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64url")).expect("claims")
}

#[tokio::test]
async fn item_54_a_client_that_nobody_registered_comes_by_its_document_to_a_token() {
    let mut scene = Scene::following().await;
    let published = Published::start(CALLBACK).await;
    let path = "/.well-known/oauth-authorization-server";
    let metadata = scene.world.node.http().get(path).await.good();
    assert_eq!(metadata["client_id_metadata_document_supported"], true);

    let page = scene.asked(&published.url, CALLBACK).await;
    let read = shown(&page);
    let host = published.url.strip_prefix("http://").unwrap().split('/').next().unwrap();
    assert!(read.contains("Desk") && read.contains(host) && read.contains("desk.example.com"), "{read}");
    assert_eq!(scene.told().await, [], "whoever was only asked about leaves nothing behind");

    let code = scene.allow(&page).await;
    let kinds: Vec<_> = scene.told().await.into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, ["document_seen"]);
    let answer = scene.redeem(&published.url, &code, CALLBACK).await.good();
    let (token, refresh) = (text(&answer, "access_token"), text(&answer, "refresh_token"));
    assert_eq!(claims(&token)["client_id"], published.url.as_str());
    assert_eq!(scene.call(&token).await, 200);
    assert_eq!(published.came(), 1, "one document, one request");

    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", published.url.as_str()),
        ("refresh_token", refresh.as_str()),
    ];
    let again = post_form(&scene.anybody(), "/oauth/token", encoded(&fields)).await.good();
    assert_eq!(claims(&text(&again, "access_token"))["client_id"], published.url.as_str());
    let id = scene.told().await.remove(0).0;
    for other in [id.as_str(), "https://desk.example.com/client.json"] {
        let fields = [("grant_type", "refresh_token"), ("client_id", other), ("refresh_token", &refresh)];
        let refused = post_form(&scene.anybody(), "/oauth/token", encoded(&fields)).await;
        assert_eq!((refused.status.as_u16(), &refused.body()["error"]), (401, &json!("invalid_client")));
    }
    let known = scene.asked(&published.url, CALLBACK).await;
    code_in(&location(&known)); // allowed before, and the document says the same
}

#[tokio::test]
async fn item_54_a_document_that_changed_is_shown_again_and_told_again() {
    let mut scene = Scene::following().await;
    let published = Published::start(CALLBACK).await;
    let page = scene.asked(&published.url, CALLBACK).await;
    published.says(&published.described("Desk 2", &[CALLBACK, "https://desk.example.com/other"]));
    scene.allow(&page).await;
    assert_eq!(names(&scene).await, ["Desk"], "what the person saw, whatever it says since");
    assert_eq!(published.came(), 1);

    let settings = Settings { outbound_loopback: Loopback::Allowed, ..Settings::default() };
    let other = scene.world.another_node_with(settings).await;
    scene.elsewhere(&other.running.url).await;
    let page = scene.asked(&published.url, CALLBACK).await;
    assert!(shown(&page).contains("Desk 2"), "allowed before, but not this");
    scene.allow(&page).await;
    assert_eq!(names(&scene).await, ["Desk", "Desk 2"]);
    code_in(&location(&scene.asked(&published.url, CALLBACK).await));
}

/// Under which names people saw it.
async fn names(scene: &Scene) -> Vec<String> {
    let names = sqlx::query_scalar(
        "select payload -> 'document_seen' ->> 'name' from events where event_type = 'document_seen' order by sequence",
    );
    names.fetch_all(&scene.world.node.running.pool).await.unwrap()
}

#[tokio::test]
async fn item_54_administrators_of_the_deployment_see_and_disable_it() {
    let mut scene = Scene::following().await;
    let published = Published::start(CALLBACK).await;
    let page = scene.asked(&published.url, CALLBACK).await;
    let code = scene.allow(&page).await;
    let token = text(&scene.redeem(&published.url, &code, CALLBACK).await.good(), "access_token");
    assert_eq!(scene.call(&token).await, 200);
    let id = scene.told().await.remove(0).0;
    let path = format!("/v1/deployment/clients/{id}");
    let admin = scene.world.admin();
    let listed = async {
        loop {
            let shown = admin.get(&path).await;
            if shown.status == 200 {
                return shown.good();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let listed = tokio::time::timeout(Duration::from_mins(1), listed).await.expect("it is listed");
    assert_eq!(listed["client_id"], published.url.as_str());
    admin.post(&format!("{path}/disable"), &json!({ "reason": "abuse" })).await.good();
    let stopped = async {
        while scene.call(&token).await == 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), stopped).await.expect("its token opens nothing");
    let page = scene.asked(&published.url, CALLBACK).await;
    assert_eq!(page.status.as_u16(), 400);
    assert!(page.header("location").is_none());
}

#[tokio::test]
async fn item_60_whoever_is_not_signed_in_is_not_led_on_by_an_error_to_where_a_document_says() {
    let scene = Scene::following().await;
    let published = Published::start(CALLBACK).await;
    let bad = scene.request(&published.url, CALLBACK).replace("response_type=code", "response_type=token");
    let page = Browser::new(&scene.world.node.running.url).get(&bad).await;
    assert_eq!(page.status.as_u16(), 400);
    assert!(page.header("location").is_none());
    let read = shown(&page);
    assert!(read.contains("unsupported_response_type") && read.contains("desk.example.com"), "{read}");
}
