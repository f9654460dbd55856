//! A page is folded in memory and written once: whatever happens within it, the rows are as if its events had come one by one.

use domain::organization::OrganizationEvent;
use domain::user::UserEvent;
use domain::value::Role;
use sqlx::PgPool;

use super::everything::{ACME, ANN, BEN, CAT, GLOBEX};
use super::history::{History, display, email, founded, registered};
use super::{Live, count, folded};

async fn parked(pool: &PgPool) -> Vec<(i64, String)> {
    sqlx::query_as("select position, reason from parked_events order by position")
        .fetch_all(pool)
        .await
        .unwrap()
}

async fn names(pool: &PgPool) -> Vec<(String, i64, i64)> {
    let sql = "select name, created_position, updated_position from organizations order by created_position";
    sqlx::query_as(sql).fetch_all(pool).await.unwrap()
}

#[tokio::test]
async fn a_row_that_is_changed_many_times_in_one_page_is_as_its_last_event_says() {
    let (pool, _database) = harness::database().await;
    let mut history = History::default();
    history.tell(ACME, founded("acme", "Acme"));
    for number in 0..100 {
        history.tell(ACME, OrganizationEvent::Renamed { name: display(&format!("Acme {number}")) });
    }
    folded(&pool, &history).await;
    assert_eq!(names(&pool).await, [("Acme 99".to_owned(), 1, 101)]);
}

#[tokio::test]
async fn a_row_that_comes_and_goes_within_one_page_is_gone_and_may_come_again() {
    let (pool, _database) = harness::database().await;
    let mut history = History::default();
    let added = |user| OrganizationEvent::MemberAdded { user, role: Role::Member };
    history
        .tell(ACME, founded("acme", "Acme"))
        .tell(ACME, added(ANN))
        .tell(ACME, OrganizationEvent::MemberRemoved { user: ANN })
        .tell(ACME, added(BEN))
        .tell(ACME, OrganizationEvent::MemberRemoved { user: BEN })
        .tell(ACME, added(BEN));
    folded(&pool, &history).await;
    assert_eq!(parked(&pool).await, []);
    assert_eq!(count(&pool, "select * from members where created_position = 6").await, 1);
    assert_eq!(count(&pool, "select * from members").await, 1);
}

#[tokio::test]
async fn a_row_of_an_earlier_page_is_taken_away_by_a_later_one() {
    let (pool, _database) = harness::database().await;
    let mut history = History::default();
    history
        .tell(ACME, founded("acme", "Acme"))
        .tell(ACME, OrganizationEvent::MemberAdded { user: ANN, role: Role::Owner });
    folded(&pool, &history).await;
    let first = history.head();
    history.tell(ACME, OrganizationEvent::MemberRemoved { user: ANN });
    for position in history.positions().filter(|position| *position > first) {
        history.append_one(&pool, position).await;
    }
    Live::start(&pool).folds_up_to(history.head()).await;
    assert_eq!(count(&pool, "select * from members").await, 0);
}

#[tokio::test]
async fn poison_in_the_middle_of_a_page_parks_its_aggregate_alone_from_there_on() {
    let (pool, _database) = harness::database().await;
    let mut history = History::default();
    history
        .tell(ACME, founded("acme", "Acme"))
        .tell(ACME, OrganizationEvent::Renamed { name: display("Acme 2") })
        .tell(GLOBEX, founded("globex", "Globex"))
        .tell(ACME, founded("acme", "Acme again")) // it is there already
        .tell(ACME, OrganizationEvent::Renamed { name: display("Acme 3") })
        .tell(GLOBEX, OrganizationEvent::Renamed { name: display("Globex 2") })
        .tell(CAT, registered(CAT, "cat@example.com", "Cat"));
    folded(&pool, &history).await;
    let reasons = parked(&pool).await;
    assert_eq!(reasons.iter().map(|(position, _)| *position).collect::<Vec<_>>(), [4, 5]);
    assert!(reasons[0].1.contains("already") && reasons[1].1.contains("behind"), "{reasons:?}");
    assert_eq!(names(&pool).await, [("Acme 2".to_owned(), 1, 2), ("Globex 2".to_owned(), 3, 6)]);
    assert_eq!(count(&pool, "select * from users").await, 1);
}

#[tokio::test]
async fn of_a_page_that_postgres_refuses_the_culprit_alone_is_parked() {
    let (pool, _database) = harness::database().await;
    sqlx::query(
        "alter table users add constraint no_mallory check (email is distinct from 'mallory@example.com')",
    )
    .execute(&pool)
    .await
    .unwrap();
    let mut history = History::default();
    history
        .tell(ANN, registered(ANN, "ann@example.com", "Ann"))
        .tell(BEN, registered(BEN, "ben@example.com", "Ben"))
        .tell(BEN, UserEvent::EmailChanged { email: Some(email(BEN, "mallory@example.com")) })
        .tell(BEN, UserEvent::EmailChanged { email: Some(email(BEN, "ben@example.org")) })
        .tell(CAT, registered(CAT, "cat@example.com", "Cat"));
    for position in history.positions().skip(2) {
        history.append_one(&pool, position).await;
    }
    // Position 1 comes last, so that all of them are one page.
    for position in history.positions().take(2) {
        history.append_one(&pool, position).await;
    }
    Live::start(&pool).folds_up_to(history.head()).await;
    let emails: Vec<String> = sqlx::query_scalar("select email from users order by created_position")
        .fetch_all(&pool)
        .await
        .unwrap();
    // Within one page the row is written once, as its last event left it, and that is not refused.
    assert_eq!(emails, ["ann@example.com", "ben@example.org", "cat@example.com"]);
    assert_eq!(parked(&pool).await, []);

    let bad =
        history.tell(ANN, UserEvent::EmailChanged { email: Some(email(ANN, "mallory@example.com")) }).head();
    let head = history.tell(CAT, UserEvent::EmailChanged { email: None }).head();
    let mut transaction = pool.begin().await.unwrap();
    for position in [bad, head] {
        history.append_one_on(&mut transaction, position).await;
    }
    transaction.commit().await.unwrap();
    Live::start(&pool).folds_up_to(head).await;
    let reasons = parked(&pool).await;
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].0 == 6 && reasons[0].1.contains("no_mallory"), "{reasons:?}");
    assert_eq!(count(&pool, "select * from users where email is null").await, 1);
}
