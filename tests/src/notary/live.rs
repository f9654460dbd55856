//! `sekisho verify` on a live log: exact to the event, by the hashes that the notary stored.

use projections::notary::note::NoteKey;
use sqlx::PgPool;

use super::{head, said, signed_world, tamper, verify};

fn wrong(database: &harness::Database, key: &NoteKey, position: u64) -> String {
    let told = said(&verify(Some(&database.url), &["--public-key", &key.to_string()]), 1);
    assert!(told.starts_with(&format!("WRONG first bad position {position}:")), "{told}");
    told
}

const COLUMNS: &str = "aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, occurred_at, recorded_at";

#[tokio::test]
async fn a_changed_event_is_named() {
    let (pool, database, key) = signed_world().await;
    let named = "select min(global_position) from events where payload::text like '%Acme%'";
    let position: i64 = sqlx::query_scalar(named).fetch_one(&pool).await.unwrap();
    let change = "update events set payload = (replace(payload::text, 'Acme', 'Emca'))::json";
    tamper(&pool, &format!("{change} where global_position = {position}")).await;
    wrong(&database, &key, position.unsigned_abs());
}

#[tokio::test]
async fn every_column_of_an_event_is_covered() {
    let (pool, database, key) = signed_world().await;
    let columns = [
        ("aggregate_type", "aggregate_type || 'x'"),
        ("aggregate_id", "aggregate_id || 'x'"),
        ("sequence", "sequence + 100"),
        ("event_type", "event_type || 'x'"),
        ("event_version", "'2'"),
        ("event_version", "'01'"),
        ("payload", "(replace(payload::text, ': ', ':  '))::json"),
        ("metadata", "(replace(metadata::text, ': ', ':  '))::json"),
        ("occurred_at", "occurred_at + interval '1 microsecond'"),
        ("recorded_at", "recorded_at - interval '1 microsecond'"),
    ];
    for (column, value) in columns {
        tamper(&pool, "create table before as select * from events where global_position = 4").await;
        tamper(&pool, &format!("update events set {column} = {value} where global_position = 4")).await;
        wrong(&database, &key, 4);
        let back = format!(
            "update events e set {column} = b.{column} from before b where e.global_position = 4; drop table before"
        );
        tamper(&pool, &back).await;
    }
    assert!(said(&verify(Some(&database.url), &["--public-key", &key.to_string()]), 0).starts_with("ok "));
}

#[tokio::test]
async fn a_deleted_event_is_named_also_when_the_rest_was_moved_up() {
    let (pool, database, key) = signed_world().await;
    tamper(&pool, "delete from events where global_position = 5").await;
    assert!(wrong(&database, &key, 5).contains("the next one is at 6"));
    move_all_after(&pool, 5, -1).await;
    wrong(&database, &key, 5);
}

#[tokio::test]
async fn an_inserted_event_is_named() {
    let (pool, database, key) = signed_world().await;
    move_all_after(&pool, 4, 1).await;
    let insert = format!(
        "insert into events (global_position, {COLUMNS}) select 5, aggregate_type, gen_random_uuid()::text, sequence, event_type,
         event_version, payload, metadata, occurred_at, recorded_at from events where global_position = 4"
    );
    tamper(&pool, &insert).await;
    wrong(&database, &key, 5);
}

#[tokio::test]
async fn two_events_that_changed_places_are_named() {
    let (pool, database, key) = signed_world().await;
    let swap = "update events set global_position = 1000 where global_position = 3;
        update events set global_position = 3 where global_position = 7; update events set global_position = 7 where global_position = 1000";
    tamper(&pool, swap).await;
    wrong(&database, &key, 3);
}

#[tokio::test]
async fn a_truncated_log_is_named() {
    let (pool, database, key) = signed_world().await;
    let last = head(&pool).await;
    tamper(&pool, &format!("delete from events where global_position > {}", last - 2)).await;
    assert!(wrong(&database, &key, last - 1).contains(&format!("{last} events were signed")));
}

#[tokio::test]
async fn a_row_outside_the_order_is_found_although_no_reader_sees_it() {
    let (pool, database, key) = signed_world().await;
    let insert = format!(
        "alter table events drop constraint events_position_check; insert into events (global_position, {COLUMNS})
         select -1, aggregate_type, aggregate_id, 999, event_type, event_version, payload, metadata, occurred_at, recorded_at
         from events where global_position = 4"
    );
    tamper(&pool, &insert).await;
    let told = said(&verify(Some(&database.url), &["--public-key", &key.to_string()]), 1);
    assert!(told.starts_with("WRONG") && told.contains("1 rows more than positions"), "{told}");
}

/// Whoever owns the database may put an older one in its place, with the tiles and checkpoints of then. Only a witness tells.
#[tokio::test]
async fn a_log_that_was_set_back_with_its_checkpoints_is_named_by_the_file() {
    let (pool, database, key) = signed_world().await;
    let sizes: Vec<i64> = sqlx::query_scalar("select size from notary_checkpoints order by size")
        .fetch_all(&pool)
        .await
        .unwrap();
    let kept = sizes[sizes.len() - 2];
    tamper(&pool, &format!("delete from events where global_position > {kept}")).await;
    tamper(&pool, &format!("alter table notary_checkpoints disable trigger user; delete from notary_checkpoints where size > {kept}")).await;
    let key = key.to_string();
    assert!(said(&verify(Some(&database.url), &["--public-key", &key]), 0).starts_with("ok "));
    let file = database.checkpoint_file();
    let told = said(
        &verify(Some(&database.url), &["--public-key", &key, "--checkpoint", file.to_str().unwrap()]),
        1,
    );
    assert!(told.starts_with(&format!("WRONG first bad position {}:", kept + 1)), "{told}");
}

#[tokio::test]
async fn an_erased_person_leaves_the_log_as_it_was_signed() {
    let (pool, database, key) = signed_world().await;
    let erased = sqlx::query("update subject_keys set wrapped_key = null, destroyed_at = clock_timestamp()")
        .execute(&pool)
        .await
        .unwrap();
    assert!(erased.rows_affected() > 0, "there is nobody to erase");
    let file = database.checkpoint_file();
    let told = said(
        &verify(
            Some(&database.url),
            &["--public-key", &key.to_string(), "--checkpoint", file.to_str().unwrap()],
        ),
        0,
    );
    assert!(told.starts_with(&format!("ok    {} events", head(&pool).await)), "{told}");
}

#[tokio::test]
async fn another_key_verifies_nothing() {
    let (_, database, _) = signed_world().await;
    let other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let told = said(&verify(Some(&database.url), &["--public-key", other]), 2);
    assert!(told.contains("no signature of the given key"), "{told}");
}

async fn move_all_after(pool: &PgPool, position: u64, by: i64) {
    // In two steps: positions are unique at every moment of an update.
    let there = format!(
        "update events set global_position = global_position + 100000 where global_position > {position}"
    );
    let here = format!(
        "update events set global_position = global_position - 100000 + {by} where global_position > 100000"
    );
    tamper(pool, &format!("{there}; {here}")).await;
}
