//! Day-one test 3: a replay whose database connection is killed fails or goes on; it never ends early as if all had been read.

use domain::value::Position;
use projections::LogReader;
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::command;

const EVENTS: u64 = 20_000;

pub(super) async fn fill(pool: &PgPool) {
    for _ in 0..EVENTS / 2_000 {
        let batch = json!([command(Uuid::new_v4(), 1, 1_000), command(Uuid::new_v4(), 1, 1_000)]);
        sqlx::query("select append_commands($1)").bind(batch).execute(pool).await.unwrap();
    }
}

pub(super) async fn kill_all_others(pool: &PgPool) {
    // Only clients: a worker of Postgres's own, such as an autovacuum, may not be ended by whoever is no superuser.
    let others = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'";
    sqlx::query(others).execute(pool).await.unwrap();
}

#[tokio::test]
async fn a_replay_whose_backend_is_killed_never_ends_early_as_if_complete() {
    let (pool, database) = harness::database().await;
    fill(&pool).await;
    let killer = PgPool::connect(&database.url).await.unwrap();
    let log = LogReader::new(pool);
    let (mut last, mut failures, mut pages) = (Position::START, 0, 0);
    loop {
        if pages % 4 == 1 {
            kill_all_others(&killer).await;
        }
        pages += 1;
        match log.page::<()>(last).await {
            Ok(page) if page.is_empty() => break,
            Ok(page) => last = page.last().unwrap().position,
            Err(_) => failures += 1, // an error, not an end: the reader asks again
        }
        assert!(pages < 1_000);
    }
    assert_eq!(last, Position::new(EVENTS), "after {failures} failures");
}

#[tokio::test]
async fn a_row_that_was_removed_behind_our_back_is_an_error() {
    let (pool, _database) = harness::database().await;
    sqlx::query("select append_commands($1)")
        .bind(json!([command(Uuid::new_v4(), 1, 10)]))
        .execute(&pool)
        .await
        .unwrap();
    for statement in ["update events set event_type = 'x'", "delete from events", "truncate events"] {
        let error = sqlx::query(statement).execute(&pool).await.unwrap_err();
        assert!(error.to_string().contains("never changed or deleted"), "{statement}: {error}");
    }
    sqlx::query("alter table events disable trigger events_are_final").execute(&pool).await.unwrap();
    sqlx::query("delete from events where global_position = 5").execute(&pool).await.unwrap();
    let error = LogReader::new(pool).page::<()>(Position::START).await.unwrap_err();
    assert!(error.to_string().contains("after 4 comes 6"), "{error}");
}
