//! Two rebuilds at once, and one that has to wait for somebody who holds a table.

use std::sync::Arc;
use std::time::Duration;

use projections::directory::Directory;
use projections::{Rebuild, RebuildError, Stage};
use tokio::sync::watch;

use super::{rebuilt, the_live_rows_are_right};
use crate::directory::everything::everything;
use crate::directory::{NothingSealed, folded};

#[tokio::test]
async fn a_rebuild_that_waits_for_a_table_lets_readers_pass_and_refuses_a_second_one() {
    let (pool, _database) = harness::database().await;
    let history = everything();
    folded(&pool, &history).await;
    let mut holder = pool.begin().await.unwrap();
    sqlx::query("lock table users in access share mode").execute(&mut *holder).await.unwrap();

    let (stage, mut stages) = watch::channel(Stage::Folding);
    let first = tokio::spawn({
        let pool = pool.clone();
        async move {
            let rebuild = Rebuild::new(&Directory, &pool, &NothingSealed);
            rebuild.run(|progress| _ = stage.send_replace(progress.stage)).await
        }
    });
    stages.wait_for(|stage| *stage == Stage::Swapping).await.unwrap();
    for _ in 0..20 {
        let reading = sqlx::query("select * from organizations, users limit 1").fetch_one(&pool);
        tokio::time::timeout(Duration::from_millis(900), reading).await.expect("readers pass").unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let refused = rebuilt(&pool).await.unwrap_err();
    assert!(matches!(refused, RebuildError::UnderWay("directory")), "{refused}");
    assert!(!first.is_finished());

    holder.rollback().await.unwrap();
    assert_eq!(first.await.unwrap().unwrap().position, history.head());
    the_live_rows_are_right(&pool).await;
    for _ in 0..3 {
        rebuilt(&pool).await.expect("once one is done, another may begin");
    }
}

#[tokio::test]
async fn of_many_at_once_those_that_are_not_refused_all_leave_the_rows_right() {
    let (pool, _database) = harness::database().await;
    folded(&pool, &everything()).await;
    let pool = Arc::new(pool);
    let all: Vec<_> = (0..4)
        .map(|_| {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { rebuilt(&pool).await })
        })
        .collect();
    let mut done = 0;
    for one in all {
        match one.await.unwrap() {
            Ok(_) => done += 1,
            Err(error) => assert!(matches!(error, RebuildError::UnderWay(_)), "{error}"),
        }
    }
    assert!(done >= 1);
    the_live_rows_are_right(&pool).await;
}
