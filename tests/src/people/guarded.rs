//! Every page keeps others from framing, storing and widening it, in the language of whoever reads it.

use harness::World;

use super::Person;
use super::browser::{Browser, location, text};

fn is_guarded(answer: &harness::Answer, path: &str) {
    assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
}

#[tokio::test]
async fn item_62_attack_06_no_page_may_be_framed_stored_or_scripted() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let mut browser = bea.browser(&world).await;
    let mut nobody = Browser::new(&world.node.running.url);
    let pages = ["/account/grants", "/account/password", "/sign-out", "/oauth/authorize"];
    let mut answers = vec![("/sign-in", nobody.get("/sign-in").await)];
    for path in pages {
        answers.push((path, browser.get(path).await));
    }
    for (path, answer) in &answers {
        is_guarded(answer, path);
        let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("{path}"));
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{path} {policy}");
        for part in ["form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path} {policy}");
        }
        assert!(!text(answer).contains("<script") && !text(answer).contains(" style=\""), "{path}");
    }
    let led = nobody.get("/account/grants").await;
    location(&led);
    is_guarded(&led, "a redirect");
}

#[tokio::test]
async fn pages_are_in_the_language_of_whoever_reads_them() {
    let world = World::start().await;
    let mut english = Browser::new(&world.node.running.url).with("accept-language", "en;q=0.8, fr");
    assert!(text(&english.get("/sign-in").await).contains("<html lang=\"en\">"));
    let mut japanese =
        Browser::new(&world.node.running.url).with("accept-language", "ja-JP,ja;q=0.9,en;q=0.8");
    let page = japanese.get("/sign-in").await;
    assert!(text(&page).contains("<html lang=\"ja\">") && text(&page).contains("サインイン"));
    // Asked for by name, it stays so in what follows.
    let page = english.get("/sign-in?ui_locales=ja").await;
    let answer =
        english.fill(&page, "/sign-in", &[("email", "x@example.com"), ("password", "wrong horse")]).await;
    assert!(text(&answer).contains("正しくありません"), "{}", text(&answer));
}

#[tokio::test]
async fn attack_32_a_form_that_is_none_is_refused_and_nothing_breaks() {
    let world = World::start().await;
    let mut browser = Browser::new(&world.node.running.url);
    browser.get("/sign-in").await;
    let many: Vec<(String, String)> =
        (0..1_000).map(|number| (format!("p{number}"), "x".to_owned())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(browser.post("/sign-in", &many).await.status.as_u16(), 400);
    assert_eq!(browser.post("/sign-in", &[("email", "a"), ("email", "b")]).await.status.as_u16(), 400);
    let long = "x".repeat(100_000);
    assert_eq!(browser.post("/sign-in", &[("email", &long)]).await.status.as_u16(), 400);
    for path in
        ["/sign-in", "/sign-out", "/account/grants/revoke", "/account/sessions/end", "/account/password"]
    {
        let json = world.node.http().json(hyper::Method::POST, path, &serde_json::json!({})).await;
        assert_eq!(json.status.as_u16(), 400, "{path}");
    }
}
