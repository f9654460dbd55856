//! `/v1/projections`: what is parked is seen, and retried or skipped by an administrator who says why.

use std::process::{Command, Output};

use harness::{World, sekisho};
use hyper::Method;
use serde_json::{Value, json};

const PARKED: &str = "/v1/projections/directory/parked";

/// A world whose directory could not take the organization's new name, nor the one after it.
async fn with_parked_events() -> (World, i64, i64) {
    let world = World::start().await;
    let hinder = "alter table organizations add constraint no_mallory check (name <> 'Mallory')";
    sqlx::query(hinder).execute(&world.node.running.pool).await.unwrap();
    let mut positions = Vec::new();
    for name in ["Mallory", "Behind"] {
        let renamed =
            world.admin().json(Method::PATCH, &world.path(""), &json!({ "name": name })).await.good();
        positions.push(renamed["position"].as_i64().unwrap());
    }
    (world, positions[0], positions[1])
}

async fn parked(world: &World) -> Vec<Value> {
    world.admin().get(PARKED).await.good()["items"].as_array().unwrap().clone()
}

async fn name(world: &World) -> Value {
    world.admin().get(&world.path("")).await.good()["name"].clone()
}

#[tokio::test]
async fn what_is_not_parked_or_waits_behind_another_is_refused() {
    let (world, _, behind) = with_parked_events().await;
    let because = json!({ "reason": "an attempt" });
    for nothing in ["1", "999999", "-1", "x"] {
        world.admin().post(&format!("{PARKED}/{nothing}/retry"), &because).await.refused(404, "not-found");
    }
    world.admin().post("/v1/projections/phonebook/parked/1/skip", &because).await.refused(404, "not-found");
    world.admin().get("/v1/projections/phonebook/parked").await.refused(404, "not-found");
    for what in ["retry", "skip"] {
        let path = format!("{PARKED}/{behind}/{what}");
        world.admin().post(&path, &because).await.refused(409, "parked-behind");
        assert_eq!(world.admin().post(&path, &json!({})).await.status.as_u16(), 400, "a reason is wanted");
    }
    assert_eq!(parked(&world).await.len(), 2);
}

#[tokio::test]
async fn an_event_is_retried_once_nothing_hinders_it_any_more_and_the_audit_says_why() {
    let (world, bad, behind) = with_parked_events().await;
    let pool = &world.node.running.pool;
    let found = parked(&world).await;
    assert_eq!(found.iter().map(|event| event["event"].as_i64().unwrap()).collect::<Vec<_>>(), [bad, behind]);
    assert!(found[0]["reason"].as_str().unwrap().contains("no_mallory"), "{found:?}");
    let all = world.admin().get("/v1/projections").await.good();
    assert_eq!(all["items"][0]["name"], "directory");
    assert_eq!((&all["items"][0]["parked_events"], &all["items"][0]["lag_events"]), (&json!(2), &json!(0)));
    assert_eq!(name(&world).await, "Acme");

    sqlx::query("alter table organizations drop constraint no_mallory").execute(pool).await.unwrap();
    let because = json!({ "reason": "the constraint is gone" });
    let done = world.admin().post(&format!("{PARKED}/{bad}/retry"), &because).await;
    assert_eq!(done.header("sekisho-visible"), Some("true"));
    assert_eq!(name(&world).await, "Behind");
    assert_eq!(parked(&world).await, [] as [Value; 0]);
    let told: Value = sqlx::query_scalar("select payload::jsonb from events where global_position = $1")
        .bind(done.good()["position"].as_i64().unwrap())
        .fetch_one(pool)
        .await
        .unwrap();
    let fact = json!({ "projection": "directory", "position": bad, "reason": "the constraint is gone" });
    assert_eq!(told, json!({ "parked_event_retried": fact }));
}

#[tokio::test]
async fn an_event_is_skipped_and_what_waits_behind_it_goes_on() {
    let (world, bad, _) = with_parked_events().await;
    let because = json!({ "reason": "nobody needs that name" });
    world.admin().post(&format!("{PARKED}/{bad}/skip"), &because).await.good();
    assert_eq!(name(&world).await, "Behind");
    assert_eq!(parked(&world).await, [] as [Value; 0]);
}

/// `sekisho projections parked ...` on the world's database.
fn at_the_command_line(world: &World, arguments: &[&str]) -> Output {
    let mut command = Command::new(sekisho());
    command.args(["projections", "parked"]).args(arguments).env("DATABASE_URL", &world.database.url);
    command.env("SEKISHO_MASTER_KEY", world.master_key()).env_remove("NATS_URL").output().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_lists_retries_and_skips_as_well() {
    let (world, bad, _) = with_parked_events().await;
    let bad = bad.to_string();
    let listed = at_the_command_line(&world, &["list", "directory"]);
    let told = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    assert!(told.contains(&bad) && told.contains("no_mallory") && told.lines().count() == 2, "{told}");

    let unknown = at_the_command_line(&world, &["skip", "directory", "1", "--reason", "an attempt"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("has not parked an event at 1"));

    let skipped = at_the_command_line(&world, &["skip", "directory", &bad, "--reason", "not wanted"]);
    assert!(skipped.status.success(), "{}", String::from_utf8_lossy(&skipped.stderr));
    assert_eq!(name(&world).await, "Behind");
    let again = at_the_command_line(&world, &["retry", "directory", &bad, "--reason", "an attempt"]);
    let told = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(again.status.code() == Some(1) && told.contains("has not parked an event"), "{told}");
    let credentials: Vec<String> = sqlx::query_scalar(
        "select distinct metadata ->> 'credential' from events where event_type like 'parked_event_%'",
    )
    .fetch_all(&world.node.running.pool)
    .await
    .unwrap();
    assert_eq!(credentials, ["command_line"]);
}
