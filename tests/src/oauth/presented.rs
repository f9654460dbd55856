//! Items 23 to 25, 43, 47, 48 and cases 15, 24, 46: what the gateway takes for a token, and what it says when it takes none.

use hyper::Method;
use serde_json::{Value, json};

use super::scene::{Scene, call, text};

fn message(tool: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": {} } })
}

fn challenge(answer: &harness::Answer) -> &str {
    answer.header("www-authenticate").expect("a challenge")
}

fn metadata(scene: &Scene) -> String {
    let url = &scene.world.node.running.url;
    format!("resource_metadata=\"{url}/.well-known/oauth-protected-resource{}\"", scene.instance.path())
}

#[tokio::test]
async fn item_23_whoever_presents_nothing_is_told_where_to_begin_and_of_no_error() {
    let scene = Scene::start().await;
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let answer = scene.anybody().send(method, &scene.instance.path(), "{").await;
        assert_eq!(answer.status.as_u16(), 401);
        assert!(challenge(&answer).starts_with("Bearer "), "{}", challenge(&answer));
        assert!(challenge(&answer).contains(&metadata(&scene)), "{}", challenge(&answer));
        assert!(challenge(&answer).contains("scope=\"mcp:read\""), "{}", challenge(&answer));
        assert!(!challenge(&answer).contains("error"), "{}", challenge(&answer));
    }
}

#[tokio::test]
async fn item_23_a_token_that_is_none_is_an_invalid_token() {
    let scene = Scene::start().await;
    let good = scene.token("mcp:write").await;
    let mut parts: Vec<String> = good.split('.').map(str::to_owned).collect();
    parts[1] = parts[1].chars().rev().collect();
    for (token, reason) in [
        ("x".to_owned(), "token-malformed"),
        ("a.b.c".to_owned(), "token-malformed"),
        (format!("{good}x"), "token-malformed"),
        (good[..good.len() - 2].to_owned(), "token-signature"),
        (parts.join("."), "token-signature"),
        ("x".repeat(5_000), "token-malformed"),
        (format!("{good},{good}"), "token-malformed"),
        (format!("{good} {good}"), "token-malformed"),
    ] {
        let answer = scene.call(&token, "echo").await;
        answer.refused_call(401, reason, &json!(1));
        assert!(challenge(&answer).contains("error=\"invalid_token\""), "{}", challenge(&answer));
        assert!(challenge(&answer).contains(&metadata(&scene)), "{}", challenge(&answer));
    }
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn item_25_the_scheme_is_taken_in_any_case_and_with_more_spaces() {
    let scene = Scene::start().await;
    let token = scene.token("mcp:write").await;
    for header in [format!("bearer {token}"), format!("BEARER   {token}"), format!(" Bearer {token} ")] {
        let client = scene.anybody().with("authorization", &header);
        client.post(&scene.instance.path(), &message("echo")).await.good();
    }
    for (header, status, reason) in [
        ("Bearer", 400, "authorization-malformed"),
        ("Bearer ", 400, "authorization-malformed"),
        ("Bearer ,", 401, "token-malformed"),
        ("Bearer \"\"", 401, "token-malformed"),
        ("Basic eDp5", 401, "authorization-not-accepted"),
        ("", 401, "authorization-not-accepted"),
    ] {
        let client = scene.anybody().with("authorization", header);
        let answer = client.post(&scene.instance.path(), &message("echo")).await;
        answer.refused_call(status, reason, &json!(1));
    }
}

#[tokio::test]
async fn item_24_attack_46_two_credentials_are_one_too_many_even_when_both_are_good() {
    let scene = Scene::start().await;
    scene.takes("both").await;
    let token = scene.token("mcp:write").await;
    let bearer = format!("Bearer {token}");
    let with_token = || scene.anybody().with("authorization", &bearer);
    let path = scene.instance.path();
    for client in [with_token().with("authorization", &bearer), with_token().as_key(scene.instance.api_key())]
    {
        client.post(&path, &message("echo")).await.refused_call(400, "two-credentials", &json!(1));
    }
    let in_query = format!("{path}?access_token={token}");
    with_token().post(&in_query, &message("echo")).await.refused_call(400, "two-credentials", &json!(1));
    scene.anybody().post(&in_query, &message("echo")).await.refused_call(401, "no-credential", &json!(1));
    with_token().post(&path, &message("echo")).await.good();
    scene.anybody().as_key(scene.instance.api_key()).post(&path, &message("echo")).await.good();
}

#[tokio::test]
async fn item_64_attack_15_a_token_opens_the_one_instance_that_it_is_for() {
    let scene = Scene::start().await;
    let token = scene.token("mcp:write").await;
    let second = scene.world.instance_in_front_of(&scene.upstream.url).await;
    let path = scene.world.path(&format!("/instances/{}/authentication", second.id));
    scene.world.admin().json(Method::PUT, &path, &json!({ "authentication": "oauth" })).await.good();
    let answer = call(&scene.world.node, &second, &token, "echo").await;
    answer.refused_call(401, "token-wrong-audience", &json!(1));
    assert!(challenge(&answer).contains("error=\"invalid_token\""), "{}", challenge(&answer));
    let nowhere = format!("/mcp/{}", uuid::Uuid::new_v4());
    let bearer = scene.anybody().with("authorization", &format!("Bearer {token}"));
    bearer.post(&nowhere, &message("echo")).await.refused_call(401, "token-wrong-audience", &json!(1));
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn attack_47_a_token_that_was_found_good_is_taken_nowhere_else_and_no_longer_than_its_client() {
    let scene = Scene::start().await;
    let token = scene.token("mcp:write").await;
    let second = scene.world.instance_in_front_of(&scene.upstream.url).await;
    let path = scene.world.path(&format!("/instances/{}/authentication", second.id));
    scene.world.admin().json(Method::PUT, &path, &json!({ "authentication": "oauth" })).await.good();
    for _ in 0..3 {
        scene.call(&token, "echo").await.good();
        let answer = call(&scene.world.node, &second, &token, "echo").await;
        answer.refused_call(401, "token-wrong-audience", &json!(1));
        let nowhere = format!("/mcp/{}", uuid::Uuid::new_v4());
        let bearer = scene.anybody().with("authorization", &format!("Bearer {token}"));
        bearer.post(&nowhere, &message("echo")).await.refused_call(401, "token-wrong-audience", &json!(1));
    }
    assert_eq!(scene.upstream.seen().len(), 3);
    let disable = scene.world.path(&format!("/clients/{}/disable?wait=all", scene.client.id));
    scene.world.admin().post(&disable, &json!({ "reason": "leak" })).await.good();
    scene.call(&token, "echo").await.refused_call(401, "client-inactive", &json!(1));
}

#[tokio::test]
async fn attack_17_a_token_opens_no_management() {
    let scene = Scene::start().await;
    let token = scene.token("mcp:write").await;
    let bearer = scene.anybody().with("authorization", &format!("Bearer {token}"));
    for path in ["/v1/me".to_owned(), scene.world.path("/clients"), scene.world.path("/api-keys")] {
        assert_eq!(bearer.get(&path).await.status.as_u16(), 401, "{path}");
    }
}

#[tokio::test]
async fn item_48_whoever_lacks_a_scope_is_told_everything_that_a_new_token_needs() {
    let scene = Scene::start().await;
    let token = scene.token("mcp:read").await;
    scene.call(&token, "look").await.good();
    let answer = scene.call(&token, "echo").await;
    answer.refused_call(403, "insufficient-scope", &json!(1));
    assert!(challenge(&answer).contains("error=\"insufficient_scope\""), "{}", challenge(&answer));
    assert!(challenge(&answer).contains("scope=\"mcp:read tool:echo\""), "{}", challenge(&answer));
    assert!(challenge(&answer).contains(&metadata(&scene)), "{}", challenge(&answer));
    let token = scene.token("mcp:read%20tool:echo").await;
    scene.call(&token, "echo").await.good();
}

#[tokio::test]
async fn an_instance_that_takes_keys_alone_takes_no_token() {
    let scene = Scene::start().await;
    let token = scene.token("mcp:write").await;
    scene.takes("api_key").await;
    scene.call(&token, "echo").await.refused_call(401, "authentication-not-accepted", &json!(1));
    scene.takes("both").await;
    scene.call(&token, "echo").await.good();
}

#[tokio::test]
async fn a_list_shows_the_tools_that_the_token_may_call() {
    let scene = Scene::start().await;
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} });
    for (scope, tools) in
        [("mcp:read", vec!["look"]), ("mcp:write", vec!["echo", "look"]), ("tool:echo", vec!["echo"])]
    {
        let bearer = scene.anybody().with("authorization", &format!("Bearer {}", scene.token(scope).await));
        let shown = bearer.post(&scene.instance.path(), &list).await.good();
        let shown = shown["result"]["tools"].as_array().expect("a list");
        let mut names: Vec<_> = shown.iter().map(|tool| text(tool, "name")).collect();
        names.sort();
        assert_eq!(names, tools, "{scope}");
    }
}
