//! A person authorizes a connection, and calls go on with what they allowed.

use harness::Settings;
use hyper::Method;
use serde_json::json;

use super::fixture::basic;
use super::scene::Scene;

#[tokio::test]
async fn without_an_authorization_the_server_is_not_called_and_the_refusal_says_where_to_get_one() {
    let scene = Scene::start().await;
    scene.needs_authorization().await;
    assert_eq!(scene.fixture.count_of_all(), 0);
    assert_eq!(scene.connection().await["authorization"], json!(null));
}

#[tokio::test]
async fn a_person_authorizes_a_connection_and_calls_carry_its_token_alone() {
    let scene = Scene::start().await;
    scene.authorize().await;
    scene.call().await.good();
    let shown = scene.fixture.shown();
    assert_eq!(shown.first(), Some(&None), "the question that discovers anything carries no credential");
    let token = shown.last().cloned().flatten().expect("a token");
    assert!(token.starts_with("Bearer access-"), "{token}");
    let authorization = scene.connection().await["authorization"].clone();
    assert_eq!(authorization["usable"], true);
    assert_eq!(authorization["issuer"], json!(scene.fixture.origin));
    assert_eq!(authorization["by"], json!(scene.owner.id));
    assert_eq!((&authorization["scopes"], &authorization["renewable"]), (&json!(["read"]), &json!(true)));
    let logged: String = sqlx::query_scalar("select string_agg(payload::text, ' ') from events")
        .fetch_one(&scene.world.node.running.pool)
        .await
        .expect("the log");
    assert!(!logged.contains("access-") && !logged.contains("refresh-"), "no token stands in the log");
}

#[tokio::test]
async fn what_is_asked_names_the_resource_and_proves_the_code() {
    let scene = Scene::start().await;
    scene.authorize().await;
    let asked = scene.fixture.ways_in().pop().expect("a way in");
    assert_eq!(asked["resource"], scene.fixture.url().as_str());
    assert_eq!((asked["code_challenge_method"].as_str(), asked["response_type"].as_str()), ("S256", "code"));
    assert_eq!(asked["scope"], "read");
    let (form, header) = scene.fixture.asked().pop().expect("a form");
    assert_eq!(form["resource"], scene.fixture.url().as_str());
    // RFC 6749, 2.3.1: both are form-encoded before they are joined.
    assert_eq!(
        basic(&header.expect("a proof")),
        ("client-1".to_owned(), "a+secret%3A+of%2Btests".to_owned())
    );
}

#[tokio::test]
async fn an_organization_registers_once_at_one_authorization_server() {
    let scene = Scene::start().await;
    scene.authorize().await;
    scene.authorize().await;
    let registered = scene.fixture.registered();
    assert_eq!(registered.len(), 1);
    let callback = format!("{}/connections/callback", scene.world.node.running.url);
    assert_eq!(registered[0]["redirect_uris"], json!([callback]));
    assert_eq!(registered[0]["application_type"], "native", "it is on loopback");
}

#[tokio::test]
async fn a_client_that_the_authorization_server_knows_already_is_shown_to_it_alone() {
    let scene = Scene::start().await;
    let secrets = |issuer: &str| json!({ "fields": { "oauth_client_id": "ours", "oauth_client_secret": "s3cret", "oauth_issuer": issuer } });
    let set = async |body| scene.world.admin().json(Method::PUT, &scene.path("/secrets"), &body).await;
    set(json!({ "fields": { "oauth_client_id": "ours" } })).await.refused(422, "invalid");
    set(secrets("https://elsewhere.example")).await.good();
    let refused = scene.begin(&mut scene.browser().await).await;
    assert_eq!(refused.status.as_u16(), 502);
    assert_eq!(scene.fixture.count("/token") + scene.fixture.count("/register"), 0);
    set(secrets(&scene.fixture.origin)).await.good();
    scene.authorize().await;
    let (_, header) = scene.fixture.asked().pop().expect("a form");
    assert_eq!(basic(&header.expect("a proof")), ("ours".to_owned(), "s3cret".to_owned()));
    assert_eq!(scene.fixture.count("/register"), 0);
    scene.call().await.good();
    let shown = scene.fixture.shown();
    assert!(!format!("{shown:?}").contains("s3cret"), "it goes to the authorization server and nowhere else");
}

#[tokio::test]
async fn a_client_acts_in_its_own_name_where_the_server_is_described_so() {
    let scene = Scene::with(Settings::default(), &json!({ "grant": "client_credentials" })).await;
    let authorize = async || scene.world.admin().post(&scene.path("/authorization"), &json!({})).await;
    authorize().await.refused(502, "upstream-not-authorized");
    let secrets = json!({ "fields": {
        "oauth_client_id": "robot", "oauth_client_secret": "s3cret", "oauth_issuer": scene.fixture.origin,
    } });
    scene.world.admin().json(Method::PUT, &scene.path("/secrets"), &secrets).await.good();
    let begun = authorize().await.good();
    assert_eq!((&begun["authorized"], &begun["url"]), (&json!(true), &json!(null)));
    scene.call().await.good();
    scene.fixture.forget_access();
    scene.call().await.good();
    assert_eq!(scene.connection().await["authorization"]["by"], json!(null));
}

#[tokio::test]
async fn what_is_taken_back_is_used_no_more() {
    let scene = Scene::start().await;
    scene.authorize().await;
    scene.call().await.good();
    scene.world.admin().json(Method::DELETE, &scene.path("/authorization"), &json!({})).await.good();
    let before = scene.fixture.count("/mcp");
    scene.needs_authorization().await;
    assert_eq!(scene.fixture.count("/mcp"), before);
}

#[tokio::test]
async fn a_server_of_2025_03_26_that_publishes_nothing_is_authorized_at_its_own_host() {
    let scene = Scene::start().await;
    scene.fixture.now(|ways| ways.no_resource = true);
    scene.authorize().await;
    scene.call().await.good();
    let asked = scene.fixture.ways_in().pop().expect("a way in");
    assert_eq!(asked["resource"], scene.fixture.url().as_str());
}
