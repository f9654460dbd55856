//! Sessions: seen, ended one by one or all, over by themselves.

use harness::World;
use hyper::Method;
use serde_json::json;

use super::browser::{Browser, hidden, location, text};
use super::{PASSWORD, Person};

fn is_signed_out(answer: &harness::Answer) -> bool {
    answer.status.as_u16() == 303 && answer.header("location").unwrap().starts_with("/sign-in")
}

#[tokio::test]
async fn item_62_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let mut browser = Browser::new(&world.node.running.url);
    let answer = browser.sign_in(&bea.email, PASSWORD).await;
    let cookies: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(cookies.len(), 2);
    for cookie in cookies {
        // Over https, which a unit test looks at, the name begins with __Host- and Secure stands there too.
        assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    }
}

#[tokio::test]
async fn what_is_kept_of_a_session_signs_nobody_in() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let browser = bea.browser(&world).await;
    let kept = crate::gateway::canary::tables(&world.node.running.pool).await;
    assert!(!kept.contains(&browser.cookies["sekisho"]), "the cookie stands in a table");
    assert!(!kept.contains(PASSWORD), "the password stands in a table");
    assert!(!kept.contains("$2b$10$"), "the digest of the password stands in a table in clear");
}

#[tokio::test]
async fn whoever_signs_out_is_out_on_every_node_and_only_there() {
    let world = World::start().await;
    let other = world.another_node().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let (mut here, mut elsewhere) = (bea.browser(&world).await, bea.browser(&world).await);
    let copy = here.clone();
    let page = here.get("/sign-out").await;
    assert!(text(&here.fill(&page, "/sign-out", &[]).await).contains("You are signed out"));
    let mut at_the_other = Browser::new(&other.running.url);
    at_the_other.cookies = copy.cookies;
    assert!(is_signed_out(&here.get("/account/grants").await));
    assert!(is_signed_out(&at_the_other.get("/account/grants").await));
    assert_eq!(elsewhere.get("/account/grants").await.status.as_u16(), 200);
    // A link alone signs nobody out.
    elsewhere.get("/sign-out").await;
    assert_eq!(elsewhere.get("/account/grants").await.status.as_u16(), 200);
}

#[tokio::test]
async fn somebody_sees_where_they_are_signed_in_and_ends_one_or_all_others() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let mut here = bea.browser(&world).await;
    let mut there = bea.browser(&world).await;
    let mut third = bea.browser(&world).await;
    let page = here.get("/account/grants").await;
    assert_eq!(text(&page).matches("name=\"session\"").count(), 4, "three, and all others");
    let csrf = hidden(&page)[0].1.clone();
    let query = "select id::text from sessions order by created_at offset 1 limit 1";
    let second: String = sqlx::query_scalar(query).fetch_one(&world.node.running.pool).await.unwrap();
    let sent = [("csrf", csrf.as_str()), ("session", second.as_str())];
    assert_eq!(location(&here.post("/account/sessions/end", &sent).await), "/account/grants?done=ended");
    assert!(is_signed_out(&there.get("/account/grants").await));
    assert_eq!(third.get("/account/grants").await.status.as_u16(), 200);
    location(&here.post("/account/sessions/end", &[("csrf", &csrf), ("session", "others")]).await);
    assert!(is_signed_out(&third.get("/account/grants").await));
    assert!(text(&here.get("/account/grants?done=ended").await).contains("Signed out there"));
}

#[tokio::test]
async fn attack_41_nobody_ends_the_session_of_somebody_else() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let carl = Person::member(&world, "Carl", "owner").await;
    let (mut beas, mut carls) = (bea.browser(&world).await, carl.browser(&world).await);
    let query = "select id::text from sessions where user_id = $1::uuid";
    let theirs: String =
        sqlx::query_scalar(query).bind(&bea.id).fetch_one(&world.node.running.pool).await.unwrap();
    let csrf = hidden(&carls.get("/account/grants").await)[0].1.clone();
    carls.post("/account/sessions/end", &[("csrf", &csrf), ("session", &theirs)]).await;
    assert_eq!(beas.get("/account/grants").await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_session_ends_by_itself_when_it_is_not_used_and_when_it_is_old() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    for older in [
        "update sessions set seen_at = seen_at - interval '13 hours'",
        "update sessions set expires_at = clock_timestamp() - interval '1 second'",
    ] {
        let mut browser = bea.browser(&world).await;
        assert_eq!(browser.get("/account/grants").await.status.as_u16(), 200);
        sqlx::query(older).execute(&world.node.running.pool).await.unwrap();
        assert!(is_signed_out(&browser.get("/account/grants").await), "{older}");
    }
}

#[tokio::test]
async fn somebody_who_is_suspended_is_signed_in_nowhere() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let mut browser = bea.browser(&world).await;
    let path = format!("/v1/deployment/users/{}/suspend", bea.id);
    world.admin().json(Method::POST, &path, &json!({ "reason": "left" })).await.good();
    assert!(is_signed_out(&browser.get("/account/grants").await));
}
