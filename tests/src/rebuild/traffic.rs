//! Writers write, a live projection folds and readers read on prepared statements, while the tables under them are replaced.

use std::time::Duration;

use domain::value::Position;
use projections::directory::{Cursor, Directory, PAGE_ROWS_MAX, organizations};
use projections::{Doorbell, Rebuild};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::the_live_rows_are_right;
use crate::directory::{Live, NothingSealed};
use crate::kill::dice::Dice;
use crate::kill::storyteller::Storyteller;

const REBUILDS: usize = 6;
const WRITERS: usize = 3;
const READERS: usize = 3;
/// Between a commit and the moment at which readers see it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Reads over and over; answers how often. Rows are never fewer than before, never older, never doubled.
async fn read_until(pool: PgPool, stop: CancellationToken) -> usize {
    let (mut rounds, mut rows_before, mut newest_before) = (0, 0, 0);
    while !stop.is_cancelled() {
        let (rows, distinct, newest): (i64, i64, i64) = sqlx::query_as(
            "select count(*), count(distinct slug), coalesce(max(o.updated_position), 0) from organizations o
             left join members m on m.organization_id = o.id left join users u on u.id = m.user_id",
        )
        .fetch_one(&pool)
        .await
        .expect("no reader is refused anything");
        assert_eq!(rows, distinct, "a row is there twice");
        assert!(rows >= rows_before, "rows are missing: {rows} after {rows_before}");
        assert!(newest >= newest_before, "the rows went back: {newest} after {newest_before}");
        (rows_before, newest_before) = (rows, newest);
        let listed = organizations::list_all(&pool, Cursor::default(), PAGE_ROWS_MAX).await.unwrap();
        let page = i64::from(PAGE_ROWS_MAX);
        assert!(
            i64::try_from(listed.rows.len()).unwrap() >= rows.min(page),
            "rows are missing in the listing"
        );
        rounds += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    rounds
}

/// A writer that is not content before it reads what it wrote.
async fn write_until(
    number: usize,
    pool: PgPool,
    live: (Doorbell, projections::RunnerHandle),
    stop: CancellationToken,
) {
    let mut dice = Dice::thrown_for("rebuild");
    let mut writer = Storyteller::new(number, pool.clone(), dice.others());
    while !stop.is_cancelled() {
        let position = writer.tell().await;
        live.0.ring(position);
        tokio::time::timeout(PATIENCE, live.1.reached(position)).await.expect("the live projection goes on");
        let seen: i64 = sqlx::query_scalar("select coalesce(max(updated_position), 0) from organizations")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert!(seen.unsigned_abs() >= position.get(), "written at {position}, read up to {seen}");
        dice.wait(1..15).await;
    }
}

fn readers(pool: &PgPool, stop: &CancellationToken) -> Vec<JoinHandle<usize>> {
    (0..READERS).map(|_| tokio::spawn(read_until(pool.clone(), stop.clone()))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_rows_missing_or_doubled_while_the_tables_are_replaced() {
    let (_, database) = harness::database().await;
    let pool = PgPoolOptions::new().max_connections(12).connect(&database.url).await.unwrap();
    let live = Live::start(&pool);
    let mut first = Storyteller::new(WRITERS, pool.clone(), Dice::thrown_for("first").others());
    let mut head = Position::START;
    while head == Position::START {
        head = first.tell().await;
    }
    live.folds_up_to(head).await;

    let stop = CancellationToken::new();
    let writers: Vec<JoinHandle<()>> = (0..WRITERS)
        .map(|number| {
            let ends = (live.doorbell.clone(), live.handle.clone());
            tokio::spawn(write_until(number, pool.clone(), ends, stop.clone()))
        })
        .collect();
    let readers = readers(&pool, &stop);
    for number in 0..REBUILDS {
        tokio::time::sleep(Duration::from_millis(200)).await;
        // Every other one has room for a few rows only, and goes on in the tables.
        let rows_max = if number % 2 == 0 { usize::MAX } else { 3 };
        let rebuilt =
            Rebuild::new(&Directory, &pool, &NothingSealed).holding(rows_max).run(|_| {}).await.unwrap();
        assert_eq!((rebuilt.parked, rebuilt.spilled), (0, rows_max == 3));
    }
    stop.cancel();
    for writer in writers {
        writer.await.unwrap();
    }
    let mut rounds = 0;
    for reader in readers {
        rounds += reader.await.unwrap();
    }
    let (head,): (i64,) =
        sqlx::query_as("select max(global_position) from events").fetch_one(&pool).await.unwrap();
    live.folds_up_to(Position::new(head.unsigned_abs())).await;
    the_live_rows_are_right(&pool).await;
    println!(
        "rebuild: {REBUILDS} under {head} events by {WRITERS} writers, {rounds} rounds of {READERS} readers"
    );
}
