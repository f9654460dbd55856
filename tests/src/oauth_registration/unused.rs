//! Item 30 and attack 3: clients that nobody ever lets act are forgotten, each once, and those that somebody does are not.

use std::time::Duration;

use api::oauth::RegistrationPolicy;
use harness::Settings;

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
