//! What comes back and does not count. Each case begins at the real provider; the cases with changed tokens are signed by its own key.

use serde_json::{Value, json};

use super::scene::{Scene, says};
use crate::people::browser::{location, text};

/// A callback with another value of a parameter, or without it.
pub(super) fn changed(back: &str, name: &str, value: Option<&str>) -> String {
    let (path, query) = back.split_once('?').unwrap();
    let pairs = url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key != name);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    if let Some(value) = value {
        query.append_pair(name, value);
    }
    format!("{path}?{}", query.finish())
}

#[tokio::test]
async fn item_63_attack_07_a_state_that_is_wrong_missing_used_or_another_browsers_signs_nobody_in() {
    let scene = Scene::start().await;
    let mut browser = scene.browser();
    says(&browser.get("/sign-in/callback/acme?code=x").await, 400, "cannot be read");
    says(&browser.get("/sign-in/callback/acme?code=x&state=made-up").await, 403, "out of date");
    says(&browser.get("/sign-in/callback/nobody?code=x&state=made-up").await, 400, "no such way to sign in");
    let back = scene.there_and_back(&mut browser, &mut scene.there()).await;
    // An attacker's way back, opened by somebody else: with a browser that has been here, and with one that has not.
    let mut victim = scene.browser();
    says(&victim.get(&back).await, 403, "out of date");
    victim.get("/sign-in").await;
    says(&victim.get(&back).await, 403, "out of date");
    says(&browser.get(&format!("{back}&state=other")).await, 400, "cannot be read");
    // Nobody took it from whom it was for.
    location(&browser.get(&back).await);
    says(&browser.get(&back).await, 403, "out of date");
    // Too late.
    let mut late = scene.browser();
    let back = scene.there_and_back(&mut late, &mut scene.there()).await;
    scene.execute("update provider_visits set expires_at = clock_timestamp()").await;
    says(&late.get(&back).await, 403, "out of date");
}

#[tokio::test]
async fn item_60_attack_24_an_answer_of_another_issuer_is_dropped_before_the_code_goes_anywhere() {
    let scene = Scene::start().await;
    for iss in [None, Some("https://evil.example"), Some(&format!("{}/", scene.provider.issuer) as &str)] {
        let mut browser = scene.browser();
        let back = scene.there_and_back(&mut browser, &mut scene.there()).await;
        says(&browser.get(&changed(&back, "iss", iss)).await, 403, "not signed in");
    }
    let mut browser = scene.browser();
    let back = scene.there_and_back(&mut browser, &mut scene.there()).await;
    let twice = format!("{back}&iss={}", scene.provider.issuer);
    says(&browser.get(&twice).await, 400, "cannot be read");
    assert_eq!(scene.provider.count("/token").await, 0);
}

#[tokio::test]
async fn item_63_attack_05_nobody_is_led_to_a_provider_who_did_not_choose_it_here() {
    let scene = Scene::start().await;
    let mut browser = scene.browser();
    let page = browser.get("/sign-in").await;
    let fields = crate::people::browser::hidden(&page);
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let elsewhere = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    let answer = browser.post_from(&elsewhere, "/sign-in/provider/acme", &fields).await;
    says(&answer, 403, "out of date");
    let answer = browser.post("/sign-in/provider/acme", &[("csrf", "made up")]).await;
    says(&answer, 403, "out of date");
    assert_eq!(browser.get("/sign-in/provider/acme").await.status.as_u16(), 405);
    assert_eq!(location(&browser.get("/sign-in/renew?next=/account/grants").await), "/account/grants");
    assert_eq!(scene.number("select count(*) from provider_visits").await, 0);
}

#[tokio::test]
async fn attack_14_an_id_token_that_is_not_for_us_now_by_a_key_of_the_provider_counts_for_nothing() {
    let scene = Scene::start().await;
    let before = scene.users().await;
    let (past, issuer) = (1_700_000_000, scene.provider.issuer.clone());
    let cases = [
        ("nonce", json!({ "nonce": "another" }), Value::Null),
        ("no nonce", json!({ "nonce": null }), Value::Null),
        ("iss", json!({ "iss": "https://evil.example" }), Value::Null),
        ("iss, almost", json!({ "iss": format!("{issuer}/") }), Value::Null),
        ("aud", json!({ "aud": "another" }), Value::Null),
        ("one audience more", json!({ "aud": ["sekisho", "another"] }), Value::Null),
        ("azp", json!({ "azp": "another" }), Value::Null),
        ("exp", json!({ "exp": past }), Value::Null),
        ("no exp", json!({ "exp": null }), Value::Null),
        ("no sub", json!({ "sub": "" }), Value::Null),
        ("alg none", json!({}), json!({ "alg": "none" })),
        ("HS256 under the client secret", json!({}), json!({ "alg": "HS256" })),
        ("an unknown key", json!({}), json!({ "kid": "unknown" })),
    ];
    for (case, token, header) in cases {
        scene.provider.control(&json!({ "token": token, "header": header })).await;
        let answer = scene.sign_in(&mut scene.browser(), &mut scene.there()).await;
        assert_eq!(answer.status.as_u16(), 403, "{case}: {}", text(&answer));
        assert!(text(&answer).contains("not signed in"), "{case}: {}", text(&answer));
    }
    assert_eq!(scene.users().await, before);
    scene.provider.control(&json!({ "token": null, "header": null })).await;
    location(&scene.sign_in(&mut scene.browser(), &mut scene.there()).await);
}

#[tokio::test]
async fn attack_20_keys_that_nobody_knows_are_looked_for_once_and_not_each_time() {
    let scene = Scene::start().await;
    scene.provider.control(&json!({ "header": { "kid": "unknown" } })).await;
    for _ in 0..5 {
        let answer = scene.sign_in(&mut scene.browser(), &mut scene.there()).await;
        says(&answer, 403, "not signed in");
    }
    assert!(scene.provider.count("/jwks").await <= 2, "{}", scene.provider.count("/jwks").await);
}

#[tokio::test]
async fn whoever_says_no_at_the_provider_is_told_so_here() {
    let scene = Scene::start().await;
    scene.provider.control(&json!({ "who": null })).await;
    says(&scene.sign_in(&mut scene.browser(), &mut scene.there()).await, 403, "not signed in");
}
