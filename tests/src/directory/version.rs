//! A release that gives the rows another meaning builds them anew, and the release before leaves them alone from then on.

use std::sync::Arc;
use std::time::Duration;

use domain::organization::OrganizationEvent;
use projections::directory::Directory;
use projections::{Projection, Rows};
use sqlx::PgPool;

use super::everything::{ACME, everything};
use super::history::display;
use super::{Live, folded, the_rebuilt_rows_are_the_live_ones};

/// The directory as a later release might have it.
pub(crate) struct NextDirectory;

impl Projection for NextDirectory {
    fn name(&self) -> &'static str {
        Directory.name()
    }

    fn version(&self) -> i32 {
        Directory.version() + 1
    }

    fn tables(&self) -> &'static [&'static str] {
        Directory.tables()
    }

    fn rows(&self) -> Box<dyn Rows> {
        Directory.rows()
    }
}

async fn nothing_is_parked(pool: &PgPool) {
    let parked: Vec<(i64, String)> =
        sqlx::query_as("select position, reason from parked_events").fetch_all(pool).await.unwrap();
    assert!(parked.is_empty(), "{parked:?}");
}

#[tokio::test]
async fn a_new_version_finds_old_rows_and_builds_its_own_from_zero() {
    let (pool, _database) = harness::database().await;
    let history = everything();
    folded(&pool, &history).await;
    // What only the release before would have written.
    sqlx::query("update organizations set name = 'as the old release understood it'")
        .execute(&pool)
        .await
        .unwrap();
    Live::of(&pool, Arc::new(NextDirectory)).folds_up_to(history.head()).await;
    nothing_is_parked(&pool).await;
    the_rebuilt_rows_are_the_live_ones(&pool, history.head()).await;
}

#[tokio::test]
async fn a_node_of_the_release_before_leaves_the_rows_of_the_new_one_alone() {
    let (pool, _database) = harness::database().await;
    let mut history = everything();
    folded(&pool, &history).await;
    let old = Live::start(&pool);
    let new = Live::of(&pool, Arc::new(NextDirectory));
    new.folds_up_to(history.head()).await;
    let head = history.tell(ACME, OrganizationEvent::Renamed { name: display("Acme 3") }).head();
    history.append_one(&pool, head).await;
    old.doorbell.ring(head);
    tokio::time::sleep(Duration::from_millis(500)).await; // time enough to do what it must not
    assert!(
        old.handle.lag(head).events > 0,
        "the old release folded an event into rows that are not its own"
    );
    new.folds_up_to(head).await;
    nothing_is_parked(&pool).await;
    the_rebuilt_rows_are_the_live_ones(&pool, head).await;
}
