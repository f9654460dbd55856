//! A password that is replaced opens nothing any more, whoever was under way with it at that moment.

use std::time::Duration;

use harness::{Answer, World};
use sqlx::{Connection as _, PgConnection, PgPool};

use super::browser::{Browser, location, text};
use super::{PASSWORD, Person};

const DEADLINE: Duration = Duration::from_mins(1);

/// Whether somebody waits for a lock with a statement about one of these tables.
async fn waiting(pool: &PgPool, number: i64) -> bool {
    let query = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
        and (query like '%sessions%' or query like '%local_passwords%')";
    sqlx::query_scalar::<_, i64>(query).fetch_one(pool).await.unwrap() >= number
}

/// Until so many wait, or somebody has been answered without.
async fn until_waiting(pool: &PgPool, number: i64, answered: impl Fn() -> bool) {
    let waited = async {
        while !waiting(pool, number).await && !answered() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waited).await.expect("they come so far");
}

async fn sessions(world: &World) -> i64 {
    sqlx::query_scalar("select count(*) from sessions").fetch_one(&world.node.running.pool).await.unwrap()
}

/// Replaces the password while whoever is under way waits for its row.
async fn replaced_under(world: &World, under_way: impl Future<Output = Answer> + Send + 'static) -> Answer {
    let pool = &world.node.running.pool;
    let mut own = PgConnection::connect(&world.database.url).await.unwrap();
    let mut replacing = own.begin().await.unwrap();
    sqlx::query("select from local_passwords for update").execute(&mut *replacing).await.unwrap();
    let under_way = tokio::spawn(under_way);
    until_waiting(pool, 1, || under_way.is_finished()).await;
    let replace =
        "update local_passwords set changed_at = clock_timestamp(), replaced_at = clock_timestamp()";
    sqlx::query(replace).execute(&mut *replacing).await.unwrap();
    replacing.commit().await.unwrap();
    under_way.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_34_who_was_signing_in_with_the_password_of_before_is_not_let_in() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let (mut thief, email) = (Browser::new(&world.node.running.url), bea.email.clone());
    let answer = replaced_under(&world, async move { thief.sign_in(&email, PASSWORD).await }).await;
    assert_eq!(answer.status.as_u16(), 403, "{}", text(&answer));
    assert_eq!(sessions(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_34_a_session_that_begins_while_the_password_is_replaced_ends_with_it() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let pool = &world.node.running.pool;
    let mut own = PgConnection::connect(&world.database.url).await.unwrap();
    let mut holding = own.begin().await.unwrap();
    sqlx::query("lock table sessions in exclusive mode").execute(&mut *holding).await.unwrap();
    let (mut thief, email) = (Browser::new(&world.node.running.url), bea.email.clone());
    let signing_in = tokio::spawn(async move {
        thief.sign_in(&email, PASSWORD).await;
        thief
    });
    until_waiting(pool, 1, || signing_in.is_finished()).await;
    let replacing = bea.set_password(&world, "another good one");
    let letting_go = async {
        until_waiting(pool, 2, || false).await;
        holding.commit().await.unwrap();
    };
    tokio::join!(replacing, letting_go);
    let mut thief = signing_in.await.unwrap();
    assert!(location(&thief.get("/account/grants").await).starts_with("/sign-in"));
    assert_eq!(sessions(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_34_who_was_changing_the_password_of_before_changes_nothing() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let mut thief = bea.browser(&world).await;
    let page = thief.get("/account/password").await;
    let changing = async move {
        let fields = [("current", PASSWORD), ("new", "the thief's own")];
        thief.fill(&page, "/account/password", &fields).await
    };
    let answer = replaced_under(&world, changing).await;
    assert_eq!(answer.status.as_u16(), 403, "{}", text(&answer));
    let mut browser = Browser::new(&world.node.running.url);
    assert_eq!(browser.sign_in(&bea.email, "the thief's own").await.status.as_u16(), 403);
    let told = "select count(*) from events where event_type = 'password_set' and aggregate_id = $1";
    let told: i64 = sqlx::query_scalar(told).bind(&bea.id).fetch_one(&world.node.running.pool).await.unwrap();
    assert_eq!(told, 1, "the log tells of nothing that did not happen");
}
