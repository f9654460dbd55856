//! Attacks 2, 22 and 23: documents that are none, addresses that lead inside, redirects that are not the client's.

use api::oauth::RegistrationPolicy;
use harness::{Answer, Settings};
use serde_json::{Value, json};

use super::CALLBACK;
use super::published::Published;
use crate::oauth_registration::scene::Scene;

/// A page of ours, and nowhere else.
#[track_caller]
fn stays_here(page: &Answer, case: &str) {
    assert_eq!(page.status.as_u16(), 400, "{case}");
    assert!(page.header("location").is_none(), "{case}");
    assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{case}");
}

#[tokio::test]
async fn attack_22_an_address_that_leads_inside_is_not_followed() {
    let mut scene = Scene::with(Settings::default()).await;
    let published = Published::start(CALLBACK).await;
    let port = published.url.rsplit(':').next().unwrap().to_owned(); // with the path
    for client in [
        published.url.clone(),
        format!("https://127.0.0.1:{port}"),
        format!("https://localhost:{port}"),
        format!("https://[::1]:{port}"),
        format!("https://[::ffff:7f00:1]:{port}"),
        format!("https://2130706433:{port}"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://10.0.0.1/client.json".to_owned(),
        "https://[fd00::1]/client.json".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1/x".to_owned(),
    ] {
        stays_here(&scene.asked(&client, CALLBACK).await, &client);
    }
    assert_eq!(published.came(), 0, "nobody came");
}

#[tokio::test]
async fn attack_23_a_document_that_is_none_is_a_page_of_ours() {
    let mut scene = Scene::following().await;
    let published = Published::start(CALLBACK).await;
    let with = |member: &str, value: Value| {
        let mut document = published.described("Desk", &[CALLBACK]);
        document[member] = value;
        document
    };
    for document in [
        with("client_id", json!("https://desk.example.com/client.json")),
        with("client_name", Value::Null),
        with("redirect_uris", json!([])),
        with("client_secret", json!("hunter2")),
        with("token_endpoint_auth_method", json!("client_secret_basic")),
        with("padding", json!("x".repeat(5 * 1024))),
        json!([]),
    ] {
        published.says(&document);
        stays_here(&scene.asked(&published.url, CALLBACK).await, &document.to_string());
    }
    let good = published.described("Desk", &[CALLBACK]).to_string();
    let json = "content-type: application/json\r\n";
    let location = format!("location: {}\r\n{json}", published.url);
    let packed = format!("content-encoding: gzip\r\n{json}");
    for (status, headers) in [
        ("404 Not Found", json),
        ("500 Internal Server Error", json),
        ("201 Created", json),
        ("302 Found", location.as_str()),
        ("200 OK", "content-type: text/html\r\n"),
        ("200 OK", ""),
        ("200 OK", packed.as_str()),
    ] {
        published.answers(status, headers, good.as_bytes());
        let before = published.came();
        stays_here(&scene.asked(&published.url, CALLBACK).await, &format!("{status} {headers}"));
        assert_eq!(published.came(), before + 1, "no redirect is followed, and no error kept");
    }
    assert_eq!(scene.told().await, [], "nothing is left of it");
    published.says(&published.described("Desk", &[CALLBACK]));
    assert_eq!(scene.asked(&published.url, CALLBACK).await.status.as_u16(), 200);
}

#[tokio::test]
async fn attack_02_only_a_redirect_of_the_document_is_one() {
    let mut scene = Scene::following().await;
    let published = Published::start(CALLBACK).await;
    for redirect_uri in
        ["https://evil.example/callback", "https://desk.example.com/callback/", &published.url]
    {
        stays_here(&scene.asked(&published.url, redirect_uri).await, redirect_uri);
    }
}

#[tokio::test]
async fn where_registration_is_closed_nobody_is_known_by_a_document() {
    let settings = Settings {
        registration: RegistrationPolicy::Closed,
        outbound_loopback: api::config::Loopback::Allowed,
        ..Settings::default()
    };
    let mut scene = Scene::with(settings).await;
    let published = Published::start(CALLBACK).await;
    stays_here(&scene.asked(&published.url, CALLBACK).await, "closed");
    assert_eq!(published.came(), 0);
    let path = "/.well-known/oauth-authorization-server";
    let metadata = scene.world.node.http().get(path).await.good();
    assert_eq!(metadata["client_id_metadata_document_supported"], false);
}
