//! What becomes of records while NATS or Postgres is away, and when the stream is lost: nothing is lost without a trace.

use std::time::Duration;

use api::adapters::nats;
use async_nats::jetstream;
use async_nats::jetstream::stream::{Config, RetentionPolicy};
use harness::{Link, Scripted, Servers, Settings, Target, Weather, cluster};
use projections::calls::{CallRecord, CallStore, Entry, Retention};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{Scene, call};

async fn scene() -> Scene {
    Scene::of(Scripted::Tools(vec![("echo", false)])).await
}

#[tokio::test]
async fn when_the_stream_is_gone_records_go_straight_and_it_is_made_again() {
    let scene = scene().await;
    let client = nats::connect(cluster().nats_url()).await.unwrap();
    let context = jetstream::new(client);
    let name = format!("EVENTS_{}_CALLS", scene.world.database.name);
    for round in 0..4_usize {
        for number in 0..5 {
            scene.client().post(&scene.instance.path(), &call(number, "echo", &json!({}))).await.good();
        }
        scene.records(5 * (round + 1)).await;
        if round % 2 == 0 {
            // Whoever looked for it while it was away has made it again, or does soon.
            super::until("the stream is deleted", async || context.delete_stream(&name).await.is_ok()).await;
        } else {
            tokio::time::sleep(Duration::from_millis(2_500)).await; // NATS is tried again
        }
    }
    super::until("it is there again", async || context.get_stream(&name).await.is_ok()).await;
    let page = scene.world.admin().get(&scene.world.path("/calls")).await.good();
    assert_eq!(page["incomplete"], json!([]), "{page}");
}

#[tokio::test]
async fn what_went_both_ways_is_stored_once_and_a_hole_is_told() {
    let scene = scene().await;
    scene.client().post(&scene.instance.path(), &call(1, "echo", &json!({}))).await.good();
    scene.records(1).await;
    let pool = scene.world.node.running.pool.clone();
    let template: CallRecord = sqlx::query_as("select * from calls").fetch_one(&pool).await.unwrap();
    let node = Uuid::new_v4();
    let store = CallStore::new(pool.clone(), Retention { days: 30 });
    let entry = |number: i64| {
        let mut id = template.id.into_bytes();
        id[15] = u8::try_from(number).unwrap();
        let record = CallRecord { id: Uuid::from_bytes(id), number, node_id: node, ..template.clone() };
        Entry::Call(projections::calls::Call { record, arguments: None })
    };
    let now = template.at;
    store.store(&[entry(3), entry(1), entry(1)], now).await.unwrap();
    store.store(&[entry(1), entry(2), entry(7)], now).await.unwrap();
    store.store(&[entry(7), entry(7)], now).await.unwrap();
    let numbers: Vec<i64> = sqlx::query_scalar("select number from calls where node_id = $1 order by number")
        .bind(node)
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(numbers, [1, 2, 3, 7]);
    let holes = async |path: &str| {
        let page = scene.world.admin().get(path).await.good();
        let found = page["incomplete"].as_array().unwrap().clone();
        found.into_iter().filter(|lack| lack["why"] == "missing").collect::<Vec<Value>>()
    };
    let all = holes("/v1/calls").await;
    assert_eq!((all.len(), &all[0]["count"], &all[0]["node"]), (1, &json!(3), &json!(node)));
    let own = holes(&scene.world.path("/calls")).await;
    assert_eq!((own.len(), &own[0]["count"]), (1, &Value::Null), "whose they were nobody can tell");
    let credential = template.credential_id.unwrap();
    let admin = scene.world.admin();
    let reach = admin.get(&format!("/v1/audit/blast-radius?credential={credential}")).await.good();
    let stop = json!({ "command": "stop_instance", "instance": scene.instance.id });
    let question = json!({ "organization": scene.world.organization, "commands": [stop] });
    let what_if = admin.post("/v1/authz/what-if", &question).await.good();
    for answer in [reach, what_if] {
        let told = answer["incomplete"].as_array().unwrap().clone();
        let told: Vec<_> = told.into_iter().filter(|lack| lack["why"] == "missing").collect();
        assert_eq!((told.len(), &told[0]["records"]), (1, &Value::Null), "{answer}");
    }
    store.store(&[entry(4), entry(6), entry(5)], now).await.unwrap();
    assert_eq!(holes("/v1/calls").await, Vec::<Value>::new(), "late is not lost");
}

#[tokio::test]
async fn while_postgres_takes_nothing_calls_go_on_and_their_records_come_later() {
    let settings = Settings { nats: false, ..Settings::default() };
    let scene = Scene::with(Scripted::Tools(vec![("echo", false)]), settings).await;
    let pool = scene.world.node.running.pool.clone();
    let mut blocked = pool.begin().await.unwrap();
    sqlx::query("lock table calls in access exclusive mode").execute(&mut *blocked).await.unwrap();
    for number in 0..10 {
        scene.client().post(&scene.instance.path(), &call(number, "echo", &json!({}))).await.good();
    }
    blocked.rollback().await.unwrap();
    scene.records(10).await;
    sqlx::query("alter table calls rename to calls_away").execute(&pool).await.unwrap();
    for number in 0..10 {
        scene.client().post(&scene.instance.path(), &call(number, "echo", &json!({}))).await.good();
    }
    sqlx::query("alter table calls_away rename to calls").execute(&pool).await.unwrap();
    scene.records(20).await;
}

/// Messages in the stream of records.
async fn waiting(stream: &str) -> u64 {
    let context = jetstream::new(nats::connect(cluster().nats_url()).await.unwrap());
    context.get_stream(stream).await.unwrap().cached_info().state.messages
}

#[tokio::test]
async fn another_deployments_records_are_left_alone_and_ours_go_straight() {
    let scene = scene().await;
    let context = jetstream::new(nats::connect(cluster().nats_url()).await.unwrap());
    let name = format!("EVENTS_{}_CALLS", scene.world.database.name);
    let subjects = format!("events-{}-calls.>", scene.world.database.name);
    let theirs = Config {
        name: name.clone(),
        subjects: vec![subjects.clone()],
        retention: RetentionPolicy::WorkQueue,
        metadata: [("sekisho.owner".to_owned(), "somebody else".to_owned())].into(),
        ..Config::default()
    };
    super::until("the stream is theirs", async || {
        let _ = context.delete_stream(&name).await;
        context.create_stream(theirs.clone()).await.is_ok()
    })
    .await;
    let publish = context.publish(subjects.replace('>', "a.b"), "a record of theirs".into());
    publish.await.unwrap().await.unwrap();
    for number in 0..5 {
        scene.client().post(&scene.instance.path(), &call(number, "echo", &json!({}))).await.good();
    }
    scene.records(5).await;
    tokio::time::sleep(Duration::from_secs(2)).await; // a projector would have taken it by now
    assert!(waiting(&name).await >= 1, "nobody here took what is theirs");
}

#[tokio::test]
async fn a_nats_that_falls_silent_holds_no_records_up() {
    let scene = scene().await;
    let nats = Link::to(nats_server()).await;
    let mut address = Url::parse(cluster().nats_url()).unwrap();
    address.set_host(Some("127.0.0.1")).unwrap();
    address.set_port(Some(nats.address().port())).unwrap();
    let servers = Servers { database: scene.world.database.url.clone(), nats: Some(address.to_string()) };
    let node = scene.world.another_node_at(servers, Settings::default()).await;
    let client = node.http().as_key(scene.instance.api_key());
    client.post(&scene.instance.path(), &call(0, "echo", &json!({}))).await.good();
    scene.records(1).await;
    nats.turn(Weather::Dark);
    for number in 1..200 {
        client.post(&scene.instance.path(), &call(number, "echo", &json!({}))).await.good();
    }
    scene.records(200).await;
    nats.heal();
}

fn nats_server() -> Target {
    let url = Url::parse(cluster().nats_url()).unwrap();
    Target::Tcp(url.socket_addrs(|| Some(4222)).unwrap().remove(0))
}
