//! Whatever else is wrong is told to the client in the redirect, with its state and with who says so.

use hyper::Method;
use serde_json::json;

use super::scene::{CALLBACK, Request, STATE, Scene, authentication, back, challenge, register};
use crate::people::Person;
use crate::people::browser::{Browser, location};

impl Scene {
    async fn refused(&mut self, request: &Request, error: &str) {
        let answer = self.ask(request).await;
        let back = back(&answer);
        assert!(location(&answer).starts_with(CALLBACK), "{request:?}");
        assert_eq!(back.get("error").map(String::as_str), Some(error), "{request:?} {back:?}");
        assert_eq!(
            back.get("iss").map(String::as_str),
            Some(self.world.node.running.url.as_str()),
            "{request:?}"
        );
        assert!(!back.contains_key("code"), "{request:?}");
        let good = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(back["error_description"].bytes().all(good), "{back:?}");
        if request.path().contains("&state=s+p") {
            assert_eq!(back.get("state").map(String::as_str), Some(STATE), "{request:?}");
        }
    }
}

#[tokio::test]
async fn item_14_item_19_a_response_type_other_than_code_is_not_offered() {
    let mut scene = Scene::start().await;
    let good = scene.request();
    scene.refused(&good.clone().without("response_type"), "invalid_request").await;
    scene.refused(&good.clone().with("response_type", ""), "invalid_request").await;
    for other in ["token", "id_token", "code token", "none", "CODE"] {
        scene.refused(&good.clone().with("response_type", other), "unsupported_response_type").await;
    }
    scene.refused(&good.clone().with("response_mode", "fragment"), "invalid_request").await;
}

#[tokio::test]
async fn item_21_attack_04_without_a_challenge_of_s256_there_is_no_code() {
    let mut scene = Scene::start().await;
    let good = scene.request();
    scene.refused(&good.clone().without("code_challenge"), "invalid_request").await;
    scene.refused(&good.clone().without("code_challenge_method"), "invalid_request").await;
    for method in ["plain", "s256", "S512", ""] {
        scene.refused(&good.clone().with("code_challenge_method", method), "invalid_request").await;
    }
    for challenge in
        ["", "short", &challenge()[..42], &format!("{}=", challenge()), &"a".repeat(128), &"+".repeat(43)]
    {
        scene.refused(&good.clone().with("code_challenge", challenge), "invalid_request").await;
    }
}

#[tokio::test]
async fn item_07_item_15_what_is_there_twice_is_refused_and_state_comes_back_as_it_went() {
    let mut scene = Scene::start().await;
    let good = scene.request();
    for name in ["scope", "response_type", "code_challenge", "code_challenge_method"] {
        scene.refused(&good.clone().and(name, "x"), "invalid_request").await;
    }
    // A state that is there twice is none.
    let answer = scene.ask(&good.clone().and("state", "other")).await;
    assert_eq!(back(&answer)["error"], "invalid_request");
    assert!(!back(&answer).contains_key("state"));
    // No state at all, and an odd one.
    let answer = scene.ask(&good.clone().without("state").with("response_type", "token")).await;
    assert!(!back(&answer).contains_key("state"));
    for state in ["a", "  ", "\u{1f512}&iss=evil&code=x", "%2525", "\"'<>", &"z".repeat(2_000)] {
        let answer = scene.ask(&good.clone().with("state", state).with("response_type", "token")).await;
        assert_eq!(back(&answer)["state"], state);
    }
    // What nobody knows is ignored.
    assert_eq!(scene.ask(&good.and("surprise", "1")).await.status.as_u16(), 200);
}

#[tokio::test]
async fn item_41_item_42_the_resource_is_exactly_one_endpoint_that_is_open_to_the_person() {
    let mut scene = Scene::start().await;
    let (good, resource) = (scene.request(), scene.resource());
    let url = scene.world.node.running.url.clone();
    let nowhere = format!("{url}/mcp/{}", uuid::Uuid::new_v4());
    for resource in [
        format!("{resource}/"),
        format!("{resource}#x"),
        format!("{resource}?x"),
        resource.replace("/mcp/", "/mcp-other/"),
        resource.replace("/mcp/", "/mcp/../mcp/"),
        resource.replace("/mcp/", "//mcp/"),
        resource.to_uppercase(),
        url.clone(),
        format!("{url}/mcp"),
        resource.replace("127.0.0.1", "evil.example"),
        scene.instance.clone(),
        "not a uri".to_owned(),
        nowhere,
    ] {
        scene.refused(&good.clone().with("resource", &resource), "invalid_target").await;
    }
    scene.refused(&good.clone().and("resource", &format!("{url}/mcp/x")), "invalid_target").await;
    // The same one twice is one.
    assert_eq!(scene.ask(&good.clone().and("resource", &resource)).await.status.as_u16(), 200);
    // The only one that there is need not be named; with a second one it must.
    assert_eq!(scene.ask(&good.clone().without("resource")).await.status.as_u16(), 200);
    let upstream = url::Url::parse("https://mcp.example.com/mcp").unwrap();
    let second = scene.world.instance_in_front_of(&upstream).await.id;
    assert_eq!(scene.ask(&good.clone().without("resource")).await.status.as_u16(), 200, "it takes no tokens");
    authentication(&scene.world, &second, "oauth").await;
    scene.refused(&good.without("resource"), "invalid_target").await;
}

#[tokio::test]
async fn attack_15_an_instance_of_another_organization_looks_like_none() {
    let mut scene = Scene::start().await;
    let rival = scene
        .world
        .admin()
        .post("/v1/organizations", &json!({ "slug": "rival", "name": "Rival" }))
        .await
        .good();
    let owner = scene.world.node.http().as_key(rival["api_key"].as_str().unwrap());
    let base = format!("/v1/organizations/{}", rival["id"].as_str().unwrap());
    let server = json!({ "name": "Wiki", "visibility": "organization", "credential_fields": [], "transport": { "http": { "url": "https://mcp.example.com/mcp" } } });
    let server = owner.post(&format!("{base}/servers"), &server).await.good()["id"].clone();
    let connection = json!({ "server": server, "name": "Wiki" });
    let connection = owner.post(&format!("{base}/connections"), &connection).await.good()["id"].clone();
    let theirs =
        json!({ "name": "Desk", "connections": [connection], "tools": "all", "authentication": "oauth" });
    let theirs = owner.post(&format!("{base}/instances"), &theirs).await.good()["id"].clone();
    let theirs = format!("{}/mcp/{}", scene.world.node.running.url, theirs.as_str().unwrap());
    let none = format!("{}/mcp/{}", scene.world.node.running.url, uuid::Uuid::new_v4());
    let good = scene.request();
    let one = back(&scene.ask(&good.clone().with("resource", &theirs)).await);
    let other = back(&scene.ask(&good.clone().with("resource", &none)).await);
    assert_eq!(one, other);
    assert_eq!(one["error"], "invalid_target");
    // Nor is it open to a client of the first one, also for whoever is a member of both.
    let ann = Person { id: scene.world.founder.clone(), email: "ann@example.com".to_owned() };
    let bea = scene.bea.id.clone();
    owner.json(Method::PUT, &format!("{base}/members/{bea}"), &json!({ "role": "member" })).await;
    assert_eq!(back(&scene.ask(&good.with("resource", &theirs)).await)["error"], "invalid_target");
    drop(ann);
}

#[tokio::test]
async fn an_instance_that_takes_no_tokens_or_a_person_who_may_not_call_gets_none() {
    let mut scene = Scene::start().await;
    let good = scene.request();
    let carl = Person::member(&scene.world, "Carl", "auditor").await;
    let mut auditor = carl.browser(&scene.world).await;
    assert_eq!(back(&auditor.get(&good.path()).await)["error"], "invalid_target");
    let dora = Person::registered(&scene.world, "Dora").await;
    let mut stranger = dora.browser(&scene.world).await;
    assert_eq!(back(&stranger.get(&good.path()).await)["error"], "invalid_target");
    for closed in ["api_key", "none"] {
        authentication(&scene.world, &scene.instance.clone(), closed).await;
        scene.refused(&good, "invalid_target").await;
    }
}

#[tokio::test]
async fn a_scope_that_nobody_can_grant_is_refused() {
    let mut scene = Scene::start().await;
    let good = scene.request();
    for scope in [
        "org:write",
        "openid offline_access",
        "mcp:read\tmcp:write",
        "\"quoted\"",
        "mcp:\u{95a2}",
        &"mcp:read ".repeat(41),
    ] {
        scene.refused(&good.clone().with("scope", scope), "invalid_scope").await;
    }
    let small = json!({ "name": "Small", "kind": "confidential", "redirect_uris": [CALLBACK], "scopes": ["tool:add"] });
    let small = register(&scene.world, &small).await;
    scene.refused(&good.with("client_id", &small).with("scope", "mcp:read"), "invalid_scope").await;
}

#[tokio::test]
async fn item_13_item_61_no_other_origin_may_read_the_answer_and_no_redirect_keeps_the_method() {
    let scene = Scene::start().await;
    let mut nobody = Browser::new(&scene.world.node.running.url).with("origin", "https://app.example.com");
    let answer = nobody.get(&scene.request().path()).await;
    assert!(location(&answer).starts_with("/sign-in?next=%2Foauth%2Fauthorize%3F"));
    assert!(answer.headers.get("access-control-allow-origin").is_none());
    let preflight = nobody.with("access-control-request-method", "GET");
    let http = harness::Http::new(&scene.world.node.running.url).with("origin", "https://app.example.com");
    let answer = http.send(Method::OPTIONS, "/oauth/authorize", "").await;
    assert!(answer.headers.get("access-control-allow-origin").is_none());
    drop(preflight);
}
