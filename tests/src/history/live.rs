//! The history as it happens.

use std::collections::BTreeSet;

use api::adapters::system::SystemClock;
use domain::value::Clock as _;
use harness::{Settings, World};
use hyper::Method;
use serde_json::json;

use super::story::rename;
use super::{DEADLINE, Live, Tenant, all_pages, head, positions};

const RENAMES: usize = 60;

async fn auditor(world: &World, more: serde_json::Value) -> (String, String) {
    let mut body = json!({ "name": "Auditor", "scopes": ["audit:read"] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let issued = world.admin().post(&world.path("/api-keys"), &body).await.good();
    (issued["id"].as_str().unwrap().to_owned(), issued["api_key"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_position_that_is_not_there_yet_is_refused() {
    let world = World::start().await;
    world.admin().get("/v1/events/stream?after=1000000").await.refused(409, "position-not-reached");
    let resuming = world.admin().with("last-event-id", "1000000");
    resuming.get("/v1/events/stream?after=1").await.refused(409, "position-not-reached");
}

#[tokio::test]
async fn without_a_position_it_begins_with_what_happens_now() {
    let world = World::start().await;
    let mut live = Live::open(&world.admin(), "/v1/events/stream").await;
    let before = head(&world).await;
    rename(&world, "Acme and Sons").await;
    let event = live.event().await;
    assert_eq!(event["position"], before + 1);
    assert_eq!(event["payload"]["renamed"]["name"], "Acme and Sons");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_resumes_misses_nothing_and_sees_nothing_twice_while_writers_write() {
    let world = World::start().await;
    let other = world.another_node_with(Settings { nats: false, ..Settings::default() }).await;
    let writing = async {
        let names = (0..RENAMES).map(|number| format!("Name {number}"));
        for names in names.collect::<Vec<_>>().chunks(4) {
            futures_util::future::join_all(names.iter().map(|name| rename(&world, name))).await;
        }
        head(&world).await
    };
    let reading = async {
        let (mut seen, mut nodes) = (Vec::new(), [&world.node, &other].into_iter().cycle());
        let mut last = 0;
        while seen.len() < RENAMES {
            // A few events from one node, then the connection is cut and another node goes on.
            let http = nodes.next().unwrap().http().as_key(&world.admin_key);
            let http = http.with("last-event-id", &last.to_string());
            let mut live = Live::open(&http, "/v1/events/stream?type=renamed&aggregate=organization").await;
            for _ in 0..7.min(RENAMES - seen.len()) {
                let event = live.event().await;
                last = event["position"].as_u64().unwrap();
                seen.push(event);
            }
        }
        seen
    };
    let (_, seen) = tokio::join!(writing, reading);
    let told = positions(&seen);
    assert!(told.is_sorted() && told.iter().collect::<BTreeSet<_>>().len() == told.len(), "{told:?}");
    let (all, _) = all_pages(&world.admin(), "/v1/events?type=renamed&aggregate=organization", 200).await;
    assert_eq!(seen, all);
}

#[tokio::test]
async fn a_tenant_hears_of_its_own_events_only() {
    let world = World::start().await;
    let rival = Tenant::of(&world).await;
    let mut theirs = Live::open(&rival.owner, "/v1/events/stream").await;
    let mut same = Live::open(&rival.owner, &rival.path("/events/stream")).await;
    rename(&world, "Acme and Sons").await;
    let path = rival.path("");
    rival.owner.json(Method::PATCH, &path, &json!({ "name": "Rival and Sons" })).await.good();
    for live in [&mut theirs, &mut same] {
        let event = live.event().await;
        assert_eq!(event["payload"]["renamed"]["name"], "Rival and Sons");
        assert_eq!(event["position"], head(&world).await);
    }
}

#[tokio::test]
async fn it_ends_when_the_key_is_revoked_and_shows_nothing_of_what_follows() {
    let world = World::start().await;
    let (id, key) = auditor(&world, json!({})).await;
    let http = world.node.http().as_key(&key);
    let mut live = Live::open(&http, "/v1/events/stream").await;
    rename(&world, "Before").await;
    assert_eq!(live.event().await["payload"]["renamed"]["name"], "Before");
    let path = world.path(&format!("/api-keys/{id}"));
    world.admin().json(Method::DELETE, &path, &json!({ "reason": "Enough" })).await.good();
    rename(&world, "After").await;
    while let Some(frame) = live.next().await {
        if let Some(data) = frame.data {
            assert_eq!(data, json!({ "reason": "key-revoked" }));
            assert_eq!(live.next().await, None);
            break;
        }
    }
    http.get("/v1/events/stream").await.refused(401, "key-revoked");
}

#[tokio::test]
async fn it_ends_when_the_key_expires_though_nothing_happens() {
    let world = World::start().await;
    let expires_at = SystemClock.now().plus_seconds(2);
    let (_, key) = auditor(&world, json!({ "expires_at": expires_at })).await;
    let mut live = Live::open(&world.node.http().as_key(&key), &world.path("/events/stream")).await;
    assert_eq!(live.end().await, "key-expired");
    assert!(SystemClock.now() >= expires_at);
}

#[tokio::test]
async fn it_ends_when_the_node_stops() {
    let world = World::start().await;
    let mut live = Live::open(&world.admin(), "/v1/events/stream").await;
    world.node.running.shutdown().begin();
    assert_eq!(live.end().await, "draining");
}

#[tokio::test]
async fn in_a_silence_it_says_that_it_is_there_and_how_far_it_has_looked() {
    let world = World::start().await;
    let mut live = Live::open(&world.admin(), "/v1/events/stream?type=revoked").await;
    live.next().await.unwrap();
    rename(&world, "Of no concern").await;
    let heard = live.next().await.unwrap();
    assert_eq!((heard.id, heard.event, heard.data), (Some(head(&world).await), None, None));
}

#[tokio::test]
async fn one_organization_cannot_take_all_places() {
    let world = World::start().await;
    let rival = Tenant::of(&world).await;
    let mut held = Vec::new();
    for _ in 0..32 {
        held.push(Live::open(&rival.owner, "/v1/events/stream").await);
    }
    rival.owner.get("/v1/events/stream").await.refused(429, "too-many-streams");
    Live::open(&world.admin(), "/v1/events/stream").await;
    drop(held);
    let freed =
        async { while rival.owner.open(Method::GET, "/v1/events/stream", "").await.status() != 200 {} };
    tokio::time::timeout(DEADLINE, freed).await.expect("places are given back");
}
