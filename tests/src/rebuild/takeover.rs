//! What the new tables take over from the old ones, and what a new release may do.

use domain::organization::OrganizationEvent;
use domain::value::Position;
use projections::{Rebuild, RebuildError};
use sqlx::PgPool;

use super::{rebuilt, the_live_rows_are_right};
use crate::directory::everything::{ACME, everything};
use crate::directory::history::{display, founded};
use crate::directory::version::NextDirectory;
use crate::directory::{Live, NothingSealed, count, folded};

async fn texts(pool: &PgPool, sql: &str) -> Vec<String> {
    sqlx::query_scalar(sql).fetch_all(pool).await.unwrap()
}

const INDEXES: &str =
    "select indexname || ': ' || indexdef from pg_indexes where schemaname = 'public' order by 1";
const CONSTRAINTS: &str =
    "select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
                           where connamespace = 'public'::regnamespace order by 1";
const COLUMNS: &str = "select table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || ordinal_position
                       from information_schema.columns where table_schema = 'public' order by 1";
const READERS: &str = "select relname || ' ' || a.privilege_type || ' ' || a.grantee::regrole from pg_class, aclexplode(relacl) a
                       where relnamespace = 'public'::regnamespace and a.grantee <> relowner order by 1";

#[tokio::test]
async fn the_new_tables_have_the_columns_indexes_and_readers_of_the_old_ones() {
    let (pool, _database) = harness::database().await;
    folded(&pool, &everything()).await;
    let grant = "grant select on organizations to pg_monitor with grant option";
    sqlx::query(grant).execute(&pool).await.unwrap();
    let mut before = Vec::new();
    for sql in [INDEXES, CONSTRAINTS, COLUMNS, READERS] {
        before.push(texts(&pool, sql).await);
    }
    assert!(before.iter().all(|found| !found.is_empty()), "{before:?}");
    let marker = "update organizations set name = 'not from the log'";
    sqlx::query(marker).execute(&pool).await.unwrap();

    rebuilt(&pool).await.unwrap();
    for (sql, before) in [INDEXES, CONSTRAINTS, COLUMNS, READERS].into_iter().zip(before) {
        assert_eq!(texts(&pool, sql).await, before);
    }
    the_live_rows_are_right(&pool).await;
    assert_eq!(count(&pool, "select from pg_namespace where nspname like 'sekisho_rebuild%'").await, 0);
}

#[tokio::test]
async fn a_view_that_looks_through_a_table_is_named_and_nothing_is_changed() {
    let (pool, _database) = harness::database().await;
    folded(&pool, &everything()).await;
    sqlx::query("create view report as select name from organizations").execute(&pool).await.unwrap();
    let refused = rebuilt(&pool).await.unwrap_err();
    assert!(
        matches!(&refused, RebuildError::View(view, table) if view == "report" && table == "organizations"),
        "{refused}"
    );
    sqlx::query("drop view report").execute(&pool).await.unwrap();
    the_live_rows_are_right(&pool).await;
}

#[tokio::test]
async fn an_event_that_a_rebuild_cannot_fold_is_parked_as_it_is_live() {
    let (pool, _database) = harness::database().await;
    let mut history = everything();
    history
        .tell(ACME, founded("acme", "Acme again"))
        .tell(ACME, OrganizationEvent::Renamed { name: display("behind it") });
    folded(&pool, &history).await;
    let parked =
        "select position || ' ' || aggregate_id || ' ' || reason from parked_events order by position";
    let before = texts(&pool, parked).await;
    assert_eq!(before.len(), 2, "{before:?}");
    let done = rebuilt(&pool).await.unwrap();
    assert_eq!((done.parked, done.position), (2, history.head()));
    assert_eq!(texts(&pool, parked).await, before);
    let head = history.tell(ACME, OrganizationEvent::Renamed { name: display("also behind it") }).head();
    history.append_one(&pool, head).await;
    Live::start(&pool).folds_up_to(head).await;
    assert_eq!(texts(&pool, parked).await.len(), 3);
}

#[tokio::test]
async fn a_new_release_rebuilds_beside_the_old_one_which_then_leaves_the_rows_alone() {
    let (pool, _database) = harness::database().await;
    let mut history = everything();
    folded(&pool, &history).await;
    let old = Live::start(&pool);
    let done = Rebuild::new(&NextDirectory, &pool, &NothingSealed).run(|_| {}).await.unwrap();
    assert_eq!(done.position, history.head());
    let head = history.tell(ACME, OrganizationEvent::Renamed { name: display("Acme 3") }).head();
    history.append_one(&pool, head).await;
    old.doorbell.ring(head);
    let new = Live::of(&pool, std::sync::Arc::new(NextDirectory));
    new.folds_up_to(head).await;
    assert!(old.handle.lag(head).events > 0, "the old release folded into rows that are not its own");
    let refused = rebuilt(&pool).await.unwrap_err();
    assert!(matches!(refused, RebuildError::Superseded("directory")), "{refused}");
    the_live_rows_are_right(&pool).await;
}

#[tokio::test]
async fn an_empty_log_gives_empty_tables() {
    let (pool, _database) = harness::database().await;
    assert_eq!(rebuilt(&pool).await.unwrap().position, Position::START);
    the_live_rows_are_right(&pool).await;
}
