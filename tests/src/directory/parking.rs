//! What cannot be folded is parked with everything later of its aggregate, and the rest goes on.

use domain::organization::OrganizationEvent;
use domain::server::ServerEvent;
use domain::user::UserEvent;
use domain::value::{Personal, Position, SubjectId};
use sqlx::PgPool;

use super::everything::{ACME, ANN, BEN, CLOCK, GLOBEX};
use super::folded;
use super::history::{History, display, founded, registered};

async fn parked(pool: &PgPool) -> Vec<(i64, String)> {
    sqlx::query_as(
        "select position, reason from parked_events where projection = 'directory' order by position",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

async fn name_of(pool: &PgPool, table: &str, id: uuid::Uuid) -> Option<String> {
    let query = format!("select name from {table} where id = $1");
    sqlx::query_scalar(&query).bind(id).fetch_optional(pool).await.unwrap()
}

#[tokio::test]
async fn attack_44_an_event_of_a_later_release_is_parked_with_what_follows_it() {
    let (pool, _database) = harness::database().await;
    let mut history = History::default();
    history.tell(ACME, founded("acme", "Acme")).tell(GLOBEX, founded("globex", "Globex"));
    let bad = history.tell_newer(ACME, OrganizationEvent::Renamed { name: display("from the future") });
    history.tell(GLOBEX, OrganizationEvent::Renamed { name: display("Globex 2") });
    let behind = history.tell(ACME, OrganizationEvent::Renamed { name: display("Acme 2") }).head();
    history.tell(GLOBEX, OrganizationEvent::Suspended { reason: display("unpaid") });
    folded(&pool, &history).await;

    let parked = parked(&pool).await;
    assert_eq!(
        parked.iter().map(|(position, _)| *position).collect::<Vec<_>>(),
        [number(bad), number(behind)]
    );
    assert!(parked[0].1.contains("newer version"), "{parked:?}");
    assert_eq!(parked[1].1, "behind a parked event");
    assert_eq!(name_of(&pool, "organizations", ACME.uuid()).await.as_deref(), Some("Acme"));
    assert_eq!(name_of(&pool, "organizations", GLOBEX.uuid()).await.as_deref(), Some("Globex 2"));
}

#[tokio::test]
async fn personal_data_that_nobody_opened_are_parked_not_taken_for_erased() {
    let (pool, _database) = harness::database().await;
    let sealed = Personal::Sealed {
        subject: SubjectId::from(ANN),
        nonce: "AAAA".to_owned(),
        ciphertext: "AAAA".to_owned(),
    };
    let mut history = History::default();
    let bad = history
        .tell(
            ANN,
            UserEvent::Registered { email: Some(sealed), name: None, picture: None, registered_in: None },
        )
        .head();
    history.tell(BEN, registered(BEN, "ben@example.com", "Ben"));
    folded(&pool, &history).await;

    assert_eq!(parked(&pool).await[0].0, number(bad));
    assert_eq!(name_of(&pool, "users", ANN.uuid()).await, None);
    assert_eq!(name_of(&pool, "users", BEN.uuid()).await.as_deref(), Some("Ben"));
}

#[tokio::test]
async fn attack_44_a_change_of_something_that_never_was_is_parked_not_skipped() {
    let (pool, _database) = harness::database().await;
    let mut history = History::default();
    let bad = history.tell(CLOCK, ServerEvent::Retired {}).head();
    history.tell(ACME, founded("acme", "Acme"));
    let other = history.tell(ACME, OrganizationEvent::MemberRemoved { user: ANN }).head();
    history.tell(BEN, registered(BEN, "ben@example.com", "Ben"));
    folded(&pool, &history).await;

    let parked = parked(&pool).await;
    assert_eq!(
        parked.iter().map(|(position, _)| *position).collect::<Vec<_>>(),
        [number(bad), number(other)]
    );
    assert!(parked.iter().all(|(_, reason)| reason.contains("not in this read model")), "{parked:?}");
    assert_eq!(name_of(&pool, "users", BEN.uuid()).await.as_deref(), Some("Ben"));
}

fn number(position: Position) -> i64 {
    i64::try_from(position.get()).unwrap()
}
