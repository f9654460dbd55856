//! Whoever dies between the event and the destruction of the key leaves it to whoever runs next.

use std::process::Child;

use harness::{Database, World};
use sqlx::{Connection as _, PgConnection, PgPool};

use super::{erase_command, events, is_forgotten, registered, until};

/// Erases, and is killed when the log says so and the key still exists.
async fn killed_in_between(database: &Database, master_key: &str, pool: &PgPool, user: &str) {
    let mut holding = PgConnection::connect(&database.url).await.unwrap();
    let mut held = holding.begin().await.unwrap();
    sqlx::query("select from subject_keys where subject_id = $1::uuid for update")
        .bind(user)
        .execute(&mut *held)
        .await
        .unwrap();
    let mut command =
        erase_command(database, master_key, &["--user", user, "--reason", "request 4711", "--yes"]);
    let mut erasing: Child = command.spawn().expect("the program runs");
    until("the log says so, and the key is about to be destroyed", async || {
        let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
            and query like 'with erased%'";
        let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(pool).await.unwrap();
        waiting > 0
    })
    .await;
    erasing.kill().expect("it is ours to kill");
    erasing.wait().expect("it ends");
    // Postgres does not notice that nobody waits for it any more; a machine that died would have taken it along.
    sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
        .execute(pool)
        .await
        .unwrap();
    assert!(!is_forgotten(pool, user).await);
    let erased = "select count(*) from events where event_type = 'erased' and aggregate_id = $1";
    assert_eq!(sqlx::query_scalar::<_, i64>(erased).bind(user).fetch_one(pool).await.unwrap(), 1);
    held.rollback().await.unwrap();
}

#[tokio::test]
async fn a_node_that_starts_destroys_the_key_that_a_crash_left() {
    let world = World::start().await;
    let mika = registered(&world, "Mika", "mika@example.com").await;
    assert!(world.node.running.shutdown().finish(std::time::Duration::from_secs(5)).await);
    let pool = PgPool::connect(&world.database.url).await.unwrap();
    killed_in_between(&world.database, world.master_key(), &pool, &mika).await;
    assert!(!is_forgotten(&pool, &mika).await, "nobody runs");
    let node = world.another_node().await;
    assert!(is_forgotten(&pool, &mika).await, "before it answers anybody");
    let path = format!("/v1/deployment/users/{mika}?at_least={}", events(&pool).await);
    let shown = node.http().as_key(&world.admin_key).get(&path).await.good();
    assert_eq!(shown["standing"], "erased");
    assert!(shown["name"].is_null() && shown["email"].is_null(), "{shown}");
}

#[tokio::test]
async fn a_node_that_runs_destroys_the_key_that_somebody_elses_crash_left() {
    let world = World::start().await;
    let mika = registered(&world, "Mika", "mika@example.com").await;
    let pool = PgPool::connect(&world.database.url).await.unwrap();
    killed_in_between(&world.database, world.master_key(), &pool, &mika).await;
    until("the key is destroyed", async || is_forgotten(&pool, &mika).await).await;
}
