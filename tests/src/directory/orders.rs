//! Orders about parked events stand in the log, and are carried out when whoever folds gets there: live and in a rebuild alike.

use domain::organization::OrganizationEvent;
use domain::user::UserEvent;
use domain::value::{DeploymentId, Position};
use sqlx::PgPool;

use super::everything::{ACME, ANN, GLOBEX, everything, retried, skipped};
use super::history::{History, display, email, founded, registered};
use super::{Live, count, folded, the_rebuilt_rows_are_the_live_ones};

async fn parked(pool: &PgPool) -> Vec<i64> {
    sqlx::query_scalar("select position from parked_events order by position").fetch_all(pool).await.unwrap()
}

/// What was told since then.
async fn goes_on(pool: &PgPool, history: &History, since: Position) {
    for position in history.positions().filter(|position| *position > since) {
        history.append_one(pool, position).await;
    }
    Live::start(pool).folds_up_to(history.head()).await;
}

#[tokio::test]
async fn an_event_that_still_cannot_be_folded_stays_parked_with_what_waits_behind_it() {
    let (pool, _database) = harness::database().await;
    let mut history = History::default();
    history.tell(ACME, founded("acme", "Acme"));
    let bad = history.tell_newer(ACME, OrganizationEvent::Renamed { name: display("from the future") });
    history.tell(ACME, OrganizationEvent::Renamed { name: display("behind it") });
    history.tell(DeploymentId, retried(bad));
    folded(&pool, &history).await;
    assert_eq!(parked(&pool).await, [2, 3]);
}

#[tokio::test]
async fn an_order_about_what_is_not_parked_or_waits_behind_another_does_nothing() {
    let (pool, _database) = harness::database().await;
    let mut history = History::default();
    history.tell(ACME, founded("acme", "Acme"));
    history.tell_newer(ACME, OrganizationEvent::Renamed { name: display("from the future") });
    let behind = history.tell(ACME, OrganizationEvent::Renamed { name: display("behind it") }).head();
    for order in [skipped(behind), retried(behind), skipped(Position::new(1)), retried(Position::new(999))] {
        history.tell(DeploymentId, order);
    }
    history.tell(GLOBEX, founded("globex", "Globex"));
    folded(&pool, &history).await;
    assert_eq!(parked(&pool).await, [2, 3]);
    assert_eq!(count(&pool, "select from organizations where name in ('Acme', 'Globex')").await, 2);
}

#[tokio::test]
async fn a_skipped_event_is_left_out_and_those_behind_it_are_folded() {
    let (pool, _database) = harness::database().await;
    let mut history = everything();
    let bad = history.tell_newer(ACME, OrganizationEvent::Renamed { name: display("from the future") });
    let behind = history.tell(ACME, OrganizationEvent::Renamed { name: display("behind it") }).head();
    history.tell(GLOBEX, OrganizationEvent::Renamed { name: display("Globex 2") });
    folded(&pool, &history).await;
    assert_eq!(parked(&pool).await, [bad.get().cast_signed(), behind.get().cast_signed()]);

    let since = history.head();
    history.tell(DeploymentId, skipped(bad));
    history
        .tell(ACME, OrganizationEvent::SlugChanged { slug: domain::value::Slug::parse("acme-3").unwrap() });
    goes_on(&pool, &history, since).await;
    assert_eq!(parked(&pool).await, [0_i64; 0]);
    assert_eq!(
        count(&pool, "select from organizations where name = 'behind it' and slug = 'acme-3'").await,
        1
    );
    the_rebuilt_rows_are_the_live_ones(&pool, history.head()).await;
}

#[tokio::test]
async fn a_retried_event_is_folded_with_those_behind_it_once_nothing_hinders_it() {
    let (pool, _database) = harness::database().await;
    let hinder =
        "alter table users add constraint no_mallory check (email is distinct from 'mallory@example.com')";
    sqlx::query(hinder).execute(&pool).await.unwrap();
    let mut history = History::default();
    history.tell(ANN, registered(ANN, "ann@example.com", "Ann"));
    folded(&pool, &history).await;
    let since = history.head();
    let changed = |address| UserEvent::EmailChanged { email: Some(email(ANN, address)) };
    let bad = history.tell(ANN, changed("mallory@example.com")).head();
    goes_on(&pool, &history, since).await;
    history.tell(ANN, UserEvent::Suspended { reason: display("behind it") });
    goes_on(&pool, &history, bad).await;
    assert_eq!(parked(&pool).await, [2, 3]);

    let since = history.head();
    history.tell(DeploymentId, retried(bad));
    goes_on(&pool, &history, since).await;
    assert_eq!(parked(&pool).await, [2, 3], "Postgres refuses it again, and nothing is lost");

    sqlx::query("alter table users drop constraint no_mallory").execute(&pool).await.unwrap();
    let since = history.head();
    history.tell(DeploymentId, retried(bad));
    goes_on(&pool, &history, since).await;
    assert_eq!(parked(&pool).await, [0_i64; 0]);
    assert_eq!(
        count(&pool, "select from users where email = 'mallory@example.com' and standing = 'suspended'")
            .await,
        1
    );
}
