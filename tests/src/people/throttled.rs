//! How often somebody may try, and that nobody is kept out by what others try (`oauth.md`, case 30).

use harness::World;

use super::browser::{Browser, location, text};
use super::{PASSWORD, Person};

async fn try_until_refused(world: &World, email: &str) -> u32 {
    for attempt in 1..=100 {
        let mut browser = Browser::new(&world.node.running.url);
        let answer = browser.sign_in(email, "wrong horse battery").await;
        if answer.status.as_u16() == 429 {
            assert!(text(&answer).contains("Too many attempts"));
            let wait: u64 = answer.header("retry-after").expect("a time").parse().expect("a number");
            assert!((1..=30).contains(&wait), "{wait}");
            return attempt;
        }
        assert_eq!(answer.status.as_u16(), 403);
    }
    panic!("never refused");
}

#[tokio::test]
async fn attack_30_too_many_attempts_are_refused_and_an_account_that_is_none_looks_alike() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let known = try_until_refused(&world, &bea.email).await;
    let unknown = try_until_refused(&world, "nobody@example.com").await;
    assert!((10..=13).contains(&known) && (10..=13).contains(&unknown), "{known} {unknown}");
    // Also the right password: whoever tries does not learn that it was right.
    let mut browser = Browser::new(&world.node.running.url);
    assert_eq!(browser.sign_in(&bea.email, PASSWORD).await.status.as_u16(), 429);
}

#[tokio::test]
async fn attack_30_a_browser_that_was_let_in_before_is_not_kept_out_by_others() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let mut own = bea.browser(&world).await;
    own.cookies.remove("sekisho");
    try_until_refused(&world, &bea.email).await;
    location(&own.sign_in(&bea.email, PASSWORD).await);
    // What lets it in is good for this account alone, and cannot be made up.
    let carl = Person::member(&world, "Carl", "member").await;
    try_until_refused(&world, &carl.email).await;
    own.cookies.remove("sekisho");
    assert_eq!(own.sign_in(&carl.email, PASSWORD).await.status.as_u16(), 429);
    let mut forged = Browser::new(&world.node.running.url);
    forged.cookies.insert("sekisho-known".to_owned(), format!("{}.{}", "0".repeat(32), "0".repeat(64)));
    assert_eq!(forged.sign_in(&bea.email, PASSWORD).await.status.as_u16(), 429);
}

#[tokio::test]
async fn attack_30_what_fills_drains_and_goes_on_trying_puts_nothing_off() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    try_until_refused(&world, &bea.email).await;
    for _ in 0..5 {
        let mut browser = Browser::new(&world.node.running.url);
        browser.sign_in(&bea.email, "wrong horse battery").await;
    }
    let level: f64 = sqlx::query_scalar("select max(level) from sign_in_throttle")
        .fetch_one(&world.node.running.pool)
        .await
        .unwrap();
    assert!(level <= 60.0, "{level}");
    let earlier = "update sign_in_throttle set at = at - interval '35 seconds'";
    sqlx::query(earlier).execute(&world.node.running.pool).await.unwrap();
    let mut browser = Browser::new(&world.node.running.url);
    location(&browser.sign_in(&bea.email, PASSWORD).await);
}

#[tokio::test]
async fn attack_30_what_succeeds_is_not_counted() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    for _ in 0..14 {
        let mut browser = Browser::new(&world.node.running.url);
        location(&browser.sign_in(&bea.email, PASSWORD).await);
    }
}
