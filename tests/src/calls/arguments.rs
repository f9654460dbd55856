//! Sealed arguments: kept where an instance says so, read by auditors who ask for them, and by nobody else.

use harness::Scripted;
use hyper::Method;
use serde_json::{Value, json};

use super::{Scene, call};

const CANARY: &str = "canary-19c2-sealed";

async fn keeping() -> Scene {
    let scene = Scene::of(Scripted::Tools(vec![("echo", false)])).await;
    scene
        .recording(&json!({ "overflow": "drop", "arguments": "sealed", "arguments_retention_days": 7 }))
        .await;
    scene
}

#[tokio::test]
async fn a_setting_that_makes_no_sense_is_refused() {
    let scene = Scene::of(Scripted::Tools(vec![])).await;
    let path = scene.world.path(&format!("/instances/{}/recording", scene.instance.id));
    for body in [
        json!({ "overflow": "drop", "arguments": "sealed" }),
        json!({ "overflow": "drop", "arguments": "none", "arguments_retention_days": 7 }),
        json!({ "overflow": "drop", "arguments": "sealed", "arguments_retention_days": 366 }),
    ] {
        scene.world.admin().json(Method::PUT, &path, &body).await.refused(400, "bad-recording");
    }
    let path = scene.world.path(&format!("/instances/{}", scene.instance.id));
    let shown = scene.world.admin().get(&path).await.good();
    assert_eq!(shown["recording"], json!({ "overflow": "drop", "arguments": "none" }));
}

#[tokio::test]
async fn arguments_are_opened_for_auditors_who_ask_and_lie_nowhere_in_clear() {
    let scene = keeping().await;
    let arguments = json!({ "text": CANARY });
    scene.client().post(&scene.instance.path(), &call(1, "echo", &arguments)).await.good();
    let records = scene.records(1).await;
    assert_eq!(records[0]["arguments"], Value::Null);
    assert!(records[0]["arguments_until"].is_string(), "{records:?}");
    let path = scene.world.path(&format!("/calls/{}", records[0]["id"].as_str().unwrap()));
    let admin = scene.world.admin();
    assert_eq!(admin.get(&path).await.good()["arguments"], Value::Null, "only when they are asked for");
    let opened = admin.get(&format!("{path}?arguments=true")).await.good();
    assert_eq!(opened["arguments"], json!({ "text": arguments.to_string(), "cut": false }));
    let reader = scene.world.key(&["org:read"], None).await;
    let reader = scene.world.node.http().as_key(&reader);
    reader.get(&format!("{path}?arguments=true")).await.refused(403, "insufficient-scope");
    let pool = &scene.world.node.running.pool;
    let rows: Vec<String> = sqlx::query_scalar(
        "select c::text from calls c union all select encode(sealed, 'escape') from call_arguments",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| !row.contains(CANARY)), "{rows:?}");
}

#[tokio::test]
async fn of_long_arguments_the_beginning_is_kept() {
    let scene = keeping().await;
    let long = "x".repeat(40_000);
    scene.client().post(&scene.instance.path(), &call(1, "echo", &json!({ "text": long }))).await.good();
    let records = scene.records(1).await;
    let path = scene.world.path(&format!("/calls/{}?arguments=true", records[0]["id"].as_str().unwrap()));
    let kept = scene.world.admin().get(&path).await.good()["arguments"].clone();
    assert_eq!((kept["text"].as_str().unwrap().len(), &kept["cut"]), (16 * 1024, &json!(true)));
}
