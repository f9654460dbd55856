//! Items 1, 16, 20, 41 to 45: a client that acts for itself gets a token for one instance of its own organization, and calls a tool with it.

use harness::{Scripted, ScriptedUpstream};
use hyper::Method;
use serde_json::json;
use uuid::Uuid;

use super::scene::{Scene, ask, claims, header, refused, register, text};

const FORM: &str = "grant_type=client_credentials";

#[tokio::test]
async fn item_16_no_scope_is_given_that_the_client_does_not_have() {
    let scene = Scene::start().await;
    for scope in
        ["mcp:admin", "mcp:read%20mcp:admin", "org:read", "openid", "mcp:read%20%20mcp:write", "%20", "a%22b"]
    {
        refused(&scene.ask(&format!("{FORM}&scope={scope}")).await, 400, "invalid_scope");
    }
    let manager = register(&scene.world.admin(), &scene.world.path("/clients"), &["org:read"]).await;
    let answer = ask(&scene.world.node, &manager.basic(), FORM).await;
    refused(&answer, 400, "invalid_scope");
}

#[tokio::test]
async fn item_41_what_is_no_resource_of_the_clients_organization_is_refused_alike() {
    let scene = Scene::start().await;
    let base = scene.world.node.running.url.clone();
    let rival = scene.world.key_of_another_organization().await;
    let rival = scene.anybody().as_key(&rival);
    let here = rival.get("/v1/me").await.good()["organization"]["id"].clone();
    let path = format!("/v1/organizations/{}", here.as_str().expect("an id"));
    let server = json!({ "name": "X", "transport": { "http": { "url": scene.upstream.url } }, "credential_fields": [], "visibility": "organization" });
    let server = rival.post(&format!("{path}/servers"), &server).await.good()["id"].clone();
    let connection =
        rival.post(&format!("{path}/connections"), &json!({ "server": server, "name": "X" })).await;
    let connection = connection.good()["id"].clone();
    let instance =
        json!({ "name": "X", "connections": [connection], "tools": "all", "authentication": "oauth" });
    let foreign = rival.post(&format!("{path}/instances"), &instance).await.good();
    let mut told = Vec::new();
    for resource in [
        format!("{base}/mcp/{}", text(&foreign, "id")),
        format!("{base}/mcp/{}", Uuid::new_v4()),
        format!("{}/", scene.resource()),
        format!("{}%23part", scene.resource()),
        format!("{base}/mcp/../mcp/{}", scene.instance.id),
        base.clone(),
        "not-an-address".to_owned(),
        scene.instance.path(),
        scene.resource().replace("http:", "https:"),
    ] {
        let answer = scene.ask(&format!("{FORM}&resource={resource}")).await;
        refused(&answer, 400, "invalid_target");
        told.push(answer.bytes);
    }
    assert!(told.windows(2).all(|two| two[0] == two[1]), "all are told the same");
    scene.takes("api_key").await;
    refused(&scene.ask(&format!("{FORM}&resource={}", scene.resource())).await, 400, "invalid_target");
}

#[tokio::test]
async fn item_41_a_token_is_for_one_resource_and_it_must_be_said_which_when_there_are_several() {
    let scene = Scene::start().await;
    let upstream = ScriptedUpstream::start(Scripted::Tools(vec![("echo", false)])).await;
    let second = scene.world.instance_in_front_of(&upstream.url).await;
    scene.ask(FORM).await.good(); // the second takes no tokens yet
    let path = scene.world.path(&format!("/instances/{}/authentication", second.id));
    scene.world.admin().json(Method::PUT, &path, &json!({ "authentication": "both" })).await.good();
    refused(&scene.ask(FORM).await, 400, "invalid_target");
    let other = format!("{}{}", scene.world.node.running.url, second.path());
    let both = format!("{FORM}&resource={}&resource={other}", scene.resource());
    refused(&scene.ask(&both).await, 400, "invalid_target");
    let twice = format!("{FORM}&resource={other}&resource={other}");
    let token = text(&scene.ask(&twice).await.good(), "access_token");
    assert_eq!(claims(&token)["aud"], other);
}

#[tokio::test]
async fn item_42_scheme_and_host_of_a_resource_are_named_in_any_case() {
    let scene = Scene::start().await;
    let named = scene.resource().replace("http://", "HTTP://");
    let token = text(&scene.ask(&format!("{FORM}&resource={named}")).await.good(), "access_token");
    assert_eq!(claims(&token)["aud"], scene.resource(), "written as it is, not as it was asked for");
}

#[tokio::test]
async fn item_01_item_20_item_43_item_44_item_64_the_answer_and_the_token_say_what_they_must_and_no_more() {
    let scene = Scene::start().await;
    let answer = scene.ask(&format!("{FORM}&scope=mcp:read%20tool:echo&resource={}", scene.resource())).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    let answer = answer.good();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 600);
    assert_eq!(answer["scope"], "mcp:read tool:echo");
    assert_eq!(answer.as_object().expect("an object").len(), 4, "no refresh token: {answer}");
    let token = text(&answer, "access_token");
    let header = header(&token);
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(header.as_object().expect("an object").len(), 3, "{header}");
    let claims = claims(&token);
    assert_eq!(claims["iss"], scene.world.node.running.url);
    assert_eq!(claims["aud"], scene.resource());
    assert_eq!(claims["client_id"], scene.client.id);
    assert_eq!(claims["sub"], format!("client:{}", scene.client.id), "no user has such an id");
    assert_eq!(claims["scope"], "mcp:read tool:echo");
    assert_eq!(claims["exp"].as_u64(), claims["iat"].as_u64().map(|at| at + 600));
    assert_eq!(claims.get("gid"), None);
    let again = text(&scene.ask(FORM).await.good(), "access_token");
    assert_ne!(super::scene::claims(&again)["jti"], claims["jti"]);
    assert_eq!(super::scene::claims(&again)["scope"], "mcp:write", "everything that the client may");
}

#[tokio::test]
async fn a_client_calls_a_tool_with_its_token_and_the_call_is_recorded_as_its_own() {
    let scene = Scene::start().await;
    let token = scene.token("mcp:write").await;
    let answer = scene.call(&token, "echo").await;
    assert_eq!(answer.good()["result"]["content"][0]["text"], "echo");
    let seen = scene.upstream.seen();
    let [seen] = &seen[..] else { panic!("one call: {seen:?}") };
    assert!(!format!("{seen:?}").contains(&token), "the token stays here");
    super::scene::until("the call is recorded", async || {
        let calls = scene.world.admin().get(&scene.world.path("/calls")).await.good();
        let first = &calls["items"][0];
        first["credential"] == scene.client.id.as_str() && first["decision"] == "permit"
    })
    .await;
}

#[tokio::test]
async fn a_client_whose_organization_is_suspended_gets_no_token() {
    let scene = Scene::start().await;
    let suspend = format!("/v1/deployment/organizations/{}/suspend", scene.world.organization);
    scene.world.admin().post(&suspend, &json!({ "reason": "unpaid" })).await.good();
    refused(&scene.ask(FORM).await, 400, "unauthorized_client");
}
