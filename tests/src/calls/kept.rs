//! How long records are kept: partitions are made ahead, and dropped when their time is over.

use harness::Scripted;
use projections::calls::{
    Call, CallRecord, CallStore, Entry, Retention, SealedArguments, drop_expired, make_ahead,
};
use serde_json::json;
use sqlx::PgPool;
use time::Duration;
use uuid::Uuid;

use super::{Scene, call};

async fn partitions(pool: &PgPool, of: &str) -> Vec<String> {
    let sql = "select inhrelid::regclass::text from pg_inherits where inhparent = $1::regclass order by 1";
    sqlx::query_scalar(sql).bind(of).fetch_all(pool).await.unwrap()
}

#[tokio::test]
async fn what_is_old_goes_by_whole_days_and_what_is_to_come_is_made_ahead() {
    let scene = Scene::of(Scripted::Tools(vec![("echo", false)])).await;
    scene
        .recording(&json!({ "overflow": "drop", "arguments": "sealed", "arguments_retention_days": 1 }))
        .await;
    scene.client().post(&scene.instance.path(), &call(1, "echo", &json!({}))).await.good();
    scene.records(1).await;
    let pool = &scene.world.node.running.pool;
    let first = partitions(pool, "calls").await;
    assert_eq!(first.len(), 4, "today and three days: {first:?}");
    assert_eq!(partitions(pool, "call_arguments").await.len(), 1);

    let (now,): (time::OffsetDateTime,) =
        sqlx::query_as("select clock_timestamp()").fetch_one(pool).await.unwrap();
    let kept = Retention { days: 30 };
    assert_eq!(drop_expired(pool, kept, now + Duration::days(1)).await.unwrap(), 0);
    assert_eq!(drop_expired(pool, kept, now + Duration::days(2)).await.unwrap(), 1, "the sealed arguments");
    assert_eq!(scene.records(1).await[0]["outcome"], "answered", "their record is still there");
    make_ahead(pool, now + Duration::days(31)).await.unwrap();
    assert_eq!(drop_expired(pool, kept, now + Duration::days(31)).await.unwrap(), 1);
    assert_eq!(partitions(pool, "calls").await.len(), 3 + 4);
    assert_eq!(scene.records(0).await, Vec::<serde_json::Value>::new());
    make_ahead(pool, now + Duration::days(31)).await.unwrap();
    assert_eq!(partitions(pool, "calls").await.len(), 3 + 4, "made once");
}

#[tokio::test]
async fn a_record_that_comes_when_the_time_of_its_arguments_is_over_is_kept_without_them() {
    let scene = Scene::of(Scripted::Tools(vec![("echo", false)])).await;
    scene.client().post(&scene.instance.path(), &call(1, "echo", &json!({}))).await.good();
    scene.records(1).await;
    let pool = &scene.world.node.running.pool;
    let template: CallRecord = sqlx::query_as("select * from calls").fetch_one(pool).await.unwrap();
    let mut id = template.id.into_bytes();
    id[15] ^= 1;
    let record = CallRecord { id: Uuid::from_bytes(id), node_id: Uuid::new_v4(), ..template };
    let (now, until) = (record.at, record.at.date().previous_day().unwrap());
    let arguments = Some(SealedArguments { until, sealed: vec![1] });
    let store = CallStore::new(pool.clone(), Retention { days: 30 });
    store.store(&[Entry::Call(Call { record, arguments })], now).await.unwrap();
    scene.records(2).await;
    let page = scene.world.admin().get(&scene.world.path("/calls")).await.good();
    assert_eq!(page["incomplete"], json!([]), "{page}");
}
