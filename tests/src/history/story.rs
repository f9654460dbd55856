//! Things that happen, so that there is a history.

use harness::World;
use hyper::Method;
use serde_json::json;
use sqlx::PgPool;

/// A key comes and goes: three events of one aggregate. Its id.
pub(super) async fn a_key_comes_and_goes(world: &World) -> String {
    let body = json!({ "name": "CI", "scopes": ["mcp:read"] });
    let id = world.admin().post(&world.path("/api-keys"), &body).await.good()["id"].clone();
    let path = world.path(&format!("/api-keys/{}", id.as_str().unwrap()));
    world.admin().json(Method::PATCH, &path, &json!({ "name": "Continuous" })).await.good();
    world.admin().json(Method::DELETE, &path, &json!({ "reason": "A test" })).await.good();
    id.as_str().unwrap().to_owned()
}

/// The organization gets another name: one event.
pub(super) async fn rename(world: &World, name: &str) {
    let path = world.path("");
    world.admin().json(Method::PATCH, &path, &json!({ "name": name })).await.good();
}

/// The organization is renamed so many times, in one transaction. The position of the last event.
pub(super) async fn rename_often(pool: &PgPool, organization: &str, times: i32) -> u64 {
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(7243927510471)").execute(&mut *transaction).await.unwrap();
    sqlx::query(
        "insert into events (global_position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                             occurred_at, recorded_at)
         select h.head + n, 'organization', $1, s.last + n, 'renamed', '1',
                json_build_object('renamed', json_build_object('name', rpad('Name ' || n || ' ', 190, 'x'))),
                json_build_object('actor', 'user:test', 'organization', $1), clock_timestamp(), clock_timestamp()
         from (select max(global_position) as head from events) h,
              (select max(sequence) as last from events where aggregate_type = 'organization' and aggregate_id = $1) s,
              generate_series(1, $2) n order by n",
    )
    .bind(organization)
    .bind(times)
    .execute(&mut *transaction)
    .await
    .unwrap();
    let (head,): (i64,) =
        sqlx::query_as("select max(global_position) from events").fetch_one(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    head.unsigned_abs()
}

/// Somebody removes a row from outside, as no part of Sekisho can.
pub(super) async fn tear_out(pool: &PgPool, position: u64) {
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("alter table events disable trigger events_are_final")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let delete =
        sqlx::query("delete from events where global_position = $1").bind(i64::try_from(position).unwrap());
    assert_eq!(delete.execute(&mut *transaction).await.unwrap().rows_affected(), 1);
    sqlx::query("alter table events enable trigger events_are_final")
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}
