//! How long records are kept: partitions are made ahead, and dropped when their time is over.

use harness::Scripted;
use projections::calls::{Retention, drop_expired, make_ahead};
use serde_json::json;
use sqlx::PgPool;
use time::Duration;

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
