//! The provider is gone, or answers nothing: whoever is here goes on for a while, whoever is not stays out, and nobody else notices.

use std::time::Duration;

use api::config::ProviderLimits;
use harness::Settings;
use serde_json::json;

use super::refused::changed;
use super::scene::{Scene, says, until};
use crate::people::browser::{location, text};

const TOLD: &str = "does not answer right now. You can go on for a while";
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Left alone after two failures, for so short that tests need not wait long.
pub(super) fn limits() -> ProviderLimits {
    ProviderLimits {
        request: Duration::from_secs(3),
        contact: Duration::from_millis(1),
        failures_max: 2,
        open: Duration::from_secs(1),
        ..Settings::default().providers
    }
}

/// A provider that is asked again at once: no answer of before is recent enough.
async fn forgetful() -> Scene {
    Scene::with(Settings { providers: limits(), ..Settings::default() }).await
}

#[tokio::test]
async fn attack_36_whoever_is_here_goes_on_while_the_provider_is_killed_and_whoever_is_not_stays_out() {
    let mut scene = forgetful().await;
    let mut ann = scene.signed_in("ann").await;
    scene.provider.kill().await;
    scene.minutes_pass(61).await;
    scene.lose_contact().await;
    says(&ann.get("/account/grants").await, 200, TOLD);
    // However often and wherever: it is told once.
    for _ in 0..5 {
        says(&ann.get("/account/grants").await, 200, TOLD);
    }
    assert_eq!(scene.told("fallback_began").await, 1);
    assert_eq!(scene.listed().await["degraded"], true);
    assert_eq!(scene.number("select count(*) from sessions where degraded_since is not null").await, 1);
    assert!(scene.metric("sekisho_provider_fallbacks_total 1").await);
    // A first sign-in is refused, and says why; everything else answers.
    let refused = scene.choose(&mut scene.browser()).await;
    says(&refused, 503, "That service does not answer right now");
    assert!(refused.header("retry-after").is_some());
    assert!(scene.world.node.http().get("/healthz").await.status.is_success());
    // Suspended here is suspended here.
    let user = scene.text("select aggregate_id from events where event_type = 'identity_linked'").await;
    let admin = scene.world.admin();
    admin.post(&format!("/v1/deployment/users/{user}/suspend"), &json!({ "reason": "left" })).await.good();
    assert!(location(&ann.get("/account/grants").await).starts_with("/sign-in?"));
    admin.post(&format!("/v1/deployment/users/{user}/resume"), &json!({})).await.good();
    // It is back: the session is renewed by a redirect, and all is as before.
    scene.provider.again().await;
    until("the provider is asked again", async || {
        location_of(&ann.get("/account/grants").await)
            .is_some_and(|place| place.starts_with("/sign-in/renew?"))
    })
    .await;
    let renewal = location(&ann.get("/account/grants").await);
    let there = location(&ann.get(&renewal).await);
    let back = scene.back(&there, &mut scene.there()).await;
    assert_eq!(location(&ann.get(&back).await), "/account/grants");
    let page = ann.get("/account/grants").await;
    says(&page, 200, "Your account");
    assert!(!text(&page).contains(TOLD), "{}", text(&page));
    assert_eq!(
        (scene.told("fallback_ended").await, scene.listed().await["degraded"].clone()),
        (1, json!(false))
    );
}

#[tokio::test]
async fn attack_36_a_frozen_provider_keeps_nobody_waiting_for_long_and_its_word_is_over_one_day() {
    let scene = forgetful().await;
    let mut ann = scene.signed_in("ann").await;
    scene.provider.freeze();
    scene.minutes_pass(61).await;
    scene.lose_contact().await;
    says(&ann.get("/account/grants").await, 200, TOLD);
    assert!(scene.world.node.http().get("/healthz").await.status.is_success());
    scene.minutes_pass(8 * 60).await;
    assert!(location(&ann.get("/account/grants").await).starts_with("/sign-in?"), "too long ago");
    assert_eq!(scene.told("fallback_began").await, 1);
    scene.provider.thaw();
    until("the provider is asked again", async || {
        location_of(&ann.get("/account/grants").await)
            .is_some_and(|place| place.starts_with("/sign-in/renew?"))
    })
    .await;
}

#[tokio::test]
async fn attack_36_after_failures_in_a_row_it_is_left_alone_and_one_request_finds_out() {
    let scene = Scene::with(Settings {
        providers: ProviderLimits { open: Duration::from_mins(10), ..limits() },
        ..Settings::default()
    })
    .await;
    scene.provider.control(&json!({ "fails": true })).await;
    let before = scene.provider.count(DISCOVERY).await;
    for _ in 0..8 {
        says(&scene.choose(&mut scene.browser()).await, 503, "does not answer");
    }
    assert_eq!(scene.provider.count(DISCOVERY).await, before + 2);
    assert_eq!(scene.listed().await["breaker"], "open");
    assert!(scene.metric("sekisho_provider_requests_total{outcome=\"held_back\"}").await);
}

#[tokio::test]
async fn attack_36_one_request_finds_out_whether_it_is_back_and_nobody_waits_for_that() {
    let limits = ProviderLimits { request: Duration::from_mins(1), ..limits() };
    let scene = Scene::with(Settings { providers: limits, ..Settings::default() }).await;
    scene.provider.control(&json!({ "fails": true })).await;
    for _ in 0..2 {
        says(&scene.choose(&mut scene.browser()).await, 503, "does not answer");
    }
    until("it may be tried again", async || scene.listed().await["breaker"] == "half_open").await;
    scene.provider.control(&json!({ "fails": false, "holds": true })).await;
    let before = scene.provider.count(DISCOVERY).await;
    let mut browser = scene.browser();
    let page = browser.get("/sign-in").await;
    let finds_out = tokio::spawn(async move { browser.fill(&page, "/sign-in/provider/acme", &[]).await });
    until("one tries", async || scene.provider.count(DISCOVERY).await == before + 1).await;
    for _ in 0..5 {
        says(&scene.choose(&mut scene.browser()).await, 503, "does not answer");
    }
    assert_eq!(scene.provider.count(DISCOVERY).await, before + 1);
    scene.provider.control(&json!({ "holds": false })).await;
    assert_eq!(finds_out.await.unwrap().status.as_u16(), 200);
    assert_eq!(scene.listed().await["breaker"], "closed");
}

#[tokio::test]
async fn attack_36_a_provider_that_leads_people_on_and_exchanges_nothing_is_one_that_does_not_answer() {
    let scene = forgetful().await;
    let (mut ann, mut there) = (scene.browser(), scene.there());
    location(&scene.sign_in(&mut ann, &mut there).await);
    scene.provider.control(&json!({ "fails": "/token" })).await;
    scene.minutes_pass(61).await;
    let renewal = location(&ann.get("/account/grants").await);
    let away = location(&ann.get(&renewal).await);
    let back = scene.back(&away, &mut there).await;
    let next = ann.get(&back).await;
    assert_eq!(location(&next), "/account/grants");
    until("the word of before counts", async || {
        let page = ann.get("/account/grants").await;
        if page.status.as_u16() == 200 {
            says(&page, 200, TOLD);
            return true;
        }
        // It took so long that another try was due.
        let away = location(&ann.get(&location(&page)).await);
        let back = scene.back(&away, &mut there).await;
        ann.get(&back).await;
        false
    })
    .await;
    assert_eq!(scene.told("fallback_began").await, 1);
}

/// Left alone for so long that a test would notice.
async fn unforgiving() -> Scene {
    let providers = ProviderLimits { open: Duration::from_mins(10), ..limits() };
    Scene::with(Settings { providers, ..Settings::default() }).await
}

/// Whoever is here is led to the provider, which is there.
async fn is_renewed(scene: &Scene, mut browser: crate::people::browser::Browser) {
    scene.minutes_pass(61).await;
    let answer = browser.get("/account/grants").await;
    assert!(location(&answer).starts_with("/sign-in/renew?"), "{}", location(&answer));
    assert_eq!(scene.listed().await["breaker"], "closed");
    assert_eq!(scene.told("fallback_began").await, 0);
}

#[tokio::test]
async fn attack_36_codes_that_a_provider_refuses_do_not_make_it_one_that_does_not_answer() {
    let scene = unforgiving().await;
    let ann = scene.signed_in("ann").await;
    for _ in 0..5 {
        let mut stranger = scene.browser();
        let back = scene.there_and_back(&mut stranger, &mut scene.there()).await;
        says(&stranger.get(&changed(&back, "code", Some("made-up"))).await, 403, "not signed in");
    }
    is_renewed(&scene, ann).await;
}

#[tokio::test]
async fn attack_36_one_exchange_that_fails_does_not_make_a_provider_one_that_does_not_answer() {
    let scene = unforgiving().await;
    let ann = scene.signed_in("ann").await;
    let mut stranger = scene.browser();
    let back = scene.there_and_back(&mut stranger, &mut scene.there()).await;
    scene.provider.control(&json!({ "fails": "/token" })).await;
    says(&stranger.get(&back).await, 503, "does not answer");
    scene.provider.control(&json!({ "fails": false })).await;
    is_renewed(&scene, ann).await;
}

#[tokio::test]
async fn a_session_that_is_to_be_renewed_can_be_left() {
    let scene = Scene::start().await;
    let (mut ann, mut there) = (scene.browser(), scene.there());
    location(&scene.sign_in(&mut ann, &mut there).await);
    scene.minutes_pass(61).await;
    let page = ann.get("/sign-out").await;
    says(&page, 200, "Sign out of this browser?");
    says(&ann.fill(&page, "/sign-out", &[]).await, 200, "You are signed out");
    assert_eq!(scene.number("select count(*) from sessions").await, 0);
    assert!(location(&ann.get("/account/grants").await).starts_with("/sign-in?"));
}

#[tokio::test]
async fn a_session_is_renewed_for_its_own_person_alone() {
    let scene = Scene::start().await;
    let (mut ann, mut there) = (scene.browser(), scene.there());
    location(&scene.sign_in(&mut ann, &mut there).await);
    scene.minutes_pass(61).await;
    let renewal = location(&ann.get("/account/grants").await);
    assert!(renewal.starts_with("/sign-in/renew?next=%2Faccount%2Fgrants"), "{renewal}");
    // Somebody else is signed in at the provider by now.
    scene.provider.control(&json!({ "who": "mallory" })).await;
    let away = location(&ann.get(&renewal).await);
    let back = scene.back(&away, &mut scene.there()).await;
    says(&ann.get(&back).await, 403, "Another account is signed in there");
    // The person themself, whom the provider still knows.
    let away = location(&ann.get(&renewal).await);
    let back = scene.back(&away, &mut there).await;
    assert_eq!(location(&ann.get(&back).await), "/account/grants");
    assert_eq!(ann.get("/account/grants").await.status.as_u16(), 200);
}

fn location_of(answer: &harness::Answer) -> Option<String> {
    answer.header("location").map(str::to_owned)
}
