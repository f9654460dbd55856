//! When there is no room: records are dropped and counted, or calls are refused, as the instance is set.

use std::sync::Arc;
use std::time::Duration;

use api::adapters::system::SystemClock;
use domain::value::Clock as _;
use harness::{Scripted, Settings};
use projections::calls::{
    Call, CallQueue, CallRecord, CallStore, ObserveCalls, Publisher, QueueLimits, Recording, Retention,
};
use serde_json::json;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Scene, call};

struct Unheard;

impl ObserveCalls for Unheard {
    fn handed_on(&self, _: &'static str, _: usize) {}
    fn queue(&self, _: usize, _: u64) {}
    fn projected(&self, _: usize, _: u64) {}
}

fn small_queue(pool: &PgPool) -> (CallQueue, Publisher) {
    let recording = Recording {
        node: Uuid::new_v4(),
        store: CallStore::new(pool.clone(), Retention { days: 30 }),
        stream: None,
        clock: Arc::new(SystemClock),
        observe: Arc::new(Unheard),
    };
    Publisher::new(recording, QueueLimits { records_max: 8, records_kept: 4, argument_bytes_max: 100 })
}

/// A scene, and the record of a call in it.
async fn recorded() -> (Scene, CallRecord) {
    let scene =
        Scene::with(Scripted::Tools(vec![("echo", false)]), Settings { nats: false, ..Settings::default() })
            .await;
    scene.client().post(&scene.instance.path(), &call(1, "echo", &json!({}))).await.good();
    scene.records(1).await;
    let record =
        sqlx::query_as("select * from calls").fetch_one(&scene.world.node.running.pool).await.unwrap();
    (scene, record)
}

fn another(record: &CallRecord, queue: &CallQueue) -> Call {
    let mut id = record.id.into_bytes();
    id[8..].copy_from_slice(&Uuid::new_v4().into_bytes()[8..]);
    let record = CallRecord { id: Uuid::from_bytes(id), node_id: queue.node(), ..record.clone() };
    Call { record, arguments: None }
}

#[tokio::test]
async fn what_has_no_room_is_dropped_counted_and_told_and_room_is_kept_for_those_who_wait() {
    let (scene, record) = recorded().await;
    let pool = &scene.world.node.running.pool;
    let (queue, publisher) = small_queue(pool);
    let now = SystemClock.now().get();
    for _ in 0..10 {
        queue.put(another(&record, &queue), None, None, now);
    }
    assert_eq!((queue.held(), queue.dropped()), (4, 6), "a half is kept");
    let mut rooms = Vec::new();
    for _ in 0..4 {
        rooms.push(queue.room().await.expect("kept for them"));
    }
    assert!(queue.room().await.is_none(), "all of it is taken");
    assert!(queue.argument_room(101).is_none() && queue.argument_room(100).is_some());
    for room in rooms {
        queue.put(another(&record, &queue), Some(room), None, now);
    }
    assert_eq!((queue.held(), queue.dropped()), (8, 6));

    let stop = CancellationToken::new();
    let running = tokio::spawn(publisher.run(stop.clone()));
    scene.records(1 + 8).await;
    super::until("there is room again", async || queue.held() == 0).await;
    let page = scene.world.admin().get(&scene.world.path("/calls")).await.good();
    let lack = &page["incomplete"][0];
    assert_eq!((&lack["why"], &lack["count"]), (&json!("dropped"), &json!(6)), "{page}");
    assert_eq!(lack["instance"], scene.instance.id.as_str());
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(30), running).await.unwrap().unwrap();
    let (numbered, ended): (i64, bool) =
        sqlx::query_as("select numbered, ended_at is not null from call_nodes where node_id = $1")
            .bind(queue.node())
            .fetch_one(pool)
            .await
            .unwrap();
    assert_eq!((numbered, ended), (8 + 1, true), "eight records and one count");
}

#[tokio::test]
async fn an_audited_instance_refuses_what_it_cannot_record() {
    let (scene, _) = recorded().await;
    scene.recording(&json!({ "overflow": "block", "arguments": "none" })).await;
    scene.client().post(&scene.instance.path(), &call(2, "echo", &json!({}))).await.good();
    scene.records(2).await;
    let recorder = scene.world.node.running.calls.clone().expect("calls are recorded");
    let mut rooms = Vec::new();
    while let Some(room) = recorder.room().await {
        rooms.push(room);
    }
    let seen = scene.upstream.seen().len();
    let refused = scene.client().post(&scene.instance.path(), &call(3, "echo", &json!({}))).await;
    assert!(refused.header("retry-after").is_some());
    refused.refused_call(503, "recording-unavailable", &json!(3));
    assert_eq!(scene.upstream.seen().len(), seen, "it was not forwarded");
    drop(rooms);
    scene.client().post(&scene.instance.path(), &call(4, "echo", &json!({}))).await.good();
    super::until("the refused one is counted", async || {
        let page = scene.world.admin().get(&scene.world.path("/calls")).await.good();
        page["items"].as_array().unwrap().len() == 3 && page["incomplete"][0]["count"] == 1
    })
    .await;
}

#[tokio::test]
async fn what_callers_make_up_is_counted_together() {
    let (scene, record) = recorded().await;
    let pool = &scene.world.node.running.pool;
    let (queue, publisher) = small_queue(pool);
    for _ in 0..4 + 20 {
        let mut call = another(&record, &queue);
        (call.record.instance_id, call.record.instance_organization_id) = (Some(Uuid::new_v4()), None);
        queue.put(call, None, None, SystemClock.now().get());
    }
    let stop = CancellationToken::new();
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(30), publisher.run(stop)).await.unwrap();
    let drops: Vec<(Option<Uuid>, i64)> =
        sqlx::query_as("select instance_id, dropped from call_drops").fetch_all(pool).await.unwrap();
    assert_eq!(drops, [(None, 20)]);
}

#[tokio::test]
async fn many_drops_of_one_run_are_told_as_one() {
    let (scene, record) = recorded().await;
    let pool = &scene.world.node.running.pool;
    sqlx::query(
        "insert into call_drops (node_id, number, organization_id, instance_id, from_at, until_at, dropped)
         select $1, number, $2, $3, $4, $4, 2 from generate_series(1, 1500) as number",
    )
    .bind(record.node_id)
    .bind(record.organization_id)
    .bind(record.instance_id)
    .bind(record.at)
    .execute(pool)
    .await
    .unwrap();
    let page = scene.world.admin().get(&scene.world.path("/calls")).await.good();
    let lacks = page["incomplete"].as_array().unwrap();
    assert_eq!((lacks.len(), &lacks[0]["count"]), (1, &json!(3_000)), "{page}");
}

async fn has_ended(pool: &PgPool, queue: &CallQueue) -> bool {
    let sql = "select exists (select from call_nodes where node_id = $1 and ended_at is not null)";
    sqlx::query_scalar(sql).bind(queue.node()).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_run_ends_with_the_records_of_the_calls_that_were_cut_off_with_it() {
    let (scene, record) = recorded().await;
    let pool = &scene.world.node.running.pool;
    let (queue, publisher) = small_queue(pool);
    let (call, stop) = (queue.begin(), CancellationToken::new());
    stop.cancel();
    let running = tokio::spawn(publisher.run(stop));
    tokio::time::sleep(Duration::from_millis(100)).await;
    queue.put(another(&record, &queue), None, None, SystemClock.now().get());
    drop(call);
    tokio::time::timeout(Duration::from_secs(30), running).await.unwrap().unwrap();
    scene.records(1 + 1).await;
    assert!(has_ended(pool, &queue).await);
}

#[tokio::test]
async fn a_run_that_leaves_calls_behind_does_not_say_that_it_ended() {
    let (scene, record) = recorded().await;
    let pool = &scene.world.node.running.pool;
    let (queue, publisher) = small_queue(pool);
    let (_call, stop) = (queue.begin(), CancellationToken::new());
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(30), publisher.run(stop)).await.unwrap();
    queue.put(another(&record, &queue), None, None, SystemClock.now().get());
    assert!(!has_ended(pool, &queue).await, "the record of that call is lost, and nobody is told otherwise");
}
