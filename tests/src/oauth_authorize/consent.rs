//! What a person agrees to is what they were shown, in the browser that they were shown it in.

use hyper::Method;
use serde_json::json;

use super::scene::{CALLBACK, Scene, back, register};
use crate::people::Person;
use crate::people::browser::{hidden, location, text};

#[tokio::test]
async fn whoever_denies_sends_the_client_away_with_nothing() {
    let mut scene = Scene::start().await;
    let page = scene.ask(&scene.request()).await;
    let answer = scene.decide(&page, "deny", &["mcp:read", "mcp:write"]).await;
    let back = back(&answer);
    assert_eq!(back["error"], "access_denied");
    assert!(back.contains_key("state") && back.contains_key("iss") && !back.contains_key("code"));
    assert!(scene.grants().await.is_empty());
    let codes: i64 = sqlx::query_scalar("select count(*) from authorization_codes")
        .fetch_one(&scene.world.node.running.pool)
        .await
        .unwrap();
    assert_eq!(codes, 0);
}

#[tokio::test]
async fn each_scope_can_be_left_out_but_not_all() {
    let mut scene = Scene::start().await;
    let page = scene.ask(&scene.request()).await;
    let none = scene.decide(&page, "allow", &[]).await;
    assert_eq!(none.status.as_u16(), 200);
    assert!(text(&none).contains("Leave at least one permission on"));
    back(&scene.decide(&none, "allow", &["mcp:read"]).await);
    assert_eq!(scene.grants().await[0].1, ["mcp:read"]);
    let code: Vec<String> = sqlx::query_scalar("select scopes from authorization_codes")
        .fetch_one(&scene.world.node.running.pool)
        .await
        .unwrap();
    assert_eq!(code, ["mcp:read"]);
}

#[tokio::test]
async fn attack_06_a_consent_from_elsewhere_without_its_token_or_for_another_browser_is_none() {
    let mut scene = Scene::start().await;
    let page = scene.ask(&scene.request()).await;
    let fields = hidden(&page);
    let mut sent: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    sent.extend([("decision", "allow"), ("allow mcp:read", "on")]);
    for from in [
        [("origin", "https://evil.example")].as_slice(),
        &[("origin", "https://app.example.com"), ("sec-fetch-site", "cross-site")],
        &[("origin", "null"), ("sec-fetch-site", "cross-site")],
    ] {
        let answer = scene.browser.post_from(from, "/oauth/authorize", &sent).await;
        assert_eq!(answer.status.as_u16(), 403, "{from:?}");
    }
    for without in ["csrf", "request"] {
        let fewer: Vec<_> = sent.iter().copied().filter(|(name, _)| *name != without).collect();
        assert_eq!(scene.browser.post("/oauth/authorize", &fewer).await.status.as_u16(), 403, "{without}");
    }
    // In the browser of somebody else, with their own token, and in another session of the same person.
    let carl = Person::member(&scene.world, "Carl", "member").await;
    for mut other in [carl.browser(&scene.world).await, scene.bea.browser(&scene.world).await] {
        let csrf = hidden(&other.get("/account/grants").await)[0].1.clone();
        let theirs: Vec<_> = sent
            .iter()
            .map(|(name, value)| (*name, if *name == "csrf" { csrf.as_str() } else { value }))
            .collect();
        assert_eq!(other.post("/oauth/authorize", &theirs).await.status.as_u16(), 403);
    }
    assert!(scene.grants().await.is_empty());
    assert!(back(&scene.browser.post("/oauth/authorize", &sent).await).contains_key("code"));
}

#[tokio::test]
async fn attack_06_a_request_that_was_changed_in_the_form_is_none() {
    let mut scene = Scene::start().await;
    let page = scene.ask(&scene.request()).await;
    let fields = hidden(&page);
    let value = |name: &str| fields.iter().find(|(key, _)| key == name).unwrap().1.clone();
    let (csrf, request) = (value("csrf"), value("request"));
    let flipped = |at: usize| {
        let mut text: Vec<char> = request.chars().collect();
        text[at] = if text[at] == 'A' { 'B' } else { 'A' };
        text.into_iter().collect::<String>()
    };
    let last = request.len() - 1;
    for changed in [
        flipped(2),
        flipped(last / 2),
        request[..last - 4].to_owned(),
        format!("{request}AAAA"),
        String::new(),
    ] {
        let sent =
            [("csrf", &*csrf), ("request", &*changed), ("decision", "allow"), ("allow mcp:read", "on")];
        assert_eq!(scene.browser.post("/oauth/authorize", &sent).await.status.as_u16(), 403);
    }
    // Parameters beside it change nothing: what is sealed counts.
    let evil = register(&scene.world, &json!({ "name": "Evil", "kind": "public", "redirect_uris": ["https://evil.example/cb"], "scopes": ["mcp:write"] })).await;
    let sent = [
        ("csrf", &*csrf),
        ("request", &*request),
        ("decision", "allow"),
        ("allow mcp:read", "on"),
        ("client_id", &*evil),
        ("redirect_uri", "https://evil.example/cb"),
        ("scope", "mcp:admin"),
        ("state", "evil"),
        ("allow mcp:admin", "on"),
        ("allow tool:x", "on"),
    ];
    let answer = scene.browser.post("/oauth/authorize", &sent).await;
    assert!(location(&answer).starts_with(CALLBACK));
    assert_eq!(scene.grants().await[0].1, ["mcp:read"]);
}

#[tokio::test]
async fn what_has_changed_since_the_page_was_shown_counts() {
    let mut scene = Scene::start().await;
    let page = scene.ask(&scene.request()).await;
    let path = scene.world.path(&format!("/members/{}", scene.bea.id));
    scene.world.admin().json(Method::DELETE, &path, &json!({})).await.good();
    assert_eq!(back(&scene.decide(&page, "allow", &["mcp:read"]).await)["error"], "invalid_target");
    scene.world.admin().json(Method::PUT, &path, &json!({ "role": "viewer" })).await.good();
    back(&scene.decide(&page, "allow", &["mcp:read", "mcp:write"]).await);
    assert_eq!(scene.grants().await[0].1, ["mcp:read"], "a viewer grants no more");
    let path = scene.world.path(&format!("/clients/{}/disable", scene.client));
    scene.world.admin().json(Method::POST, &path, &json!({ "reason": "leak" })).await.good();
    let answer = scene.decide(&page, "allow", &["mcp:read"]).await;
    assert_eq!(answer.status.as_u16(), 400);
    assert!(answer.headers.get("location").is_none());
}

#[tokio::test]
async fn whoever_signed_out_meanwhile_agrees_to_nothing() {
    let mut scene = Scene::start().await;
    let page = scene.ask(&scene.request()).await;
    let leaving = scene.browser.get("/sign-out").await;
    scene.browser.fill(&leaving, "/sign-out", &[]).await;
    assert_eq!(scene.decide(&page, "allow", &["mcp:read"]).await.status.as_u16(), 403);
    assert!(scene.grants().await.is_empty());
}
