//! Pages of the history.

use harness::World;
use serde_json::Value;

use super::story::{a_key_comes_and_goes, rename, tear_out};
use super::{all_pages, head, positions};

#[tokio::test]
async fn pages_lead_through_everything_once_and_in_order() {
    let world = World::start().await;
    a_key_comes_and_goes(&world).await;
    let head = head(&world).await;
    for limit in [1, 3, 200] {
        let (events, pages) = all_pages(&world.admin(), "/v1/events", limit).await;
        assert_eq!(positions(&events), (1..=head).collect::<Vec<_>>());
        assert!(pages as u64 >= head.div_ceil(u64::from(limit)));
    }
}

#[tokio::test]
async fn an_event_is_the_envelope_with_its_payload_as_it_was_written() {
    let world = World::start().await;
    rename(&world, "Acme and Sons").await;
    let path = format!("/v1/events?from={}", head(&world).await);
    let event = world.admin().get(&path).await.good()["items"][0].clone();
    let mut members: Vec<_> = event.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    let expected = [
        "aggregate",
        "id",
        "metadata",
        "occurred_at",
        "payload",
        "position",
        "recorded_at",
        "sequence",
        "type",
        "version",
    ];
    assert_eq!(members, expected);
    assert_eq!(event["payload"]["renamed"]["name"], "Acme and Sons");
    assert_eq!(event["aggregate"], "organization");
    assert_eq!(event["id"], world.organization);
}

#[tokio::test]
async fn personal_data_stay_sealed() {
    let world = World::start().await;
    let (events, _) = all_pages(&world.admin(), "/v1/events", 200).await;
    let text = Value::from(events).to_string();
    assert!(
        text.contains("registered") && !text.contains("ann@example.com") && !text.contains("\"Ann\""),
        "{text}"
    );
}

#[tokio::test]
async fn a_write_is_in_the_history_as_soon_as_it_is_answered() {
    let world = World::start().await;
    for number in 0..5 {
        rename(&world, &format!("Name {number}")).await;
        let path = world.path("/events?type=renamed&aggregate=organization");
        let (events, _) = all_pages(&world.admin(), &path, 200).await;
        let last = events.last().unwrap();
        assert_eq!(last["payload"]["renamed"]["name"], format!("Name {number}"));
    }
}

#[tokio::test]
async fn a_hole_is_told_and_not_passed_over() {
    let world = World::start().await;
    rename(&world, "One").await;
    rename(&world, "Two").await;
    let torn = head(&world).await - 1;
    tear_out(&world.node.running.pool, torn).await;
    let answer = world.admin().get("/v1/events").await;
    answer.refused(500, "log-broken");
    assert!(answer.body()["detail"].as_str().unwrap().contains(&format!("after {}", torn - 1)));
}
