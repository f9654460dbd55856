//! From a good request to a code, and what is remembered of it.

use harness::World;

use super::scene::{CALLBACK, STATE, Scene, back};
use crate::people::browser::{Browser, hidden, location, text};
use crate::people::{PASSWORD, Person};

#[tokio::test]
async fn item_46_whoever_signs_in_and_allows_comes_back_with_a_code_the_state_and_the_issuer() {
    let mut scene = Scene::start().await;
    let request = scene.request();
    // Somebody who is not signed in is led there and back.
    scene.browser = Browser::new(&scene.world.node.running.url);
    let to_sign_in = location(&scene.ask(&request).await);
    let page = scene.browser.get(&to_sign_in).await;
    assert!(text(&page).contains("Notes &lt;b&gt;&amp;&lt;/b&gt;"), "{}", text(&page));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self' https://app.example.com;"), "{policy}");
    let bea = scene.bea.email.clone();
    let led = scene.browser.fill(&page, "/sign-in", &[("email", &bea), ("password", PASSWORD)]).await;
    assert_eq!(location(&led), request.path());
    let page = scene.browser.get(&request.path()).await;
    let shown = text(&page);
    for told in
        ["Notes &lt;b&gt;&amp;&lt;/b&gt;", "app.example.com", "Tools", "Acme", "mcp:read", "mcp:write", &bea]
    {
        assert!(shown.contains(told), "{told} in {shown}");
    }
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .contains("form-action 'self' https://app.example.com;")
    );
    let answer = scene.decide(&page, "allow", &["mcp:read", "mcp:write"]).await;
    assert!(location(&answer).starts_with(&format!("{CALLBACK}?code=")));
    let back = back(&answer);
    assert_eq!(back.keys().collect::<Vec<_>>(), ["code", "iss", "state"]);
    assert!(back["code"].starts_with("ac_") && back["code"].len() == 46, "{}", back["code"]);
    assert_eq!(back["state"], STATE);
    assert_eq!(back["iss"], scene.world.node.running.url);
    let grants = scene.grants().await;
    assert_eq!(grants.len(), 1);
    assert_eq!((&*grants[0].1, &*grants[0].2), (["mcp:write".to_owned()].as_slice(), "live"));
    // Of the code a digest is kept, for a minute.
    let kept = crate::gateway::canary::tables(&scene.world.node.running.pool).await;
    assert!(!kept.contains(&back["code"]), "the code stands in a table");
    let lives = "select extract(epoch from expires_at - issued_at)::float8 from authorization_codes";
    let lives: f64 = sqlx::query_scalar(lives).fetch_one(&scene.world.node.running.pool).await.unwrap();
    assert!((59.0..=61.0).contains(&lives), "{lives}");
}

#[tokio::test]
async fn what_was_allowed_is_remembered_for_a_site_and_more_is_asked_for_again() {
    let mut scene = Scene::start().await;
    let small = scene.request().with("scope", "mcp:read");
    let page = scene.ask(&small).await;
    back(&scene.decide(&page, "allow", &["mcp:read"]).await);
    let again = back(&scene.ask(&small).await);
    assert!(again.contains_key("code"), "{again:?}");
    let more = scene.ask(&scene.request()).await;
    assert_eq!(more.status.as_u16(), 200);
    back(&scene.decide(&more, "allow", &["mcp:read", "mcp:write"]).await);
    assert!(back(&scene.ask(&scene.request()).await).contains_key("code"));
    assert_eq!(scene.grants().await.len(), 1, "it is the same grant");
}

#[tokio::test]
async fn a_program_on_the_persons_computer_is_asked_for_every_time() {
    let mut scene = Scene::on_loopback().await;
    let request = scene.request().with("redirect_uri", "http://127.0.0.1:49152/callback");
    for _ in 0..2 {
        let page = scene.ask(&request).await;
        assert_eq!(
            page.status.as_u16(),
            200,
            "any program there may say that it is this client (RFC 8252, 8.6)"
        );
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("form-action 'self' http://127.0.0.1:49152;"), "{policy}");
        let answer = scene.decide(&page, "allow", &["mcp:read"]).await;
        assert!(location(&answer).starts_with("http://127.0.0.1:49152/callback?code="));
    }
}

#[tokio::test]
async fn a_viewer_is_offered_reading_alone() {
    let mut scene = Scene::start().await;
    let vera = Person::member(&scene.world, "Vera", "viewer").await;
    scene.browser = vera.browser(&scene.world).await;
    let page = scene.ask(&scene.request()).await;
    assert_eq!(text(&page).matches("type=\"checkbox\"").count(), 1);
    // A box that was never there counts for nothing.
    back(&scene.decide(&page, "allow", &["mcp:read", "mcp:write", "mcp:admin"]).await);
    assert_eq!(scene.grants().await[0].1, ["mcp:read"]);
}

#[tokio::test]
async fn the_first_visit_goes_on_to_what_was_asked() {
    let world = World::start().await;
    let dora = Person::registered(&world, "Dora").await;
    let mut browser = Browser::new(&world.node.running.url);
    let next = "/oauth/authorize?client_id=x";
    let page = browser.get(&format!("/sign-in?{}", crate::people::browser::encoded(&[("next", next)]))).await;
    let led = browser.fill(&page, "/sign-in", &[("email", &dora.email), ("password", PASSWORD)]).await;
    let welcome = browser.get(&location(&led)).await;
    assert!(text(&welcome).contains("href=\"/oauth/authorize?client_id=x\""), "{}", text(&welcome));
}

#[tokio::test]
async fn what_is_asked_in_japanese_is_shown_so_through_the_sign_in() {
    let mut scene = Scene::start().await;
    let request = scene.request().and("ui_locales", "ja");
    scene.browser = Browser::new(&scene.world.node.running.url);
    let to_sign_in = location(&scene.ask(&request).await);
    let page = scene.browser.get(&to_sign_in).await;
    assert!(text(&page).contains("サインイン"));
    let bea = scene.bea.email.clone();
    let led = scene.browser.fill(&page, "/sign-in", &[("email", &bea), ("password", PASSWORD)]).await;
    let page = scene.browser.get(&location(&led)).await;
    assert!(text(&page).contains("許可しますか"), "{}", text(&page));
    assert!(hidden(&page).iter().any(|(name, _)| name == "request"));
}
