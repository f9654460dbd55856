//! Watermarks: they keep a node fresh that cannot reach Postgres, and nobody else's word does.

use std::time::Duration;

use futures_util::StreamExt as _;
use harness::{Weather, cluster};
use serde_json::json;

use super::scene::{BOUND, Scene, reason};

#[tokio::test]
async fn a_node_without_postgres_goes_on_by_the_watermarks_of_others() {
    let scene = Scene::start().await;
    scene.stays_fresh_without(&scene.postgres).await;
}

#[tokio::test]
async fn a_watermark_that_comes_late_or_that_nobody_signed_keeps_no_node_fresh() {
    let scene = Scene::start().await;
    let key = scene.key().await;
    let nats = api::adapters::nats::connect(cluster().nats_url()).await.unwrap();
    let subject = format!("events-{}-watermark", scene.world.database.name);
    let mut genuine = nats.subscribe(subject.clone()).await.unwrap();
    let old = tokio::time::timeout(Duration::from_secs(10), genuine.next()).await.unwrap().unwrap();
    drop(genuine);
    // From here on nobody says anything genuine that is new: the near node is gone, and the far one has lost Postgres.
    let Scene { world, instance, far, postgres, nats: _link, .. } = scene;
    postgres.turn(Weather::Dark);
    assert!(world.node.running.stop().await);
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let begun = tokio::time::Instant::now();
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Sekisho-Signature", "0".repeat(64));
    let mut forged: serde_json::Value = serde_json::from_slice(&old.payload).unwrap();
    while begun.elapsed() < BOUND * 2 {
        forged["clock_micros"] = json!(forged["clock_micros"].as_i64().unwrap() + 20_000);
        nats.publish_with_headers(subject.clone(), headers.clone(), forged.to_string().into()).await.unwrap();
        let again = old.headers.clone().unwrap();
        nats.publish_with_headers(subject.clone(), again, old.payload.clone()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let answer = far.http().as_key(&key.text).post(&instance.path(), &call).await;
    assert_eq!(reason(&answer), "view-stale");
}
