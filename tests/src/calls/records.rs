//! Each call leaves exactly one record, with what it was; refused ones too, and those of strangers none.

use std::collections::BTreeSet;
use std::time::Duration;

use harness::{Scripted, Settings};
use hyper::Method;
use serde_json::{Value, json};

use super::{Scene, call};

const CANARY: &str = "canary-7a41-in-the-arguments";

fn tools() -> Scripted {
    Scripted::Tools(vec![("echo", false), ("look", true)])
}

#[tokio::test]
async fn a_stranger_leaves_no_record_and_is_counted() {
    let scene = Scene::of(tools()).await;
    let message = call(1, "echo", &json!({}));
    scene.world.node.http().post(&scene.instance.path(), &message).await;
    let unknown = "sk_live_unknown";
    scene.world.node.http().as_key(unknown).post(&scene.instance.path(), &message).await;
    scene.client().post(&scene.instance.path(), &message).await.good();
    let records = scene.records(1).await;
    assert_eq!(records[0]["outcome"], "answered");
    let told = async || {
        let metrics = scene.world.node.http().get("/metrics").await;
        String::from_utf8(metrics.bytes.to_vec()).unwrap()
    };
    // Whoever stores a record may be faster than whoever hears that it was handed on.
    let handed_on = "sekisho_call_records_total{way=\"nats\"} 1\n";
    super::until("the record is counted", async || told().await.contains(handed_on)).await;
    let metrics = told().await;
    assert!(metrics.contains("sekisho_mcp_refusals_total{reason=\"no-credential\"} 1\n"), "{metrics}");
    assert!(metrics.contains("sekisho_call_records_dropped_total 0\n"), "{metrics}");
}

#[tokio::test]
async fn what_is_refused_is_recorded_with_its_reason() {
    let scene = Scene::of(tools()).await;
    let viewer = scene.world.key(&["org:read"], None).await;
    let bound = scene.world.key_of_another_organization().await;
    let path = scene.instance.path();
    let as_key = |key: &str| scene.world.node.http().as_key(key);
    as_key(&viewer).post(&path, &call(1, "echo", &json!({}))).await.refused_call(
        403,
        "insufficient-scope",
        &json!(1),
    );
    scene.client().send(Method::POST, &path, "not json").await;
    scene.client().send(Method::PUT, &path, "").await;
    scene.client().post("/mcp/unknown", &call(2, "echo", &json!({}))).await;
    as_key(&bound).post(&path, &call(3, "echo", &json!({}))).await.refused_call(
        404,
        "instance-unknown",
        &json!(3),
    );
    let records = scene.records(4).await;
    let seen: Vec<(&str, &str, &str)> = records
        .iter()
        .map(|record| {
            assert_eq!(record["outcome"], "refused", "{record}");
            let text = |name: &str| record[name].as_str().unwrap();
            (text("kind"), text("decision"), text("reason"))
        })
        .collect();
    assert_eq!(seen[0], ("request", "denial", "insufficient-scope"));
    assert_eq!((seen[1].0, seen[1].1), ("unread", "none"));
    assert_eq!(seen[2], ("unread", "none", "method-not-allowed"));
    assert_eq!(seen[3], ("request", "denial", "instance-unknown"));
    assert_eq!(records[3]["instance"], Value::Null, "the address held no id");
    // The other organization's call is the other organization's record, though the instance is ours.
    let all = super::records(&scene.world.admin(), "/v1/calls", 5).await;
    assert_ne!(all[4]["organization"], json!(scene.world.organization));
    assert_eq!(
        (&all[4]["instance"], &all[4]["reason"]),
        (&json!(scene.instance.id), &json!("instance-unknown"))
    );
    assert_eq!(
        all[4]["wish"],
        Value::Null,
        "as for an id that leads to nothing: whether it exists is not told"
    );
}

#[tokio::test]
async fn what_is_answered_is_recorded_with_everything_that_decided_it() {
    let scene = Scene::of(tools()).await;
    let message = call(7, "echo", &json!({ "text": CANARY }));
    let answer = scene.client().post(&scene.instance.path(), &message).await;
    let bytes_out = answer.bytes.len();
    answer.good();
    let before = scene.world.node.running.view.load().position().get();
    scene.client().post(&scene.instance.path(), &message).await.good();
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    scene.client().post(&scene.instance.path(), &note).await;
    let records = scene.records(3).await;
    let record = &records[0];
    let own = scene.world.node.running.url.clone();
    assert_eq!(record["organization"], scene.world.organization.as_str());
    assert_eq!(record["principal"], scene.world.founder.as_str());
    assert_eq!(record["instance"], scene.instance.id.as_str());
    assert_eq!(
        (&record["kind"], &record["method"], &record["tool"]),
        (&json!("request"), &json!("tools/call"), &json!("echo"))
    );
    assert_eq!(
        (&record["decision"], &record["reason"], &record["wish"]),
        (&json!("permit"), &json!(null), &json!("call"))
    );
    assert_eq!(
        (&record["read_only"], &record["basis"], &record["position"]),
        (&json!(false), &json!("view"), &json!(before))
    );
    assert_eq!((&record["status"], &record["outcome"]), (&json!(200), &json!("answered")));
    assert_eq!(record["bytes_in"], message.to_string().len());
    assert_eq!(record["bytes_out"], bytes_out);
    assert_eq!(
        (&record["server"], &record["connection"]),
        (&json!(scene.instance.server), &json!(scene.instance.connection))
    );
    let origin = scene.upstream.url.origin().ascii_serialization();
    assert_eq!(record["upstream"], origin.as_str(), "not {own}");
    assert!(record["duration_us"].as_u64().unwrap() > 0);
    assert_eq!(record["arguments_digest"].as_str().unwrap().len(), 64);
    assert_eq!(record["arguments_digest"], records[1]["arguments_digest"], "equal arguments meet");
    assert_eq!((&record["number"], &records[1]["number"]), (&json!(1), &json!(2)));
    assert_eq!((&records[2]["kind"], &records[2]["status"]), (&json!("notification"), &json!(202)));
    let one = scene.world.path(&format!("/calls/{}", record["id"].as_str().unwrap()));
    assert_eq!(scene.world.admin().get(&one).await.good(), *record);
}

#[tokio::test]
async fn no_arguments_stand_anywhere() {
    let scene = Scene::of(tools()).await;
    scene.client().post(&scene.instance.path(), &call(7, "echo", &json!({ "text": CANARY }))).await.good();
    scene.records(1).await;
    let rows: Vec<String> =
        sqlx::query_scalar("select c::text from calls c union all select a::text from call_arguments a")
            .fetch_all(&scene.world.node.running.pool)
            .await
            .unwrap();
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].contains(CANARY), "{rows:?}");
}

#[tokio::test]
async fn a_client_that_leaves_and_an_upstream_that_fails_are_told_apart() {
    let scene = Scene::of(Scripted::Silence(Duration::from_mins(1))).await;
    let client = scene.client();
    let path = scene.instance.path();
    let message = call(1, "echo", &json!({}));
    let asked = client.post(&path, &message);
    assert!(tokio::time::timeout(Duration::from_millis(300), asked).await.is_err());
    let left = scene.records(1).await;
    assert_eq!((&left[0]["outcome"], &left[0]["status"]), (&json!("client_gone"), &json!(null)));
    assert_eq!(left[0]["decision"], "permit");
    scene.upstream.now(Scripted::Raw { status: 500, content_type: "text/html", body: "oops".into() });
    client.post(&path, &call(2, "echo", &json!({}))).await;
    let failed = scene.records(2).await;
    assert_eq!(
        (&failed[1]["outcome"], &failed[1]["reason"]),
        (&json!("upstream_error"), &json!("upstream-bad-answer"))
    );
    assert_eq!((&failed[1]["decision"], &failed[1]["status"]), (&json!("permit"), &json!(502)));
}

#[tokio::test]
async fn on_postgres_alone_every_call_is_recorded_too() {
    let scene = Scene::with(tools(), Settings { nats: false, ..Settings::default() }).await;
    for number in 0..20 {
        scene.client().post(&scene.instance.path(), &call(number, "echo", &json!({}))).await.good();
    }
    let records = scene.records(20).await;
    let numbers: BTreeSet<u64> = records.iter().map(|record| record["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=20).collect());
    let page = scene.world.admin().get(&scene.world.path("/calls")).await.good();
    assert_eq!(page["incomplete"], json!([]));
}

#[tokio::test]
async fn a_deployment_that_keeps_no_records_keeps_none() {
    let scene = Scene::with(tools(), Settings { call_records: false, ..Settings::default() }).await;
    scene.client().post(&scene.instance.path(), &call(1, "echo", &json!({}))).await.good();
    assert_eq!(super::listed(&scene.world.admin(), "/v1/calls").await, Vec::<Value>::new());
    scene.recording(&json!({ "overflow": "block", "arguments": "none" })).await;
    let refused = scene.client().post(&scene.instance.path(), &call(2, "echo", &json!({}))).await;
    refused.refused_call(503, "recording-unavailable", &json!(2));
}
