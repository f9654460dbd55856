//! How often anybody may ask: by address, client and organization, on each surface in its own words; and on three nodes as much as on one.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use api::limits::Rates;
use api::oauth::RegistrationPolicy;
use futures_util::future::join_all;
use harness::{Answer, Node, Scripted, Settings, World};
use hyper::Method;
use serde_json::{Value, json};

use super::scene::{Scene, ask, basic, call, post_form, refused, register};
use crate::people::Person;
use crate::people::browser::{Browser, encoded, location};

const CREDENTIALS: &str = "grant_type=client_credentials";
/// No test asks so often by itself, and nothing refills so fast.
const ASKED_MAX: usize = 60;

fn of(rate: u32) -> NonZeroU32 {
    NonZeroU32::new(rate).unwrap()
}

fn settings(change: impl FnOnce(&mut Rates)) -> Settings {
    let mut rates = Rates::all(NonZeroU32::MAX);
    change(&mut rates);
    Settings { rates, public_url: None, ..Settings::default() }
}

async fn scene(change: impl FnOnce(&mut Rates)) -> Scene {
    Scene::with(Scripted::Tools(vec![("echo", false)]), settings(change)).await
}

/// Asks until it is too often.
async fn too_often(once: impl AsyncFn() -> Answer) -> Answer {
    for _ in 0..ASKED_MAX {
        let answer = once().await;
        if answer.status == 429 {
            return answer;
        }
    }
    panic!("{ASKED_MAX} were not too many");
}

/// The answer says by which limit, and how long to wait.
#[track_caller]
fn tells(answer: &Answer, limit: &str) {
    let wait: u64 = answer.header("retry-after").and_then(|wait| wait.parse().ok()).expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(answer.header("ratelimit"), Some(format!("\"{limit}\";r=0;t={wait}").as_str()));
    let policy = answer.header("ratelimit-policy").expect("a policy");
    assert!(policy.starts_with(&format!("\"{limit}\";q=")) && policy.ends_with(";w=60"), "{policy}");
}

async fn counted(world: &World, line: &str) -> bool {
    let metrics = world.node.http().get("/metrics").await;
    String::from_utf8_lossy(&metrics.bytes).contains(line)
}

#[tokio::test]
async fn item_30_an_address_that_asks_for_tokens_too_often_is_told_when_to_come_back_whatever_it_says_of_itself()
 {
    let scene = scene(|rates| rates.token_per_address = of(5)).await;
    let first = scene.ask(CREDENTIALS).await;
    first.good();
    assert_eq!(first.header("ratelimit-policy"), Some("\"address\";q=5;w=60"));
    assert_eq!(first.header("ratelimit"), Some("\"address\";r=4;t=12"));
    let elsewhere = scene.anybody().with("x-forwarded-for", "192.0.2.1").with("forwarded", "for=192.0.2.2");
    let answer = too_often(async || post_form(&elsewhere, CREDENTIALS).await).await;
    refused(&answer, 429, "temporarily_unavailable");
    tells(&answer, "address");
    refused(&scene.ask(CREDENTIALS).await, 429, "temporarily_unavailable");
    assert!(counted(&scene.world, "sekisho_rate_limited_total{surface=\"token\",limit=\"address\"} ").await);
}

#[tokio::test]
async fn item_30_attack_03_an_address_that_registers_clients_too_often_is_told_when_to_come_back() {
    let mut settings = settings(|rates| rates.register_per_address = of(3));
    settings.registration = RegistrationPolicy::Open;
    let world = World::with(settings).await;
    let said =
        json!({ "redirect_uris": ["http://127.0.0.1:3000/callback"], "token_endpoint_auth_method": "none" });
    let http = world.node.http().with("x-forwarded-for", "192.0.2.1");
    let made = Cell::new(0_i64);
    let register = async || {
        let answer = http.post("/oauth/register", &said).await;
        made.set(made.get() + i64::from(answer.status == 201));
        answer
    };
    let answer = too_often(register).await;
    refused(&answer, 429, "temporarily_unavailable");
    tells(&answer, "address");
    let clients: i64 = sqlx::query_scalar("select count(*) from events where event_type = 'self_registered'")
        .fetch_one(&world.node.running.pool)
        .await
        .unwrap();
    assert!(clients >= 3);
    assert_eq!(clients, made.get(), "what is refused leaves nothing");
    refused(&http.get("/oauth/register/x").await, 429, "temporarily_unavailable");
}

#[tokio::test]
async fn a_client_uses_up_what_is_its_own_and_nobody_uses_it_up_by_naming_it() {
    let scene = scene(|rates| rates.token_per_client = of(3)).await;
    let guess = super::scene::basic(&scene.client.id, "cs_not_the_secret");
    for _ in 0..5 {
        refused(&ask(&scene.world.node, &guess, CREDENTIALS).await, 401, "invalid_client");
    }
    scene.ask(CREDENTIALS).await.good();
    let answer = too_often(async || scene.ask(CREDENTIALS).await).await;
    refused(&answer, 429, "temporarily_unavailable");
    tells(&answer, "client");
    let other = register(&scene.world.admin(), &scene.world.path("/clients"), &["mcp:write"]).await;
    ask(&scene.world.node, &other.basic(), CREDENTIALS).await.good();
    // A public client has its name alone, which anybody can say.
    let desk = json!({ "name": "Desk", "kind": "public", "redirect_uris": ["http://127.0.0.1:3000/callback"], "scopes": ["mcp:write"] });
    let desk = scene.world.admin().post(&scene.world.path("/clients"), &desk).await.good();
    let named =
        format!("grant_type=refresh_token&refresh_token=none&client_id={}", desk["id"].as_str().unwrap());
    for _ in 0..10 {
        refused(&post_form(&scene.anybody(), &named).await, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn attack_30_an_address_that_tries_out_secrets_of_a_client_is_told_to_wait_and_the_client_is_not() {
    let scene = scene(|_| ()).await;
    scene.ask(CREDENTIALS).await.good();
    let guess = super::scene::basic(&scene.client.id, "cs_not_the_secret");
    let answer = too_often(async || ask(&scene.world.node, &guess, CREDENTIALS).await).await;
    refused(&answer, 429, "temporarily_unavailable");
    assert!(answer.header("retry-after").is_some());
    scene.ask(CREDENTIALS).await.good();
}

#[tokio::test]
async fn all_clients_of_an_organization_share_what_is_its() {
    let scene = scene(|rates| rates.token_per_organization = of(3)).await;
    let other = register(&scene.world.admin(), &scene.world.path("/clients"), &["mcp:write"]).await;
    too_often(async || scene.ask(CREDENTIALS).await).await;
    let answer = ask(&scene.world.node, &other.basic(), CREDENTIALS).await;
    refused(&answer, 429, "temporarily_unavailable");
    tells(&answer, "organization");
}

#[tokio::test]
async fn attack_31_who_gives_tokens_back_or_asks_about_them_is_counted_as_who_asks_for_them() {
    for (path, limit) in [
        ("/oauth/revoke", "client"),
        ("/oauth/introspect", "client"),
        ("/oauth/revoke", "organization"),
        ("/oauth/introspect", "organization"),
    ] {
        let scene = scene(|rates| match limit {
            "client" => rates.token_per_client = of(5),
            _ => rates.token_per_organization = of(5),
        })
        .await;
        let http = scene.anybody().with("authorization", &scene.client.basic());
        let http = http.with("content-type", "application/x-www-form-urlencoded");
        let token = scene.token("mcp:write").await;
        let once = async || http.send(Method::POST, path, format!("token={token}")).await;
        once().await.good();
        let answer = too_often(once).await;
        refused(&answer, 429, "temporarily_unavailable");
        tells(&answer, limit);
        refused(&scene.ask(CREDENTIALS).await, 429, "temporarily_unavailable");
    }
}

#[tokio::test]
async fn people_are_told_on_a_page() {
    let scene = scene(|rates| {
        rates.sign_in_per_address = of(3);
        rates.authorize_per_address = of(3);
    })
    .await;
    for path in ["/sign-in", "/oauth/authorize"] {
        let answer = too_often(async || scene.anybody().get(path).await).await;
        assert!(answer.header("content-type").unwrap().starts_with("text/html"), "{path}");
        tells(&answer, "address");
        assert!(String::from_utf8_lossy(&answer.bytes).contains("Too many requests"), "{path}");
    }
    scene.anybody().get("/account/grants").await.header("location").expect("other pages go on");
}

/// What a client on somebody's own computer asks.
async fn desk(scene: &Scene) -> String {
    let desk = json!({ "name": "Desk", "kind": "public", "redirect_uris": ["http://127.0.0.1:3000/callback"], "scopes": ["mcp:write"] });
    let desk = scene.world.admin().post(&scene.world.path("/clients"), &desk).await.good();
    let request = encoded(&[
        ("response_type", "code"),
        ("client_id", desk["id"].as_str().unwrap()),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), // RFC 7636, appendix B
        ("code_challenge_method", "S256"),
        ("resource", &scene.resource()),
    ]);
    format!("/oauth/authorize?{request}")
}

#[tokio::test]
async fn somebody_who_is_signed_in_uses_up_what_is_their_own_wherever_they_are() {
    let scene = scene(|rates| rates.authorize_per_person = of(3)).await;
    let request = desk(&scene).await;
    let (bea, carl) = (
        Person::member(&scene.world, "Bea", "member").await,
        Person::member(&scene.world, "Carl", "member").await,
    );
    let browser = bea.browser(&scene.world).await;
    let answer = too_often(async || browser.clone().get(&request).await).await;
    assert!(String::from_utf8_lossy(&answer.bytes).contains("Too many requests"));
    tells(&answer, "person");
    let mut elsewhere = bea.browser(&scene.world).await;
    assert_eq!(elsewhere.get(&request).await.status.as_u16(), 429, "another session of theirs");
    assert_eq!(carl.browser(&scene.world).await.get(&request).await.status.as_u16(), 200);
    location(&Browser::new(&scene.world.node.running.url).get(&request).await); // nobody is nobody
    assert!(
        counted(&scene.world, "sekisho_rate_limited_total{surface=\"authorize\",limit=\"person\"} ").await
    );
}

#[tokio::test]
async fn attack_06_forms_of_consent_are_counted_as_the_pages_are() {
    for limit in ["address", "person", "client", "organization"] {
        let scene = scene(|rates| match limit {
            "address" => rates.authorize_per_address = of(5),
            "person" => rates.authorize_per_person = of(5),
            "client" => rates.authorize_per_client = of(5),
            _ => rates.authorize_per_organization = of(5),
        })
        .await;
        let bea = Person::member(&scene.world, "Bea", "member").await;
        let mut browser = bea.browser(&scene.world).await;
        let page = browser.get(&desk(&scene).await).await;
        assert_eq!(page.status.as_u16(), 200, "{limit}");
        let answer = too_often(async || {
            let fields = [("decision", "allow"), ("allow mcp:read", "on")];
            browser.clone().fill(&page, "/oauth/authorize", &fields).await
        })
        .await;
        assert!(String::from_utf8_lossy(&answer.bytes).contains("Too many requests"), "{limit}");
        tells(&answer, limit);
    }
}

#[tokio::test]
async fn mcp_callers_are_told_in_json_rpc_by_address_and_by_organization() {
    for (reason, limit) in
        [("rate-limited-address", "address"), ("rate-limited-organization", "organization")]
    {
        let scene = scene(|rates| match limit {
            "address" => rates.mcp_per_address = of(3),
            _ => rates.mcp_per_organization = of(3),
        })
        .await;
        let token = scene.token("mcp:write").await;
        let once = async || call(&scene.world.node, &scene.instance, &token, "echo").await;
        once().await.good();
        let answer = too_often(once).await;
        answer.refused_call(429, reason, &json!(1));
        tells(&answer, limit);
        // Whoever has no credential uses up nothing of the organization's, and is no exception from the address's.
        let stranger = call(&scene.world.node, &scene.instance, "none", "echo").await;
        assert_eq!(stranger.status.as_u16(), if limit == "address" { 429 } else { 401 }, "{reason}");
        assert_ne!(stranger.body()["error"], Value::Null);
    }
}

/// How many nodes a node counts, as its policies show: what is nowhere met is divided, too.
async fn counts(node: &Node, nodes: u32) {
    let expected = format!("\"address\";q={};w=60", u32::MAX / nodes);
    let patience = Instant::now() + super::scene::DEADLINE;
    while node.http().get("/sign-in").await.header("ratelimit-policy") != Some(&expected) {
        assert!(Instant::now() < patience, "{nodes} nodes are not counted");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn three_nodes_give_out_together_what_one_would() {
    const RATE: u32 = 30;
    let settings = settings(|rates| rates.token_per_address = of(RATE));
    let world = World::with(settings).await;
    let (second, third) = (world.another_node_with(settings).await, world.another_node_with(settings).await);
    let nodes = [&world.node, &second, &third];
    for node in nodes {
        counts(node, 3).await;
    }
    let (began, mut passed) = (Instant::now(), 0_u32);
    for _ in 0..RATE {
        for node in nodes {
            let answer = post_form(&node.http(), CREDENTIALS).await;
            passed += u32::from(answer.status != 429);
        }
    }
    // A full bucket, and what came in meanwhile: on each node a third, rounded up.
    let refilled = began.elapsed().as_secs_f64() * f64::from(RATE) / 60.0;
    let most = f64::from(RATE) + refilled + 3.0;
    assert!(passed >= RATE && f64::from(passed) <= most, "{passed} of at most {most}");

    second.running.stop().await;
    third.running.stop().await;
    counts(&world.node, 1).await;
}

#[tokio::test]
async fn attack_30_a_client_whose_secret_is_guessed_too_often_is_counted_with_the_other_refusals() {
    let scene = scene(|_| {}).await;
    let guesses: Vec<String> =
        (0..ASKED_MAX).map(|n| basic(&scene.client.id, &format!("cs_{n:0>43}"))).collect();
    let once =
        async || join_all(guesses.iter().map(|guess| ask(&scene.world.node, guess, CREDENTIALS))).await;
    // However slowly they are checked, so many at once are more than are let through anew meanwhile.
    let too_many = async {
        loop {
            if let Some(answer) = once().await.into_iter().find(|answer| answer.status == 429) {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(Duration::from_mins(3), too_many).await.expect("too many");
    refused(&answer, 429, "temporarily_unavailable");
    let line = "sekisho_rate_limited_total{surface=\"token\",limit=\"wrong_secrets\"} ";
    assert!(counted(&scene.world, line).await);
}
