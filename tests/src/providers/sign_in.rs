//! First visits, second visits, and what a browser is led to a provider with.

use serde_json::json;

use super::scene::{Scene, led_to, says};
use crate::people::browser::{location, text};

#[tokio::test]
async fn whoever_comes_first_becomes_a_user_with_an_organization_and_is_the_same_ever_after() {
    let scene = Scene::start().await;
    let before = scene.users().await;
    let mut browser = scene.browser();
    let welcome = location(&scene.sign_in(&mut browser, &mut scene.there()).await);
    assert!(welcome.starts_with("/welcome?next="), "{welcome}");
    says(&browser.get(&welcome).await, 200, "@user-");
    let account = browser.get("/account/grants").await;
    says(&account, 200, "Acme ID");
    assert!(!text(&account).contains("does not answer right now"), "{}", text(&account));
    // Once more, elsewhere: nobody is made.
    let mut elsewhere = scene.browser();
    let answer = scene.sign_in(&mut elsewhere, &mut scene.there()).await;
    assert_eq!(location(&answer), "/account/grants");
    assert_eq!((scene.users().await, scene.told("identity_linked").await), (before + 1, 1));
    // The person at the provider is nobody's business in the log.
    let clear = scene.number("select count(*) from events where payload::text like '%\"ann\"%'").await;
    assert_eq!(clear, 0);
}

#[tokio::test]
async fn the_same_newcomer_in_many_browsers_at_once_is_one_user() {
    let scene = Scene::start().await;
    let before = scene.users().await;
    let mut ways = Vec::new();
    for _ in 0..6 {
        let mut browser = scene.browser();
        let back = scene.there_and_back(&mut browser, &mut scene.there()).await;
        ways.push((browser, back));
    }
    let arriving =
        ways.into_iter().map(|(mut browser, back)| tokio::spawn(async move { browser.get(&back).await }));
    for arrived in arriving.collect::<Vec<_>>() {
        location(&arrived.await.unwrap());
    }
    assert_eq!((scene.users().await, scene.told("identity_linked").await), (before + 1, 1));
}

#[tokio::test]
async fn attack_08_an_address_that_somebody_has_here_makes_nobody_them() {
    let scene = Scene::start().await;
    // The founder is ann@example.com here, and so is Ann over there.
    let mut browser = scene.signed_in("ann").await;
    let account = text(&browser.get("/account/grants").await);
    assert!(!account.contains("ann@example.com"), "{account}");
    let mut other = scene.signed_in("cora").await;
    assert!(text(&other.get("/account/grants").await).contains("cora@example.com"));
    let mut unverified = scene.signed_in("unverified-dan").await;
    let account = text(&unverified.get("/account/grants").await);
    assert!(!account.contains("unverified-dan@example.com"), "{account}");
}

#[tokio::test]
async fn what_is_sent_along_is_drawn_anew_each_time_and_proves_that_it_is_ours() {
    let scene = Scene::start().await;
    let mut browser = scene.browser();
    let (one, other) = (led_to(&scene.choose(&mut browser).await), led_to(&scene.choose(&mut browser).await));
    let parameter = |address: &str, name: &str| {
        let url = url::Url::parse(address).unwrap();
        let found = url.query_pairs().find(|(key, _)| key == name);
        found.unwrap_or_else(|| panic!("{name} in {address}")).1.into_owned()
    };
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(parameter(&one, name), parameter(&other, name), "{name}");
    }
    assert_eq!(parameter(&one, "code_challenge_method"), "S256");
    assert_eq!(parameter(&one, "scope"), "openid email profile");
    let callback = format!("{}/sign-in/callback/acme", scene.world.node.running.url);
    assert_eq!(parameter(&one, "redirect_uri"), callback);
    // Nothing of it is to be found where it is kept.
    let state = parameter(&one, "state");
    let query = format!("select count(*) from provider_visits v where v::text like '%{state}%'");
    assert_eq!(scene.number(&query).await, 0);
}

#[tokio::test]
async fn attack_07_the_session_after_the_way_there_is_another_than_the_one_before() {
    let scene = Scene::start().await;
    let mut browser = scene.browser();
    let back = scene.there_and_back(&mut browser, &mut scene.there()).await;
    let before = browser.cookies.clone();
    location(&browser.get(&back).await);
    assert_ne!(browser.cookies, before);
    let mut attacker = scene.browser();
    attacker.cookies = before;
    assert!(location(&attacker.get("/account/grants").await).starts_with("/sign-in?"));
}

#[tokio::test]
async fn attack_36_whoever_is_suspended_here_is_not_let_in_whatever_the_provider_says() {
    let scene = Scene::start().await;
    let mut browser = scene.signed_in("cora").await;
    let user = scene.text("select aggregate_id from events where event_type = 'identity_linked'").await;
    let suspend = format!("/v1/deployment/users/{user}/suspend");
    scene.world.admin().post(&suspend, &json!({ "reason": "left" })).await.good();
    assert!(
        location(&browser.get("/account/grants").await).starts_with("/sign-in?"),
        "the session counts no more"
    );
    let answer = scene.sign_in(&mut scene.browser(), &mut scene.there()).await;
    says(&answer, 403, "may not sign in here");
}
