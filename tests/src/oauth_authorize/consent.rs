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

#[tokio::test]
async fn attack_06_a_form_that_was_agreed_to_counts_once_and_a_second_click_brings_what_the_first_did() {
    let mut scene = Scene::start().await;
    let page = scene.ask(&scene.request()).await;
    let first = back(&scene.decide(&page, "allow", &["mcp:read"]).await);
    let again = back(&scene.decide(&page, "allow", &["mcp:read"]).await);
    assert_ne!(first["code"], again["code"]);
    assert_eq!((&first["state"], &first["iss"]), (&again["state"], &again["iss"]));
    let told = async |scene: &Scene| -> i64 {
        let query = "select count(*) from events where aggregate_type = 'grant'";
        sqlx::query_scalar(query).fetch_one(&scene.world.node.running.pool).await.unwrap()
    };
    // Other boxes of the same form, right away: nobody was asked about that.
    for scopes in [["mcp:read", "mcp:write"].as_slice(), &["mcp:write"]] {
        let answer = scene.decide(&page, "allow", scopes).await;
        assert_eq!(answer.status.as_u16(), 403, "{scopes:?}");
        assert!(text(&answer).contains("out of date"), "{}", text(&answer));
    }
    assert_eq!(scene.grants().await[0].1, ["mcp:read"]);
    // And later, the same boxes bring nothing either.
    let later = "update consent_forms_used set used_at = used_at - interval '11 seconds'";
    sqlx::query(later).execute(&scene.world.node.running.pool).await.unwrap();
    assert_eq!(scene.decide(&page, "allow", &["mcp:read"]).await.status.as_u16(), 403);
    assert_eq!(told(&scene).await, 1);
    // Whoever is asked anew agrees anew.
    let page = scene.ask(&scene.request()).await;
    back(&scene.decide(&page, "allow", &["mcp:read", "mcp:write"]).await);
    assert_eq!(told(&scene).await, 2);
}

#[tokio::test]
async fn attack_06_of_a_form_that_is_sent_many_times_at_once_one_is_agreed_to() {
    let mut scene = Scene::on_loopback().await;
    let request = scene.request().with("redirect_uri", "http://127.0.0.1:3000/callback");
    let page = scene.ask(&request).await;
    let fields = hidden(&page);
    let mut sent: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    sent.extend([("decision", "allow"), ("allow mcp:read", "on")]);
    let mut browsers = vec![scene.browser.clone(); 8];
    let clicks = browsers.iter_mut().map(|browser| browser.post("/oauth/authorize", &sent));
    let answers = futures_util::future::join_all(clicks).await;
    // Whoever waited too long for the first is told so, and nothing else.
    let (led_on, late): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 303);
    assert!(!led_on.is_empty() && led_on.iter().all(|answer| back(answer).contains_key("code")));
    assert!(late.iter().all(|answer| answer.status == 403), "{late:?}");
    let told: i64 = sqlx::query_scalar("select count(*) from events where aggregate_type = 'grant'")
        .fetch_one(&scene.world.node.running.pool)
        .await
        .unwrap();
    assert_eq!(told, 1);
}
