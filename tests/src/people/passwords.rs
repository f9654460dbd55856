//! Passwords: who sets whose, what can be one, and that changing one ends what hangs on it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use harness::{Http, World, sekisho};
use hyper::Method;
use serde_json::json;

use super::browser::{Browser, location, text};
use super::{PASSWORD, Person};

async fn set(http: &Http, user: &str, password: &str) -> harness::Answer {
    http.json(Method::PUT, &format!("/v1/users/{user}/password"), &json!({ "password": password })).await
}

/// A key of somebody with a role in the founded organization, with these scopes, issued by themself.
async fn key_of(world: &World, person: &Person, scopes: &[&str]) -> Http {
    let body = json!({ "name": "Key", "scopes": scopes, "principal": person.id });
    let key = world.admin().post(&world.path("/api-keys"), &body).await.good()["api_key"].clone();
    world.node.http().as_key(key.as_str().unwrap())
}

const EVERYTHING: [&str; 5] = ["org:write", "keys:write", "clients:write", "audit:read", "mcp:admin"];

#[tokio::test]
async fn attack_28_what_bcrypt_would_cut_or_not_see_is_no_password() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    for password in ["seven77", &"a".repeat(72), &"\u{95a2}".repeat(24), "password\0and more", ""] {
        let refused = set(&world.admin(), &bea.id, password).await;
        assert_eq!(refused.status.as_u16(), 400, "{password:?}");
        assert!(password.len() < 5 || !text(&refused).contains(password), "{password:?} is repeated");
    }
    for password in ["eight888", &"a".repeat(71), "パスワードです"] {
        bea.set_password(&world, password).await;
        let mut browser = Browser::new(&world.node.running.url);
        location(&browser.sign_in(&bea.email, password).await);
        let mut longer = Browser::new(&world.node.running.url);
        let answer = longer.sign_in(&bea.email, &format!("{password}a")).await;
        assert_eq!(answer.status.as_u16(), 403, "{password:?}");
    }
}

#[tokio::test]
async fn attack_17_a_key_without_every_scope_sets_no_password() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    for missing in 0..EVERYTHING.len() {
        let held: Vec<&str> =
            EVERYTHING.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, scope)| *scope).collect();
        let key = world.node.http().as_key(&world.key(&held, None).await);
        assert_eq!(set(&key, &bea.id, PASSWORD).await.status.as_u16(), 403, "{held:?}");
    }
}

#[tokio::test]
async fn attack_17_a_key_does_not_set_the_password_of_its_own_user() {
    let world = World::start().await;
    set(&world.admin(), &world.founder, PASSWORD).await.refused(403, "forbidden");
}

#[tokio::test]
async fn attack_35_an_organization_sets_the_password_of_nobody_who_belongs_elsewhere() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "owner").await;
    let owner = key_of(&world, &bea, &EVERYTHING).await;
    let carl = Person::member(&world, "Carl", "member").await;
    set(&owner, &carl.id, PASSWORD).await.good();
    // Somebody whom nobody here registered looks like nobody.
    set(&owner, &uuid::Uuid::new_v4().to_string(), PASSWORD).await.refused(404, "not-found");
    set(&owner, &world.founder, PASSWORD).await.refused(404, "not-found");
    // Somebody who has an organization of their own by now.
    let dora = Person::registered(&world, "Dora").await;
    let mut browser = Browser::new(&world.node.running.url);
    assert!(location(&browser.sign_in(&dora.email, PASSWORD).await).starts_with("/welcome"));
    set(&owner, &dora.id, PASSWORD).await.refused(403, "forbidden");
    // A member sets nobody's.
    let member = key_of(&world, &carl, &["org:write"]).await;
    set(&member, &bea.id, PASSWORD).await.refused(403, "forbidden");
}

#[tokio::test]
async fn an_administrator_who_sets_a_password_ends_the_sessions_and_the_old_one() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let mut browser = bea.browser(&world).await;
    bea.set_password(&world, "another good one").await;
    assert_eq!(browser.get("/account/grants").await.status.as_u16(), 303);
    let mut old = Browser::new(&world.node.running.url);
    assert_eq!(old.sign_in(&bea.email, PASSWORD).await.status.as_u16(), 403);
    location(&old.sign_in(&bea.email, "another good one").await);
    let event = "select count(*) from events where aggregate_type = 'user' and event_type = 'password_set' and aggregate_id = $1";
    let told: i64 =
        sqlx::query_scalar(event).bind(&bea.id).fetch_one(&world.node.running.pool).await.unwrap();
    assert_eq!(told, 2);
}

#[tokio::test]
async fn attack_44_whoever_asks_once_more_brings_no_old_password_back() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let first = world.admin().with("idempotency-key", "set bea's password");
    set(&first, &bea.id, "the first good one").await.good();
    let mut browser = Browser::new(&world.node.running.url);
    location(&browser.sign_in(&bea.email, "the first good one").await);
    // Asked once more at once: what is done is done, and nobody is signed out.
    set(&first, &bea.id, "the first good one").await.good();
    assert_eq!(browser.get("/account/grants").await.status.as_u16(), 200);
    bea.set_password(&world, "the second good one").await;
    set(&first, &bea.id, "the first good one").await.good();
    let mut anew = Browser::new(&world.node.running.url);
    assert_eq!(anew.sign_in(&bea.email, "the first good one").await.status.as_u16(), 403);
    location(&anew.sign_in(&bea.email, "the second good one").await);
    // Asked once more where whoever was asked died before it was kept.
    let last = world.admin().with("idempotency-key", "set bea's password anew");
    set(&last, &bea.id, "the third good one").await.good();
    let cut_off = "delete from local_passwords";
    sqlx::query(cut_off).execute(&world.node.running.pool).await.unwrap();
    set(&last, &bea.id, "the third good one").await.good();
    let mut anew = Browser::new(&world.node.running.url);
    location(&anew.sign_in(&bea.email, "the third good one").await);
}

#[tokio::test]
async fn somebody_changes_their_own_with_the_one_in_force_and_is_signed_out_elsewhere() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let (mut here, mut there) = (bea.browser(&world).await, bea.browser(&world).await);
    let page = here.get("/account/password").await;
    let change = async |browser: &mut Browser, current: &str, new: &str| {
        browser.fill(&page, "/account/password", &[("current", current), ("new", new)]).await
    };
    let wrong = change(&mut here, "not the one", "a new one 1").await;
    assert_eq!(wrong.status.as_u16(), 403);
    assert!(text(&wrong).contains("current password is not right"));
    assert_eq!(change(&mut here, PASSWORD, "short").await.status.as_u16(), 422);
    assert_eq!(there.get("/account/grants").await.status.as_u16(), 200);
    let changed = change(&mut here, PASSWORD, "a new one 1").await;
    assert!(text(&changed).contains("The password is changed"));
    assert_eq!(here.get("/account/grants").await.status.as_u16(), 200);
    assert_eq!(there.get("/account/grants").await.status.as_u16(), 303);
    let mut anew = Browser::new(&world.node.running.url);
    location(&anew.sign_in(&bea.email, "a new one 1").await);
}

#[tokio::test]
async fn attack_28_a_password_of_another_cost_is_kept_at_the_cost_of_today_once_it_is_shown() {
    let world = World::start().await;
    let bea = Person::member(&world, "Bea", "member").await;
    let settings = harness::Settings { bcrypt_cost: 11, ..harness::Settings::default() };
    let dearer = world.another_node_with(settings).await;
    let kept = "select md5(sealed) from local_passwords";
    let kept =
        || async { sqlx::query_scalar::<_, String>(kept).fetch_one(&world.node.running.pool).await.unwrap() };
    let before = kept().await;
    for _ in 0..2 {
        let mut browser = Browser::new(&dearer.running.url);
        location(&browser.sign_in(&bea.email, PASSWORD).await);
    }
    let after = kept().await;
    assert_ne!(before, after);
    let mut browser = Browser::new(&dearer.running.url);
    location(&browser.sign_in(&bea.email, PASSWORD).await);
    assert_eq!(kept().await, after, "it stays once it is right");
}

/// `sekisho users set-password` with this on its standard input: its exit code and what it says.
fn at_the_command_line(world: &World, whose: &[&str], input: &str) -> (Option<i32>, String) {
    let mut command = Command::new(sekisho());
    command.env_clear().args(["users", "set-password"]).args(whose);
    command.env("DATABASE_URL", &world.database.url).env("SEKISHO_MASTER_KEY", world.master_key());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    // It may refuse before it has read anything.
    let _ = child.stdin.take().expect("an input").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let said = [&output.stdout[..], &output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_sets_a_password_that_stands_in_no_argument() {
    let world = World::start().await;
    let ann = "ann@example.com"; // the founder, who has none
    let set = async |whose: &'static [&'static str], input: &'static str| {
        tokio::task::block_in_place(|| at_the_command_line(&world, whose, input))
    };
    let (code, said) = set(&["--email", "ann@example.com"], "short\n").await;
    assert_eq!((code, said.contains("8 to 71 bytes")), (Some(2), true), "{said}");
    let (code, said) = set(&["--email", "nobody@example.com"], "correct horse battery\n").await;
    assert_eq!((code, said.contains("nobody has this")), (Some(1), true), "{said}");
    let (code, said) = set(&["--email", "Ann@example.com"], "correct horse battery\n").await;
    assert_eq!((code, said.contains(&world.founder)), (Some(0), true), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
    let mut browser = Browser::new(&world.node.running.url);
    location(&browser.sign_in(ann, PASSWORD).await);
}
