//! Signing in: what is refused looks alike, and what is let in begins anew.

use std::time::Duration;

use harness::World;
use hyper::Method;
use serde_json::json;

use super::browser::{Browser, location, text};
use super::{PASSWORD, Person};

/// A page without what differs in every one: the token of its form.
fn shape(page: &str) -> String {
    let (before, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form");
    let (_, after) = rest.split_once('"').expect("a value");
    format!("{before}{after}")
}

#[tokio::test]
async fn attack_27_unknown_suspended_without_a_password_and_wrong_all_look_alike() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let carl = Person::member(&world, "Carl", "member").await;
    let path = format!("/v1/deployment/users/{}/suspend", carl.id);
    world.admin().json(Method::POST, &path, &json!({ "reason": "left" })).await.good();
    let mut shapes = Vec::new();
    for (email, password) in [
        (bea.email.as_str(), "wrong horse battery"),
        (bea.email.as_str(), ""),
        (bea.email.as_str(), "x"),
        (bea.email.as_str(), &*"long ".repeat(200)),
        (carl.email.as_str(), PASSWORD),
        ("ann@example.com", PASSWORD), // she has no password
        ("nobody@example.com", PASSWORD),
        ("no address at all", PASSWORD),
        ("", PASSWORD),
    ] {
        let mut browser = Browser::new(&world.node.running.url);
        let answer = browser.sign_in(email, password).await;
        assert_eq!(answer.status.as_u16(), 403, "{email}");
        assert!(answer.headers.get("set-cookie").is_none(), "{email}");
        shapes.push(shape(&text(&answer)));
    }
    assert!(shapes.iter().all(|shape| *shape == shapes[0]), "{shapes:#?}");
    assert!(shapes[0].contains("do not match"));
}

#[tokio::test]
async fn attack_27_an_unknown_address_takes_as_long_as_a_wrong_password() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let mut least = [Duration::MAX, Duration::MAX];
    for _ in 0..4 {
        for (which, email) in [bea.email.as_str(), "nobody@example.com"].into_iter().enumerate() {
            let mut browser = Browser::new(&world.node.running.url);
            let page = browser.get("/sign-in").await;
            let begun = std::time::Instant::now();
            browser.fill(&page, "/sign-in", &[("email", email), ("password", "wrong horse")]).await;
            least[which] = least[which].min(begun.elapsed());
        }
    }
    // Without the stand-in the second would take a tenth of the first; the machine may be busy.
    assert!(least[1] * 3 > least[0], "{least:?}");
}

#[tokio::test]
async fn attack_07_the_session_begins_under_a_fresh_cookie_and_the_old_one_is_nobodys() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let mut browser = Browser::new(&world.node.running.url);
    let page = browser.get("/sign-in").await;
    let planted = browser.cookies["sekisho"].clone();
    let fields = [("email", bea.email.as_str()), ("password", PASSWORD)];
    let answer = browser.fill(&page, "/sign-in", &fields).await;
    assert_eq!(location(&answer), "/account/grants");
    assert_ne!(browser.cookies["sekisho"], planted);
    // Whoever planted the cookie is not signed in by it.
    let mut attacker = Browser::new(&world.node.running.url);
    attacker.cookies.insert("sekisho".to_owned(), planted);
    assert!(location(&attacker.get("/account/grants").await).starts_with("/sign-in?next="));
    assert_eq!(browser.get("/account/grants").await.status.as_u16(), 200);
}

#[tokio::test]
async fn attack_07_a_cookie_that_was_made_up_is_nobodys() {
    let world = World::start().await;
    for made_up in ["x", "../..", &"A".repeat(43), "%00", "' or 1=1 --"] {
        let mut browser = Browser::new(&world.node.running.url);
        browser.cookies.insert("sekisho".to_owned(), made_up.to_owned());
        assert!(location(&browser.get("/account/grants").await).starts_with("/sign-in"), "{made_up}");
    }
}

#[tokio::test]
async fn attack_06_a_form_from_elsewhere_or_for_another_browser_signs_nobody_in() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let fields = [("email", bea.email.as_str()), ("password", PASSWORD), ("csrf", "x")];
    let mut browser = Browser::new(&world.node.running.url);
    let page = browser.get("/sign-in").await;
    assert_eq!(browser.post("/sign-in", &fields).await.status.as_u16(), 403);
    assert_eq!(browser.post("/sign-in", &fields[..2]).await.status.as_u16(), 403);
    // The attacker's own token in the victim's browser.
    let mut victim = Browser::new(&world.node.running.url);
    victim.get("/sign-in").await;
    assert_eq!(victim.fill(&page, "/sign-in", &fields[..2]).await.status.as_u16(), 403);
    // The right token, sent from another site.
    let csrf = super::browser::hidden(&page)[0].1.clone();
    let sent = [fields[0], fields[1], ("csrf", csrf.as_str())];
    for from in [
        [("origin", "https://evil.example")].as_slice(),
        &[("origin", "null"), ("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ] {
        assert_eq!(browser.post_from(from, "/sign-in", &sent).await.status.as_u16(), 403, "{from:?}");
    }
    location(&browser.post("/sign-in", &sent).await);
}

#[tokio::test]
async fn item_60_attack_40_nobody_is_led_to_another_site_after_signing_in() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    for next in
        ["https://evil.example/", "//evil.example", "/\\evil.example", "/v1/me", "javascript:alert(1)"]
    {
        let mut browser = Browser::new(&world.node.running.url);
        let page = browser.get(&format!("/sign-in?{}", super::browser::encoded(&[("next", next)]))).await;
        assert!(!text(&page).contains("evil.example"), "{next}");
        let fields = [("email", bea.email.as_str()), ("password", PASSWORD)];
        let answer = browser.fill(&page, "/sign-in", &fields).await;
        assert_eq!(location(&answer), "/account/grants", "{next}");
        // The same in the form itself.
        let mut browser = Browser::new(&world.node.running.url);
        let page = browser.get("/sign-in").await;
        let csrf = super::browser::hidden(&page)[0].1.clone();
        let sent = [fields[0], fields[1], ("csrf", csrf.as_str()), ("next", next)];
        assert_eq!(location(&browser.post("/sign-in", &sent).await), "/account/grants", "{next}");
    }
}

#[tokio::test]
async fn attack_42_an_address_is_the_same_in_any_case_and_width() {
    let world = World::start().await;
    Person::member(&world, "Bea", "member").await;
    for email in [" BEA@Example.COM ", "ｂｅａ@example.com"] {
        let mut browser = Browser::new(&world.node.running.url);
        assert_eq!(location(&browser.sign_in(email, PASSWORD).await), "/account/grants", "{email}");
    }
}
