//! However the same log is folded, the same rows come out.

use std::collections::BTreeSet;

use domain::event::Event;

use super::everything::everything;
use super::history::History;
use super::{Live, folded, the_rebuilt_rows_are_the_live_ones};

#[test]
fn the_history_holds_every_event_type() {
    let told: BTreeSet<_> = everything().names().collect();
    let missing: Vec<_> = Event::catalogue().filter(|name| !told.contains(name)).collect();
    assert!(missing.is_empty(), "no such event in the history: {missing:?}");
}

#[tokio::test]
async fn a_log_that_is_folded_in_one_go_is_folded_as_from_zero() {
    let (pool, _database) = harness::database().await;
    let history = everything();
    folded(&pool, &history).await;
    the_rebuilt_rows_are_the_live_ones(&pool, history.head()).await;
}

#[tokio::test]
async fn a_log_that_is_folded_event_by_event_is_folded_as_from_zero() {
    let (pool, _database) = harness::database().await;
    let history = everything();
    let live = Live::start(&pool);
    for position in history.positions() {
        history.append_one(&pool, position).await;
        live.folds_up_to(position).await;
    }
    the_rebuilt_rows_are_the_live_ones(&pool, history.head()).await;
}

#[tokio::test]
async fn a_projection_that_is_killed_at_any_event_goes_on_where_it_was() {
    let (pool, _database) = harness::database().await;
    let history = everything();
    for position in history.positions() {
        history.append_one(&pool, position).await;
        let live = Live::start(&pool);
        if position.get().is_multiple_of(5) {
            live.folds_up_to(position).await;
        } else {
            live.doorbell.ring(position);
            tokio::task::yield_now().await; // dropped wherever it is by now
        }
    }
    Live::start(&pool).folds_up_to(history.head()).await;
    the_rebuilt_rows_are_the_live_ones(&pool, history.head()).await;
}

#[tokio::test]
async fn a_rebuild_after_erasure_gives_what_the_live_rows_are() {
    let (pool, _database) = harness::database().await;
    let live = History::of_a_deleted_user(false);
    folded(&pool, &live).await;
    let (elsewhere, _database) = harness::database().await;
    let erased = History::of_a_deleted_user(true);
    folded(&elsewhere, &erased).await;
    let row = "select to_jsonb(u) from users u";
    let before: serde_json::Value = sqlx::query_scalar(row).fetch_one(&pool).await.unwrap();
    let after: serde_json::Value = sqlx::query_scalar(row).fetch_one(&elsewhere).await.unwrap();
    assert_eq!(before, after);
    assert_eq!(before["erased"], true);
}
