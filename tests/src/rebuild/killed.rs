//! The real program: `sekisho rebuild` killed by SIGKILL at any moment leaves what is served as it was, and can be run again.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use domain::value::Position;
use harness::sekisho;
use sqlx::PgPool;

use super::the_live_rows_are_right;
use crate::directory::{Live, count};
use crate::kill::dice::Dice;

const EVENTS: i64 = 30_000;
const KILLS: usize = 6;

/// Many teams, each renamed a few times, by one statement.
async fn fill(pool: &PgPool) {
    sqlx::query(
        r#"insert into events (global_position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                               occurred_at, recorded_at)
           select n, 'organization', ('00000000-0000-0000-0000-' || lpad(to_hex((n - 1) / 3), 12, '0')), 1 + (n - 1) % 3,
                  case (n - 1) % 3 when 0 then 'created' else 'renamed' end, '1',
                  case (n - 1) % 3
                      when 0 then json_build_object('created', json_build_object('kind', 'team', 'slug', 'team-' || n, 'name', 'Team'))
                      else json_build_object('renamed', json_build_object('name', 'Team ' || n)) end,
                  '{"actor": "test"}', '2026-03-01T00:00:00Z', clock_timestamp()
           from generate_series(1, $1::bigint) as n"#,
    )
    .bind(EVENTS)
    .execute(pool)
    .await
    .unwrap();
}

fn rebuild(url: &str) -> Command {
    let mut command = Command::new(sekisho());
    command.args(["rebuild", "directory"]).env("DATABASE_URL", url).env("SEKISHO_LOG", "warn");
    command.env("SEKISHO_MASTER_KEY", harness_key()).env_remove("NATS_URL").stdin(Stdio::null());
    command
}

fn harness_key() -> String {
    api::adapters::master_key::MasterKeys::generate().unwrap().to_string()
}

async fn fingerprint(pool: &PgPool) -> (i64, String) {
    sqlx::query_as(
        "select 'public.organizations'::regclass::oid::bigint, md5(string_agg(o::text, '' order by id)) from organizations o",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_that_is_killed_leaves_the_live_tables_alone_and_can_be_run_again() {
    let (pool, database) = harness::database().await;
    fill(&pool).await;
    let live = Live::start(&pool);
    live.folds_up_to(Position::new(EVENTS.unsigned_abs())).await;
    let (table, rows) = fingerprint(&pool).await;

    sekisho(); // built before the clock runs
    let began = Instant::now();
    let whole = rebuild(&database.url).output().unwrap();
    let lasts = began.elapsed();
    let told = String::from_utf8_lossy(&whole.stdout).into_owned();
    assert!(whole.status.success(), "{told} {}", String::from_utf8_lossy(&whole.stderr));
    assert!(told.contains("is rebuilt up to event 30000; 0 events are parked"), "{told}");
    let lines = String::from_utf8_lossy(&whole.stderr).into_owned();
    assert!(lines.contains("folding") && lines.contains("/s"), "{lines}");
    let (mut table_now, rows_now) = fingerprint(&pool).await;
    assert!(table_now != table && rows_now == rows, "the new table holds the same rows");

    let mut dice = Dice::thrown_for("rebuild killed");
    let mut killed = 0;
    for _ in 0..KILLS {
        let mut child = rebuild(&database.url).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        dice.wait(1..u64::try_from(lasts.as_millis()).unwrap().max(2)).await;
        let ended = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        // The server may be at work on the last statement for a moment; then it sees that nobody is there.
        let patience = Instant::now() + Duration::from_secs(20);
        while count(&pool, "select from pg_locks where locktype = 'advisory'").await > 0 {
            assert!(Instant::now() < patience, "a lock is left behind");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let (table, after) = fingerprint(&pool).await;
        assert_eq!(after, rows, "rows changed");
        killed += usize::from(!ended);
        table_now = if ended { table } else { table_now };
    }
    let again = rebuild(&database.url).output().unwrap();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(count(&pool, "select from pg_namespace where nspname like 'sekisho_rebuild%'").await, 0);
    the_live_rows_are_right(&pool).await;
    println!("rebuild: killed {killed} of {KILLS} times before its end, which is after {lasts:?}");
}

#[tokio::test]
async fn a_read_model_that_does_not_exist_is_told_from_those_that_do() {
    let (_, database) = harness::database().await;
    let refused = Command::new(sekisho())
        .args(["rebuild", "phonebook"])
        .env("DATABASE_URL", &database.url)
        .env("SEKISHO_MASTER_KEY", harness_key())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1));
    assert!(told.contains("\"phonebook\": directory"), "{told}");
}

#[tokio::test]
async fn how_far_the_read_models_are_is_told() {
    let (pool, database) = harness::database().await;
    fill(&pool).await;
    Live::start(&pool).folds_up_to(Position::new(EVENTS.unsigned_abs())).await;
    let found = Command::new(sekisho())
        .arg("projections")
        .env("DATABASE_URL", &database.url)
        .env("SEKISHO_MASTER_KEY", harness_key())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(found.status.success(), "{told} {}", String::from_utf8_lossy(&found.stderr));
    let row: Vec<&str> = told.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row, ["directory", "1", "30000", "0", "0", "0"], "{told}");
}
