//! Identities that lead to an account which is here already.

use harness::{Answer, Scripted, ScriptedUpstream};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use super::grants::{CALLBACK, Client};
use super::scene::{Scene, led_to, says, until};
use crate::people::browser::{Browser, hidden, location, text};
use crate::people::{PASSWORD, Person};

/// Sends a form of the account page.
async fn send(browser: &mut Browser, action: &str, field: (&str, &str)) -> Answer {
    let page = browser.get("/account/grants").await;
    let csrf = hidden(&page).into_iter().find(|(name, _)| name == "csrf").unwrap().1;
    browser.post(&format!("/account/identities/{action}"), &[("csrf", &csrf), field]).await
}

/// Asks for one identity more, and comes back with it: where that leads.
pub(super) async fn link(scene: &Scene, browser: &mut Browser) -> String {
    let asked = send(browser, "link", ("provider", "acme")).await;
    let back = scene.back(&led_to(&asked), &mut scene.there()).await;
    location(&browser.get(&back).await)
}

async fn unlink(scene: &Scene, browser: &mut Browser) -> String {
    location(&send(browser, "unlink", ("issuer", &scene.provider.issuer)).await)
}

#[tokio::test]
async fn an_identity_is_linked_signs_in_and_is_unlinked() {
    let scene = Scene::start().await;
    let bea = Person::member(&scene.world, "Bea", "member").await;
    let mut browser = bea.browser(&scene.world).await;
    assert_eq!(link(&scene, &mut browser).await, "/account/grants?done=linked");
    let mut elsewhere = scene.signed_in("ann").await;
    says(&elsewhere.get("/account/grants").await, 200, "bea@example.com");
    assert_eq!(unlink(&scene, &mut browser).await, "/account/grants?done=unlinked");
    // Nobody can vouch for that session any more.
    assert!(location(&elsewhere.get("/account/grants").await).starts_with("/sign-in?"));
    assert_eq!(scene.number("select count(*) from provider_vouchers").await, 0);
    let before = scene.users().await;
    scene.signed_in("ann").await;
    assert_eq!(scene.users().await, before + 1, "the identity was free");
}

#[tokio::test]
async fn attack_08_whoever_showed_long_ago_who_they_are_shows_it_again_before_anything_is_linked_or_unlinked()
{
    let scene = Scene::start().await;
    let bea = Person::member(&scene.world, "Bea", "member").await;
    let mut browser = bea.browser(&scene.world).await;
    scene.execute("update sessions set proved_at = proved_at - interval '6 minutes'").await;
    let again = location(&send(&mut browser, "link", ("provider", "acme")).await);
    assert_eq!(again, "/sign-in?again=1&next=/account/grants");
    let form = browser.get(&again).await;
    says(&form, 200, "sign in once more");
    let answer = browser.fill(&form, "/sign-in", &[("email", &bea.email), ("password", PASSWORD)]).await;
    assert_eq!(location(&answer), "/account/grants");
    assert_eq!(link(&scene, &mut browser).await, "/account/grants?done=linked");
    scene.execute("update sessions set proved_at = proved_at - interval '6 minutes'").await;
    assert_eq!(unlink(&scene, &mut browser).await, "/sign-in?again=1&next=/account/grants");
}

#[tokio::test]
async fn attack_08_nothing_is_linked_in_a_session_that_ends_while_the_provider_is_asked() {
    let scene = Scene::start().await;
    let bea = Person::member(&scene.world, "Bea", "member").await;
    let mut thief = bea.browser(&scene.world).await;
    let asked = send(&mut thief, "link", ("provider", "acme")).await;
    let back = scene.back(&led_to(&asked), &mut scene.there()).await;
    scene.provider.freeze();
    let linking = tokio::spawn(async move { thief.get(&back).await });
    until("its state is used up, and the provider is asked", async || {
        scene.number("select count(*) from provider_visits").await == 0
    })
    .await;
    bea.set_password(&scene.world, "another good one").await;
    scene.provider.thaw();
    says(&linking.await.unwrap(), 403, "out of date");
    assert_eq!(scene.told("identity_linked").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_08_nobody_is_signed_in_by_an_identity_that_is_unlinked_at_that_moment() {
    let scene = Scene::start().await;
    let bea = Person::member(&scene.world, "Bea", "member").await;
    let mut browser = bea.browser(&scene.world).await;
    assert_eq!(link(&scene, &mut browser).await, "/account/grants?done=linked");
    let mut thief = scene.browser();
    let back = scene.there_and_back(&mut thief, &mut scene.there()).await;
    let mut own = PgConnection::connect(&scene.world.database.url).await.unwrap();
    let mut holding = own.begin().await.unwrap();
    sqlx::query("lock table provider_vouchers in exclusive mode").execute(&mut *holding).await.unwrap();
    let coming = tokio::spawn(async move { (thief.get(&back).await, thief) });
    let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
        and query like '%provider_vouchers%'";
    until("they are known, and about to be vouched for", async || scene.number(waiting).await == 1).await;
    let parting = async {
        assert_eq!(unlink(&scene, &mut browser).await, "/account/grants?done=unlinked");
    };
    let letting_go = async {
        until("the identity is unlinked", async || scene.number(waiting).await == 2).await;
        holding.commit().await.unwrap();
    };
    tokio::join!(parting, letting_go);
    let (answer, mut thief) = coming.await.unwrap();
    assert_eq!(answer.status.as_u16(), 403, "{}", text(&answer));
    assert!(location(&thief.get("/account/grants").await).starts_with("/sign-in"));
}

#[tokio::test]
async fn attack_10_a_code_is_good_for_nothing_after_its_session_ended_with_the_identity() {
    let scene = Scene::start().await;
    let bea = Person::member(&scene.world, "Bea", "member").await;
    let mut browser = bea.browser(&scene.world).await;
    assert_eq!(link(&scene, &mut browser).await, "/account/grants?done=linked");
    let on_its_way = "select count(*) from authorization_codes where consumed_at is null and expires_at > clock_timestamp()";
    let upstream = ScriptedUpstream::start(Scripted::Tools(vec![("echo", false)])).await;
    let instance = scene.world.instance_in_front_of(&upstream.url).await.id;
    let client = Client::register(&scene, &instance).await;
    let mut elsewhere = scene.signed_in("ann").await;
    client.allowed(&mut elsewhere, CALLBACK).await;
    assert_eq!(scene.number(on_its_way).await, 1);
    assert_eq!(unlink(&scene, &mut browser).await, "/account/grants?done=unlinked");
    assert_eq!(scene.number(on_its_way).await, 0);
}

#[tokio::test]
async fn whoever_shows_it_again_at_the_provider_is_asked_there_and_not_waved_through() {
    let scene = Scene::start().await;
    let (mut browser, mut there) = (scene.browser(), scene.there());
    location(&scene.sign_in(&mut browser, &mut there).await);
    scene.execute("update sessions set proved_at = proved_at - interval '6 minutes'").await;
    let form = browser.get("/sign-in?again=1&next=/account/grants").await;
    let asked = browser.fill(&form, "/sign-in/provider/acme", &[("again", "1")]).await;
    assert!(led_to(&asked).contains("prompt=login"), "{}", led_to(&asked));
    // A provider that waves through all the same is not believed.
    scene.provider.control(&json!({ "token": { "auth_time": 1_700_000_000 } })).await;
    let back = scene.back(&led_to(&asked), &mut there).await;
    says(&browser.get(&back).await, 403, "not signed in");
    scene.provider.control(&json!({ "token": null })).await;
    let asked = browser.fill(&form, "/sign-in/provider/acme", &[("again", "1")]).await;
    let back = scene.back(&led_to(&asked), &mut there).await;
    assert_eq!(location(&browser.get(&back).await), "/account/grants");
    // Fresh enough to be refused for another reason.
    assert_eq!(unlink(&scene, &mut browser).await, "/account/grants?done=last-way-in");
}

#[tokio::test]
async fn attack_08_an_identity_of_somebody_else_is_not_taken_and_the_last_way_in_stays() {
    let scene = Scene::start().await;
    let mut ann = scene.signed_in("ann").await;
    let bea = Person::member(&scene.world, "Bea", "member").await;
    let mut browser = bea.browser(&scene.world).await;
    assert_eq!(link(&scene, &mut browser).await, "/account/grants?done=not-linked");
    // A provider that does not tell when it asked Ann itself does not make her session a fresh one.
    assert_eq!(unlink(&scene, &mut ann).await, "/sign-in?again=1&next=/account/grants");
    scene.execute("update sessions set proved_at = clock_timestamp()").await;
    assert_eq!(unlink(&scene, &mut ann).await, "/account/grants?done=last-way-in");
}

#[tokio::test]
async fn attack_08_a_verified_address_leads_to_whoever_is_signed_in_under_it_and_to_nobody_else() {
    let scene = Scene::start().await;
    scene.match_by_email().await;
    let bea = Person::member(&scene.world, "Bea", "member").await;
    let before = scene.users().await;
    // Nobody is signed in: somebody new, without the address.
    let mut stranger = scene.signed_in("bea").await;
    assert!(!text(&stranger.get("/account/grants").await).contains("bea@example.com"));
    assert_eq!(scene.users().await, before + 1);
    // Somebody else is signed in: somebody new as well.
    let cora = Person::member(&scene.world, "Cora", "member").await;
    let before = scene.users().await;
    scene.provider.control(&json!({ "who": "dora" })).await;
    let mut browser = bea.browser(&scene.world).await;
    let page = browser.get("/sign-in?again=1").await;
    let asked = browser.fill(&page, "/sign-in/provider/acme", &[]).await;
    let back = scene.back(&led_to(&asked), &mut scene.there()).await;
    location(&browser.get(&back).await);
    assert_eq!(scene.users().await, before + 1);
    // The person themself is: one account.
    scene.provider.control(&json!({ "who": "cora" })).await;
    let mut browser = cora.browser(&scene.world).await;
    let before = scene.users().await;
    let page = browser.get("/sign-in?again=1").await;
    let asked = browser.fill(&page, "/sign-in/provider/acme", &[]).await;
    let back = scene.back(&led_to(&asked), &mut scene.there()).await;
    assert_eq!(location(&browser.get(&back).await), "/account/grants");
    assert_eq!(scene.users().await, before);
    says(&browser.get("/account/grants").await, 200, "cora@example.com");
}
