//! What somebody allowed is theirs to see and to take back.

use super::scene::{Scene, back};
use crate::people::Person;
use crate::people::browser::{hidden, location, text};

#[tokio::test]
async fn somebody_sees_what_they_allowed_and_takes_it_back() {
    let mut scene = Scene::start().await;
    scene.allow(&scene.request()).await;
    let page = scene.browser.get("/account/grants").await;
    let shown = text(&page);
    for told in ["Notes &lt;b&gt;&amp;&lt;/b&gt;", "Tools", "Acme", "mcp:write"] {
        assert!(shown.contains(told), "{told} in {shown}");
    }
    let answer = scene.browser.fill(&page, "/account/grants/revoke", &[]).await;
    assert_eq!(location(&answer), "/account/grants?done=revoked");
    let page = text(&scene.browser.get("/account/grants?done=revoked").await);
    assert!(page.contains("It is taken back") && page.contains("No application may use"), "{page}");
    assert_eq!(scene.grants().await[0].2, "revoked");
    // What was remembered is forgotten.
    assert_eq!(scene.ask(&scene.request()).await.status.as_u16(), 200);
}

#[tokio::test]
async fn attack_41_nobody_takes_back_what_somebody_else_allowed() {
    let mut scene = Scene::start().await;
    scene.allow(&scene.request()).await;
    let grant = scene.grants().await[0].0.clone();
    let carl = Person::member(&scene.world, "Carl", "owner").await;
    let mut theirs = carl.browser(&scene.world).await;
    let page = theirs.get("/account/grants").await;
    assert!(!text(&page).contains(&grant));
    let csrf = hidden(&page)[0].1.clone();
    let own = theirs.post("/account/grants/revoke", &[("csrf", &csrf), ("grant", &grant)]).await;
    let none = uuid::Uuid::new_v4().to_string();
    let other = theirs.post("/account/grants/revoke", &[("csrf", &csrf), ("grant", &none)]).await;
    assert_eq!(location(&own), location(&other), "the two look alike");
    assert_eq!(scene.grants().await[0].2, "live");
    assert!(back(&scene.ask(&scene.request()).await).contains_key("code"));
}
