//! Item 30 and attack 3: clients that nobody ever lets act are forgotten, each once, and those that somebody does are not; and there are not too many of
//! them before that.

use std::num::NonZeroU32;
use std::time::Duration;

use api::limits::Rates;
use api::oauth::RegistrationPolicy;
use harness::Settings;
use hyper::Method;
use serde_json::json;

use super::scene::{CALLBACK, Scene, on_loopback, refused, text};

/// The events about a client, in order, each with its reason where it has one.
async fn told(scene: &Scene, client: &str) -> Vec<(String, Option<String>, String)> {
    sqlx::query_as(
        "select event_type, payload -> event_type ->> 'reason', metadata ->> 'actor' from events
         where aggregate_type = 'client' and aggregate_id = $1 order by sequence",
    )
    .bind(client)
    .fetch_all(&scene.world.node.running.pool)
    .await
    .unwrap()
}

async fn until_gone(scene: &Scene, client: &str) {
    let gone = async {
        while told(scene, client).await.last().is_none_or(|(kind, ..)| kind != "deleted") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), gone).await.expect("an unused client is forgotten");
}

#[tokio::test]
async fn attack_03_of_a_flood_of_clients_nothing_stays_but_what_somebody_uses() {
    let settings =
        Settings { registration: RegistrationPolicy::Open, unused_seconds: 3_600, ..Settings::default() };
    let mut scene = Scene::with(settings).await;
    let used = text(&scene.register(&on_loopback()).await.good(), "client_id");
    scene.code(&used, CALLBACK).await;
    // Other nodes that keep them for a second only look at the same clients at the same moment.
    let short = Settings { unused_seconds: 1, ..settings };
    let _others = [scene.world.another_node_with(short).await, scene.world.another_node_with(short).await];
    let mut flood = Vec::new();
    for _ in 0..20 {
        let made = scene.register(&on_loopback()).await.good();
        flood.push((text(&made, "client_id"), text(&made, "registration_access_token")));
    }
    for (client, _) in &flood {
        until_gone(&scene, client).await;
        let told = told(&scene, client).await;
        let [registered, deleted] = &told[..] else { panic!("ended once: {told:?}") };
        assert_eq!(registered.0, "self_registered");
        assert_eq!(deleted.1.as_deref(), Some("unused"));
        assert_eq!(deleted.2, "server");
    }
    let told = told(&scene, &used).await;
    let kinds: Vec<&str> = told.iter().map(|(kind, ..)| kind.as_str()).collect();
    assert_eq!(kinds, ["self_registered", "first_used"]);
    let (client, token) = &flood[0];
    let path = format!("/oauth/register/{client}");
    let asked = async {
        while scene.as_itself(token).get(&path).await.status.as_u16() != 401 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), asked).await.expect("its token is gone with it");
    refused(&scene.as_itself(token).get(&path).await, 401, "invalid_token");
    assert_eq!(scene.asked(client, CALLBACK).await.status.as_u16(), 400);
}

/// Registers, as soon as there is room.
async fn until_there_is_room(scene: &Scene) {
    let room = async {
        while scene.register(&on_loopback()).await.status != 201 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), room).await.expect("there is room again");
}

#[tokio::test]
async fn attack_03_there_are_only_so_many_unused_clients_of_nobody_and_organizations_have_as_many_as_they_want()
 {
    let open = Settings { registration: RegistrationPolicy::Open, ..Settings::default() };
    let mut scene = Scene::with(Settings { unused_clients_max: 3, ..open }).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(scene.register(&on_loopback()).await.good());
    }
    let full = async |scene: &Scene| {
        let answer = scene.register(&on_loopback()).await;
        refused(&answer, 503, "temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), Some("60"));
    };
    full(&scene).await;
    let known = scene.as_itself(&scene.world.admin_key);
    for _ in 0..3 {
        known.post("/oauth/register", &on_loopback()).await.good();
    }
    full(&scene).await;
    scene.code(&text(&made[0], "client_id"), CALLBACK).await; // one of them is used now
    until_there_is_room(&scene).await;
    full(&scene).await;
    let (client, token) = (text(&made[1], "client_id"), text(&made[1], "registration_access_token"));
    let left = scene.as_itself(&token).send(Method::DELETE, &format!("/oauth/register/{client}"), "").await;
    assert_eq!(left.status, 204);
    until_there_is_room(&scene).await;
    full(&scene).await;
}

#[tokio::test]
async fn attack_03_strangers_who_take_all_places_keep_others_out_for_minutes_and_not_for_a_day() {
    let open = Settings { registration: RegistrationPolicy::Open, ..Settings::default() };
    let crowded = Settings { unused_clients_max: 4, unused_kept_at_least_seconds: 5, ..open };
    let mut scene = Scene::with(crowded).await;
    let known = scene.as_itself(&scene.world.admin_key);
    let ours = text(&known.post("/oauth/register", &on_loopback()).await.good(), "client_id");
    let mut made = Vec::new();
    for _ in 0..4 {
        made.push(text(&scene.register(&on_loopback()).await.good(), "client_id"));
    }
    // Three quarters may stay: the oldest makes room, and no other does until somebody comes.
    until_gone(&scene, &made[0]).await;
    until_there_is_room(&scene).await;
    until_gone(&scene, &made[1]).await;
    for client in [&made[2], &made[3], &ours] {
        assert_eq!(told(&scene, client).await.len(), 1, "still there");
    }
    scene.code(&made[3], CALLBACK).await;
}

#[tokio::test]
async fn attack_03_an_address_registers_only_so_many_clients_of_nobody_a_day() {
    let mut rates = Rates::all(NonZeroU32::MAX);
    rates.strangers_per_address_per_day = NonZeroU32::new(2).unwrap();
    let open = Settings { registration: RegistrationPolicy::Open, rates, ..Settings::default() };
    let scene = Scene::with(open).await;
    for _ in 0..2 {
        refused(
            &scene.register(&json!({ "redirect_uris": ["javascript:alert(1)"] })).await,
            400,
            "invalid_redirect_uri",
        );
        scene.register(&on_loopback()).await.good();
    }
    let answer = scene.register(&on_loopback()).await;
    refused(&answer, 429, "temporarily_unavailable");
    let wait: u32 = answer.header("retry-after").and_then(|wait| wait.parse().ok()).unwrap();
    assert!((1..=43_200).contains(&wait), "{wait}");
    assert_eq!(answer.header("ratelimit-policy"), Some("\"address\";q=2;w=86400"));
    let known = scene.as_itself(&scene.world.admin_key);
    known.post("/oauth/register", &on_loopback()).await.good();
}

#[tokio::test]
async fn attack_03_whoever_shows_no_initial_access_token_says_less_of_a_client() {
    let scene = Scene::open().await;
    let mut long = on_loopback();
    long["padding"] = json!("x".repeat(16 * 1024));
    refused(&scene.register(&long).await, 413, "invalid_client_metadata");
    scene.as_itself(&scene.world.admin_key).post("/oauth/register", &long).await.good();
    let made = scene.register(&on_loopback()).await.good();
    let (client, token) = (text(&made, "client_id"), text(&made, "registration_access_token"));
    long["client_id"] = json!(client);
    let path = format!("/oauth/register/{client}");
    let answer = scene.as_itself(&token).json(Method::PUT, &path, &long).await;
    refused(&answer, 413, "invalid_client_metadata");
}
