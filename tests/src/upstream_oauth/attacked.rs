//! What servers, authorization servers and other people try.

use harness::{Answer, Settings, World};
use serde_json::{Value, json};
use url::Url;

use super::fixture::Fixture;
use super::scene::{Scene, led_to, page, protected};
use crate::people::Person;
use crate::people::browser::text;

/// The way there is not even begun, and the page says so.
async fn not_begun(scene: &Scene, why: &str) {
    let answer = scene.begin(&mut scene.browser().await).await;
    refused(&answer, 502, why);
    assert_eq!(scene.fixture.count("/token"), 0);
}

#[track_caller]
fn refused(answer: &Answer, status: u16, why: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", text(answer));
    assert!(text(answer).contains(why), "{}", text(answer));
}

#[tokio::test]
async fn attack_23_metadata_of_somebody_else_are_not_gone_along_with() {
    let scene = Scene::start().await;
    let server = |name: &'static str, value: Value| {
        scene.fixture.now(|ways| ways.server = [(name, value)].into());
    };
    server("issuer", json!("https://evil.example"));
    not_begun(&scene, "another issuer").await;
    server("issuer", json!(format!("{}/", scene.fixture.origin)));
    not_begun(&scene, "another issuer").await;
    server("authorization_endpoint", json!("javascript:alert(1)"));
    not_begun(&scene, "no endpoint under https").await;
    server("token_endpoint", json!("http://auth.example/token"));
    not_begun(&scene, "no endpoint under https").await;
    server("code_challenge_methods_supported", json!(null));
    not_begun(&scene, "PKCE").await;
    server("code_challenge_methods_supported", json!(["plain"]));
    not_begun(&scene, "PKCE").await;
    server("registration_endpoint", json!(null));
    not_begun(&scene, "only clients that it knows").await;
    scene.fixture.now(|ways| {
        ways.server = [].into();
        ways.resource = [("resource", json!("https://elsewhere.example/mcp"))].into();
    });
    not_begun(&scene, "another resource").await;
}

#[tokio::test]
async fn attack_24_an_answer_from_somebody_else_is_dropped_before_its_code_is_shown_to_anybody() {
    let scene = Scene::start().await;
    for iss in [None, Some("https://evil.example".to_owned()), Some(format!("{}/", scene.fixture.origin))] {
        scene.fixture.now(|ways| ways.iss = iss);
        let answer = scene.way(&mut scene.browser().await).await;
        refused(&answer, 400, "not from the authorization server that was asked");
    }
    // Also where it does not promise to name itself: a wrong name is a wrong name.
    scene.fixture.now(|ways| {
        ways.server = [("authorization_response_iss_parameter_supported", json!(null))].into();
        ways.iss = Some("https://evil.example".to_owned());
    });
    let answer = scene.way(&mut scene.browser().await).await;
    refused(&answer, 400, "not from the authorization server that was asked");
    assert_eq!(scene.fixture.count("/token"), 0);
    scene.fixture.now(|ways| ways.iss = None);
    scene.authorize().await;
}

#[tokio::test]
async fn what_is_not_allowed_there_is_told_by_its_code_alone() {
    let scene = Scene::start().await;
    scene.fixture.now(|ways| ways.denies = Some("access_denied"));
    let answer = scene.way(&mut scene.browser().await).await;
    refused(&answer, 400, "access_denied");
    assert_eq!((scene.fixture.count("/token"), scene.told("authorized").await), (0, 0));
}

#[tokio::test]
async fn attack_05_a_way_back_counts_once_for_whoever_went_in_the_browser_that_went() {
    let scene = Scene::start().await;
    let mut browser = scene.browser().await;
    let back = scene.there(&mut browser).await;
    let mut another_browser = scene.browser().await;
    refused(&another_browser.get(&back).await, 400, "nobody is on the way");
    let pat = Person::member(&scene.world, "Pat", "owner").await;
    refused(&pat.browser(&scene.world).await.get(&back).await, 400, "nobody is on the way");
    assert_eq!(scene.fixture.count("/token"), 0);
    assert_eq!(browser.get(&back).await.status.as_u16(), 200);
    refused(&browser.get(&back).await, 400, "nobody is on the way");
    assert_eq!(scene.fixture.count("/token"), 1);
    for made_up in ["", "?code=x", "?state=x&code=y", "?code=x&code=y&state=z"] {
        let answer = browser.get(&format!("/connections/callback{made_up}")).await;
        assert_eq!(answer.status.as_u16(), 400, "{made_up}");
    }
}

#[tokio::test]
async fn only_whoever_holds_a_connection_authorizes_it_and_for_others_there_is_none() {
    let scene = Scene::start().await;
    let page = scene.page().await;
    let path = url::Url::parse(&page).expect("an address").path().to_owned();
    let member = Person::member(&scene.world, "Mia", "member").await;
    let stranger = Person::registered(&scene.world, "Sam").await;
    for person in [member, stranger] {
        let mut browser = person.browser(&scene.world).await;
        let theirs = browser.get(&path).await;
        let nobodys = browser.get(&format!("/connections/{}/authorize", uuid::Uuid::new_v4())).await;
        assert_eq!((theirs.status.as_u16(), &theirs.bytes), (404, &nobodys.bytes));
    }
    let answer = scene.world.node.http().get(&path).await;
    let location = answer.header("location").expect("a way to the sign-in");
    assert!(
        answer.status.as_u16() == 303 && location.starts_with("/sign-in?next=%2Fconnections%2F"),
        "{location}"
    );
}

#[tokio::test]
async fn attack_49_what_one_member_allowed_is_nobody_elses() {
    let scene = Scene::start().await;
    let token_of = |shown: Vec<Option<String>>| shown.last().cloned().flatten().expect("a token");
    scene.authorize().await;
    scene.call().await.good();
    let first = token_of(scene.fixture.shown());
    let second = protected(&scene.world, &scene.fixture.url(), &json!({})).await;
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let http = scene.world.node.http().as_key(second.api_key());
    http.post(&second.path(), &message).await.refused_call(502, "upstream-authorization-needed", &json!(1));
    let page = page(&scene.world, &second).await;
    let mut browser = scene.browser().await;
    let back = super::scene::there(&mut browser, &scene.world.node.running.url, &page).await;
    assert_eq!(browser.get(&back).await.status.as_u16(), 200);
    http.post(&second.path(), &message).await.good();
    assert_ne!(token_of(scene.fixture.shown()), first);
}

#[tokio::test]
async fn attack_22_what_a_server_names_is_reached_only_where_servers_of_organizations_may_be() {
    let closed = Settings { upstream_loopback: api::config::Loopback::Refused, ..Settings::default() };
    let (world, fixture, bystander) =
        (World::with(closed).await, Fixture::start().await, Fixture::start().await);
    let olga = Person::member(&world, "Olga", "owner").await;
    // A name is judged where it leads.
    let named = Url::parse(&fixture.url().as_str().replace("127.0.0.1", "localhost")).expect("an address");
    let instance = protected(&world, &named, &json!({})).await;
    let begun = super::scene::begin(&mut olga.browser(&world).await, &page(&world, &instance).await).await;
    assert_eq!(begun.status.as_u16(), 502, "{}", text(&begun));
    assert_eq!(fixture.count_of_all(), 0, "the server itself is on this machine");
    // A server of the deployment's own catalogue may be here, and still leads nobody to what else is.
    fixture.now(|ways| ways.resource = [("authorization_servers", json!([bystander.origin]))].into());
    let server = json!({
        "name": "Catalogue", "transport": { "http": { "url": fixture.url() } }, "oauth": {}, "visibility": "public",
    });
    let made = world.admin().post("/v1/deployment/servers", &server).await.good();
    let instance = world.instance_of_server(made["id"].as_str().expect("an id")).await;
    let page = page(&world, &instance).await;
    let answer = super::scene::begin(&mut olga.browser(&world).await, &page).await;
    assert_eq!(answer.status.as_u16(), 502, "{}", text(&answer));
    assert!(fixture.count_of_all() > 0 && bystander.count_of_all() == 0);
    // Nor do its own metadata, whichever endpoint they put there.
    for (no_resource, endpoint) in
        [(false, "/register"), (true, "/register"), (false, "/token"), (true, "/token")]
    {
        let name = if endpoint == "/register" { "registration_endpoint" } else { "token_endpoint" };
        fixture.now(|ways| {
            ways.no_resource = no_resource;
            ways.resource = [].into();
            ways.server = [(name, json!(format!("{}{endpoint}", bystander.origin)))].into();
        });
        let mut browser = olga.browser(&world).await;
        let status = if endpoint == "/register" {
            super::scene::begin(&mut browser, &page).await.status
        } else {
            let back = super::scene::there(&mut browser, &world.node.running.url, &page).await;
            browser.get(&back).await.status
        };
        assert_eq!(status.as_u16(), 502, "{no_resource} {endpoint}");
        assert_eq!(bystander.count_of_all(), 0, "{no_resource} {endpoint}");
    }
}

#[tokio::test]
async fn attack_24_a_server_that_does_not_name_itself_sends_nobody_to_another_ones_page() {
    let (scene, honest) = (Scene::start().await, Fixture::start().await);
    scene.fixture.now(|ways| {
        ways.server = [
            ("authorization_response_iss_parameter_supported", json!(false)),
            ("authorization_endpoint", json!(format!("{}/authorize", honest.origin))),
        ]
        .into();
    });
    not_begun(&scene, "does not promise to name itself").await;
    assert_eq!(honest.count_of_all(), 0);
}

#[tokio::test]
async fn an_authorization_server_that_was_chosen_is_the_only_one() {
    let chosen = Fixture::start().await;
    let scene = Scene::with(Settings::default(), &json!({ "issuer": chosen.origin })).await;
    not_begun(&scene, "does not name the authorization server that was chosen").await;
    assert_eq!(chosen.count_of_all(), 0);
}

#[tokio::test]
async fn a_wish_for_ever_more_scopes_fills_no_log_and_leads_nobody_in_circles() {
    let scene = Scene::start().await;
    scene.authorize().await;
    scene.fixture.now(|ways| ways.never_enough = true);
    let before = (scene.fixture.count("/authorize"), scene.fixture.count("/token"));
    for _ in 0..10 {
        scene.needs_authorization().await;
    }
    assert_eq!(scene.told("scopes_wanted").await, 3);
    assert_eq!((scene.fixture.count("/authorize"), scene.fixture.count("/token")), before);
}

#[tokio::test]
async fn a_server_that_refuses_every_token_does_not_make_us_knock_at_its_authorization_server() {
    let scene = Scene::start().await;
    scene.authorize().await;
    for _ in 0..5 {
        scene.fixture.forget_access();
        scene.call().await;
    }
    assert!(scene.fixture.count("/token") <= 3, "{}", scene.fixture.count("/token"));
    assert_eq!(scene.told("authorization_lost").await, 0);
}

#[tokio::test]
async fn attack_40_the_page_that_leads_there_leads_nowhere_else() {
    let scene = Scene::start().await;
    let begun = scene.begin(&mut scene.browser().await).await;
    assert!(led_to(&begun).starts_with(&format!("{}/authorize?", scene.fixture.origin)));
    assert_eq!(begun.header("referrer-policy"), Some("no-referrer"));
}
