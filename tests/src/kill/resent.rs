//! A batch whose connection breaks is sent again, and what it finds in the log then is never taken for its own.

use std::time::Duration;

use api::adapters::postgres;
use api::adapters::postgres_events::Appender;
use commands::AppendError;
use domain::value::Position;
use serde_json::{Value, json};
use sqlx::{Executor as _, PgPool};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::equal::count;

const PATIENCE: Duration = Duration::from_secs(20);
/// The lock that `append_commands` takes first.
const LOCK: &str = "select pg_advisory_xact_lock(7243927510471)";

/// A command that founds a team; nothing in it is unique but its id.
fn command(id: &str, team: u128) -> Value {
    let events = json!([{
        "aggregate_type": "organization", "aggregate_id": Uuid::from_u128(team), "sequence": 1, "event_type": "renamed",
        "event_version": "1", "payload": { "renamed": { "name": "A team" } },
        "metadata": { "occurred_at": "2026-03-01T00:00:00Z", "actor": "test" },
    }]);
    json!({ "command_id": id, "request_digest": "", "answer": "", "events": events, "releases": [], "takes": [] })
}

/// Ends the appender's session as soon as it waits for the lock.
async fn cut_off_the_appender(pool: &PgPool) {
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
               where datname = current_database() and application_name = 'sekisho appender' and wait_event_type = 'Lock'";
    let patience = Instant::now() + PATIENCE;
    while sqlx::query_scalar::<_, i64>(cut).fetch_one(pool).await.unwrap() == 0 {
        assert!(Instant::now() < patience, "the appender does not wait for the lock");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn attack_44_a_resent_command_is_not_acknowledged_for_what_another_attempt_did_under_its_id() {
    let (pool, database) = harness::database().await;
    let (appender, task) =
        Appender::new(postgres::options(&database.url).unwrap(), watch::Sender::new(Position::START));
    tokio::spawn(task.run());
    assert_eq!(appender.append(command("the-same", 1)).await.unwrap(), Position::new(1));

    let mut holder = pool.begin().await.unwrap();
    holder.execute(LOCK).await.unwrap();
    let second = tokio::spawn(async move { appender.append(command("the-same", 2)).await });
    cut_off_the_appender(&pool).await;
    holder.rollback().await.unwrap();
    let answer = second.await.unwrap();
    assert!(matches!(answer, Err(AppendError::Duplicate)), "acknowledged, and not in the log: {answer:?}");
    assert_eq!(count(&pool, "select * from events").await, 1);
}

#[tokio::test]
async fn a_command_whose_connection_breaks_before_it_is_written_is_written_once() {
    let (pool, database) = harness::database().await;
    let (appender, task) =
        Appender::new(postgres::options(&database.url).unwrap(), watch::Sender::new(Position::START));
    tokio::spawn(task.run());
    let mut holder = pool.begin().await.unwrap();
    holder.execute(LOCK).await.unwrap();
    let writing = tokio::spawn(async move { appender.append(command("one", 1)).await });
    cut_off_the_appender(&pool).await;
    holder.rollback().await.unwrap();
    assert_eq!(writing.await.unwrap().unwrap(), Position::new(1));
    assert_eq!(count(&pool, "select * from events").await, 1);
}
